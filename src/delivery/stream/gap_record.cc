#include "delivery/stream/gap_record.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "delivery/stream/gap.h"

namespace hakobu {
namespace {

// "binlog.000003:157".
void SplitPlace(const std::string& place, std::string* file, uint64_t* offset) {
  const size_t colon = place.rfind(':');
  *file = place.substr(0, colon);
  *offset = 0;
  if (colon != std::string::npos)
    std::from_chars(place.data() + colon + 1, place.data() + place.size(), *offset);
}

}  // namespace

StoredPosition StoredPositionOf(const StreamPosition& position) {
  StoredPosition stored;
  stored.flavor = position.flavor == "mariadb" ? ServerFlavor::kMariaDb : ServerFlavor::kMySql;
  stored.server_uuid = position.server_uuid;
  stored.server_id = position.server_id;
  stored.gtid_set = position.gtid_set;
  stored.file = position.file;
  stored.offset = position.offset;
  stored.identity = LogFileIdentity::Parse(position.file_identity);
  stored.committed = position.log_time;
  stored.proven = position.log_time;
  return stored;
}

StreamGapRecord GapRecordOf(const Continuity& judgement, const StreamPosition& stored,
                            const std::vector<StreamTableRecord>& tables, absl::Time now) {
  StreamGapRecord gap;
  gap.from_gtid = stored.gtid_set;
  gap.to_gtid = judgement.gtid_set;
  SplitPlace(judgement.from_position, &gap.from_file, &gap.from_offset);
  SplitPlace(judgement.until_position, &gap.to_file, &gap.to_offset);
  if (judgement.from.has_value()) gap.from_time = *judgement.from;
  if (judgement.until.has_value()) {
    gap.to_time = *judgement.until;
    // Log files tell their making in whole seconds: what the second still brought is inside the gap.
    if (gap.to_time == absl::FromUnixSeconds(absl::ToUnixSeconds(gap.to_time)))
      gap.to_time += absl::Seconds(1);
  }
  gap.cause = GapCauseCode(judgement.cause);
  gap.detail_json = CompactJson({{"missing_gtids", judgement.missing_gtids},
                                 {"phantom_gtids", judgement.phantom_gtids},
                                 {"from_position", judgement.from_position},
                                 {"until_position", judgement.until_position},
                                 {"explanation", judgement.explanation},
                                 {"hint", judgement.hint},
                                 {"other_server", judgement.other_server},
                                 {"server_before", stored.server_uuid},
                                 {"epoch_before", stored.epoch},
                                 {"epoch_after", stored.epoch + 1}});
  std::vector<GapTable> concerned;
  for (const StreamTableRecord& table : tables) concerned.push_back(ConcernOf(table, judgement.tables));
  gap.tables_json = GapTablesJson(concerned);
  gap.state = GapState::kOpen;
  gap.opened = now;
  return gap;
}

bool SameGap(const StreamGapRecord& a, const StreamGapRecord& b) {
  return a.cause == b.cause && a.from_gtid == b.from_gtid && a.from_file == b.from_file &&
         a.from_offset == b.from_offset && a.detail_json == b.detail_json;
}

}  // namespace hakobu
