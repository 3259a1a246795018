#include "delivery/contract/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "delivery/contract/comparison.h"

namespace hakobu {
namespace {

std::string Listed(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("({})", fmt::join(names, ", "));
}

std::string MomentText(int64_t ms) {
  return ms == 0 ? "an unknown moment"
                 : absl::FormatTime("%Y-%m-%d %H:%M:%E3SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

bool SameKey(std::vector<std::string> a, std::vector<std::string> b) {
  for (std::vector<std::string>* names : {&a, &b}) {
    for (std::string& name : *names) absl::AsciiStrToLower(&name);
    std::sort(names->begin(), names->end());
  }
  return a == b;
}

}  // namespace

ContractAnswer Comparison::Answer() {
  if (Kind()) {
    ProtectedColumns();
    if (found_ == nullptr) {
      Gone();
    } else if (recorded_ == nullptr) {
      Unrecorded();
    } else {
      Recorded();
    }
  }
  for (const ContractFinding& finding : answer_.findings)
    answer_.action = std::max(answer_.action, finding.action);
  if (answer_.action != ContractAction::kAnew) answer_.make_again = false;
  if (answer_.action > ContractAction::kAnew) answer_.records_what_is_found = false;
  return std::move(answer_);
}

void Comparison::Add(ContractAction action, std::string what, std::string expected, std::string found,
                     std::string hint) {
  answer_.findings.push_back(
      {action, std::move(what), std::move(expected), std::move(found), std::move(hint)});
}

bool Comparison::Kind() {
  if (found_ == nullptr || found_->kind == "TABLE") return true;
  // Of a table that goes on it is that table's trouble; the others of the stream go on.
  const bool alone = streams() && recorded_ != nullptr;
  Add(alone ? ContractAction::kStop : ContractAction::kRefuse, fmt::format("{} is no table", wanted_.target),
      "TABLE", found_->kind, "give it another `target`, or remove what is there yourself");
  return false;
}

void Comparison::Gone() {
  if (recorded_ == nullptr && !question_.delivered_before) {
    return Add(ContractAction::kAnew, "the table is new in BigQuery");
  }
  // It was about to be made.
  if (recorded_ != nullptr && !recorded_->found.has_value()) {
    return Add(ContractAction::kAnew, "the table is made");
  }
  // A run makes what it lacks; its rows come with it, but for an append's.
  if (!streams() && !appends()) {
    return Add(ContractAction::kAnew,
               fmt::format("{} is gone from BigQuery, and is made again", wanted_.target));
  }
  if (asked())
    return Add(ContractAction::kAnew, fmt::format("{} is gone, and is made again", wanted_.target));
  Add(Halt(),
      fmt::format("{} is gone from BigQuery, and hakobu has not removed it{}", wanted_.target,
                  appends() ? ": the rows that earlier runs appended cannot be had anew" : ""),
      recorded_ == nullptr || !recorded_->found.has_value()
          ? "the table"
          : fmt::format("the table made at {}", MomentText(recorded_->found->created_ms)),
      "no table",
      appends() ? RecopyHint()
                : fmt::format("`hakobu repair --recopy {}` makes it again and fills it", wanted_.source));
}

void Comparison::Unrecorded() {
  if (question_.delivered_before) {
    answer_.records_what_is_found = true;
    if (!asked() && question_.occasion == ContractOccasion::kStart) {
      Add(ContractAction::kFollow,
          "how it was delivered so far is not recorded: columns, types and key are compared, and what is "
          "found is "
          "recorded now; zones, masks and salts of rows that are there cannot be told");
    }
    Key();
    Columns();
    return;
  }
  if (!streams()) {
    if (mode_ == ContractMode::kReplace && Somebodys()) return;
    if (question_.target_is_empty == false) {
      Add(ContractAction::kFollow,
          fmt::format("{} is there already, has rows, and was not delivered with this ledger: {}",
                      wanted_.target,
                      mode_ == ContractMode::kReplace ? "the next version takes their place"
                      : appends()                     ? "rows are appended to them"
                                  : "all rows are read and merged; those that the source has "
                                    "not stay as they are"));
    }
    return;
  }
  if (question_.target_is_empty == true) {
    Add(ContractAction::kAnew, fmt::format("{} is there already and empty: it is filled", wanted_.target));
    Key();
    Columns();
    return;
  }
  Add(ContractAction::kRefuse,
      fmt::format("{} is there already, has rows, and was not delivered with this ledger", wanted_.target),
      "", "",
      "the stream begins with an empty table: give it another `target`, or remove that table yourself");
}

bool Comparison::Somebodys() {
  if (question_.target_is_empty != false || asked()) return false;
  std::vector<std::string> others;
  for (const TargetColumn& column : found_->columns) {
    const bool known = FindColumn(wanted_.columns, column.name) != nullptr ||
                       (recorded_ != nullptr && FindColumn(recorded_->columns, column.name) != nullptr);
    if (!known) others.push_back(column.name);
  }
  if (others.empty()) return false;
  Add(ContractAction::kRefuse,
      fmt::format(
          "{} is somebody else's: it has rows, was not delivered with this ledger, and has columns that "
          "{} has not",
          wanted_.target, wanted_.source),
      "no such columns", fmt::format("{}", fmt::join(others, ", ")),
      "give it another `target`, or remove that table yourself");
  return true;
}

std::string Comparison::RecopyHint() const {
  if (appends()) {
    return fmt::format(
        "deliver to another `target`; or, if what is there may stay as it is, `hakobu repair --recopy {}` "
        "lets "
        "the next run append to it",
        wanted_.source);
  }
  return fmt::format(
      "`hakobu repair --recopy {}` makes its rows those of the source; or give it another `target`",
      wanted_.source);
}

void Comparison::Recorded() {
  if (!Identity() || !Source() || !Mode()) return;
  Layout();
  Staleness();
  Filter();
  Key();
  Cursor();
  Columns();
  Truncated();
  if (recorded_->underway) {
    answer_.others_must_go = true;
    Add(Again(), "its rows were being put in place anew when a run ended");
  }
  if (asked()) {
    Add(Again(), appends() ? "what is there is taken for what was delivered, as was asked"
                           : "its rows are to come anew");
  }
  if (question_.occasion == ContractOccasion::kReplaced)
    Add(ContractAction::kAnew, "the source's rows are others now");
}

bool Comparison::Identity() {
  if (!recorded_->found.has_value() || recorded_->found->created_ms == 0 || found_->created_ms == 0)
    return true;
  if (recorded_->found->created_ms == found_->created_ms) return true;
  of_somebody_ = true;
  const std::string expected = fmt::format("the table made at {}", MomentText(recorded_->found->created_ms));
  const std::string found = fmt::format("one made at {}", MomentText(found_->created_ms));
  const std::string what = fmt::format("{} was made again by somebody else", wanted_.target);
  if (asked()) {
    Add(Again(), what + (appends() ? ", and is appended to, as was asked" : ", and is filled, as was asked"),
        expected, found);
  } else if (mode_ == ContractMode::kReplace) {
    if (Somebodys()) return false;
    Add(ContractAction::kFollow, what + ": the next version takes the place of what is there", expected,
        found);
  } else if (appends()) {
    Add(ContractAction::kRefuse, what + ": the rows that earlier runs appended are not in it", expected,
        found, RecopyHint());
    return false;
  } else if (question_.target_is_empty == true && question_.occasion != ContractOccasion::kAnswered) {
    Add(ContractAction::kAnew, what + " and is empty: it is filled", expected, found);
  } else {
    Add(Halt(), what, expected, found, RecopyHint());
    return false;
  }
  return true;
}

bool Comparison::Source() {
  if (SameColumn(recorded_->source, wanted_.source)) return true;
  const std::string what = fmt::format("the rows of {} are those of another table", wanted_.target);
  if (mode_ == ContractMode::kReplace) {
    Add(ContractAction::kFollow, what + ": the next version takes their place", recorded_->source,
        wanted_.source);
    return true;
  }
  if (asked()) {
    Add(Again(), what, recorded_->source, wanted_.source);
    return true;
  }
  Add(Halt(), what, recorded_->source, wanted_.source,
      fmt::format("give {0} another `target`; or `hakobu repair --recopy {0}` puts its rows in their place",
                  wanted_.source));
  return false;
}

bool Comparison::Mode() {
  const ContractMode was = recorded_->mode;
  if (was == mode_) return true;
  const auto refuse = [&](std::string_view loss) {
    Add(ContractAction::kRefuse, fmt::format("{}: {}", ModeChange(), loss),
        fmt::format("mode {}, as the rows of {} are", ContractModeName(was), wanted_.target),
        std::string(ContractModeName(mode_)),
        "say what it was again, or deliver to another `target`: what is there stays");
    return false;
  };
  if (was == ContractMode::kHistory) {
    // A table without a key is a history; with the key that it got it stays one.
    if (recorded_->history_without_key) return refuse("its rows are a history");
    return refuse("the history that is there would be lost");
  }
  if (was == ContractMode::kSoft) return refuse("the deleted rows that are kept would be lost");
  if (mode_ == ContractMode::kHistory) return refuse("the rows that are there are no history");
  if (was == ContractMode::kAppend) return refuse("the rows that every run appended would be lost");
  if (was == ContractMode::kIncremental && mode_ == ContractMode::kReplace) {
    Add(ContractAction::kFollow, ModeChange() + ": the next version takes the place of what is there");
    return true;
  }
  if (mode_ == ContractMode::kAppend) {
    Add(ContractAction::kFollow, ModeChange() + ": rows are appended to those that are there");
    return true;
  }
  // Every row of the source comes by its key, and what is not in the source goes or is marked.
  Add(ContractAction::kAnew, ModeChange());
  return true;
}

std::string Comparison::ModeChange() const {
  return fmt::format("it was delivered as {} and is to be delivered as {}", ContractModeName(recorded_->mode),
                     ContractModeName(mode_));
}

void Comparison::Layout() {
  if (!recorded_->found.has_value()) return;
  const TargetIdentity& was = *recorded_->found;
  if (was.partitioning != found_->partitioning) {
    Add(ContractAction::kFollow, "the target is partitioned otherwise than when it was last seen",
        was.partitioning, found_->partitioning);
  }
  if (was.clustering != found_->clustering) {
    Add(ContractAction::kFollow, "the target is clustered otherwise than when it was last seen",
        Listed(was.clustering), Listed(found_->clustering));
  }
}

void Comparison::Staleness() {
  const std::optional<int64_t>& was = recorded_->staleness_seconds;
  const std::optional<int64_t>& now = wanted_.staleness_seconds;
  if (!was.has_value() || !now.has_value() || *was == *now) return;
  Add(ContractAction::kFollow, "`max_staleness` is another, and is set", fmt::format("{}s", *was),
      fmt::format("{}s", *now));
}

void Comparison::Filter() {
  if (recorded_->filter == wanted_.filter) return;
  const std::string what = "`where` is another than the rows that are there were chosen by";
  if (mode_ == ContractMode::kReplace) {
    return Add(ContractAction::kFollow, what + ": the next version has the rows that it chooses now");
  }
  // It may well be another every day, and then says which rows a run adds.
  if (appends()) return Add(ContractAction::kFollow, what + ": they stay");
  if (mode_ == ContractMode::kIncremental) {
    answer_.others_must_go = true;
    return Add(ContractAction::kAnew, what);
  }
  Add(ContractAction::kRefuse, what, "", "",
      "deliver it to another `target`, or once with mode: replace, so that no row stays that is not "
      "wanted");
}

void Comparison::MergeKey() {
  if (recorded_ == nullptr || SameKey(recorded_->source_key, wanted_.source_key)) return;
  answer_.others_must_go = true;
  Add(ContractAction::kAnew, "the key is another than the rows were merged by", Listed(recorded_->source_key),
      Listed(wanted_.source_key));
}

// Each has a place of its own that the next window would begin at.
void Comparison::Cursor() {
  if (mode_ != ContractMode::kIncremental || recorded_->mode != mode_ || recorded_->cursor.empty()) return;
  if (SameColumn(recorded_->cursor, wanted_.cursor)) return;
  Add(ContractAction::kAnew, "`cursor` is another than the rows so far were found by", recorded_->cursor,
      wanted_.cursor);
}

void Comparison::Key() {
  if (mode_ == ContractMode::kIncremental) return MergeKey();
  if (!by_key()) return;
  if (SameKey(found_->key, wanted_.key)) {
    if (recorded_ != nullptr && recorded_->mode == mode_ && !SameKey(recorded_->key, wanted_.key))
      Add(ContractAction::kAnew, "the key is another than the rows were delivered by", Listed(recorded_->key),
          Listed(wanted_.key));
    return;
  }
  // It can be given a key where it has none, and nothing was streamed to it yet.
  const bool fresh = recorded_ == nullptr || recorded_->mode < ContractMode::kUpsert;
  if (found_->key.empty() && (fresh || asked() || of_somebody_)) {
    return Add(ContractAction::kAnew, "the target has no key yet", Listed(wanted_.key), "none");
  }
  const bool key_of_somebody = recorded_ != nullptr && SameKey(recorded_->key, wanted_.key);
  if (key_of_somebody && !asked()) {
    return Add(
        ContractAction::kStop, fmt::format("the key of {} was changed in BigQuery", wanted_.target),
        Listed(wanted_.key), Listed(found_->key),
        fmt::format("ALTER TABLE … DROP PRIMARY KEY, ADD PRIMARY KEY {} NOT ENFORCED, then `hakobu repair "
                    "--recopy {}`",
                    Listed(wanted_.key), wanted_.source));
  }
  ChangedKey();
}

void Comparison::ChangedKey() {
  const std::string what = "the key changes, which BigQuery cannot do in the table that is there";
  if (mode_ == ContractMode::kSoft) {
    return Add(ContractAction::kRefuse, what + ": the deleted rows that are kept would be lost",
               Listed(found_->key), Listed(wanted_.key),
               "deliver it to another `target`; what is there stays");
  }
  if (of_somebody_ || (recorded_ == nullptr && !question_.delivered_before)) {
    return Add(ContractAction::kRefuse,
               fmt::format("{} was not made by hakobu, and has another key", wanted_.target),
               Listed(wanted_.key), Listed(found_->key),
               "give it that key, or give the stream another `target`");
  }
  if (!question_.hangs.empty()) {
    return Add(
        ContractAction::kStop,
        fmt::format("{}, and what hangs on it would be lost: {}", what, fmt::join(question_.hangs, "; ")),
        Listed(found_->key), Listed(wanted_.key),
        fmt::format("deliver it to another `target`; or take those off, `hakobu repair --recopy {}`, and put "
                    "them on again",
                    wanted_.source));
  }
  Add(ContractAction::kAnew, what + "; nothing hangs on it, and it is made again", Listed(found_->key),
      Listed(wanted_.key));
  answer_.make_again = true;
}

void Comparison::Truncated() {
  if (mode_ == ContractMode::kReplace || !recorded_->found.has_value()) return;
  if (question_.target_is_empty != true || question_.source_is_empty != false) return;
  if (question_.occasion != ContractOccasion::kStart) return;
  if (appends()) {
    return Add(
        ContractAction::kRefuse,
        fmt::format("{} was emptied by somebody else: the rows that earlier runs appended are not in it",
                    wanted_.target),
        "rows", "none", RecopyHint());
  }
  for (const ContractFinding& finding : answer_.findings) {
    if (finding.action == ContractAction::kAnew) return;  // filled for another reason
  }
  Add(ContractAction::kAnew,
      fmt::format("{} was emptied by somebody else: its rows come again", wanted_.target), "rows", "none");
}

std::string_view ContractActionName(ContractAction action) {
  switch (action) {
    case ContractAction::kFollow:
      return "follow";
    case ContractAction::kAnew:
      return "put in place anew";
    case ContractAction::kStop:
      return "stop";
    case ContractAction::kRefuse:
      return "refuse";
  }
  return "refuse";
}

ContractAnswer CompareContracts(const ContractQuestion& question) {
  return Comparison(question).Answer();
}

std::string FindingText(std::string_view table, const ContractFinding& finding) {
  std::string text = table.empty() ? finding.what : fmt::format("{}: {}", table, finding.what);
  if (!finding.expected.empty()) text += fmt::format("; expected {}", finding.expected);
  if (!finding.found.empty())
    text += fmt::format("{} found {}", finding.expected.empty() ? ";" : ",", finding.found);
  return text;
}

absl::Status AnswerStatus(std::string_view table, const ContractAnswer& answer) {
  if (answer.action < ContractAction::kStop) return absl::OkStatus();
  std::string text, hint;
  for (const ContractFinding& finding : answer.findings) {
    if (finding.action < ContractAction::kStop) continue;
    text += (text.empty() ? "" : "; ") + FindingText(text.empty() ? table : "", finding);
    if (hint.empty()) hint = finding.hint;
  }
  const absl::Status status = answer.action == ContractAction::kRefuse ? absl::DataLossError(text)
                                                                       : absl::FailedPreconditionError(text);
  return hint.empty() ? status : WithHint(status, hint);
}

}  // namespace hakobu
