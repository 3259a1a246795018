// Whole binary logs: any bytes must end in a status, never in a crash, an overrun or unbounded memory. Rows
// are read as the log alone tells them, and as a table would have them whose fixed strings are MariaDB's
// UUIDs and addresses and whose last time ends a row's.
#include <cstdlib>

#include "base/byte_reader.h"
#include "decode/binlog/log_decoder.h"
#include "decode/binlog/row_image.h"
#include "decode/ddl/savepoint.h"

namespace {

using namespace hakobu;
using namespace hakobu::binlog;

class DecodeAll : public LogVisitor {
 public:
  absl::Status OnBegin(const LogContext&) override { return absl::OkStatus(); }
  absl::Status OnRows(const LogContext&, const TableMap& map, const RowsEvent& rows) override {
    auto decoder = RowImageDecoder::Create(map, nullptr, UnknownColumns::kAssume);
    if (!decoder.ok()) return decoder.status();
    Batch batch(map.columns.size());
    const absl::Status decoded = decoder->Decode(rows, &batch);
    DecodeAsKnown(map, rows);
    return decoded;
  }
  static void DecodeAsKnown(const TableMap& map, const RowsEvent& rows) {
    SourceTable known;
    std::optional<size_t> row_end;
    for (size_t i = 0; i < map.columns.size(); ++i) {
      SourceColumn& column = known.columns.emplace_back();
      column.charset = "utf8mb4";
      constexpr std::string_view kTypes[] = {"uuid", "inet6", "inet4", "uuid /* old */"};
      column.declared = kTypes[i % std::size(kTypes)];
      if (map.columns[i].type == LogType::kTimestamp2 || map.columns[i].type == LogType::kLongLong)
        row_end = i;
    }
    auto decoder = RowImageDecoder::Create(map, &known, UnknownColumns::kAssume);
    if (!decoder.ok()) return;
    if (row_end.has_value()) decoder->LeaveOutHistory(*row_end);
    Batch batch(map.columns.size());
    if (decoder->Decode(rows, &batch).ok() && batch.operations.size() != batch.rows()) std::abort();
  }
  absl::Status OnStatement(const LogContext&, const LogStatement& statement) override {
    (void)ddl::ReadSavepoint(statement.text, {});
    return absl::OkStatus();
  }
  absl::Status OnUnreadable(const LogContext&, const std::vector<TableMap>&, const absl::Status&) override {
    return absl::OkStatus();
  }
  absl::Status OnEnd(const LogContext&, TransactionEnd) override { return absl::OkStatus(); }
};

}  // namespace

// The input is a file without its magic. Event lengths are mended, so that the fuzzer gets past the frame.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string input(reinterpret_cast<const char*>(data), size);
  DecodeAll visitor;
  LogDecoder decoder(&visitor);
  decoder.SetPosition("fuzz.000001", 4);
  for (size_t at = 0; at + kHeaderBytes <= input.size();) {
    size_t event_bytes = ByteReader(std::string_view(input).substr(at + 9)).U32();
    if (event_bytes < kHeaderBytes || event_bytes > input.size() - at) {
      event_bytes = input.size() - at;
      for (int i = 0; i < 4; ++i) input[at + 9 + i] = static_cast<char>(event_bytes >> (8 * i));
    }
    if (!decoder.Feed(std::string_view(input).substr(at, event_bytes)).ok()) break;
    at += event_bytes;
  }
  return 0;
}
