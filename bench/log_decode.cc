// One thread through binary log files, rows thrown away:
//   log_decode scan FILE…                                events and checksums only
//   log_decode decode FILE…                              every row into cells
//   log_decode encode SOCKET DATABASE TABLE FILE…        that table's rows on into CDC rows for BigQuery
// Prints one JSON line: rows, transactions, log bytes, encoded bytes, seconds, rows per second, MB/s.
#include <fmt/compile.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "decode/binlog/log_decoder.h"
#include "encode/encode.h"
#include "row/type_map.h"
#include "source/binlog_file.h"
#include "source/source.h"

namespace hakobu {
namespace {

constexpr size_t kRequestBytes = 1 << 20;  // as delivery/ has them

struct Totals {
  uint64_t rows = 0, transactions = 0, log_bytes = 0, encoded_bytes = 0;
};

class Drain : public binlog::LogVisitor {
 public:
  Drain(bool rows, Totals* totals) : rows_(rows), totals_(totals) {}
  absl::Status EncodeTable(const SourceTable& table, const TableSchema& schema) {
    ProtoOptions options;
    options.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence;
    options.invalid_key = InvalidKey::kError;
    HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(table, schema, options));
    encoder_.emplace(std::move(encoder));
    table_ = table;
    return absl::OkStatus();
  }

  absl::Status OnBegin(const binlog::LogContext&) override { return absl::OkStatus(); }
  absl::Status OnStatement(const binlog::LogContext&, const binlog::LogStatement&) override {
    return absl::OkStatus();
  }
  absl::Status OnEnd(const binlog::LogContext&, binlog::TransactionEnd) override {
    ++totals_->transactions;
    return absl::OkStatus();
  }
  absl::Status OnRows(const binlog::LogContext& at, const binlog::TableMap& map,
                      const binlog::RowsEvent& rows) override {
    if (!rows_) return absl::OkStatus();
    if (encoder_ && (map.table != table_->name || map.database != table_->database)) return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(Known* const known, Find(map));
    known->batch.Clear();
    HAKOBU_RETURN_IF_ERROR(known->decoder.Decode(rows, &known->batch));
    totals_->rows += known->batch.rows();
    return encoder_ ? Encode(at, known->batch) : absl::OkStatus();
  }

 private:
  struct Known {
    binlog::RowImageDecoder decoder;
    Batch batch;
    binlog::TableMap map;
  };

  absl::StatusOr<Known*> Find(const binlog::TableMap& map) {
    std::unique_ptr<Known>& known = known_[map.table_id];
    if (known != nullptr && known->map == map) return known.get();
    const SourceTable* table = table_ ? &*table_ : nullptr;
    HAKOBU_ASSIGN_OR_RETURN(binlog::RowImageDecoder decoder,
                            binlog::RowImageDecoder::Create(map, table, binlog::UnknownColumns::kAssume));
    known.reset(new Known{std::move(decoder), Batch(map.columns.size()), map});
    return known.get();
  }

  // A row's number keeps the order within its event; an event's place keeps it within the log.
  absl::Status Encode(const binlog::LogContext& at, const Batch& batch) {
    constexpr size_t kText = 64;
    if (sequences_.size() < batch.rows() * kText) sequences_.resize(batch.rows() * kText);
    changes_.resize(batch.rows());
    for (size_t row = 0; row < batch.rows(); ++row) {
      char* text = sequences_.data() + row * kText;
      const char* end = fmt::format_to(text, FMT_COMPILE("1/7/{:x}/{:x}"), at.position, row);
      changes_[row] = {
          batch.operations[row] == RowOperation::kDelete ? ChangeType::kDelete : ChangeType::kUpsert,
          {text, static_cast<size_t>(end - text)}};
    }
    for (size_t row = 0; row < batch.rows();) {
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder_->Append(batch, row, kRequestBytes, &encoded_, &quarantine_, changes_));
      row += taken;
      if (row < batch.rows() || encoded_.bytes().size() >= kRequestBytes) {
        totals_->encoded_bytes += encoded_.bytes().size();
        encoded_.Clear();
      }
    }
    return absl::OkStatus();
  }

  bool rows_;
  Totals* totals_;
  std::optional<SourceTable> table_;
  std::optional<ProtoEncoder> encoder_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Known>> known_;
  std::vector<RowChange> changes_;
  std::string sequences_;
  EncodedRows encoded_;
  Quarantine quarantine_;
};

absl::Status PrepareEncode(char** arguments, Drain* drain) {
  ConnectOptions options;
  options.socket = arguments[0];
  options.user = "root";
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options));
  HAKOBU_ASSIGN_OR_RETURN(const SourceTable table, ReadTable(connection.get(), arguments[1], arguments[2]));
  TableSchema schema;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    HAKOBU_ASSIGN_OR_RETURN(Field field, MapColumn(table, i, {}, {}));
    schema.fields.push_back(std::move(field));
  }
  if (table.key) schema.key = table.key->columns;
  return drain->EncodeTable(table, schema);
}

absl::Status Main(std::string_view mode, int count, char** arguments) {
  Totals totals;
  Drain drain(mode != "scan", &totals);
  if (mode == "encode") {
    if (count < 4) return absl::InvalidArgumentError("encode: expected SOCKET DATABASE TABLE FILE…");
    HAKOBU_RETURN_IF_ERROR(PrepareEncode(arguments, &drain));
    arguments += 3;
    count -= 3;
  }
  binlog::LogDecoder decoder(&drain);
  const absl::Time start = absl::Now();
  for (int i = 0; i < count; ++i) {
    HAKOBU_ASSIGN_OR_RETURN(BinlogFile file, BinlogFile::Open(arguments[i]));
    decoder.SetPosition(file.name(), file.position());
    for (;;) {
      std::string_view event;
      HAKOBU_ASSIGN_OR_RETURN(const bool more, file.Next(&event));
      if (!more) break;
      HAKOBU_RETURN_IF_ERROR(decoder.Feed(event));
    }
    totals.log_bytes += file.position();
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  fmt::print(
      "{{\"rows\":{},\"transactions\":{},\"log_bytes\":{},\"encoded_bytes\":{},\"seconds\":{:.3f},\"cpu_"
      "seconds\":{:.3f},"
      "\"rows_per_s\":{:.0f},\"mb_per_s\":{:.1f},\"peak_kib\":{}}}\n",
      totals.rows, totals.transactions, totals.log_bytes, totals.encoded_bytes, seconds, cpu,
      static_cast<double>(totals.rows) / seconds, static_cast<double>(totals.log_bytes) / seconds / 1e6,
      usage.ru_maxrss);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hakobu

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[1] : "";
  if (mode != "scan" && mode != "decode" && mode != "encode") {
    fmt::print(stderr, "log_decode scan|decode FILE… | log_decode encode SOCKET DATABASE TABLE FILE…\n");
    return 2;
  }
  const absl::Status status = hakobu::Main(mode, argc - 2, argv + 2);
  if (status.ok()) return 0;
  fmt::print(stderr, "log_decode: {}\n", status.ToString());
  return 1;
}
