// ${env:NAME}, ${file:PATH} and ${command:…} in the configuration's values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/load.h"

namespace hakobu {

// True when `text` holds at least one of them. `$${` stands for a plain `${` and is none.
bool HasSubstitutions(std::string_view text);

// `text` with each replaced by what it names, without trailing newlines. Relative files start from `folder`;
// commands are run by /bin/sh and may take `patience`. InvalidArgument, `<expected>, found <found>`, naming
// what is missing but never a value. `values`: each one that was put in is added.
absl::StatusOr<std::string> Substitute(std::string_view text, const std::string& folder,
                                       const Environment& environment,
                                       absl::Duration patience = absl::Minutes(1),
                                       std::vector<std::string>* values = nullptr);

}  // namespace hakobu
