#include "grants/desired.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/glob.h"
#include "grants/access.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

constexpr std::array<std::string_view, 5> kColumns = {"dataset", "member", "role", "expires", "reason"};
enum Column { kDataset, kMember, kRole, kExpires, kReason };
using Positions = std::array<int, kColumns.size()>;

GrantPlace PlaceOf(const std::string& file, const CsvField& field) {
  return {file, field.line, field.column};
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::optional<Positions> ReadHeader(const CsvRecord& record, const std::string& file,
                                    GrantProblems* problems) {
  Positions positions;
  positions.fill(-1);
  bool good = true;
  for (size_t at = 0; at < record.fields.size(); ++at) {
    const CsvField& field = record.fields[at];
    if (field.text.empty()) continue;  // a trailing separator
    const auto found = std::find(kColumns.begin(), kColumns.end(), Lower(field.text));
    if (found == kColumns.end()) {
      problems->Error(
          PlaceOf(file, field),
          fmt::format("expected a column named dataset, member, role, expires or reason, found `{}`",
                      field.text),
          "the first line is the header: dataset,member,role,expires,reason");
      good = false;
      continue;
    }
    int& position = positions[static_cast<size_t>(found - kColumns.begin())];
    if (position >= 0) {
      problems->Error(PlaceOf(file, field),
                      fmt::format("expected the column `{}` once, found it again", *found));
      good = false;
    }
    position = static_cast<int>(at);
  }
  for (const Column column : {kDataset, kMember, kRole}) {
    if (positions[column] >= 0 || !good) continue;
    problems->Error({file, record.line, 1},
                    fmt::format("expected a column `{}`, found none", kColumns[column]),
                    "the first line is the header: dataset,member,role,expires,reason");
    good = false;
  }
  if (!good) return std::nullopt;
  return positions;
}

bool IsNamePattern(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c >= 0x80 ||
           extra.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// Years 2000..9999; the end of the day for a date alone.
std::optional<absl::Time> ParseExpiry(std::string_view text) {
  absl::Time time;
  std::string error;
  const std::string owned(text);
  if (owned.size() == 10 && absl::ParseTime("%Y-%m-%d", owned, absl::UTCTimeZone(), &time, &error)) {
    time += absl::Hours(24);
  } else if (owned.size() <= 10 || !absl::ParseTime(absl::RFC3339_full, owned, &time, &error)) {
    return std::nullopt;
  }
  const int64_t year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  if (year < 2000 || year > 9999) return std::nullopt;
  return time;
}

class LineReader {
 public:
  LineReader(const std::string& file, const GrantSettings& settings, absl::Time now, GrantProblems* problems)
      : file_(file), settings_(settings), now_(now), problems_(problems) {}

  std::optional<GrantLine> Read(const CsvRecord& record, const Positions& positions) {
    const auto field = [&](Column column) -> CsvField {
      const int at = positions[column];
      if (at >= 0 && static_cast<size_t>(at) < record.fields.size())
        return record.fields[static_cast<size_t>(at)];
      return {"", record.line, record.fields.back().column};
    };
    GrantLine line;
    line.place = {file_, record.line, record.fields.front().column};
    good_ = true;
    CheckWidth(record, positions);
    ReadDataset(field(kDataset), &line);
    ReadMember(field(kMember), &line);
    ReadRole(field(kRole), &line);
    ReadExpires(field(kExpires), &line);
    line.reason = field(kReason).text;
    if (!good_) return std::nullopt;
    return line;
  }

 private:
  void Fail(const CsvField& field, std::string message, std::string hint = "") {
    good_ = false;
    problems_->Error(PlaceOf(file_, field), std::move(message), std::move(hint));
  }

  void CheckWidth(const CsvRecord& record, const Positions& positions) {
    const auto width = static_cast<size_t>(*std::max_element(positions.begin(), positions.end()) + 1);
    for (size_t at = width; at < record.fields.size(); ++at) {
      if (record.fields[at].text.empty()) continue;
      return Fail(record.fields[at], fmt::format("expected {} fields as in the header, found another", width),
                  "put a field that holds a separator in quotes");
    }
  }

  void ReadDataset(const CsvField& field, GrantLine* line) {
    const std::string& text = field.text;
    if (text.empty()) return Fail(field, "expected a dataset, found nothing");
    const std::string lower = Lower(text);
    if (lower == "project" || lower.rfind("projects/", 0) == 0 || lower.rfind("project:", 0) == 0 ||
        lower.rfind("organizations/", 0) == 0 || lower.rfind("folders/", 0) == 0) {
      return Fail(field,
                  fmt::format("expected a dataset, found `{}`: nothing is granted at project level", text),
                  "name datasets, or a glob; for running queries see `hakobu grants explain`");
    }
    const size_t dot = text.find('.');
    line->dataset = text.substr(0, dot);
    if (dot != std::string::npos) line->table = text.substr(dot + 1);
    if (line->table.find('.') != std::string::npos || text.find(':') != std::string::npos) {
      return Fail(field, fmt::format("expected dataset or dataset.table, found `{}`", text),
                  "leave the project out: it is destination.project of hakobu.yaml");
    }
    if (!IsNamePattern(line->dataset, "*?")) {
      return Fail(field, fmt::format("expected letters, digits and _ in a dataset's name, found `{}`", text));
    }
    if (dot == std::string::npos) return;
    if (IsGlob(line->table)) {
      return Fail(field, fmt::format("expected one table's name after the dot, found `{}`", text),
                  "grant the dataset, or write a line for each table");
    }
    if (!IsNamePattern(line->table, "-")) {
      return Fail(field, fmt::format("expected a table's name after the dot, found `{}`", text));
    }
  }

  void ReadMember(const CsvField& field, GrantLine* line) {
    const ParsedMember member = ParseMember(field.text);
    line->member = member.member;
    if (!member.member.empty()) return;
    Fail(field, fmt::format("expected {}, found {}", member.expected, Shown(field.text)), member.hint);
  }

  void ReadRole(const CsvField& field, GrantLine* line) {
    line->role = field.text;
    if (const auto kind = settings_.kinds.find(field.text); kind != settings_.kinds.end()) {
      line->roles = kind->second;
      return;
    }
    const ParsedRole role = ParseRole(field.text);
    if (role.role.empty()) {
      return Fail(field, fmt::format("expected {}, found {}", role.expected, Shown(field.text)), role.hint);
    }
    line->role = role.role;
    line->roles = {role.role};
  }

  void ReadExpires(const CsvField& field, GrantLine* line) {
    if (field.text.empty()) return;
    const std::optional<absl::Time> time = ParseExpiry(field.text);
    if (!time) {
      return Fail(field,
                  fmt::format("expected a date as 2026-12-31 or a time as 2026-12-31T18:00:00Z, found `{}`",
                              field.text));
    }
    line->expires = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *time, absl::UTCTimeZone());
    line->expired = *time <= now_;
    if (!line->expired) return;
    problems_->Warning(PlaceOf(file_, field), fmt::format("expired on {}", field.text),
                       "the next apply removes the grant; remove the line then");
  }

  static std::string Shown(const std::string& text) { return text.empty() ? "nothing" : "`" + text + "`"; }

  const std::string& file_;
  const GrantSettings& settings_;
  const absl::Time now_;
  GrantProblems* problems_;
  bool good_ = true;
};

// Within the lines of all files: the same twice, and two basic roles for one member on one dataset.
void CheckAgainstEachOther(const std::vector<GrantLine>& lines, GrantProblems* problems) {
  std::map<std::string, const GrantLine*> exact, basic;
  for (const GrantLine& line : lines) {
    const std::string target = line.table.empty() ? line.dataset : line.dataset + "." + line.table;
    for (const std::string& role : line.roles) {
      const auto [first, is_new] = exact.emplace(target + "\n" + line.member + "\n" + role, &line);
      if (!is_new) {
        const bool same = first->second->expires == line.expires;
        problems->Error(line.place,
                        fmt::format("expected {} {} on {} once, found it at {} too{}", role, line.member,
                                    target, first->second->place.ToString(), same ? "" : " with another end"),
                        "remove one of the lines");
        break;
      }
      if (RoleRank(role) == 0) continue;
      const auto [other, only] = basic.emplace(target + "\n" + line.member, &line);
      if (!only && other->second != &line) {
        problems->Error(
            line.place,
            fmt::format("expected one of reader, writer and owner for {} on {}, found {} here and {} at {}",
                        line.member, target, role, other->second->role, other->second->place.ToString()),
            "the higher role includes the lower one: remove a line");
        break;
      }
    }
  }
}

size_t Literals(std::string_view pattern) {
  return static_cast<size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

struct Candidate {
  DesiredGrant grant;
  bool expired = false;
  size_t weight = 0;  // the more exact line wins
};
using Candidates = std::map<std::string, std::map<std::string, Candidate>>;  // target, "role member"

void Offer(Candidates* candidates, const std::string& target, Candidate candidate) {
  auto& slot = (*candidates)[target][GrantKey(candidate.grant.member, candidate.grant.role, "")];
  if (slot.grant.role.empty() || candidate.weight > slot.weight) slot = std::move(candidate);
}

void OfferLine(const GrantLine& line, const GrantSettings& settings, const std::vector<std::string>& datasets,
               Candidates* candidates, GrantProblems* problems) {
  bool matched = false, outside = false;
  for (const std::string& dataset : datasets) {
    if (!GlobMatches(line.dataset, dataset)) continue;
    if (!MatchesAny(settings.datasets, dataset)) {
      outside = true;
      continue;
    }
    matched = true;
    const std::string target = line.table.empty() ? dataset : dataset + "." + line.table;
    const size_t weight = IsGlob(line.dataset) ? Literals(line.dataset) : 1000000;
    const std::string source = fmt::format("{}:{}", line.place.file, line.place.line);
    for (const std::string& role : line.roles) {
      const std::string expires = settings.expiry == ExpiryForm::kCondition ? line.expires : "";
      Offer(candidates, target, {{line.member, role, expires, source, line.reason}, line.expired, weight});
    }
  }
  if (matched) return;
  problems->Error(
      line.place,
      outside ? fmt::format("expected a dataset within `datasets:` of the settings, found `{}`", line.dataset)
              : fmt::format("expected the name or glob of a dataset that exists, found `{}`", line.dataset),
      outside ? ""
              : "create the dataset, correct the name, or get bigquery.datasets.get on it (what one may not "
                "see is not listed)");
}

void OfferTemplate(const GrantTemplate& item, const GrantSettings& settings, const std::string& dataset,
                   Candidates* candidates) {
  if (!MatchesAny(item.datasets, dataset) || MatchesAny(item.except, dataset)) return;
  for (const TemplateGrant& grant : item.grants) {
    std::string member = grant.member;
    if (const size_t at = member.find("{dataset}"); at != std::string::npos) member.replace(at, 9, dataset);
    const ParsedMember parsed = ParseMember(member);
    const auto kind = settings.kinds.find(grant.role);
    const std::vector<std::string> roles =
        kind == settings.kinds.end() ? std::vector<std::string>{ParseRole(grant.role).role} : kind->second;
    for (const std::string& role : roles) {
      const std::string source = fmt::format("{}:{}", grant.place.file, grant.place.line);
      Offer(candidates, dataset, {{parsed.member, role, "", source, grant.reason}, false, 1});
    }
  }
}

}  // namespace

bool MatchesAny(const std::vector<std::string>& globs, std::string_view name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return GlobMatches(glob, name); });
}

std::vector<GrantLine> ReadGrantLines(std::string_view text, const std::string& file,
                                      const GrantSettings& settings, absl::Time now,
                                      GrantProblems* problems) {
  const CsvFile csv = ParseCsv(text, file, problems);
  std::vector<GrantLine> lines;
  if (csv.records.empty()) {
    if (!problems->HasErrors()) {
      problems->Error({file, 1, 1},
                      "expected the header dataset,member,role,expires,reason, found an empty file");
    }
    return lines;
  }
  const std::optional<Positions> positions = ReadHeader(csv.records.front(), file, problems);
  if (!positions) return lines;
  LineReader reader(file, settings, now, problems);
  for (size_t at = 1; at < csv.records.size(); ++at) {
    if (csv.records[at].is_broken) continue;
    std::optional<GrantLine> line = reader.Read(csv.records[at], *positions);
    if (line) lines.push_back(*std::move(line));
  }
  return lines;
}

DesiredState ResolveGrants(const std::vector<GrantLine>& lines, const GrantSettings& settings,
                           const std::vector<std::string>& datasets, GrantProblems* problems) {
  CheckAgainstEachOther(lines, problems);
  Candidates candidates;
  for (const GrantLine& line : lines) OfferLine(line, settings, datasets, &candidates, problems);
  DesiredState state;
  for (const std::string& dataset : datasets) {
    if (!MatchesAny(settings.datasets, dataset)) continue;
    state.grants[dataset];
    for (const GrantTemplate& item : settings.templates) OfferTemplate(item, settings, dataset, &candidates);
  }
  for (auto& [target, grants] : candidates) {
    state.grants[target];
    for (auto& [key, candidate] : grants) {
      (candidate.expired ? state.expired : state.grants)[target].push_back(std::move(candidate.grant));
    }
  }
  return state;
}

}  // namespace hakobu
