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

std::string_view PublishMethodName(PublishMethod method) {
  switch (method) {
    case PublishMethod::kLoad:
      return "load";
    case PublishMethod::kStreams:
      return "streams";
    case PublishMethod::kCopy:
      return "copy";
    case PublishMethod::kQuery:
      return "query";
    case PublishMethod::kMerge:
      return "merge";
    case PublishMethod::kUpsert:
      return "upsert";
  }
  return "";
}

PublishMethod PublishMethodOf(std::string_view name) {
  for (const PublishMethod method : {PublishMethod::kLoad, PublishMethod::kStreams, PublishMethod::kCopy,
                                     PublishMethod::kQuery, PublishMethod::kMerge}) {
    if (PublishMethodName(method) == name) return method;
  }
  return PublishMethod::kUpsert;
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
