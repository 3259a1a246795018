#include "delivery/stream/gap_statement.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "delivery/stream/gap_words.h"

namespace hakobu {
namespace {

bool IsKnown(absl::Time time) {
  return time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

std::string Grouped(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

struct Named {
  const char* name;
  std::string value;
};

class Statement {
 public:
  Statement(const Gap& gap, const StatementOptions& options)
      : gap_(gap), options_(options), words_(WordsOf(options.language)) {}

  std::string Text() {
    text_ = Fill(gap_.open() ? words_.title : words_.title_closed, {{"id", std::to_string(gap_.record.id)}});
    text_ += '\n';
    Heading(words_.what);
    Line(CauseText(options_.language, gap_.cause.value_or(GapCause::kUnproven)));
    When();
    Heading(gap_.open() ? words_.meaning : words_.meaning_closed);
    Line(Meaning());
    Tables();
    Done();
    Heading(words_.advice);
    Line(Advice());
    return std::move(text_);
  }

 private:
  static std::string Fill(std::string_view format, const std::vector<Named>& values) {
    fmt::dynamic_format_arg_store<fmt::format_context> store;
    for (const Named& each : values) store.push_back(fmt::arg(each.name, each.value));
    return fmt::vformat(format, store);
  }

  std::string TimeText(absl::Time time) const {
    const bool japanese = options_.language == Language::kJapanese;
    return absl::FormatTime(japanese ? "%Y年%-m月%-d日 %H:%M:%S" : "%Y-%m-%d %H:%M:%S", time, options_.zone) +
           (japanese ? "（" + options_.zone_name + "）" : " " + options_.zone_name);
  }

  void Heading(std::string_view words) {
    const bool japanese = options_.language == Language::kJapanese;
    text_ += fmt::format(fmt::runtime(japanese ? "\n■ {}\n" : "\n{}\n"), words);
  }
  void Line(std::string_view line) { text_ += fmt::format("  {}\n", line); }
  void Item(std::string_view line) { text_ += fmt::format("  {}{}\n", words_.item, line); }

  void When() {
    Heading(words_.when);
    const StreamGapRecord& record = gap_.record;
    Item(IsKnown(record.from_time) ? Fill(words_.from, {{"time", TimeText(record.from_time)}})
                                   : std::string(words_.from_unknown));
    Item(IsKnown(record.to_time) ? Fill(words_.until, {{"time", TimeText(record.to_time)}})
                                 : Fill(words_.until_unknown, {{"time", TimeText(record.opened)}}));
    const bool from = !gap_.from_position.empty(), until = !gap_.until_position.empty();
    if (from || until) {
      Item(Fill(from && until ? words_.places
                : from        ? words_.place_from
                              : words_.place_until,
                {{"from", gap_.from_position}, {"until", gap_.until_position}}));
    }
    if (!gap_.missing_gtids.empty()) Item(Fill(words_.missing_gtids, {{"gtids", gap_.missing_gtids}}));
    if (!gap_.phantom_gtids.empty()) Item(Fill(words_.phantom_gtids, {{"gtids", gap_.phantom_gtids}}));
  }

  std::string_view Meaning() const {
    switch (gap_.cause.value_or(GapCause::kUnproven)) {
      case GapCause::kPurged:
        return gap_.phantom_gtids.empty() ? words_.lacks : words_.both;
      case GapCause::kErrant:
      case GapCause::kReset:
        return words_.lacks;
      case GapCause::kLostTail:
        return gap_.missing_gtids.empty() ? words_.holds : words_.both;
      case GapCause::kRestored:
      case GapCause::kFork:
        // By file and position nothing says what the server has instead.
        return gap_.missing_gtids.empty() && !gap_.phantom_gtids.empty() ? words_.holds : words_.both;
      default:
        return words_.both;
    }
  }

  std::string WhyWhole(const GapTable& table) const {
    if (!table.repair.has_value()) {
      return std::string(table.reason == ConcernReason::kCopyToCome  ? words_.copy_to_come
                         : table.reason == ConcernReason::kUntouched ? words_.untouched
                                                                     : words_.not_followed);
    }
    const bool compared = table.repair->method == TableRepair::Method::kCompared;
    return Fill(compared ? words_.compared_equal : words_.copied_anew,
                {{"when", TimeText(table.repair->when)}});
  }

  std::string Name(const GapTable& table) const {
    if (table.target.empty()) return table.source;
    const bool japanese = options_.language == Language::kJapanese;
    return fmt::format(fmt::runtime(japanese ? "{}（BigQuery：{}）" : "{} (BigQuery: {})"), table.source,
                       table.target);
  }

  void Tables() {
    const auto list = [&](std::string_view heading, bool whole) {
      Heading(heading);
      bool any = false;
      for (const GapTable& table : gap_.tables) {
        if (table.whole() != whole) continue;
        any = true;
        Item(whole ? Name(table) + (options_.language == Language::kJapanese ? "：" : ": ") + WhyWhole(table)
                   : Name(table));
      }
      if (!any) Line(words_.none);
    };
    list(words_.doubtful, false);
    list(words_.whole, true);
  }

  void Done() {
    Heading(words_.done);
    Item(Fill(words_.noticed, {{"time", TimeText(gap_.record.opened)}}));
    for (const GapTable& table : gap_.tables) {
      if (table.repair.has_value()) Item(RepairText(table));
    }
    if (!gap_.open()) return Item(Fill(words_.closed, {{"time", TimeText(gap_.record.closed)}}));
    if (Doubtful()) Item(words_.not_yet);
  }

  std::string RepairText(const GapTable& table) const {
    const TableRepair& repair = *table.repair;
    if (repair.method == TableRepair::Method::kCopied) {
      return Fill(words_.copied, {{"when", TimeText(repair.when)}, {"table", table.source}});
    }
    const char* const between = options_.language == Language::kJapanese ? "" : " ";
    const std::string ranges =
        Fill(repair.chunks == 1 ? words_.one_range : words_.ranges, {{"count", Grouped(repair.chunks)}});
    std::string text = Fill(words_.compared, {{"when", TimeText(repair.when)},
                                              {"table", table.source},
                                              {"rows", Grouped(repair.rows)},
                                              {"chunks", ranges}});
    text += between;
    if (repair.missing + repair.differed + repair.extra == 0) {
      text += words_.found_equal;
    } else {
      text += Fill(words_.corrected, {{"missing", Grouped(repair.missing)},
                                      {"differed", Grouped(repair.differed)},
                                      {"extra", Grouped(repair.extra)}});
    }
    if (!repair.position.empty()) text += between + Fill(words_.proof, {{"position", repair.position}});
    return text;
  }

  bool Doubtful() const {
    return std::any_of(gap_.tables.begin(), gap_.tables.end(),
                       [](const GapTable& table) { return !table.whole(); });
  }

  std::string_view Advice() const {
    if (gap_.open() && Doubtful()) return words_.advice_open;
    const bool repaired = std::any_of(gap_.tables.begin(), gap_.tables.end(),
                                      [](const GapTable& table) { return table.repair.has_value(); });
    return repaired ? words_.advice_closed : words_.advice_nothing;
  }

  const Gap& gap_;
  const StatementOptions& options_;
  const GapWords& words_;
  std::string text_;
};

nlohmann::ordered_json TimeJson(absl::Time time) {
  if (!IsKnown(time)) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

nlohmann::ordered_json GapJson(const Gap& gap, StatementOptions options) {
  nlohmann::ordered_json json = {{"id", gap.record.id},
                                 {"state", NameOf(gap.record.state)},
                                 {"cause", gap.record.cause},
                                 {"explanation", gap.explanation},
                                 {"hint", gap.hint},
                                 {"from", TimeJson(gap.record.from_time)},
                                 {"until", TimeJson(gap.record.to_time)},
                                 {"from_position", gap.from_position},
                                 {"until_position", gap.until_position},
                                 {"missing_gtids", gap.missing_gtids},
                                 {"phantom_gtids", gap.phantom_gtids},
                                 {"other_server", gap.other_server},
                                 {"opened", TimeJson(gap.record.opened)},
                                 {"closed", TimeJson(gap.record.closed)}};
  json["tables"] = nlohmann::ordered_json::parse(GapTablesJson(gap.tables), nullptr, false);
  options.language = Language::kEnglish;
  json["statement"]["en"] = GapStatement(gap, options);
  options.language = Language::kJapanese;
  json["statement"]["ja"] = GapStatement(gap, options);
  return json;
}

}  // namespace

std::string GapStatement(const Gap& gap, const StatementOptions& options) {
  return Statement(gap, options).Text();
}

std::string GapsJson(const std::vector<Gap>& gaps, const StatementOptions& options) {
  nlohmann::ordered_json json = {{"gaps", nlohmann::ordered_json::array()}};
  for (const Gap& gap : gaps) json["gaps"].push_back(GapJson(gap, options));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace hakobu
