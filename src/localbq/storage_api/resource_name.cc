#include "localbq/storage_api/resource_name.h"

#include <fmt/format.h>

#include <array>

namespace hakobu::localbq {
namespace {

// The part after `key/`, up to the next slash; empty when the path goes on otherwise.
std::string_view TakePart(std::string_view* path, std::string_view key) {
  if (!path->starts_with(key) || path->size() <= key.size() || (*path)[key.size()] != '/') return {};
  path->remove_prefix(key.size() + 1);
  const std::string_view part = path->substr(0, path->find('/'));
  path->remove_prefix(part.size());
  return part;
}

// Takes the table's part off the front, and the slash after it.
std::optional<TableId> TakeTable(std::string_view* path) {
  std::array<std::string, 3> parts;
  static constexpr std::array<std::string_view, 3> kKeys = {"projects", "datasets", "tables"};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && path->starts_with('/')) path->remove_prefix(1);
    parts[i] = TakePart(path, kKeys[i]);
    if (parts[i].empty()) return std::nullopt;
  }
  return TableId{parts[0], parts[1], parts[2]};
}

}  // namespace

std::optional<TableId> ParseTablePath(std::string_view path) {
  auto table = TakeTable(&path);
  return path.empty() ? table : std::nullopt;
}

std::string TablePath(const TableId& id) {
  return fmt::format("projects/{}/datasets/{}/tables/{}", id.project, id.dataset, id.table);
}

std::optional<StreamName> ParseStreamPath(std::string_view path) {
  const auto table = TakeTable(&path);
  if (!table || !path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  if (path == kDefaultStream) return StreamName{*table, std::string(path)};
  const std::string_view stream = TakePart(&path, "streams");
  if (stream.empty() || !path.empty()) return std::nullopt;
  return StreamName{*table, std::string(stream)};
}

std::string StreamPath(const TableId& id, std::string_view stream) {
  return fmt::format("{}/streams/{}", TablePath(id), stream);
}

}  // namespace hakobu::localbq
