// The Storage API's resource names, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "localbq/catalog/names.h"

namespace hakobu::localbq {

inline constexpr std::string_view kDefaultStream = "_default";

struct StreamName {
  TableId table;
  std::string stream;  // kDefaultStream or an id of the server's
  bool is_default() const { return stream == kDefaultStream; }
};

// projects/P/datasets/D/tables/T
std::optional<TableId> ParseTablePath(std::string_view path);
std::string TablePath(const TableId& id);
// …/streams/S, and …/_default, which Google's Java client sends.
std::optional<StreamName> ParseStreamPath(std::string_view path);
std::string StreamPath(const TableId& id, std::string_view stream);

}  // namespace hakobu::localbq
