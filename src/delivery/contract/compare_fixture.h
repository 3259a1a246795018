// Questions that the tests of the comparison ask: one table as it stands in each mode, and ways to change it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "delivery/contract/compare.h"

namespace hakobu::contract_test {

using enum ContractAction;
using enum ContractMode;

inline ColumnForm Form(const std::string& name, const std::string& type = "STRING") {
  return {.name = name,
          .type = type,
          .source = name,
          .conversion = "plain",
          .zone = "",
          .mask = "none",
          .salt = ""};
}

inline bool Keyed(ContractMode mode) {
  return mode == kUpsert || mode == kSoft;
}

// shop.members(id, name, email, at), `email` left out, as it stands in every mode.
inline TableContract Members(ContractMode mode) {
  TableContract contract;
  contract.source = "shop.members";
  contract.target = "p.live.members";
  contract.mode = mode;
  contract.source_key = {"id"};
  contract.source_columns = {
      {"id", "int"}, {"name", "varchar(20)"}, {"email", "varchar(80)"}, {"at", "timestamp"}};
  if (Keyed(mode)) contract.key = {"id"};
  contract.columns = {Form("id", "INT64"), Form("name"), Form("at", "DATETIME")};
  contract.columns[2].conversion = "zoned";
  contract.columns[2].zone = "Asia/Tokyo";
  return contract;
}

inline TargetIdentity Target(ContractMode mode) {
  TargetIdentity found;
  found.kind = "TABLE";
  found.created_ms = 1'700'000'000'000;
  found.partitioning = "none";
  found.columns = {{"id", "INT64"}, {"name", "STRING"}, {"at", "DATETIME"}};
  if (mode == kSoft) found.columns.push_back({"_hakobu_deleted", "BOOL"});
  if (mode == kHistory) {
    for (const char* own : {"_hakobu_type", "_hakobu_place", "_hakobu_gtid"})
      found.columns.push_back({own, "STRING"});
    found.columns.push_back({"_hakobu_time", "TIMESTAMP"});
  }
  if (Keyed(mode)) found.key = {"id"};
  return found;
}

// Nothing has changed.
inline ContractQuestion Same(ContractMode mode) {
  ContractQuestion question;
  question.wanted = Members(mode);
  question.recorded = Members(mode);
  question.recorded->found = Target(mode);
  question.found = Target(mode);
  question.target_is_empty = false;
  question.source_is_empty = false;
  return question;
}

inline std::string Texts(const ContractAnswer& answer) {
  std::string text;
  for (const ContractFinding& finding : answer.findings)
    text += FindingText("", finding) + " [" + finding.hint + "]\n";
  return text;
}

inline constexpr ContractMode kModes[] = {kReplace, kAppend, kIncremental, kUpsert, kSoft, kHistory};

inline ColumnForm& Wanted(ContractQuestion* question, const std::string& name) {
  for (ColumnForm& form : question->wanted.columns) {
    if (form.name == name) return form;
  }
  ADD_FAILURE() << name;
  return question->wanted.columns.front();
}

inline void RenameAtSource(ContractQuestion* question, const std::string& from, const std::string& to) {
  for (SourceShape& shape : question->wanted.source_columns) {
    if (shape.name == from) shape.name = to;
  }
}

inline void Retype(TargetIdentity* target, const std::string& name, const std::string& type) {
  for (TargetColumn& column : target->columns) {
    if (column.name == name) column.type = type;
  }
}

inline void Lose(TargetIdentity* target, const std::string& name) {
  std::erase_if(target->columns, [&](const TargetColumn& column) { return column.name == name; });
}

inline void WithBalance(ContractQuestion* question, const std::string& wanted, const std::string& found,
                        const std::string& recorded) {
  for (TableContract* contract : {&question->wanted, &*question->recorded}) {
    contract->source_columns.push_back({"balance", "decimal(10,2)"});
    contract->columns.push_back(Form("balance", contract == &question->wanted ? wanted : recorded));
  }
  question->found->columns.push_back({"balance", found});
  question->recorded->found->columns.push_back({"balance", recorded});
}

}  // namespace hakobu::contract_test
