#include "app/completion_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/completion.h"

namespace hakobu {

void RegisterCompletionCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("completion", "Print the completion script of a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  command->footer(R"(Examples:
  source <(hakobu completion bash)
  hakobu completion zsh > ~/.zfunc/_hakobu      with ~/.zfunc in $fpath
  hakobu completion fish > ~/.config/fish/completions/hakobu.fish
)");
  command->callback([&app, &line, shell] {
    line.action = [&app, shell] {
      fmt::print("{}", *shell == "bash"  ? BashCompletion(app)
                       : *shell == "zsh" ? ZshCompletion(app)
                                         : FishCompletion(app));
      return kExitDone;
    };
  });
}

}  // namespace hakobu
