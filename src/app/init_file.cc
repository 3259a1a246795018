#include "app/init_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "app/suggest.h"
#include "config/reference.h"

namespace hakobu {
namespace {

std::string NameOf(const SourceTable& table) {
  return fmt::format("{}.{}", table.database, table.name);
}

// A comment must stay on its line.
std::string OneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string KeyText(const SourceTable& table) {
  if (!table.key) return "no key";
  std::string columns;
  for (const size_t place : table.key->columns) {
    columns += fmt::format("{}{}", columns.empty() ? "" : ", ", table.columns[place].name);
  }
  return fmt::format("{} ({})", table.key->primary ? "primary key" : "key " + table.key->name, columns);
}

std::string MaskText(Mask mask) {
  return mask == Mask::kSha256 ? "{mask: sha256, salt: \"${env:HAKOBU_SALT}\"}" : "{mask: null}";
}

// Names that the pattern language cannot say.
bool CanBeNamed(const SourceTable& table) {
  return table.database.find_first_of(".*?") == std::string::npos &&
         table.name.find_first_of("*?") == std::string::npos;
}

void AddColumns(const SourceTable& table, InitResult* result) {
  const std::vector<PersonalColumn> personal = FindPersonalColumns(table);
  std::vector<std::string> ids = FindWideIds(table);
  std::erase_if(ids, [&](const std::string& id) {
    return std::any_of(personal.begin(), personal.end(),
                       [&](const PersonalColumn& column) { return column.name == id; });
  });
  if (personal.empty() && ids.empty()) return;
  std::string& text = result->text;
  text += "    columns:\n";
  for (const PersonalColumn& column : personal) {
    text += fmt::format("      # looks like {}\n      {}: {}\n", column.looks_like, YamlScalar(column.name),
                        MaskText(column.mask));
    result->needs_salt |= column.mask == Mask::kSha256;
  }
  if (!ids.empty())
    text += "      # BIGINT UNSIGNED would be NUMERIC; ids fit INT64, and joins are quicker\n";
  for (const std::string& id : ids) text += fmt::format("      {}: {{as: INT64}}\n", YamlScalar(id));
  result->personal_columns += personal.size();
}

void AddTable(const SourceTable& table, const std::set<std::string>& indexed, InitResult* result) {
  std::string& text = result->text;
  const ModeSuggestion mode = SuggestMode(table, indexed);
  text += fmt::format("\n  # {}: {}{}\n", OneLine(NameOf(table)), OneLine(KeyText(table)),
                      table.comment.empty() ? "" : "; " + OneLine(table.comment));
  if (!CanBeNamed(table)) {
    text += "  # not written: a name with a dot, `*` or `?` in the wrong place cannot be told from a glob\n";
    return;
  }
  text += fmt::format("  # {}\n  - table: {}\n", OneLine(mode.reason), YamlScalar(NameOf(table)));
  if (mode.mode == TableMode::kIncremental) {
    text += fmt::format("    mode: incremental\n    cursor: {}\n", YamlScalar(mode.cursor));
  } else {
    text += "    mode: replace\n";
  }
  const bool large = table.estimated_rows >= kLargeRows || table.data_bytes >= kLargeBytes;
  if (const auto birth = FindBirthColumn(table); large && birth) {
    text += fmt::format("    # partition: {{by: month, column: {}}}\n", OneLine(YamlScalar(*birth)));
  }
  AddColumns(table, result);
}

bool HasSameNames(const std::vector<SourceTable>& tables) {
  std::set<std::string> names;
  return !std::all_of(tables.begin(), tables.end(),
                      [&](const SourceTable& table) { return names.insert(table.name).second; });
}

}  // namespace

std::string YamlScalar(std::string_view text) {
  const bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
                     std::all_of(text.begin(), text.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
                     });
  const bool word = text == "null" || text == "true" || text == "false" || text == "Null" || text == "NULL";
  if (plain && !word) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

InitResult MakeInitFile(const InitFacts& facts) {
  InitResult result;
  std::map<std::string, std::string> defaults = {{"mode", "replace"}};
  if (HasSameNames(facts.tables)) defaults["target"] = "\"{database}_{table}\"";
  result.text = fmt::format(
      "# Written by `hakobu init` from {} on {}.\n"
      "# A key behind # shows its default, or an example where that is said. docs/configuration.md explains "
      "every key.\n\n"
      "# {}\nsource:\n{}\n# {}\ndestination:\n{}\n# {}\ndefaults:\n{}",
      OneLine(facts.server), facts.written_on, RootChild("source").explanation,
      CommentedSection(RootChild("source"), facts.source, 2), RootChild("destination").explanation,
      CommentedSection(RootChild("destination"), facts.destination, 2), RootChild("defaults").explanation,
      CommentedSection(RootChild("defaults"), defaults, 2));
  result.text += "\n# What is delivered. Take out what nobody needs.\ntables:";
  if (facts.tables.empty()) result.text += "\n  # no table was found: name one\n  # - table: database.table";
  for (const SourceTable& table : facts.tables) {
    const auto indexed = facts.indexed.find(NameOf(table));
    AddTable(table, indexed == facts.indexed.end() ? std::set<std::string>() : indexed->second, &result);
  }
  for (const std::string& line : facts.left_out)
    result.text += fmt::format("\n  # left out: {}\n", OneLine(line));
  if (!result.text.ends_with('\n')) result.text += '\n';
  return result;
}

}  // namespace hakobu
