#include "app/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "app/text_table.h"
#include "base/log.h"

namespace hakobu {
namespace {

bool IsMoving(const TableProgress& table) {
  return table.state == "reading" || table.state == "publishing";
}

bool IsOver(const TableProgress& table) {
  return table.state == "done" || table.state == "failed" || table.state == "cancelled";
}

std::string Bar(double fraction, size_t width) {
  const auto full = static_cast<size_t>(fraction * static_cast<double>(width));
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(width - full, '.'));
}

// Seconds until done, if it goes on as so far; negative: cannot be said.
double SecondsLeft(double fraction, absl::Duration spent) {
  if (fraction < 0.005 || spent < absl::Milliseconds(500)) return -1;
  return absl::ToDoubleSeconds(spent) * (1 - fraction) / fraction;
}

std::string LeftText(double seconds) {
  return seconds < 0.5 ? "" : SecondsText(seconds) + " left";
}

double Rate(uint64_t bytes, absl::Duration spent) {
  return spent <= absl::ZeroDuration() ? 0 : static_cast<double>(bytes) / absl::ToDoubleSeconds(spent);
}

}  // namespace

void ProgressMeter::Update(const std::vector<TableProgress>& tables, absl::Time now) {
  started_ = std::min(started_, now);
  tables_ = tables;
  for (const TableProgress& table : tables) {
    Seen& seen = seen_[table.source];
    if (IsMoving(table)) seen.first_moved = std::min(seen.first_moved, now);
  }
}

// The source's estimate can be far off: what is read beyond it must not read as finished.
double ProgressMeter::Fraction(const TableProgress& table) const {
  if (IsOver(table)) return 1;
  const double chunks =
      table.chunks == 0 ? 0 : static_cast<double>(table.chunks_done) / static_cast<double>(table.chunks);
  const double rows = table.estimated_rows == 0
                          ? 0
                          : static_cast<double>(table.rows) / static_cast<double>(table.estimated_rows);
  return std::min(std::max(chunks, rows), 0.99);
}

std::string ProgressMeter::Line(const TableProgress& table, size_t name_width, size_t width,
                                absl::Time now) const {
  constexpr size_t kBarWidth = 20;
  const absl::Duration spent = now - seen_.at(table.source).first_moved;
  const double fraction = Fraction(table);
  const std::string pad(name_width - std::min(name_width, DisplayWidth(table.source)), ' ');
  std::string line =
      fmt::format("{}{} {} {:3.0f} %  {} rows  {}", table.source, pad, Bar(fraction, kBarWidth),
                  fraction * 100, CountText(table.rows), RateText(Rate(table.bytes, spent)));
  line += table.state == "publishing" ? "  publishing" : "  " + LeftText(SecondsLeft(fraction, spent));
  while (DisplayWidth(line) > width && !line.empty()) line.pop_back();
  return line;
}

std::vector<std::string> ProgressMeter::Bars(size_t width, size_t most_tables, absl::Time now) const {
  std::vector<const TableProgress*> moving;
  size_t name_width = 0;
  for (const TableProgress& table : tables_) {
    if (!IsMoving(table) || moving.size() == most_tables) continue;
    moving.push_back(&table);
    name_width = std::max(name_width, DisplayWidth(table.source));
  }
  std::vector<std::string> lines;
  for (const TableProgress* table : moving) lines.push_back(Line(*table, name_width, width, now));
  lines.push_back(Summary(now));
  return lines;
}

std::string ProgressMeter::Summary(absl::Time now) const {
  size_t over = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  double done = 0;
  double all = 0;
  for (const TableProgress& table : tables_) {
    over += IsOver(table) ? 1 : 0;
    rows += table.rows;
    bytes += table.bytes;
    const auto weight = static_cast<double>(std::max({table.estimated_rows, table.rows, uint64_t{1}}));
    done += weight * Fraction(table);
    all += weight;
  }
  const absl::Duration spent = now - started_;
  const double fraction = all == 0 ? 0 : done / all;
  std::string text = fmt::format("{} of {} tables, {} rows, {}", over, tables_.size(), CountText(rows),
                                 RateText(Rate(bytes, spent)));
  const std::string left = over == tables_.size() ? "" : LeftText(SecondsLeft(fraction, spent));
  return left.empty() ? text : text + ", " + left;
}

std::vector<std::string> ProgressMeter::StateChanges() {
  std::vector<std::string> lines;
  for (const TableProgress& table : tables_) {
    std::string& told = seen_[table.source].told_state;
    if (told == table.state) continue;
    told = table.state;
    std::string line = fmt::format("{}: {}", table.source, table.state);
    if (IsOver(table)) line += fmt::format(", {} rows, {}", CountText(table.rows), BytesText(table.bytes));
    lines.push_back(std::move(line));
  }
  return lines;
}

namespace {

class BarProgress : public RunObserver {
 public:
  explicit BarProgress(Clock* clock) : clock_(clock) {}
  ~BarProgress() override { Erase(); }

  void OnProgress(const std::vector<TableProgress>& tables) override {
    const absl::Time now = clock_->Now();
    meter_.Update(tables, now);
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
    std::string text = EraseText();
    for (const std::string& line : meter_.StateChanges()) {
      if (line.find(": done") != std::string::npos || line.find(": failed") != std::string::npos)
        text += line + "\n";
    }
    const std::vector<std::string> bars = meter_.Bars(size.ws_col, std::max<size_t>(size.ws_row, 6) - 4, now);
    for (const std::string& line : bars) text += line + "\n";
    lines_ = bars.size();
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }

 private:
  // Back to the first line of what was drawn last, and everything below it cleared.
  std::string EraseText() const { return lines_ == 0 ? "" : fmt::format("\x1b[{}A\x1b[J", lines_); }
  void Erase() {
    const std::string text = EraseText();
    std::fwrite(text.data(), 1, text.size(), stderr);
  }

  Clock* clock_;
  ProgressMeter meter_;
  size_t lines_ = 0;
};

class LineProgress : public RunObserver {
 public:
  explicit LineProgress(Clock* clock) : clock_(clock) {}

  void OnProgress(const std::vector<TableProgress>& tables) override {
    const absl::Time now = clock_->Now();
    meter_.Update(tables, now);
    for (const std::string& line : meter_.StateChanges()) Log(LogSeverity::kInfo, line);
    if (last_ == absl::InfinitePast()) last_ = now;
    if (now - last_ < absl::Seconds(10)) return;
    last_ = now;
    Log(LogSeverity::kInfo, meter_.Summary(now));
  }

 private:
  Clock* clock_;
  ProgressMeter meter_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace

std::unique_ptr<RunObserver> MakeProgress(ProgressStyle style, Clock* clock) {
  if (style == ProgressStyle::kBars) return std::make_unique<BarProgress>(clock);
  return std::make_unique<LineProgress>(clock);
}

}  // namespace hakobu
