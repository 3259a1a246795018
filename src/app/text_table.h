// Results for people: columns that line up, counts and sizes that can be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

// Columns of a terminal that UTF-8 `text` takes: wide East Asian characters two, combining marks none.
size_t DisplayWidth(std::string_view text);

enum class Align : uint8_t { kLeft, kRight };

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns.
  // Cells are shown on one line each, whatever stands in them.
  void AddRow(std::vector<std::string> cells);
  // Title line and rows, two blanks between columns, no trailing blanks, each line ended.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string CountText(uint64_t count);          // "1,234,567"
std::string BytesText(uint64_t bytes);          // "12.3 MB": decimal units
std::string SecondsText(double seconds);        // "0.4 s", "12 s", "3 min 20 s", "2 h 05 min"
std::string RateText(double bytes_per_second);  // "12.3 MB/s"
std::string DollarText(double usd);             // "$0.00", "$12.34"

}  // namespace hakobu
