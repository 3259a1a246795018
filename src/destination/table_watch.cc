#include "destination/table_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "destination/json.h"
#include "google/cloud/bigquery/storage/v1/annotations.pb.h"

namespace hakobu {
namespace {

using nlohmann::json;

constexpr absl::Duration kLookEvery = absl::Seconds(10);
// For so long after a table was made, altered or replaced, denials are expected [flink-connector-gcp ADR
// 0030; supabase/etl waits 600 s].
constexpr absl::Duration kWindow = absl::Minutes(10);
// tables.get itself may say 404 of a table that was just made or altered [estuary/connectors
// tableMetadataWithRetry: 5 tries, 2 s apart].
constexpr absl::Duration kMissingPatience = absl::Seconds(30);
// A new column is in tables.get at once [bigquery-rs, schema-management].
constexpr absl::Duration kMissingColumnPatience = absl::Seconds(30);

absl::Status Spent(const absl::Status& refusal, absl::Duration waited) {
  return Annotate(refusal, fmt::format("waited {} s", absl::ToInt64Seconds(waited)));
}

}  // namespace

TableLook ReadTableLook(const absl::StatusOr<Resource>& table) {
  if (absl::IsNotFound(table.status())) return {TableSight::kMissing, absl::InfinitePast(), ""};
  if (absl::IsPermissionDenied(table.status())) return {TableSight::kDenied, absl::InfinitePast(), ""};
  if (!table.ok()) return {};
  const json document = json::parse(table->json, nullptr, /*allow_exceptions=*/false);
  const int64_t changed =
      std::max(IntegerAt(document, "creationTime"), IntegerAt(document, "lastModifiedTime"));
  return {TableSight::kThere, absl::FromUnixMillis(changed), table->json};
}

LookAtTable LookByRest(Rest* rest) {
  return [rest](const TableName& name) {
    const auto body = rest->Call(
        {.path = ResourcePath({"projects", name.project, "datasets", name.dataset, "tables", name.table}),
         .what = "get table " + name.ToString(),
         .idempotency = Idempotency::kOnce,
         .timeout = absl::Seconds(10)});
    if (absl::IsNotFound(body.status()) &&
        rest->recent_ddl().MayBeHidden(name.ToString(), rest->options().context.clock->Now())) {
      return TableLook();  // altered a moment ago: nothing can be said
    }
    if (!body.ok()) return ReadTableLook(body.status());
    return ReadTableLook(Resource{*body, ""});
  };
}

TableName TableOfStream(std::string_view stream) {
  const std::vector<std::string> parts = absl::StrSplit(View(stream), '/');
  if (parts.size() < 6) return {};
  return {parts[1], parts[3], parts[5]};
}

TableWait::TableWait(TableName table, LookAtTable look, absl::Duration patience)
    : table_(std::move(table)), look_(std::move(look)), patience_(patience) {}

absl::Status TableWait::Refused(const absl::Status& refusal, absl::Time now) {
  if (!since_.has_value()) {
    since_ = now;
    looked_ = absl::InfinitePast();
  }
  const absl::Duration waited = now - *since_;
  if (waited >= patience_) return Spent(refusal, waited);
  if (look_ == nullptr) return absl::OkStatus();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    seen_ = look_(table_);
  }
  switch (seen_.sight) {
    case TableSight::kUnknown:
      return absl::OkStatus();
    case TableSight::kMissing:
      if (waited < kMissingPatience) return absl::OkStatus();
      return absl::NotFoundError(
          fmt::format("table {} does not exist: {}", table_.ToString(), View(refusal.message())));
    case TableSight::kDenied:
      return WithHint(refusal, fmt::format("the credentials may not see {}: roles/bigquery.dataEditor on its "
                                           "dataset has what is needed",
                                           table_.ToString()));
    case TableSight::kThere:
      break;
  }
  // A table that has been as it is for long is not one that is still on its way.
  if (!absl::IsPermissionDenied(refusal) || now - seen_.changed < kWindow) return absl::OkStatus();
  return WithHint(refusal,
                  fmt::format("{} exists and was not changed lately, so it is the permission: "
                              "bigquery.tables.updateData (roles/bigquery.dataEditor on its dataset)",
                              table_.ToString()));
}

std::vector<std::string> ColumnsOfDescriptor(std::string_view descriptor) {
  google::protobuf::DescriptorProto message;
  std::vector<std::string> columns;
  if (!message.ParseFromArray(descriptor.data(), static_cast<int>(descriptor.size()))) return columns;
  for (const auto& field : message.field()) {
    const auto& annotation = google::cloud::bigquery::storage::v1::column_name;
    std::string name =
        field.options().HasExtension(annotation) ? field.options().GetExtension(annotation) : field.name();
    if (name != "_CHANGE_TYPE" && name != "_CHANGE_SEQUENCE_NUMBER") columns.push_back(std::move(name));
  }
  return columns;
}

std::vector<std::string> MissingColumns(std::string_view table_json,
                                        const std::vector<std::string>& columns) {
  const json table = json::parse(table_json, nullptr, /*allow_exceptions=*/false);
  const json& fields = ListAt(ObjectAt(table, "schema"), "fields");
  std::vector<std::string> missing;
  for (const std::string& column : columns) {
    const bool found = std::any_of(fields.begin(), fields.end(), [&](const json& field) {
      return absl::EqualsIgnoreCase(TextAt(field, "name"), column);
    });
    if (!found) missing.push_back(column);
  }
  return missing;
}

SchemaWait::SchemaWait(TableName table, LookAtTable look, absl::Duration patience)
    : table_(std::move(table)), look_(std::move(look)), patience_(patience) {}

absl::Status SchemaWait::Begin(const absl::Status& refusal, absl::Time now) {
  if (!since_.has_value()) {
    since_ = now;
    looked_ = absl::InfinitePast();
    missing_.clear();
    required_ = false;
  }
  return now - *since_ >= patience_ ? Spent(refusal, now - *since_) : absl::OkStatus();
}

absl::Status SchemaWait::Refused(const absl::Status& refusal, std::string_view descriptor, absl::Time now) {
  HAKOBU_RETURN_IF_ERROR(Begin(refusal, now));
  if (look_ == nullptr) return absl::OkStatus();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    const TableLook look = look_(table_);
    missing_.clear();
    if (look.sight == TableSight::kThere)
      missing_ = MissingColumns(look.json, ColumnsOfDescriptor(descriptor));
    if (look.sight == TableSight::kMissing) missing_ = ColumnsOfDescriptor(descriptor);
  }
  if (missing_.empty() || now - *since_ < kMissingColumnPatience) return absl::OkStatus();
  return WithHint(
      Annotate(refusal, fmt::format("{} has no column {}", table_.ToString(), fmt::join(missing_, ", "))),
      "somebody removed it there: add it again, or deliver the table anew");
}

absl::Status SchemaWait::RefusedNull(const absl::Status& refusal, std::string_view column, absl::Time now) {
  if (look_ == nullptr) return refusal;
  HAKOBU_RETURN_IF_ERROR(Begin(refusal, now));
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    const TableLook look = look_(table_);
    if (look.sight != TableSight::kThere) return refusal;
    const json table = json::parse(look.json, nullptr, /*allow_exceptions=*/false);
    required_ = true;
    for (const json& field : ListAt(ObjectAt(table, "schema"), "fields")) {
      if (absl::EqualsIgnoreCase(TextAt(field, "name"), View(column)))
        required_ = TextAt(field, "mode") == "REQUIRED";
    }
  }
  return required_ ? refusal : absl::OkStatus();
}

std::string ColumnOfRefusedNull(std::string_view message) {
  constexpr std::string_view kBefore = "Field value of ", kAfter = " cannot be empty";
  const size_t begin = message.find(kBefore);
  const size_t end = message.find(kAfter);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + kBefore.size())
    return "";
  return std::string(message.substr(begin + kBefore.size(), end - begin - kBefore.size()));
}

}  // namespace hakobu
