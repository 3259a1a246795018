// For tests: a connection as hakobu makes it, as root of a test server.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "source/connection.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {

inline ConnectOptions Root(const testing::MysqlServer& server) {
  ConnectOptions options;
  options.socket = server.socket();
  options.user = "root";
  return options;
}

inline std::unique_ptr<Connection> Connect(const testing::MysqlServer& server) {
  auto connection = Connection::Open(Root(server));
  if (!connection.ok()) throw std::runtime_error(connection.status().ToString());
  return *std::move(connection);
}

#define INSTANTIATE_WITH_SERVERS(suite)                                                                     \
  INSTANTIATE_TEST_SUITE_P(Servers, suite, ::testing::Values(std::string("mysql"), std::string("mariadb")), \
                           [](const auto& each) { return each.param; })

}  // namespace hakobu
