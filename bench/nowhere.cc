// hakobu to nowhere: reads a table as a run does (chunks, binary protocol, decode, encode to protobuf rows)
// and throws the encoded rows away. What a run costs beyond this is the destination's.
//   nowhere SOCKET DATABASE TABLE CONNECTIONS [CHUNK_ROWS]
// Prints one JSON line: rows, encoded bytes, seconds, rows per second, client CPU seconds, peak memory.
#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "decode/decode.h"
#include "encode/encode.h"
#include "row/type_map.h"
#include "source/source.h"

namespace hakobu {
namespace {

constexpr size_t kBatchBytes = 64 << 10, kBatchRows = 2000,
                 kRequestBytes = 1 << 20;  // as delivery/ has them

struct Share {
  uint64_t rows = 0, bytes = 0;
  absl::Status status;
};

absl::Status ReadChunks(const ConnectOptions& options, const SourceTable& table, const TableSchema& schema,
                        const std::vector<Chunk>& chunks, std::atomic<size_t>* next, Share* share) {
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options));
  std::vector<size_t> columns;
  for (size_t i = 0; i < table.columns.size(); ++i) columns.push_back(i);
  const RowDecoder decoder(table, columns);
  HAKOBU_ASSIGN_OR_RETURN(ProtoEncoder encoder, ProtoEncoder::Create(table, schema));
  Quarantine quarantine;
  Batch batch(decoder.batch_columns());
  EncodedRows encoded;
  std::optional<ChunkReader> reader;
  const auto encode = [&]() -> absl::Status {
    for (size_t row = 0; row < batch.rows();) {
      HAKOBU_ASSIGN_OR_RETURN(const size_t taken,
                              encoder.Append(batch, row, kRequestBytes, &encoded, &quarantine));
      row += taken;
      if (row < batch.rows() || encoded.bytes().size() >= kRequestBytes) {
        share->bytes += encoded.bytes().size();
        encoded.Clear();
      }
    }
    share->rows += batch.rows();
    batch.Clear();
    reader->Release();
    return absl::OkStatus();
  };
  for (size_t at = (*next)++; at < chunks.size(); at = (*next)++) {
    reader.emplace(connection.get(), &table, columns);
    HAKOBU_RETURN_IF_ERROR(reader->Open(chunks[at]));
    std::string_view packet;
    while (reader->Next(&packet)) {
      HAKOBU_RETURN_IF_ERROR(decoder.Decode(packet, &batch));
      if (batch.bytes() >= kBatchBytes || batch.rows() >= kBatchRows) HAKOBU_RETURN_IF_ERROR(encode());
    }
    HAKOBU_RETURN_IF_ERROR(reader->status());
    HAKOBU_RETURN_IF_ERROR(encode());
  }
  share->bytes += encoded.bytes().size();
  return absl::OkStatus();
}

absl::Status Main(const ConnectOptions& options, const std::string& name, uint32_t connections,
                  uint64_t chunk_rows) {
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options));
  HAKOBU_ASSIGN_OR_RETURN(const SourceTable table, ReadTable(connection.get(), options.database, name));
  TableSchema schema;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    HAKOBU_ASSIGN_OR_RETURN(Field field, MapColumn(table, i, {}, {}));
    schema.fields.push_back(std::move(field));
  }
  const absl::Time start = absl::Now();
  ChunkOptions chunking;
  chunking.connections = connections;
  chunking.target_rows = chunk_rows;
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(connection.get(), table, chunking));
  std::atomic<size_t> next{0};
  std::vector<Share> shares(connections);
  std::vector<std::thread> threads;
  for (Share& share : shares) {
    threads.emplace_back(
        [&] { share.status = ReadChunks(options, table, schema, plan.chunks, &next, &share); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  uint64_t rows = 0, bytes = 0;
  for (const Share& share : shares) {
    HAKOBU_RETURN_IF_ERROR(share.status);
    rows += share.rows;
    bytes += share.bytes;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  fmt::print(R"({{"what":"nowhere","connections":{},"chunks":{},"rows":{},"bytes":{},)"
             R"("seconds":{:.3f},"rows_per_second":{:.0f},"cpu_seconds":{:.2f},"peak_mb":{:.1f}}})"
             "\n",
             connections, plan.chunks.size(), rows, bytes, seconds, static_cast<double>(rows) / seconds,
             of(usage.ru_utime) + of(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hakobu

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: nowhere SOCKET DATABASE TABLE CONNECTIONS [CHUNK_ROWS]\n");
    return 2;
  }
  hakobu::ConnectOptions options;
  options.socket = argv[1];
  options.user = "root";
  options.database = argv[2];
  const absl::Status status = hakobu::Main(options, argv[3], static_cast<uint32_t>(std::atoi(argv[4])),
                                           argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 250'000);
  if (status.ok()) return 0;
  fmt::print(stderr, "nowhere: {}\n", status.ToString());
  return 1;
}
