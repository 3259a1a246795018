#include "config/tenants/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/csv.h"
#include "base/status.h"
#include "config/value.h"

namespace hakobu {
namespace {

constexpr std::string_view kLabel = "label.";

struct CsvColumn {
  std::string name;  // as the header has it
  std::string key;   // as a YAML tenant has it
  std::function<void(TenantConfig*, const std::string&)> assign;
};

CsvColumn TextColumn(std::string name, std::string TenantConfig::* member) {
  return {name, name, [member](TenantConfig* tenant, const std::string& text) { tenant->*member = text; }};
}

CsvColumn DestinationColumn(std::string name, std::optional<std::string> DestinationLayer::* member) {
  return {name, "destination." + name,
          [member](TenantConfig* tenant, const std::string& text) { tenant->destination.*member = text; }};
}

std::vector<CsvColumn> KnownColumns() {
  using D = DestinationLayer;
  return {TextColumn("id", &TenantConfig::id),
          TextColumn("value", &TenantConfig::value),
          {"values", "values",
           [](TenantConfig* tenant, const std::string& text) {
             tenant->values = absl::StrSplit(absl::string_view(text.data(), text.size()), '|');
           }},
          TextColumn("database", &TenantConfig::database),
          TextColumn("tier", &TenantConfig::tier),
          DestinationColumn("project", &D::project),
          DestinationColumn("billing_project", &D::billing_project),
          DestinationColumn("dataset", &D::dataset),
          DestinationColumn("staging_dataset", &D::staging_dataset),
          DestinationColumn("location", &D::location),
          DestinationColumn("quota_project", &D::quota_project),
          DestinationColumn("kms_key", &D::kms_key),
          DestinationColumn("credentials_file", &D::credentials_file),
          DestinationColumn("impersonate", &D::impersonate),
          {"where", "where",
           [](TenantConfig* tenant, const std::string& text) { tenant->tables.added.where = text; }}};
}

class TenantsReader {
 public:
  TenantsReader(const std::string& file, TenantsConfig* tenants, ConfigProblems* problems)
      : file_(file), tenants_(tenants), problems_(problems) {}

  void Read(std::string_view text) {
    const CsvFile csv = ReadCsv(text);
    for (const CsvFault& fault : csv.faults)
      problems_->Add({fault.line, fault.column, file_}, "", fault.expected, fault.found, fault.hint);
    if (csv.records.empty()) {
      problems_->Add({1, 1, file_}, "", "a header line that begins with `id`", "nothing",
                     "for example: id,value,project,dataset");
      return;
    }
    if (!ReadHeader(csv.records.front())) return;
    if (csv.records.size() == 1) problems_->Add({1, 1, file_}, "", "a tenant a line", "the header alone");
    for (size_t i = 1; i < csv.records.size(); ++i) ReadRecord(csv.records[i]);
  }

 private:
  bool ReadHeader(const CsvRecord& header) {
    const std::vector<CsvColumn> known = KnownColumns();
    bool has_id = false;
    for (const CsvField& field : header.fields) {
      columns_.push_back(ColumnOf(field, known));
      has_id |= field.text == "id";
      const auto same = std::count_if(header.fields.begin(), header.fields.end(),
                                      [&](const CsvField& other) { return other.text == field.text; });
      if (same > 1 && !field.text.empty())
        problems_->Add({field.line, field.column, file_}, "", "each column once",
                       fmt::format("\"{}\" again", field.text));
    }
    if (has_id) return true;
    problems_->Add({header.line, 1, file_}, "", "a column `id` in the header line", "none",
                   "for example: id,value,project,dataset");
    return false;
  }

  CsvColumn ColumnOf(const CsvField& field, const std::vector<CsvColumn>& known) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const CsvColumn& column) { return column.name == field.text; });
    if (found != known.end()) return *found;
    if (field.text.starts_with(kLabel)) {
      const std::string label = field.text.substr(kLabel.size());
      return {field.text, "labels." + label, [label](TenantConfig* tenant, const std::string& text) {
                tenant->tables.added.labels[label] = text;
              }};
    }
    std::vector<std::string> names;
    for (const CsvColumn& column : known) names.push_back(column.name);
    const std::string_view near = NearestName(field.text, names);
    if (!field.text.empty()) {
      problems_->Add({field.line, field.column, file_}, "", "a known column",
                     fmt::format("\"{}\"", field.text),
                     near.empty() ? fmt::format("known here: {}, label.NAME", fmt::join(names, ", "))
                                  : fmt::format("did you mean \"{}\"?", near));
    }
    return {};
  }

  void ReadRecord(const CsvRecord& record) {
    if (record.is_broken) return;
    TenantConfig& tenant = tenants_->list.emplace_back();
    tenant.place = {record.line, 1, file_};
    tenant.path = fmt::format("tenants.csv[line {}]", record.line);
    problems_->SetPlace(tenant.path, tenant.place);
    for (size_t i = 0; i < record.fields.size(); ++i) {
      const CsvField& field = record.fields[i];
      if (field.text.empty()) continue;
      if (i >= columns_.size()) {
        problems_->Add({field.line, field.column, file_}, tenant.path,
                       fmt::format("at most {} fields, as the header has", columns_.size()),
                       fmt::format("\"{}\" after them", field.text), "a field with a comma is put in quotes");
        break;
      }
      if (!columns_[i].assign) continue;
      const std::string key = fmt::format("{}.{}", tenant.path, columns_[i].key);
      problems_->SetPlace(key, {field.line, field.column, file_});
      problems_->SetText(key, field.text);
      columns_[i].assign(&tenant, field.text);
    }
  }

  const std::string& file_;
  TenantsConfig* tenants_;
  ConfigProblems* problems_;
  std::vector<CsvColumn> columns_;
};

}  // namespace

void ReadTenantsCsv(std::string_view text, const std::string& file, TenantsConfig* tenants,
                    ConfigProblems* problems) {
  TenantsReader(file, tenants, problems).Read(text);
}

}  // namespace hakobu
