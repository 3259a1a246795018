#include "app/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "app/command_facts.h"

namespace hakobu {
namespace {

// Text that roff takes literally: no escapes, no requests at the start of a line, hyphens as typed.
std::string Escape(std::string_view text) {
  std::string escaped;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) escaped += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Head(std::string_view page, std::string_view about, std::string_view version) {
  return fmt::format(".TH {} 1 \"\" \"hakobu {}\" \"hakobu\"\n.SH NAME\n{} \\- {}\n", Escape(page), version,
                     Escape(page), Escape(about));
}

// Footers are laid out by hand: examples, tables.
std::string AsLaidOut(std::string_view title, std::string_view text) {
  if (text.empty()) return "";
  return fmt::format(".SH {}\n.nf\n{}\n.fi\n", title, Escape(text));
}

std::string ValueName(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find_first_of(":{"));
}

std::string Options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> names;
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    if (names.empty()) names.push_back(option->get_name(/*positional=*/true));
    std::string value =
        option->get_items_expected_max() > 0 && !option->get_positional() ? ValueName(*option) : "";
    if (!value.empty()) value = " \\fI" + Escape(value) + "\\fR";
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", Escape(fmt::format("{}", fmt::join(names, ", "))), value,
                        Escape(option->get_description()));
    if (!option->get_default_str().empty())
      text += fmt::format("(default: {})\n", Escape(option->get_default_str()));
  }
  return text;
}

std::string Synopsis(std::string_view name, const CLI::App& app) {
  std::string text = fmt::format(".B {}\n[\\fIOPTIONS\\fR]", Escape(name));
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string type = ValueName(*option);
    const std::string& shown = type.empty() ? option->get_name(true) : type;
    const std::string place = fmt::format("\\fI{}\\fR", Escape(shown));
    text += option->get_required() ? " " + place : " [" + place + "]";
  }
  return text + "\n";
}

std::vector<const CLI::App*> CommandsIn(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

}  // namespace

std::string ManualPage(const CLI::App& app, std::string_view version) {
  std::string text = Head("hakobu", "deliver MySQL tables to BigQuery", version);
  text += ".SH SYNOPSIS\n.B hakobu\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n.SH DESCRIPTION\n";
  text += Escape(app.get_description()) + "\n.SH COMMANDS\n";
  for (const CLI::App* command : CommandsIn(app)) {
    text += fmt::format(".TP\n.BR hakobu\\-{} (1)\n{}\n", Escape(command->get_name()),
                        Escape(command->get_description()));
  }
  text += ".SH OPTIONS\n" + Options(app);
  return text + AsLaidOut("EXIT STATUS AND FIRST STEPS", app.get_footer());
}

std::string CommandManualPage(const CLI::App& app, const CLI::App& command, std::string_view version) {
  const std::string name = "hakobu-" + command.get_name();
  std::string text = Head(name, command.get_description(), version);
  text += ".SH SYNOPSIS\n" + Synopsis("hakobu " + command.get_name(), command);
  text += ".SH OPTIONS\n" + Options(command);
  for (const CLI::App* inner : CommandsIn(command)) {
    const std::string full = fmt::format("hakobu {} {}", command.get_name(), inner->get_name());
    text += fmt::format(".SS {}\n{}\n.PP\n", Escape(full), Escape(inner->get_description()));
    text += Synopsis(full, *inner) + Options(*inner);
    if (!inner->get_footer().empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", Escape(inner->get_footer()));
  }
  text += ".SH GLOBAL OPTIONS\n" + Options(app);
  text += AsLaidOut("NOTES", command.get_footer());
  return text + ".SH SEE ALSO\n.BR hakobu (1)\n";
}

}  // namespace hakobu
