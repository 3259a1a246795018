// Random DDL, by seed: what applications, migration tools and people write, odd spellings included.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace hakobu::testing {

// Makes statements one at a time. Many fail on the server, as statements do; those that do not must be
// followed.
class DdlScript {
 public:
  // `columns_of`: the columns a table has on the server at this moment, none when there is no such table.
  using ColumnsOf =
      std::function<std::vector<std::string>(const std::string& database, const std::string& table)>;
  DdlScript(uint32_t seed, bool mariadb, std::string database, ColumnsOf columns_of);

  std::string Next();

  // The databases and tables it plays with.
  std::vector<std::string> databases() const { return {database_ + "_a", database_ + "_B"}; }
  static const std::vector<std::string>& Tables();

 private:
  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  bool Chance(int percent) { return static_cast<int>(Pick(100)) < percent; }
  template <typename List>
  std::string Any(const List& list) {
    return std::string(list[Pick(list.size())]);
  }
  std::string AnyDatabase() { return databases()[Pick(2)]; }
  std::string Quoted(const std::string& name);
  // Chooses a table and notes its columns.
  std::string Table();
  std::string TableRef(const std::string& database, const std::string& table);
  std::string Column();     // one the table has, mostly, quoted
  std::string NewColumn();  // quoted
  std::string Charset();
  std::string Type();
  std::string Attributes();
  std::string Definition();  // type and attributes
  std::string KeyParts();
  std::string Element();
  std::string TableOptions();
  std::string Place();
  std::string Space();
  std::string CreateTable();
  std::string AlterAction();
  std::string AlterTable();
  std::string Other();
  std::string Insert();

  std::mt19937 random_;
  bool mariadb_;
  std::string database_;
  ColumnsOf columns_of_;
  std::vector<std::string> columns_;
  int serial_ = 0;
};

}  // namespace hakobu::testing
