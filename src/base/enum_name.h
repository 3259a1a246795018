// Enumerations whose values have names that are kept and shown. Beside the enumeration stand its names, in
// the order of its values (0, 1, …), and a function that argument-dependent lookup finds:
//   inline constexpr std::string_view kRunStateNames[] = {"running", "done"};
//   constexpr std::span<const std::string_view> NamesOf(RunState) { return kRunStateNames; }
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace hakobu {

template <typename Enum>
concept NamedEnum = std::is_enum_v<Enum> && requires(Enum value) {
  { NamesOf(value) } -> std::convertible_to<std::span<const std::string_view>>;
};

template <NamedEnum Enum>
constexpr std::string_view NameOf(Enum value) {
  return NamesOf(value)[static_cast<size_t>(value)];
}

// None: no value has this name.
template <NamedEnum Enum>
constexpr std::optional<Enum> FromName(std::string_view name) {
  const std::span<const std::string_view> names = NamesOf(Enum{});
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace hakobu
