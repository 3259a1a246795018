// What the log states of the session that ran a statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hakobu::binlog {

// The session's variables that a statement's meaning depends on, as far as the event states them.
struct StatementSettings {
  uint64_t sql_mode = 0;
  uint16_t client_collation = 0;    // the statement's text is in its character set; 0: not stated
  uint16_t server_collation = 0;    // collation_server
  uint16_t database_collation = 0;  // collation_database
  uint16_t utf8mb4_collation = 0;   // default_collation_for_utf8mb4
  std::optional<bool> explicit_timestamps;
};

// From the status variables that stand before a QUERY event's text (Query_event in statement_events.h). What
// comes after one that is not known cannot be read.
StatementSettings ReadStatementSettings(std::string_view variables);

}  // namespace hakobu::binlog
