// How records lie in the ledger's tables: each column is said once, by its name and the member it stands for,
// and the sentences of SQL, the binds and the reads are made from that.
//
// The SQL of the books keeps to what SQLite and MySQL 8 share: `?` in order, names in backquotes (`rows` is a
// word of MySQL's), no upsert (neither knows the other's; REPLACE would delete children), no rowid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/enum_name.h"
#include "ledger/sqlite.h"

namespace hakobu {

// InfinitePast ("never") is kept as 0, and NULL read as it.
inline void BindValue(SqliteRows* rows, absl::Time value) {
  rows->Bind(value == absl::InfinitePast() ? int64_t{0} : absl::ToUnixMicros(value));
}
inline void BindValue(SqliteRows* rows, std::string_view value) {
  rows->Bind(value);
}
inline void BindValue(SqliteRows* rows, const std::string& value) {
  rows->Bind(std::string_view(value));
}
inline void BindValue(SqliteRows* rows, const char* value) {
  rows->Bind(std::string_view(value));
}
inline void BindValue(SqliteRows* rows, int64_t value) {
  rows->Bind(value);
}
inline void BindValue(SqliteRows* rows, uint64_t value) {
  rows->Bind(static_cast<int64_t>(value));
}
inline void BindValue(SqliteRows* rows, uint32_t value) {
  rows->Bind(static_cast<int64_t>(value));
}
inline void BindValue(SqliteRows* rows, double value) {
  rows->Bind(value);
}
inline void BindValue(SqliteRows* rows, bool value) {
  rows->Bind(static_cast<int64_t>(value));
}

template <NamedEnum Enum>
void BindValue(SqliteRows* rows, Enum value) {
  rows->Bind(NameOf(value));
}

inline void ReadValue(const SqliteRows& rows, int column, absl::Time* value) {
  const int64_t micros = rows.Integer(column);
  *value = micros == 0 ? absl::InfinitePast() : absl::FromUnixMicros(micros);
}
inline void ReadValue(const SqliteRows& rows, int column, std::string* value) {
  *value = rows.Text(column);
}
inline void ReadValue(const SqliteRows& rows, int column, int64_t* value) {
  *value = rows.Integer(column);
}
inline void ReadValue(const SqliteRows& rows, int column, uint64_t* value) {
  *value = static_cast<uint64_t>(rows.Integer(column));
}
inline void ReadValue(const SqliteRows& rows, int column, uint32_t* value) {
  *value = static_cast<uint32_t>(rows.Integer(column));
}
inline void ReadValue(const SqliteRows& rows, int column, double* value) {
  *value = rows.Real(column);
}
inline void ReadValue(const SqliteRows& rows, int column, bool* value) {
  *value = rows.Integer(column) != 0;
}
// False: no value has that name.
template <NamedEnum Enum>
bool ReadValue(const SqliteRows& rows, int column, Enum* value) {
  const std::optional<Enum> named = FromName<Enum>(rows.Text(column));
  *value = named.value_or(Enum{});
  return named.has_value();
}

template <typename Record>
struct Column {
  const char* name;
  void (*bind)(const Record& record, SqliteRows* rows);
  bool (*read)(const SqliteRows& rows, int column, Record* record);  // false: it holds what cannot be read
};

template <typename Record, typename Value>
Record RecordOf(Value Record::*);  // for decltype only

// ColumnIn<DeliveredPoint, &LogPoint::file>("file"): of a member that the record may have inherited. A type
// of the record's own needs a BindValue and a ReadValue that argument-dependent lookup finds.
template <typename Record, auto kMember>
constexpr auto ColumnIn(const char* name) {
  return Column<Record>{
      name, [](const Record& record, SqliteRows* rows) { BindValue(rows, record.*kMember); },
      [](const SqliteRows& rows, int column, Record* record) {
        if constexpr (std::is_void_v<decltype(ReadValue(rows, column, &(record->*kMember)))>) {
          ReadValue(rows, column, &(record->*kMember));
          return true;
        } else {
          return ReadValue(rows, column, &(record->*kMember));
        }
      }};
}

// ColumnOf<&RunRecord::id>("id").
template <auto kMember>
constexpr auto ColumnOf(const char* name) {
  return ColumnIn<decltype(RecordOf(kMember)), kMember>(name);
}

// One table of the ledger and the sentences that touch all of its columns. `owner`: leading columns of the
// key that the record does not hold (the run of a chunk); the first `own_keys` of `columns` are the rest of
// the key.
template <typename Record>
class RecordTable {
 public:
  RecordTable(std::string_view name, const std::vector<std::string_view>& owner, size_t own_keys,
              std::vector<Column<Record>> columns)
      : name_(name), columns_(std::move(columns)), own_keys_(own_keys) {
    std::string names, marks, sets, keys;
    const auto add = [](std::string* list, std::string_view between, std::string_view column,
                        std::string_view after) {
      if (!list->empty()) *list += between;
      list->append("`").append(column).append("`").append(after);
    };
    for (const std::string_view column : owner) {
      add(&names, ", ", column, "");
      add(&keys, " AND ", column, " = ?");
      marks += marks.empty() ? "?" : ", ?";
    }
    std::string own;
    for (size_t i = 0; i < columns_.size(); ++i) {
      add(&names, ", ", columns_[i].name, "");
      add(&own, ", ", columns_[i].name, "");
      marks += marks.empty() ? "?" : ", ?";
      if (i < own_keys) {
        add(&keys, " AND ", columns_[i].name, " = ?");
      } else {
        add(&sets, ", ", columns_[i].name, " = ?");
      }
    }
    const std::string table = "`" + std::string(name) + "`";
    select_ = "SELECT " + own + " FROM " + table;
    insert_ = "INSERT INTO " + table + " (" + names + ") VALUES (" + marks + ")";
    update_ = "UPDATE " + table + " SET " + sets + " WHERE " + keys;
  }

  const std::string& select() const { return select_; }
  const std::string& insert() const { return insert_; }  // owner's values, then BindAll
  const std::string& update() const { return update_; }  // BindRest, owner's values, BindKeys

  void BindAll(const Record& record, SqliteRows* rows) const { BindRange(record, 0, columns_.size(), rows); }
  void BindRest(const Record& record, SqliteRows* rows) const {
    BindRange(record, own_keys_, columns_.size(), rows);
  }
  void BindKeys(const Record& record, SqliteRows* rows) const { BindRange(record, 0, own_keys_, rows); }
  absl::StatusOr<Record> Read(const SqliteRows& rows) const {
    Record record;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int column = static_cast<int>(i);
      if (columns_[i].read(rows, column, &record)) continue;
      return absl::DataLossError("the ledger's column " + name_ + "." + columns_[i].name + " holds `" +
                                 rows.Text(column) + "`, which this hakobu does not know");
    }
    return record;
  }

 private:
  void BindRange(const Record& record, size_t begin, size_t end, SqliteRows* rows) const {
    for (size_t i = begin; i < end; ++i) columns_[i].bind(record, rows);
  }

  std::string name_;
  std::vector<Column<Record>> columns_;
  size_t own_keys_;
  std::string select_, insert_, update_;
};

}  // namespace hakobu
