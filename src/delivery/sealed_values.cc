#include "delivery/sealed_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr std::string_view kSealed = "sealed:";

bool InClear(const TableWork& work, const SourceColumn& column) {
  const std::vector<Field>& fields = work.schema.fields;
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    return field.source_column < work.source.columns.size() && field.mask == Mask::kNone &&
           work.source.columns[field.source_column].name == column.name;
  });
}

bool Hides(const TableWork& work) {
  const std::vector<SourceColumn>& columns = work.source.columns;
  if (work.source.key.has_value()) {
    for (const size_t place : work.source.key->columns) {
      if (!InClear(work, columns[place])) return true;
    }
  }
  return std::any_of(columns.begin(), columns.end(), [&](const SourceColumn& column) {
    return column.name == work.options.cursor && !InClear(work, column);
  });
}

// Each once, whatever the order of columns; empty when there are none.
std::string SaltsOf(const TableWork& work) {
  std::set<std::string_view> salts;
  for (const Field& field : work.schema.fields) {
    if (field.mask == Mask::kSha256) salts.insert(field.mask_salt);
  }
  std::string secret;
  for (const std::string_view salt : salts) secret += fmt::format("{}:{}", salt.size(), salt);
  return secret;
}

}  // namespace

SealedValues::SealedValues(std::string_view ledger_id, const TableWork& work)
    : table_(work.name), hidden_(Hides(work)) {
  const std::string salts = SaltsOf(work);
  if (!salts.empty()) sealer_ = Sealer::Derive(salts, ledger_id, "hakobu: values of rows in the ledger");
}

std::string SealedValues::Write(std::string_view text) const {
  if (!hidden_ || !sealer_.has_value() || text.empty()) return std::string(text);
  return fmt::format("{}{}", kSealed, absl::Base64Escape(sealer_->Seal(text, table_)));
}

bool SealedValues::Exposed(std::string_view text) const {
  return hidden_ && sealer_.has_value() && !text.empty() && !text.starts_with(kSealed);
}

absl::StatusOr<std::string> SealedValues::Read(std::string_view text) const {
  if (!text.starts_with(kSealed)) return std::string(text);
  std::string bytes;
  if (!absl::Base64Unescape(absl::string_view(text.data() + kSealed.size(), text.size() - kSealed.size()),
                            &bytes)) {
    return absl::DataLossError(fmt::format("{}: a sealed value in the ledger is damaged", table_));
  }
  absl::StatusOr<std::string> opened = sealer_.has_value()
                                           ? sealer_->Open(bytes, table_)
                                           : absl::FailedPreconditionError("the table has no salt any more");
  if (opened.ok()) return opened;
  return Annotate(opened.status(), fmt::format("{}: open a value in the ledger", table_));
}

std::string LieOpenNote(const TableWork& work) {
  if (!SealedValues("", work).lie_open()) return "";
  return "the key or the cursor is left out or masked without a salt: bounds of key ranges and the cursor's "
         "bound lie in "
         "the ledger in clear; a column that is masked by sha256 with a salt gives what they are sealed by";
}

}  // namespace hakobu
