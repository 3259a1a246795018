#include "app/log_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/status.h"

namespace hakobu {
namespace {

absl::Time TimeOf(const binlog::LogContext& at) {
  return absl::FromUnixMicros(at.committed_us());
}

bool IsMariadbGtids(std::string_view text) {
  int dashes = 0;
  for (const char c : text) {
    if (c == '-') {
      ++dashes;
    } else if (c == ',') {
      if (dashes != 2) return false;
      dashes = 0;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return dashes == 2;
}

std::optional<binlog::Gtid> ParseGtid(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  binlog::Gtid gtid{std::string(text.substr(0, colon)), 0};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), gtid.number);
  return gtid;
}

}  // namespace

absl::StatusOr<LogBound> LogBound::Parse(std::string_view text) {
  LogBound bound;
  bound.text = text;
  if (text.empty()) return bound;
  if (text == "now" || text == "oldest") {
    bound.kind = text == "now" ? Kind::kNow : Kind::kOldest;
    return bound;
  }
  if (IsMariadbGtids(text)) {
    bound.kind = Kind::kMariadbGtids;
    return bound;
  }
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, View(text), &bound.time, &error)) {
    bound.kind = Kind::kTime;
    return bound;
  }
  if (auto gtids = binlog::GtidSet::Parse(text); gtids.ok() && text.find('-') != std::string_view::npos) {
    bound.kind = Kind::kGtids;
    bound.gtids = *std::move(gtids);
    return bound;
  }
  bound.kind = Kind::kPosition;
  absl::StatusOr<LogPoint> point = LogPoint::Parse(text);
  if (!point.ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is no place in a binary log: expected FILE, FILE:OFFSET, a GTID set, a time such as "
        "2024-02-29T12:00:00Z, now or oldest",
        text));
  }
  bound.point = *std::move(point);
  return bound;
}

bool LogRange::Before(const binlog::LogContext& at, const LogBound& bound) const {
  switch (bound.kind) {
    case LogBound::Kind::kPosition:
      return at.file != bound.point.file ? at.file < bound.point.file : at.position < bound.point.offset;
    case LogBound::Kind::kTime:
      return TimeOf(at) < bound.time;
    default:
      return false;
  }
}

void LogRange::Enter(const binlog::LogContext& at) {
  const bool has_end = until_.kind == LogBound::Kind::kPosition || until_.kind == LogBound::Kind::kTime;
  done_ = done_ || (has_end && !Before(at, until_));
  wanted_ = !done_ && !Before(at, from_);
  if (from_.kind == LogBound::Kind::kGtids && !at.gtid.empty()) {
    const auto gtid = ParseGtid(at.gtid);
    wanted_ = wanted_ && !(gtid && from_.gtids.Contains(*gtid));
  }
}

void LogRange::Leave(const binlog::LogContext& at) {
  if (until_.kind == LogBound::Kind::kMariadbGtids) {
    done_ = done_ || at.gtid == until_.text;
  } else if (until_.kind == LogBound::Kind::kGtids) {
    const auto gtid = ParseGtid(at.gtid);
    if (!gtid || !until_.gtids.Contains(*gtid)) return;
    done_ = !until_.gtids.Contains(binlog::Gtid{gtid->source, gtid->number + 1});
  }
}

absl::Status LogRange::OnBegin(const binlog::LogContext& at) {
  Enter(at);
  in_transaction_ = true;
  return wanted_ ? inner_->OnBegin(at) : absl::OkStatus();
}

absl::Status LogRange::OnRows(const binlog::LogContext& at, const binlog::TableMap& map,
                              const binlog::RowsEvent& rows) {
  if (!in_transaction_) Enter(at);  // read from the middle of one
  return wanted_ ? inner_->OnRows(at, map, rows) : absl::OkStatus();
}

absl::Status LogRange::OnStatement(const binlog::LogContext& at, const binlog::LogStatement& statement) {
  if (!in_transaction_) Enter(at);
  if (wanted_) HAKOBU_RETURN_IF_ERROR(inner_->OnStatement(at, statement));
  if (!in_transaction_) Leave(at);
  return absl::OkStatus();
}

absl::Status LogRange::OnEnd(const binlog::LogContext& at, binlog::TransactionEnd end) {
  in_transaction_ = false;
  if (wanted_) HAKOBU_RETURN_IF_ERROR(inner_->OnEnd(at, end));
  Leave(at);
  return absl::OkStatus();
}

absl::Status LogRange::OnRotate(const binlog::LogContext& at) {
  if (until_.kind == LogBound::Kind::kPosition && !in_transaction_)
    done_ = done_ || at.file > until_.point.file;
  return inner_->OnRotate(at);
}

}  // namespace hakobu
