// What no error may quote: values that the configuration took from the environment, files or commands into
// statements. For the whole process, because errors are made far from where the configuration is read.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hakobu {

// From now on. Thread-safe.
void HideText(std::string_view text);
// `message` with `***` for each hidden text, and for pieces of it, since servers quote statements from their
// middle or cut them: from 5 bytes on, shorter ones only whole and apart from other words. Thread-safe.
std::string WithoutHidden(std::string_view message);
// The same without what HideText was told. Pure.
std::string WithoutHidden(std::string_view message, std::span<const std::string> hidden);

}  // namespace hakobu
