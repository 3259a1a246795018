#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "delivery/contract/contract.h"

namespace hakobu {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr ContractMode kModes[] = {ContractMode::kReplace, ContractMode::kAppend, ContractMode::kIncremental,
                                   ContractMode::kUpsert,  ContractMode::kSoft,   ContractMode::kHistory};

Json FormJson(const ColumnForm& form) {
  Json json = {{"name", form.name}, {"type", form.type}, {"source", form.source}};
  if (form.conversion != "plain") json["conversion"] = form.conversion;
  if (!form.zone.empty()) json["zone"] = form.zone;
  if (form.mask != "none") json["mask"] = form.mask;
  if (!form.salt.empty()) json["salt"] = form.salt;
  if (form.invalid_as_text) json["invalid"] = "text";
  return json;
}

ColumnForm FormFrom(const Json& json) {
  return {.name = json.at("name").get<std::string>(),
          .type = json.at("type").get<std::string>(),
          .source = json.at("source").get<std::string>(),
          .conversion = json.value("conversion", "plain"),
          .zone = json.value("zone", ""),
          .mask = json.value("mask", "none"),
          .salt = json.value("salt", ""),
          .invalid_as_text = json.value("invalid", "") == "text"};
}

Json IdentityJson(const TargetIdentity& identity) {
  Json columns = Json::array();
  for (const TargetColumn& column : identity.columns) columns.push_back({column.name, column.type});
  return {{"kind", identity.kind},
          {"created_ms", identity.created_ms},
          {"partitioning", identity.partitioning},
          {"clustering", identity.clustering},
          {"key", identity.key},
          {"columns", columns}};
}

TargetIdentity IdentityFrom(const Json& json) {
  TargetIdentity identity;
  identity.kind = json.at("kind").get<std::string>();
  identity.created_ms = json.at("created_ms").get<int64_t>();
  identity.partitioning = json.at("partitioning").get<std::string>();
  identity.clustering = json.at("clustering").get<std::vector<std::string>>();
  identity.key = json.at("key").get<std::vector<std::string>>();
  for (const Json& column : json.at("columns"))
    identity.columns.push_back({column.at(0).get<std::string>(), column.at(1).get<std::string>()});
  return identity;
}

std::optional<ContractMode> ModeFrom(std::string_view name) {
  for (const ContractMode mode : kModes) {
    if (ContractModeName(mode) == name) return mode;
  }
  return std::nullopt;
}

TableContract ContractFrom(const Json& json) {
  TableContract contract;
  contract.source = json.at("source").get<std::string>();
  contract.target = json.at("target").get<std::string>();
  contract.history_without_key = json.value("history_without_key", false);
  contract.underway = json.value("underway", false);
  contract.filter = json.value("filter", "");
  contract.cursor = json.value("cursor", "");
  if (json.contains("staleness_seconds"))
    contract.staleness_seconds = json.at("staleness_seconds").get<int64_t>();
  contract.counted_run = json.value("counted_run", "");
  contract.counted_rows = json.value("counted_rows", uint64_t{0});
  contract.source_key = json.at("source_key").get<std::vector<std::string>>();
  for (const Json& column : json.at("source_columns"))
    contract.source_columns.push_back({column.at(0).get<std::string>(), column.at(1).get<std::string>()});
  contract.key = json.at("key").get<std::vector<std::string>>();
  for (const Json& form : json.at("columns")) contract.columns.push_back(FormFrom(form));
  if (json.contains("found")) contract.found = IdentityFrom(json.at("found"));
  return contract;
}

}  // namespace

std::string ContractToJson(const TableContract& contract) {
  Json json = {{"format", kFormat},
               {"source", contract.source},
               {"target", contract.target},
               {"mode", ContractModeName(contract.mode)}};
  if (contract.history_without_key) json["history_without_key"] = true;
  if (contract.underway) json["underway"] = true;
  if (!contract.filter.empty()) json["filter"] = contract.filter;
  if (!contract.cursor.empty()) json["cursor"] = contract.cursor;
  if (contract.staleness_seconds.has_value()) json["staleness_seconds"] = *contract.staleness_seconds;
  if (!contract.counted_run.empty()) {
    json["counted_run"] = contract.counted_run;
    json["counted_rows"] = contract.counted_rows;
  }
  json["source_key"] = contract.source_key;
  Json shapes = Json::array();
  for (const SourceShape& shape : contract.source_columns) shapes.push_back({shape.name, shape.declared});
  json["source_columns"] = std::move(shapes);
  json["key"] = contract.key;
  Json forms = Json::array();
  for (const ColumnForm& form : contract.columns) forms.push_back(FormJson(form));
  json["columns"] = std::move(forms);
  if (contract.found.has_value()) json["found"] = IdentityJson(*contract.found);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<TableContract> ContractFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto refuse = [](std::string_view why) {
    return absl::DataLossError(fmt::format("the ledger's contract of a table cannot be read: {}", why));
  };
  if (!json.is_object()) return refuse("it is no JSON object");
  try {
    if (json.value("format", 0) != kFormat)
      return refuse(fmt::format("expected format {}, found {}", kFormat, json.value("format", 0)));
    const std::optional<ContractMode> mode = ModeFrom(json.value("mode", ""));
    if (!mode.has_value()) return refuse("it names no mode");
    TableContract contract = ContractFrom(json);
    contract.mode = *mode;
    return contract;
  } catch (const Json::exception& error) {
    return refuse(error.what());
  }
}

}  // namespace hakobu
