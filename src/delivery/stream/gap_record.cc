#include "delivery/stream/gap_record.h"

#include <nlohmann/json.hpp>

#include "delivery/stream/gap.h"

namespace hakobu {
StreamGapRecord GapRecordOf(const Continuity& judgement, const DeliveredPoint& stored,
                            const std::vector<StreamTableRecord>& tables, absl::Time now) {
  StreamGapRecord gap;
  gap.from_gtid = stored.gtid_set;
  gap.to_gtid = judgement.gtid_set;
  gap.from_file = judgement.from_point.file;
  gap.from_offset = judgement.from_point.offset;
  gap.to_file = judgement.until_point.file;
  gap.to_offset = judgement.until_point.offset;
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
                                 {"from_position", judgement.from_point.Text()},
                                 {"until_position", judgement.until_point.Text()},
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
