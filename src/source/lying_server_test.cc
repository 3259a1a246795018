// Servers that no real one is: what leaves before they have proven themselves, what their answers can break,
// and how long they can hold a connection.
#include "tests/harness/lying_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "source/chunk.h"
#include "source/chunk_reader.h"
#include "source/connection.h"
#include "source/log_state.h"
#include "source/log_stream.h"
#include "source/schema.h"
#include "source/server_facts.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::LyingServer;
using ::testing::Not;
using Client = LyingServer::Client;

constexpr std::string_view kPassword = "pa55-of-the-source";

ConnectOptions To(const LyingServer& server, TlsMode tls = TlsMode::kOff) {
  ConnectOptions options;
  options.port = server.port();
  options.user = "carrier-account";
  options.password = kPassword;
  options.tls.mode = tls;
  options.connect_timeout = absl::Seconds(1);
  options.read_timeout = absl::Seconds(2);
  if (tls == TlsMode::kVerifyCa || tls == TlsMode::kVerifyIdentity)
    options.tls.ca_file = "/etc/ssl/certs/ca-certificates.crt";
  return options;
}

SourceTable Members() {
  SourceTable table;
  table.database = "shop";
  table.name = "members";
  table.columns.resize(1);
  table.columns[0].name = "id";
  table.columns[0].type = SourceType::kInt;
  table.columns[0].declared = "int";
  table.key.emplace();
  table.key->name = "PRIMARY";
  table.key->columns = {0};
  return table;
}

std::string Text(const absl::Status& status) {
  return std::string(status.message());
}

TEST(LyingServerTest, NothingLeavesForAServerWithoutTheTlsThatIsAskedFor) {
  for (const TlsMode tls : {TlsMode::kRequire, TlsMode::kVerifyCa, TlsMode::kVerifyIdentity}) {
    LyingServer server([](Client& client) {
      client.Greet();
      while (client.Receive()) client.Ok();
    });
    const auto opened = Connection::Open(To(server, tls));
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnauthenticated) << opened.status();
    EXPECT_THAT(Text(opened.status()), HasSubstr("TLS"));
    EXPECT_THAT(server.received(), Not(HasSubstr(std::string(kPassword))));
    EXPECT_THAT(server.received(), Not(HasSubstr("carrier-account")));
  }
}

// It says that it has TLS, and then answers the wish for it with something else.
TEST(LyingServerTest, NothingLeavesForAServerThatBreaksTheTlsHandshake) {
  for (const std::string_view answer : {"\x07\0\0\2\0\0\0\2\0\0\0", "HTTP/1.1 200 OK\r\n\r\n", ""}) {
    LyingServer server([answer](Client& client) {
      client.Greet("mysql_native_password", Client::kTls);
      client.Receive();
      if (answer.empty()) return;
      client.SendRaw(answer);
      while (client.Receive()) client.Ok();
    });
    const auto opened = Connection::Open(To(server, TlsMode::kRequire));
    EXPECT_FALSE(opened.ok());
    EXPECT_THAT(server.received(), Not(HasSubstr("carrier-account")));
  }
}

// What a method may be called, so that it may stand in an error.
bool HasName(std::string_view method) {
  return !method.empty() && method.find_first_of("\x1b\n`' ") == method.npos;
}

TEST(LyingServerTest, OnlyNamedMethodsAreUsed) {
  for (const char* method : {"mysql_clear_password", "dialog", "mysql_old_password", "auth_gssapi_client",
                             "parsec", "../../tmp/own", "no_such_method", "", "a\x1b[31m\n", "`x` 'y'"}) {
    for (const bool at_once : {false, true}) {
      LyingServer server([method, at_once](Client& client) {
        client.Greet(at_once ? method : "mysql_native_password");
        client.Receive();
        if (!at_once) client.AskForMethod(method);
        client.Receive();
        client.Ok();
        while (client.Receive()) client.Ok();
      });
      const auto opened = Connection::Open(To(server));
      // Named in the greeting, the library answers by a method that it has, and the server goes on as it
      // likes.
      if (!at_once) {
        EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnauthenticated) << method << opened.status();
        EXPECT_THAT(Text(opened.status()), HasSubstr("authentication method"));
        EXPECT_THAT(Text(opened.status()), HasSubstr(HasName(method) ? fmt::format("method {};", method)
                                                                     : "none of mysql_native_password"));
      }
      EXPECT_THAT(server.received(), Not(HasSubstr(std::string(kPassword)))) << method;
    }
  }
}

// The password under the server's own key is for loopback alone: 0.0.0.0 reaches this machine too, but is
// none.
TEST(LyingServerTest, NoKeyIsTakenFromAServerElsewhereWithoutTls) {
  for (const char* method : {"caching_sha2_password", "sha256_password"}) {
    LyingServer server([method](Client& client) {
      client.Greet(method);
      client.Receive();
      client.AskForMethod(method);
      if (std::string_view(method) == "caching_sha2_password") {
        client.Receive();
        client.Send("\1\4");  // the password itself, please
      }
      while (client.Receive()) client.Send("\1-----BEGIN PUBLIC KEY-----\n");
    });
    ConnectOptions options = To(server);
    options.host = "0.0.0.0";
    const auto opened = Connection::Open(options);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnauthenticated) << opened.status();
    EXPECT_THAT(Text(opened.status()), HasSubstr("tls.mode"));
    EXPECT_THAT(server.received(), Not(HasSubstr(std::string(kPassword))));
  }
}

TEST(LyingServerTest, GivesNoFileAway) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("hakobu-secret-" + std::to_string(getpid()));
  std::ofstream(file) << "content-of-a-local-file";
  LyingServer server([&file](Client& client) {
    client.Serve([&file](Client& asked, const std::string&) {
      asked.Send("\xfb" + file);
      while (const auto packet = asked.Receive()) {
        if (packet->empty()) asked.Ok();
      }
    });
  });
  for (const bool prepared : {false, true}) {
    auto connection = Connection::Open(To(server));
    ASSERT_TRUE(connection.ok()) << connection.status();
    if (prepared) {
      const SourceTable table = Members();
      ChunkReader reader(connection->get(), &table, {0});
      EXPECT_FALSE(reader.Open({}).ok());
    } else {
      EXPECT_FALSE((*connection)->Query("SELECT 1").ok());
    }
  }
  std::filesystem::remove(file);
  EXPECT_THAT(server.received(), Not(HasSubstr("content-of-a-local-file")));
}

// Whatever shape an answer has: an error, or an answer without what was not said; never the end of the
// process.
TEST(LyingServerTest, AnswersOfAnyShapeAreNoMoreThanErrors) {
  using Answer = std::function<void(Client&)>;
  const std::vector<std::string> many(20, "x");
  const std::vector<Answer> answers = {
      [](Client& client) { client.Ok(); },
      [](Client& client) { client.SendRows({"a"}, {}); },
      [](Client& client) { client.SendRows({"a"}, {{"1"}}); },
      [&many](Client& client) { client.SendRows(many, {many, many}); },
      [&many](Client& client) { client.SendRows(many, {}); },
      [&many](Client& client) { client.SendRows(many, {std::vector<std::string>(20, "\xfb")}); },
      [](Client& client) { client.SendRows({"a", "b"}, {{"1"}}); },  // a row that is too short
      [](Client& client) { client.Send("\xff"); },
      [](Client& client) { client.Send(""); },
      [](Client& client) { client.Send("\xfc\xff\xff"); },  // 65,535 columns, and nothing more
  };
  using Ask = std::function<void(Connection*)>;
  const SourceTable table = Members();
  const std::vector<Ask> questions = {
      [](Connection* source) { (void)ListTables(source, "shop"); },
      [](Connection* source) { (void)ReadTable(source, "shop", "members"); },
      [](Connection* source) { (void)ReadDatabaseDefaults(source); },
      [](Connection* source) { (void)ReadServerFacts(source); },
      [](Connection* source) { (void)ReadLogPoint(source); },
      [](Connection* source) { (void)ReadLogState(source); },
      [](Connection* source) { (void)ReadLoadCounters(source); },
      [](Connection* source) { (void)ReadOpenTransactions(source); },
      [&table](Connection* source) { (void)PlanChunks(source, table, {}); },
      [](Connection* source) { (void)source->QueryValue("SELECT 1"); },
      [](Connection* source) { EXPECT_FALSE(source->QueryRow("SELECT 1, 2", 21).ok()); },
  };
  for (const char* version : {"9.7.0", "5.6.24", "5.5.5-10.11.19-MariaDB"}) {
    for (const Answer& answer : answers) {
      LyingServer server([&](Client& client) {
        client.Serve([&answer](Client& asked, const std::string&) { answer(asked); }, version);
      });
      for (const Ask& ask : questions) {
        ConnectOptions options = To(server);
        options.read_timeout = absl::Seconds(1);
        auto connection = Connection::Open(options);
        ASSERT_TRUE(connection.ok()) << connection.status();
        // What waits for more than comes is let go.
        absl::Notification answered;
        std::thread impatient([&connection, &answered] {
          if (!answered.WaitForNotificationWithTimeout(absl::Milliseconds(60))) (*connection)->Interrupt();
        });
        ask(connection->get());
        answered.Notify();
        impatient.join();
      }
    }
  }
}

TEST(LyingServerTest, ASilentServerIsGivenUpInTimeAndSaysWhere) {
  struct Case {
    std::function<void(Client&)> script;
    std::string said;
    TlsMode tls = TlsMode::kOff;
  };
  const std::vector<Case> cases = {
      {[](Client& client) { client.Receive(); }, "no greeting"},
      {[](Client& client) {
         client.Greet();
         while (client.Receive()) {
         }
       },
       "no answer to the login"},
      {[](Client& client) {
         client.Greet("mysql_native_password", Client::kTls);
         while (client.Receive()) {
         }
       },
       "no answer", TlsMode::kRequire},
  };
  for (const Case& each : cases) {
    LyingServer server(each.script);
    for (const bool stopped : {false, true}) {
      ConnectOptions options = To(server, each.tls);
      Cancellation cancel;
      options.cancel = &cancel;
      if (stopped) options.connect_timeout = absl::Minutes(5);
      std::thread stopper([&] {
        if (!stopped) return;
        absl::SleepFor(absl::Milliseconds(200));
        cancel.Cancel();
      });
      const auto opened = Connection::Open(options);
      stopper.join();
      EXPECT_EQ(opened.status().code(),
                stopped ? absl::StatusCode::kCancelled : absl::StatusCode::kUnavailable)
          << opened.status();
      if (!stopped) {
        EXPECT_THAT(Text(opened.status()), HasSubstr(each.said));
        EXPECT_THAT(Text(opened.status()), Not(HasSubstr("net_write_timeout")));
      }
    }
  }
}

// A full queue of connections drops packets, as a firewall does.
TEST(LyingServerTest, AnAddressThatDropsPacketsIsToldApart) {
  LyingServer server(nullptr, 0);
  std::vector<int> queue;
  for (int i = 0; i < 4; ++i) {
    const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    queue.push_back(filler);
  }
  const auto opened = Connection::Open(To(server));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(opened.status()), HasSubstr("security group"));
  EXPECT_THAT(Text(opened.status()), Not(HasSubstr("net_write_timeout")));
  Cancellation cancel;
  ConnectOptions options = To(server);
  options.cancel = &cancel;
  options.connect_timeout = absl::Minutes(5);
  std::thread stopper([&cancel] {
    absl::SleepFor(absl::Milliseconds(200));
    cancel.Cancel();
  });
  EXPECT_EQ(Connection::Open(options).status().code(), absl::StatusCode::kCancelled);
  stopper.join();
  for (const int filler : queue) close(filler);
}

TEST(LyingServerTest, APasswordThatHasRotatedIsReadAgainOnce) {
  std::atomic<int> logins{0};
  LyingServer server([&logins](Client& client) {
    client.Greet();
    client.Receive();
    if (++logins % 2 == 1) return client.Error(1045, "Access denied");
    client.Ok();
    while (const auto command = client.Receive()) {
      if (command->starts_with("\x03SHOW")) {
        client.SendRows({"Variable_name", "Value"}, {{"sql_select_limit", "18446744073709551615"}});
      } else {
        client.Ok();
      }
    }
  });
  int fetched = 0;
  ConnectOptions options = To(server);
  options.password_source = std::make_shared<PasswordSource>(
      "old", [&fetched] { return absl::StatusOr<std::string>("new" + std::to_string(fetched++)); });
  EXPECT_TRUE(Connection::Open(options).ok());
  EXPECT_EQ(fetched, 1);
  EXPECT_EQ(logins, 2);
  options.password_source = std::make_shared<PasswordSource>(
      "same", [&fetched] { return absl::StatusOr<std::string>((fetched++, "same")); });
  EXPECT_EQ(Connection::Open(options).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(logins, 3);  // what is the same was not tried again
}

// A proxy that answers SET by itself: what was set is looked at.
TEST(LyingServerTest, ASessionThatDoesNotTakeItsValuesIsRefused) {
  LyingServer server([](Client& client) {
    client.Greet();
    client.Receive();
    client.Ok();
    while (const auto command = client.Receive()) {
      if (command->starts_with("\x03SHOW")) {
        client.SendRows({"Variable_name", "Value"}, {{"sql_select_limit", "100"}});
      } else {
        client.Ok();
      }
    }
  });
  const auto opened = Connection::Open(To(server));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition) << opened.status();
  EXPECT_THAT(Text(opened.status()), HasSubstr("sql_select_limit"));
  EXPECT_THAT(Text(opened.status()), HasSubstr("proxy"));
}

}  // namespace
}  // namespace hakobu
