// A server's answers with bytes of them changed: the client gets errors or values, and neither ends, hangs
// nor grows. Some seconds here; scripts/fuzz-wire goes on for minutes. HAKOBU_FUZZ_SEED repeats what failed.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "absl/time/clock.h"
#include "source/chunk.h"
#include "source/chunk_reader.h"
#include "source/connection.h"
#include "source/log_state.h"
#include "source/log_stream.h"
#include "source/schema.h"
#include "source/server_facts.h"
#include "tests/harness/lying_server.h"

namespace hakobu {
namespace {

using testing::LyingServer;
using Client = LyingServer::Client;

constexpr absl::Duration kLongest = absl::Seconds(30);  // of one try, with time-outs of 300 ms in it
constexpr uint64_t kMostKilobytes = 200 * 1024;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

uint64_t ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmRSS:") status >> kilobytes;
  }
  return kilobytes;
}

using Random = std::mt19937_64;

size_t Below(Random& random, size_t limit) {
  return static_cast<size_t>(random() % std::max<size_t>(limit, 1));
}

// One packet of four is changed; its header is part of it.
std::string Changed(std::string packet, Random& random) {
  if (Below(random, 4) != 0) return packet;
  for (size_t left = 1 + Below(random, 3); left > 0; --left) {
    const size_t at = Below(random, packet.size() + 1);
    const size_t length = Below(random, std::min<size_t>(packet.size() - at, 16) + 1);
    switch (Below(random, 6)) {
      case 0:
        if (at < packet.size()) packet[at] = static_cast<char>(packet[at] ^ (1 << Below(random, 8)));
        break;
      case 1:
        if (at < packet.size()) packet[at] = static_cast<char>(random());
        break;
      case 2:
        packet.erase(at, length);
        break;
      case 3:
        packet.insert(at, packet.substr(at, length));
        break;
      case 4:
        packet.resize(at);
        break;
      default:
        packet.insert(at,
                      std::string_view("\xfb\xfc\xfd\xfe\xff\xff\xff\xff\xff\xff").substr(Below(random, 9)));
    }
  }
  return packet;
}

// As a small, true server would answer, roughly: in the right shape for some questions, in a wrong one for
// others.
void Answer(Client& client, const std::string& sql, Random& random) {
  const auto rows = [&](size_t columns) {
    const std::vector<std::string> names(columns, "name"), row(columns, "4");
    client.SendRows(names, std::vector<std::vector<std::string>>(1 + Below(random, 3), row));
  };
  if (sql.starts_with("SHOW") && Below(random, 2) == 0) return rows(2);
  switch (Below(random, 8)) {
    case 0:
      return client.Error(static_cast<uint16_t>(random()), "no");
    case 1:
      return client.Ok();
    default:
      return rows(1 + Below(random, 24));
  }
}

void Serve(Client& client, uint64_t seed) {
  Random random(seed);
  const char* methods[] = {"mysql_native_password", "caching_sha2_password", "client_ed25519",
                           "sha256_password"};
  // The login is true in three of four tries, or nothing behind it would ever be reached.
  const bool changed_login = Below(random, 4) == 0;
  const auto alter = [&random](std::string packet) { return Changed(std::move(packet), random); };
  if (changed_login) client.Alter(alter);
  client.Greet(methods[changed_login ? Below(random, 4) : 0], 0,
               Below(random, 2) == 0 ? "9.7.0" : "5.5.5-10.11.19-MariaDB");
  if (!client.Receive()) return;
  client.Ok();
  size_t answered = 0;
  while (const std::optional<std::string> command = client.Receive()) {
    if (command->starts_with('\x01')) return;
    const std::string sql = command->empty() ? "" : command->substr(1);
    if (sql.starts_with("SET ")) {
      client.Ok();
    } else if (sql.starts_with("SHOW SESSION VARIABLES") && answered == 0) {
      client.SendRows({"Variable_name", "Value"}, {{"sql_select_limit", "18446744073709551615"}});
    } else {
      client.Alter(alter);
      ++answered;
      Answer(client, sql, random);
    }
  }
}

void Ask(const ConnectOptions& options, uint64_t seed) {
  SourceTable table;
  table.database = "shop";
  table.name = "members";
  table.columns.resize(2);
  table.columns[0].name = "id";
  table.columns[0].type = SourceType::kInt;
  table.columns[1].name = "name";
  table.columns[1].type = SourceType::kVarchar;
  table.key = SourceKey{.name = "PRIMARY", .columns = {0}};
  const auto opened = Connection::Open(options);
  if (!opened.ok()) return;
  Connection* source = opened->get();
  switch (seed % 9) {
    case 0:
      (void)ListTables(source, "shop");
      return;
    case 1:
      (void)ReadTable(source, "shop", "members");
      return;
    case 2:
      (void)ReadServerFacts(source);
      return;
    case 3:
      (void)ReadLogPoint(source);
      return;
    case 4:
      (void)ReadLogState(source);
      return;
    case 5:
      (void)ReadOpenTransactions(source);
      return;
    case 6:
      (void)PlanChunks(source, table, {});
      return;
    case 7: {
      ChunkReader reader(source, &table, {0, 1});
      if (!reader.Open({}).ok()) return;
      std::string_view packet;
      for (int row = 0; row < 1000 && reader.Next(&packet); ++row) {
      }
      (void)reader.status();
      return;
    }
    default:
      for (size_t columns = 1; columns < 20; ++columns) (void)source->Query("SELECT 1", columns);
  }
}

TEST(WireFuzz, ChangedAnswersOfAServerEndNothing) {
  const absl::Time until = absl::Now() + absl::Seconds(FromEnvironment("HAKOBU_FUZZ_SECONDS", 4));
  const uint64_t first = FromEnvironment("HAKOBU_FUZZ_SEED", 1);
  uint64_t seed = first;
  while (absl::Now() < until) {
    std::atomic<uint64_t> serving{seed};
    LyingServer server([&serving](Client& client) { Serve(client, serving); });
    // A server keeps what it was sent and a thread for each connection: not for ever.
    for (int tries = 0; tries < 50 && absl::Now() < until; ++tries, ++seed) {
      serving = seed;
      ConnectOptions options;
      options.port = server.port();
      options.user = "carrier";
      options.password = "pa55-of-the-source";
      options.tls.mode = TlsMode::kOff;
      options.connect_timeout = absl::Milliseconds(300);
      options.read_timeout = absl::Milliseconds(300);
      const absl::Time begun = absl::Now();
      Ask(options, seed);
      ASSERT_LT(absl::Now() - begun, kLongest) << "HAKOBU_FUZZ_SEED=" << seed;
    }
    ASSERT_LT(ResidentKilobytes(), kMostKilobytes) << "HAKOBU_FUZZ_SEED=" << seed;
    ASSERT_EQ(server.received().find("pa55-of-the-source"), std::string::npos) << "HAKOBU_FUZZ_SEED=" << seed;
  }
  RecordProperty("tries", std::to_string(seed - first));
  EXPECT_GT(seed, first);
}

}  // namespace
}  // namespace hakobu
