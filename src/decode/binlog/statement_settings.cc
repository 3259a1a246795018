#include "decode/binlog/statement_settings.h"

#include "base/byte_reader.h"

namespace hakobu::binlog {

StatementSettings ReadStatementSettings(std::string_view variables) {
  StatementSettings settings;
  ByteReader reader(variables);
  while (!reader.AtEnd()) {
    switch (reader.U8()) {
      case 0:   // Q_FLAGS2
      case 3:   // Q_AUTO_INCREMENT
      case 10:  // Q_MASTER_DATA_WRITTEN
        reader.Skip(4);
        break;
      case 1:
        settings.sql_mode = reader.U64();
        break;
      case 4:
        settings.client_collation = reader.U16();
        reader.Skip(2);  // the connection's
        settings.server_collation = reader.U16();
        break;
      case 5:  // Q_TIME_ZONE
      case 6:  // Q_CATALOG_NZ
        reader.Skip(reader.U8());
        break;
      case 7:  // Q_LC_TIME_NAMES
        reader.Skip(2);
        break;
      case 8:
        settings.database_collation = reader.U16();
        break;
      case 9:    // Q_TABLE_MAP_FOR_UPDATE
      case 17:   // Q_DDL_LOGGED_WITH_XID
      case 129:  // MariaDB's Q_XID
        reader.Skip(8);
        break;
      case 11:  // Q_INVOKER: user, host
        reader.Skip(reader.U8());
        reader.Skip(reader.U8());
        break;
      case 12: {  // Q_UPDATED_DB_NAMES; 254: too many to name
        uint8_t count = reader.U8();
        if (count == 254) count = 0;
        for (; count > 0 && !reader.AtEnd(); --count) {
          while (!reader.AtEnd() && reader.U8() != 0) continue;
        }
        break;
      }
      case 13:   // Q_MICROSECONDS
      case 128:  // MariaDB's Q_HRNOW
        reader.Skip(3);
        break;
      case 16:
        settings.explicit_timestamps = reader.U8() != 0;
        break;
      case 18:
        settings.utf8mb4_collation = reader.U16();
        break;
      case 19:  // Q_SQL_REQUIRE_PRIMARY_KEY
      case 20:  // Q_DEFAULT_TABLE_ENCRYPTION
        reader.Skip(1);
        break;
      default:
        return settings;
    }
  }
  return settings;
}

}  // namespace hakobu::binlog
