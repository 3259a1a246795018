// The ceiling for reading a table: N connections share its chunks, and the rows are thrown away.
//   read_ceiling --socket PATH|--port N [--user root] [--database bench] [--table bench] [--connections 2]
//                [--protocol binary|chunks|text] [--decode] [--rounds 3]
// `binary`: prepared statements, each packet taken by the client library; `chunks`: the same by ChunkReader,
// as a run reads; `text`: mysql_use_result, as most tools read; `--decode` turns ChunkReader's packets into
// cells as well. One line of JSON per round on standard output; `bytes` are those of the packets, which text
// reads do not count.
#include <fmt/format.h>
#include <mysql.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <thread>

#include "decode/decode.h"
#include "source/source.h"

namespace hakobu {
namespace {

constexpr size_t kBatchBytes = 64 << 10, kBatchRows = 256;

struct Options {
  ConnectOptions connect;
  std::string database = "bench";
  std::string table = "bench";
  uint32_t connections = 2;
  std::string protocol = "binary";
  bool decode = false;
  int rounds = 3;
};

struct Totals {
  std::atomic<size_t> next_chunk{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::Status ReadChunk(const Options& options, const SourceTable& table, const std::vector<size_t>& columns,
                       Connection* connection, const Chunk& chunk, Totals* totals) {
  ChunkReader reader(connection, &table, columns);
  HAKOBU_RETURN_IF_ERROR(reader.Open(chunk));
  const RowDecoder decoder(table, columns);
  Batch batch(decoder.batch_columns());
  std::string_view packet;
  while (reader.Next(&packet)) {
    if (options.decode) HAKOBU_RETURN_IF_ERROR(decoder.Decode(packet, &batch));
    if (batch.bytes() < kBatchBytes && reader.rows() % kBatchRows != 0) continue;
    batch.Clear();
    reader.Release();
  }
  totals->rows += reader.rows();
  totals->bytes += reader.bytes();
  return reader.status();
}

// The ceiling itself: nothing but the library, and the statement's end.
absl::Status ReadBinary(const SourceTable& table, const std::vector<size_t>& columns, Connection* connection,
                        const Chunk& chunk, Totals* totals) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string sql, ChunkSelect(table, columns, chunk, ""));
  MYSQL* mysql = connection->handle();
  MYSQL_STMT* statement = mysql_stmt_init(mysql);
  if (mysql_stmt_prepare(statement, sql.data(), sql.size()) != 0 || mysql_stmt_execute(statement) != 0) {
    return connection->ErrorFor(mysql_stmt_errno(statement), mysql_stmt_error(statement), "read");
  }
  uint64_t rows = 0, bytes = 0;
  for (;;) {
    const unsigned long size = mysql_net_read_packet(mysql);
    if (size == packet_error) return connection->LastError("read");
    if (size == 0 || mysql->net.read_pos[0] != 0) break;
    ++rows;
    bytes += size;
  }
  statement->state = MYSQL_STMT_FETCH_DONE;
  mysql->status = MYSQL_STATUS_READY;
  mysql_stmt_close(statement);
  totals->rows += rows;
  totals->bytes += bytes;
  return absl::OkStatus();
}

absl::Status ReadText(const SourceTable& table, const std::vector<size_t>& columns, Connection* connection,
                      const Chunk& chunk, Totals* totals) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string sql, ChunkSelect(table, columns, chunk, ""));
  MYSQL* mysql = connection->handle();
  if (mysql_real_query(mysql, sql.data(), sql.size()) != 0) return connection->LastError("read");
  MYSQL_RES* result = mysql_use_result(mysql);
  if (result == nullptr) return connection->LastError("read");
  uint64_t rows = 0;
  while (mysql_fetch_row(result) != nullptr) ++rows;
  mysql_free_result(result);
  totals->rows += rows;
  return mysql_errno(mysql) == 0 ? absl::OkStatus() : connection->LastError("read");
}

absl::Status ReadAll(const Options& options, const SourceTable& table, const std::vector<Chunk>& chunks,
                     Totals* totals) {
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options.connect));
  std::vector<size_t> columns(table.columns.size());
  std::iota(columns.begin(), columns.end(), size_t{0});
  for (;;) {
    const size_t chunk = totals->next_chunk++;
    if (chunk >= chunks.size()) return absl::OkStatus();
    HAKOBU_RETURN_IF_ERROR(options.protocol == "text"
                               ? ReadText(table, columns, connection.get(), chunks[chunk], totals)
                           : options.protocol == "binary"
                               ? ReadBinary(table, columns, connection.get(), chunks[chunk], totals)
                               : ReadChunk(options, table, columns, connection.get(), chunks[chunk], totals));
  }
}

absl::Status Round(const Options& options) {
  HAKOBU_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options.connect));
  HAKOBU_ASSIGN_OR_RETURN(const SourceTable table,
                          ReadTable(connection.get(), options.database, options.table));
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_begin = CpuSeconds();
  ChunkOptions chunk_options;
  chunk_options.connections = options.connections;
  HAKOBU_ASSIGN_OR_RETURN(const ChunkPlan plan, PlanChunks(connection.get(), table, chunk_options));
  Totals totals;
  std::vector<absl::Status> results(options.connections);
  std::vector<std::thread> threads;
  for (absl::Status& result : results) {
    threads.emplace_back([&] { result = ReadAll(options, table, plan.chunks, &totals); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) HAKOBU_RETURN_IF_ERROR(result);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"protocol\": \"{}\", \"decode\": {}, \"connections\": {}, \"chunks\": {}, \"rows\": {}, \"bytes\": "
      "{}, "
      "\"seconds\": {:.3f}, \"rows_per_second\": {:.0f}, \"cpu_seconds\": {:.3f}, \"peak_kib\": {}}}\n",
      options.protocol, options.decode, options.connections, plan.chunks.size(), totals.rows.load(),
      totals.bytes.load(), seconds, static_cast<double>(totals.rows) / seconds, CpuSeconds() - cpu_begin,
      usage.ru_maxrss);
  std::fflush(stdout);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hakobu

int main(int argc, char** argv) {
  hakobu::Options options;
  options.connect.user = "root";
  CLI::App app("Reads a table with N connections and throws the rows away.");
  app.add_option("--socket", options.connect.socket);
  app.add_option("--host", options.connect.host);
  app.add_option("--port", options.connect.port);
  app.add_option("--user", options.connect.user);
  app.add_option("--database", options.database);
  app.add_option("--table", options.table);
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 64));
  app.add_option("--protocol", options.protocol)->check(CLI::IsMember({"binary", "chunks", "text"}));
  app.add_flag("--decode", options.decode);
  app.add_option("--rounds", options.rounds);
  CLI11_PARSE(app, argc, argv);
  for (int round = 0; round < options.rounds; ++round) {
    const absl::Status status = hakobu::Round(options);
    if (status.ok()) continue;
    fmt::print(stderr, "{}\n", hakobu::View(status.message()));
    return 1;
  }
  return 0;
}
