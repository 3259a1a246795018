#include "log/file_identity.h"

#include <fmt/format.h>

#include <charconv>

namespace hakobu {
namespace {

bool TakeNumber(std::string_view* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || end == text->data() + text->size() || *end != '/') return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()) + 1);
  return true;
}

}  // namespace

std::string LogFileIdentity::Text() const {
  return known() ? fmt::format("{}/{}/{}", created, server_id, server_version) : "";
}

LogFileIdentity LogFileIdentity::Parse(std::string_view text) {
  LogFileIdentity identity;
  if (!TakeNumber(&text, &identity.created) || !TakeNumber(&text, &identity.server_id)) return {};
  identity.server_version = text;
  return identity;
}

}  // namespace hakobu
