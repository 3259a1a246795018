// Manual pages in roff (man(7)), made from the command line itself, so that they are never behind it.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace hakobu {

// hakobu(1): every command, the global options, exit codes.
std::string ManualPage(const CLI::App& app, std::string_view version);
// hakobu-COMMAND(1), its subcommands included.
std::string CommandManualPage(const CLI::App& app, const CLI::App& command, std::string_view version);

}  // namespace hakobu
