#include "delivery/delivery.h"

namespace hakobu {

std::string_view WriteModeName(WriteMode mode) {
  switch (mode) {
    case WriteMode::kReplace:
      return "replace";
    case WriteMode::kAppend:
      return "append";
    case WriteMode::kIncremental:
      return "incremental";
    case WriteMode::kStream:
      return "stream";
  }
  return "";
}

std::string_view WriteByName(WriteBy by) {
  return by == WriteBy::kStorage ? "storage" : "load";
}

std::string_view SchemaChangeName(SchemaChangeKind kind) {
  switch (kind) {
    case SchemaChangeKind::kAdded:
      return "added";
    case SchemaChangeKind::kDropped:
      return "dropped";
    case SchemaChangeKind::kRenamed:
      return "renamed";
    case SchemaChangeKind::kWidened:
      return "widened";
    case SchemaChangeKind::kRetyped:
      return "retyped";
  }
  return "";
}

}  // namespace hakobu
