// The comparison behind CompareContracts, of one question. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/contract/compare.h"

namespace hakobu {

// BigQuery's columns, and so these, are the same in either case of letters.
inline bool SameColumn(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(View(a), View(b));
}

// The one with the name, of forms, shapes or columns; null: there is none.
template <typename Range>
auto FindColumn(const Range& range, std::string_view name) {
  const auto found =
      std::find_if(range.begin(), range.end(), [&](const auto& each) { return SameColumn(each.name, name); });
  return found == range.end() ? nullptr : &*found;
}

class Comparison {
 public:
  explicit Comparison(const ContractQuestion& question)
      : question_(question), wanted_(question.wanted), mode_(question.wanted.mode) {
    if (question_.recorded.has_value()) recorded_ = &*question_.recorded;
    if (question_.found.has_value()) found_ = &*question_.found;
  }

  ContractAnswer Answer();

 private:
  bool asked() const { return question_.occasion == ContractOccasion::kAsked; }
  bool streams() const { return mode_ >= ContractMode::kUpsert; }
  bool by_key() const { return mode_ == ContractMode::kUpsert || mode_ == ContractMode::kSoft; }
  bool appends() const { return mode_ == ContractMode::kAppend; }
  // A run has nobody to wait for: what stops a streamed table is refused there.
  ContractAction Halt() const { return streams() ? ContractAction::kStop : ContractAction::kRefuse; }
  // For what somebody has decided: an append has no rows anew.
  ContractAction Again() const { return appends() ? ContractAction::kFollow : ContractAction::kAnew; }
  // "`hakobu repair --recopy shop.log` …", with what it does in this mode.
  std::string RecopyHint() const;

  void Add(ContractAction action, std::string what, std::string expected = "", std::string found = "",
           std::string hint = "");

  // A view, an external table, a snapshot: never written to, never removed.
  bool Kind();
  void Gone();
  void Unrecorded();
  void Recorded();

  // False: nothing more can be said.
  bool Identity();

  // A run's first version would take the place of rows that are somebody's. True: it is refused.
  bool Somebodys();

  // False: the rows that are there are another table's, or of another sort.
  bool Source();
  bool Mode();
  std::string ModeChange() const;
  void Layout();
  void Staleness();
  void Filter();
  void Key();
  void MergeKey();
  void Cursor();
  void ChangedKey();
  void Columns();
  void Column(const ColumnForm& form);

  // Replace: what the next version has in another form than the last.
  void NextVersion(const ColumnForm& form);

  // The target lacks it.
  void Lacking(const ColumnForm& form, const ColumnForm* was);

  // A column that was not delivered before, though the source may have had it all the time.
  void Delivered(const ColumnForm& form);
  void OtherType(const ColumnForm& form, const ColumnForm* was, const TargetColumn& found);
  void OtherForm(const ColumnForm& form, const ColumnForm& was);
  void OwnColumns();

  // What is there stays, in the form that it has; said, because a reader may take it for gone.
  void NoLongerDelivered(const ColumnForm& was);
  void Truncated();

  // A column that was left out or masked must not come in clear because it has another name now.
  void ProtectedColumns();

  // The form in which the column of the source was delivered; null: it was left out.
  const ColumnForm* FormBefore(std::string_view source) const;

  // Whether `form` hides no less than what the column of the source was delivered as.
  bool HidesAsMuch(const ColumnForm& form, std::string_view before) const;

  // The protected column of the record that `form` would show, because it has its values now or may have
  // them; absent: none.
  std::optional<std::string> ShownColumn(const ColumnForm& form) const;
  std::optional<std::string> GoneColumn(const ColumnForm& form) const;
  std::optional<std::string> SwappedColumn(const ColumnForm& form) const;

  const ContractQuestion& question_;
  const TableContract& wanted_;
  const ContractMode mode_;
  const TableContract* recorded_ = nullptr;
  const TargetIdentity* found_ = nullptr;
  bool of_somebody_ = false;  // the target is another table than the one recorded
  ContractAnswer answer_;
};

}  // namespace hakobu
