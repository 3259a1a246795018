// A place in a server's binary log: one value for where a log ends, where a stream is and where a gap begins.
// Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/enum_name.h"
#include "log/file_identity.h"

namespace hakobu {

enum class ServerFlavor : uint8_t { kMySql, kMariaDb };
inline constexpr std::string_view kServerFlavorNames[] = {"mysql", "mariadb"};
constexpr std::span<const std::string_view> NamesOf(ServerFlavor) {
  return kServerFlavorNames;
}

// Between two events. What is not known is empty.
struct LogPoint {
  std::string file{};
  uint64_t offset = 0;
  std::string gtid_set{};  // MySQL: all that was executed before; MariaDB: the last of each domain
  ServerFlavor flavor = ServerFlavor::kMySql;
  std::string server_uuid{};  // whose log it is; MariaDB has none
  uint32_t server_id = 0;

  bool known() const { return !file.empty(); }
  std::string Text() const;           // "binlog.000003:157"; "" when not known
  std::string TextWithGtids() const;  // "binlog.000003:157 gtid=uuid:1-7"
  // What Text gives; also a file alone, whose first event is at 4. Errors: InvalidArgument.
  static absl::StatusOr<LogPoint> Parse(std::string_view text);
  static LogPoint At(std::string_view file, uint64_t offset);
};

// "binlog.000041" -> 41; nullopt when there is no number at its end.
std::optional<uint64_t> LogFileNumber(std::string_view name);

// In one server's log: by the file's number, then the offset. A file without a number comes first.
std::weak_ordering OrderInLog(const LogPoint& a, const LogPoint& b);

// Whether both are of one server, as far as they say: its UUID, or where it has none its id.
bool OfOneServer(const LogPoint& a, const LogPoint& b);

// Everything before is in BigQuery, acknowledged.
struct DeliveredPoint : LogPoint {
  int64_t epoch = 0;           // grows whenever points begin anew (another server, a reset log); 0: none yet
  LogFileIdentity identity{};  // of `file`; unknown is allowed, and then proves nothing
  absl::Time committed = absl::InfinitePast();  // the last delivered transaction, by the source's clock
  absl::Time stored = absl::InfinitePast();
};

// By epoch, then as in the log.
std::weak_ordering OrderOfDelivery(const DeliveredPoint& a, const DeliveredPoint& b);
// Whether `point` is at that place of that epoch's log, or behind it.
bool HasPassed(const DeliveredPoint& point, int64_t epoch, const LogPoint& place);

}  // namespace hakobu
