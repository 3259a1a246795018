// Row events into Batches: WRITE, UPDATE and DELETE rows, versions 1 and 2, and partial JSON updates.
// Source: Rows_event in libs/mysql/binlog/event/rows_event.h and unpack_row in sql/rpl_record.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/byte_reader.h"
#include "decode/binlog/event.h"
#include "decode/binlog/log_cell.h"
#include "decode/binlog/table_map.h"
#include "row/batch.h"
#include "row/source_table.h"

namespace hakobu::binlog {

enum class RowChange : uint8_t { kInsert, kUpdate, kDelete };

// A row event before its rows are decoded. Borrows the event's bytes.
struct RowsEvent {
  uint64_t table_id = 0;
  RowChange change = RowChange::kInsert;
  bool statement_end = false;
  bool partial_json = false;  // after-images may hold JSON diffs
  size_t columns = 0;
  // Bitmaps, one bit a column, lowest bit first. Inserts have only the after image, deletes only the before
  // image.
  std::string_view present_before;
  std::string_view present_after;
  std::string_view rows;

  // False: the server runs with binlog_row_image MINIMAL or NOBLOB; what is absent is not known.
  bool HasAllColumns() const;
};
bool IsRowsEvent(EventType type);
// DataLoss when the event does not have the shape it should.
absl::StatusOr<RowsEvent> ParseRowsEvent(const Event& event, const Format& format);

// What to do where neither the table map nor the known table says how a column is to be read.
enum class UnknownColumns { kRefuse, kAssume };  // kAssume: signed, UTF-8, labels by number

// Decodes the rows of one table map. Not thread-safe (it has a scratch buffer); make one per table id.
class RowImageDecoder {
 public:
  // `known`: the table as it was at this place in the log, or null. FailedPrecondition when it does not fit
  // the map (another number of columns), or, with kRefuse, when a sign, character set or label is stated
  // nowhere.
  static absl::StatusOr<RowImageDecoder> Create(const TableMap& map, const SourceTable* known,
                                                UnknownColumns unknown);

  // MariaDB's versioned tables: `row_end` is the column that ends a row's time. Rows of the past are left
  // out; an update that ends a row's time is its delete, and one that takes the end away is its insert.
  void LeaveOutHistory(size_t row_end) { row_end_ = row_end; }

  // Adds the event's rows to a batch of columns() columns: an update adds two, its before and its after image
  // (batch->operations says which is which). A column absent from an image stays NULL. DataLoss, naming table
  // and column, when the rows are corrupt; the batch then holds the rows before the bad one.
  absl::Status Decode(const RowsEvent& event, Batch* batch);
  size_t columns() const { return columns_.size(); }

 private:
  RowImageDecoder() = default;
  absl::Status DecodeImage(std::string_view present, RowOperation operation, bool partial_json,
                           ByteReader* reader, Batch* batch);
  void LeaveOutLastIfPast(RowChange change, Batch* batch) const;
  absl::Status Corrupt(size_t column) const;
  absl::Status WithoutDocument(size_t column) const;

  std::string table_;
  std::vector<LogCellColumn> columns_;
  std::vector<std::string> names_;
  std::optional<size_t> row_end_;
  size_t json_columns_ = 0;
  // By column: the raw documents of the last before image; without data where it has none.
  std::vector<std::string_view> json_before_;
  std::string scratch_;
};

}  // namespace hakobu::binlog
