// Shell completion, made from the command line itself, so that it is never behind it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace hakobu {

std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);
std::string FishCompletion(const CLI::App& app);

}  // namespace hakobu
