#include "localbq/rest/unsupported.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "base/status.h"
#include "localbq/rest/http.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

// A key whose every value but these asks for something.
struct Unsupported {
  const char* key;
  std::string_view harmless[3] = {};
};

constexpr Unsupported kOfResources[] = {
    {"isCaseInsensitive", {"false"}},
    {"defaultCollation"},
    {"defaultRoundingMode", {"ROUNDING_MODE_UNSPECIFIED", "ROUND_HALF_AWAY_FROM_ZERO"}},
};
constexpr Unsupported kOfColumns[] = {
    {"collation"},
    {"roundingMode", {"ROUNDING_MODE_UNSPECIFIED", "ROUND_HALF_AWAY_FROM_ZERO"}},
};
constexpr Unsupported kOfLoads[] = {
    {"timeZone", {"UTC", "+00:00", "Etc/UTC"}},
    {"dateFormat"},
    {"datetimeFormat"},
    {"timeFormat"},
    {"timestampFormat"},
};

absl::Status Refuse(const json& given, std::span<const Unsupported> keys) {
  for (const Unsupported& unsupported : keys) {
    const std::string value = Text(given, unsupported.key);
    if (value.empty() || std::ranges::find(unsupported.harmless, value) != std::end(unsupported.harmless))
      continue;
    return absl::UnimplementedError(
        fmt::format("{}: {} is not supported by the local BigQuery", unsupported.key, value));
  }
  return absl::OkStatus();
}

absl::Status RefuseFields(const json& fields) {
  if (!fields.is_array()) return absl::OkStatus();
  for (const json& field : fields) {
    if (!field.is_object()) continue;
    HAKOBU_RETURN_IF_ERROR(Refuse(field, kOfColumns));
    if (const auto inner = field.find("fields"); inner != field.end())
      HAKOBU_RETURN_IF_ERROR(RefuseFields(*inner));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RefuseUnsupported(const json& resource) {
  HAKOBU_RETURN_IF_ERROR(Refuse(resource, kOfResources));
  const json& schema = Child(resource, "schema");
  const auto fields = schema.find("fields");
  return fields == schema.end() ? absl::OkStatus() : RefuseFields(*fields);
}

absl::Status RefuseUnsupportedLoad(const json& load) {
  HAKOBU_RETURN_IF_ERROR(Refuse(load, kOfLoads));
  return RefuseUnsupported(load);
}

}  // namespace hakobu::localbq::rest
