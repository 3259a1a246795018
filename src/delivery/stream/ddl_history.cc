#include "delivery/stream/ddl_history.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "base/arena.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "decode/charset/charset.h"
#include "decode/utf8.h"

namespace hakobu {
namespace {

struct Column {
  const char* name;
  const char* type;
  const char* description;
};
constexpr Column kColumns[] = {
    {"place", "STRING", "the statement's place in the log: grows as text, and is unique"},
    {"time", "TIMESTAMP", "when the source ran it"},
    {"gtid", "STRING", "of its transaction; NULL where the source has none"},
    {"database_name", "STRING", "of the table that it concerns"},
    {"table_name", "STRING", "the table, by its name before the statement"},
    {"effect", "STRING",
     "created, replaced, dropped, renamed, truncated, altered, rows_changed (without row events), or "
     "unknown"},
    {"action", "STRING", "what hakobu did with the table in BigQuery"},
    {"statement", "STRING", "as the source ran it"},
};

std::string TableJson() {
  nlohmann::json fields = nlohmann::json::array();
  for (const Column& column : kColumns) {
    fields.push_back({{"name", column.name}, {"type", column.type}, {"description", column.description}});
  }
  const nlohmann::json resource = {
      {"schema", {{"fields", fields}}},
      {"description", "Statements of the source's log that changed streamed tables, by hakobu."}};
  return resource.dump();
}

bool HasItsColumns(const std::string& json) {
  const nlohmann::json resource = nlohmann::json::parse(json, nullptr, false);
  if (!resource.is_object() || !resource.contains("schema")) return false;
  size_t found = 0;
  for (const auto& field : resource["schema"].value("fields", nlohmann::json::array())) {
    for (const Column& column : kColumns) {
      if (field.value("name", "") == column.name && field.value("type", "") == column.type) ++found;
    }
  }
  return found == std::size(kColumns);
}

}  // namespace

absl::Status DdlHistory::Begin() {
  Rest& rest = *session_.destination.rest;
  const absl::StatusOr<Resource> existing = GetTable(rest, target_);
  if (existing.ok()) {
    if (HasItsColumns(existing->json)) return absl::OkStatus();
    return WithHint(absl::DataLossError(fmt::format(
                        "stream.ddl_history: {} is there already, and is another table", target_.ToString())),
                    "give the history a name of its own, or remove that table yourself");
  }
  if (existing.status().code() != absl::StatusCode::kNotFound) return existing.status();
  const absl::Status made = CreateTable(rest, target_, TableJson()).status();
  if (made.code() == absl::StatusCode::kAlreadyExists) return absl::OkStatus();
  return Annotate(made, fmt::format("stream.ddl_history: create {}", target_.ToString()));
}

absl::Status DdlHistory::Add(const DdlEntry& entry) {
  QuerySpec query;
  query.project = session_.config->destination.billing_project;
  query.location = session_.config->destination.location;
  // A statement that is read again, after a restart, has the same place.
  query.sql = fmt::format(
      "MERGE {} AS target USING (SELECT @place AS place) AS noted ON target.place = noted.place "
      "WHEN NOT MATCHED THEN INSERT (place, time, gtid, database_name, table_name, effect, action, "
      "statement) "
      "VALUES (@place, TIMESTAMP_MICROS(@micros), @gtid, @database_name, @table_name, @effect, @action, "
      "@statement)",
      target_.Quoted());
  const auto text = [&](std::string_view name, const std::string& value) {
    query.parameters.push_back({.name = std::string(name), .type = "STRING", .value = value});
  };
  text("place", SortableSequence(entry.place));
  query.parameters.push_back(
      {.name = "micros", .type = "INT64", .value = fmt::format("{}", entry.unix_micros)});
  text("gtid", entry.gtid);
  if (entry.gtid.empty()) query.parameters.back().value.reset();
  text("database_name", entry.database);
  text("table_name", entry.table);
  text("effect", entry.effect);
  text("action", entry.action);
  text("statement", entry.statement);
  const absl::Status added = RunQuery(*session_.destination.rest, query).status();
  CrashPoint("stream.ddl_noted");
  return Annotate(added, fmt::format("stream.ddl_history: {}", target_.ToString()));
}

std::string StatementText(std::string_view bytes, uint16_t client_collation) {
  Arena arena(4096);
  std::string_view utf8 = bytes;
  const Charset* charset = Charset::OfCollation(client_collation);
  if (charset != nullptr && charset->ToUtf8(bytes, &arena, &utf8)) return std::string(utf8);
  return IsUtf8(bytes) ? std::string(bytes) : absl::CHexEscape(std::string(bytes));
}

}  // namespace hakobu
