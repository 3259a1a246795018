// What the contracts of a stream's tables say when it starts, before anything is touched.
#pragma once

#include <map>

#include "absl/status/statusor.h"
#include "delivery/stream/stream_context.h"
#include "source/source.h"

namespace hakobu {

// Whether the table's rows come from their beginning: it is new to the stream, or was left by it.
bool BeginsAnew(const StreamTableRecord& record, const LaneSchema& schema);
// Why its contract is asked at a start: somebody may have asked for its rows anew.
ContractOccasion OccasionOf(const StreamTableRecord& record);
// A table without a key was delivered as a history; it stays one with the key that it got.
absl::StatusOr<bool> StaysHistory(const Config& config, Ledger* ledger, const TableWork& work);

// One thread.
class StartContracts {
 public:
  explicit StartContracts(StreamContext* context) : context_(context) {}

  // Of all tables but the stopped ones. What is refused is DataLoss, of all tables at once, and ends the
  // start; what stops a table is for the caller. Where rows come anew over such as the stream has written,
  // `start` is in a new epoch afterwards, and stored: rows that are read again must win over themselves in
  // their old form.
  absl::Status Ask(Connection* source, bool first, DeliveredPoint* start);
  const ContractAnswer& AnswerFor(StreamTable* table) const { return answers_.at(table); }

 private:
  absl::Status NewEpoch(DeliveredPoint* start);

  StreamContext* context_;
  std::map<StreamTable*, ContractAnswer> answers_;
};

}  // namespace hakobu
