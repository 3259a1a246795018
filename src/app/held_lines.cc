#include "app/held_lines.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

absl::Status FileError(const char* what) {
  const std::string text =
      absl::StrCat(what, " a temporary file for a transaction's rows: ", std::strerror(errno));
  return errno == ENOSPC ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

}  // namespace

absl::Status HeldLines::Add(std::string_view line) {
  memory_ += line;
  return memory_.size() > most_in_memory_ ? Spill() : absl::OkStatus();
}

absl::Status HeldLines::Spill() {
  if (file_ == nullptr) file_.reset(std::tmpfile());
  if (file_ == nullptr) return FileError("make");
  // Behind what counts: what was taken back is written over.
  if (std::fseek(file_.get(), static_cast<long>(spilled_), SEEK_SET) != 0 ||
      std::fwrite(memory_.data(), 1, memory_.size(), file_.get()) != memory_.size() ||
      std::fflush(file_.get()) != 0) {
    return FileError("write to");
  }
  spilled_ += memory_.size();
  memory_.clear();
  return absl::OkStatus();
}

void HeldLines::SetSavepoint(std::string_view name) {
  std::erase_if(savepoints_, [&](const Savepoint& each) { return SameName(each.name, name); });
  savepoints_.push_back({std::string(name), spilled_ + memory_.size()});
}

bool HeldLines::RollBackTo(std::string_view name) {
  const auto found = std::find_if(savepoints_.begin(), savepoints_.end(),
                                  [&](const Savepoint& each) { return SameName(each.name, name); });
  if (found == savepoints_.end()) return false;
  if (found->bytes < spilled_) {
    spilled_ = found->bytes;
    memory_.clear();
  } else {
    memory_.resize(found->bytes - spilled_);
  }
  savepoints_.erase(found + 1, savepoints_.end());
  return true;
}

absl::Status HeldLines::TakeAll(absl::FunctionRef<absl::Status(std::string_view piece)> each) {
  constexpr uint64_t kPiece = uint64_t{1} << 20;
  std::string piece;
  if (spilled_ > 0 && std::fseek(file_.get(), 0, SEEK_SET) != 0) return FileError("read");
  while (spilled_ > 0) {
    piece.resize(std::min(spilled_, kPiece));
    if (std::fread(piece.data(), 1, piece.size(), file_.get()) != piece.size()) return FileError("read");
    spilled_ -= piece.size();
    if (absl::Status taken = each(piece); !taken.ok()) return taken;
  }
  savepoints_.clear();
  piece = std::exchange(memory_, {});
  return piece.empty() ? absl::OkStatus() : each(piece);
}

}  // namespace hakobu
