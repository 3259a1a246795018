// One scalar's text as the value its key wants.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/keys.h"

namespace hakobu {

// nullopt when the text is not of the key's kind or out of its range.
std::optional<KeyValue> ParseScalar(const Key& key, std::string_view text);

// What may help when ParseScalar refused `text`; empty when nothing more than the expectation does.
std::string MismatchHint(const Key& key, std::string_view text);

// Kinds that are written without quotes.
bool IsNumberLike(KeyKind kind);

}  // namespace hakobu
