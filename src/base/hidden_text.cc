#include "base/hidden_text.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hakobu {
namespace {

constexpr size_t kLeastPiece = 5;

bool IsWord(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_';
}

// How many bytes of `message` from `at` on stand somewhere in `hidden`.
size_t PieceAt(std::string_view message, size_t at, std::string_view hidden) {
  size_t longest = 0;
  for (size_t from = 0; from + longest < hidden.size(); ++from) {
    size_t length = 0;
    while (at + length < message.size() && from + length < hidden.size() &&
           message[at + length] == hidden[from + length]) {
      ++length;
    }
    longest = std::max(longest, length);
  }
  return longest;
}

bool IsHidden(std::string_view message, size_t at, size_t length, std::string_view hidden) {
  if (length >= kLeastPiece) return true;
  if (length == 0 || length != hidden.size()) return false;
  const bool apart_before = at == 0 || !IsWord(message[at - 1]);
  return apart_before && (at + length == message.size() || !IsWord(message[at + length]));
}

struct HiddenTexts {
  absl::Mutex mutex;
  std::vector<std::string> texts ABSL_GUARDED_BY(mutex);
};
HiddenTexts& Hidden() {
  static auto* const hidden = new HiddenTexts;
  return *hidden;
}

}  // namespace

void HideText(std::string_view text) {
  HiddenTexts& hidden = Hidden();
  absl::MutexLock lock(&hidden.mutex);
  if (text.empty() || std::find(hidden.texts.begin(), hidden.texts.end(), text) != hidden.texts.end()) return;
  hidden.texts.emplace_back(text);
}

std::string WithoutHidden(std::string_view message) {
  HiddenTexts& hidden = Hidden();
  absl::MutexLock lock(&hidden.mutex);
  return WithoutHidden(message, hidden.texts);
}

std::string WithoutHidden(std::string_view message, std::span<const std::string> hidden) {
  std::string shown;
  for (size_t at = 0; at < message.size();) {
    size_t longest = 0;
    for (const std::string& text : hidden) {
      const size_t length = PieceAt(message, at, text);
      if (IsHidden(message, at, length, text)) longest = std::max(longest, length);
    }
    if (longest == 0) {
      shown += message[at++];
      continue;
    }
    if (!shown.ends_with("***")) shown += "***";
    at += longest;
  }
  return shown;
}

}  // namespace hakobu
