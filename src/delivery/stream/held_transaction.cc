#include "delivery/stream/held_transaction.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/status.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

constexpr size_t kMostMemory = 4 << 20;

absl::Status FileError(const char* what) {
  return WithHint(
      absl::ResourceExhaustedError(std::string(what) + " a transaction's rows: " + std::strerror(errno)),
      "XA transactions, and large ones with savepoints, are kept on disk until they end: make room in "
      "TMPDIR");
}

}  // namespace

absl::Status HeldTransaction::Add(const binlog::LogContext& context, const ChangeSequence& place,
                                  const binlog::TableMap& map, const binlog::RowsEvent& rows) {
  if (entries_.empty()) context_ = context;
  Entry entry;
  entry.place = place;
  entry.map = MapOf(map);
  entry.event = rows;
  entry.before_bytes = static_cast<uint32_t>(rows.present_before.size());
  entry.after_bytes = static_cast<uint32_t>(rows.present_after.size());
  entry.rows_bytes = rows.rows.size();
  entry.event.present_before = entry.event.present_after = entry.event.rows = {};
  memory_.append(rows.present_before).append(rows.present_after).append(rows.rows);
  entries_.push_back(std::move(entry));
  return memory_.size() > kMostMemory ? Spill() : absl::OkStatus();
}

// Transactions go to and fro between a few tables.
size_t HeldTransaction::MapOf(const binlog::TableMap& map) {
  for (size_t i = maps_.size(); i-- > 0;) {
    if (maps_[i] == map) return i;
  }
  maps_.push_back(map);
  return maps_.size() - 1;
}

absl::Status HeldTransaction::Spill() {
  if (file_ == nullptr) file_.reset(std::tmpfile());
  if (file_ == nullptr) return FileError("open a file for");
  if (seek_ && std::fseek(file_.get(), static_cast<long>(spilled_), SEEK_SET) != 0) return FileError("write");
  seek_ = false;
  if (std::fwrite(memory_.data(), 1, memory_.size(), file_.get()) != memory_.size())
    return FileError("write");
  spilled_ += memory_.size();
  memory_.clear();
  return absl::OkStatus();
}

void HeldTransaction::SetSavepoint(std::string_view name) {
  std::erase_if(savepoints_, [&](const Savepoint& set) { return SameName(set.name, name); });
  savepoints_.push_back({std::string(name), entries_.size(), bytes()});
}

bool HeldTransaction::RollBackTo(std::string_view name) {
  const auto found = std::find_if(savepoints_.begin(), savepoints_.end(),
                                  [&](const Savepoint& set) { return SameName(set.name, name); });
  if (found == savepoints_.end()) return false;
  HAKOBU_CHECK(found->entries <= entries_.size() && found->bytes <= bytes(),
               "a savepoint lies behind what is held: rows that were taken back could be delivered",
               kStartAgain);
  savepoints_.erase(found + 1, savepoints_.end());
  entries_.resize(found->entries);
  if (found->bytes >= spilled_) {
    memory_.resize(found->bytes - spilled_);
  } else {  // what comes next is written over it
    memory_.clear();
    spilled_ = found->bytes;
    seek_ = true;
  }
  return true;
}

absl::Status HeldTransaction::TakeAll(Each each) {
  if (file_ != nullptr) {
    HAKOBU_RETURN_IF_ERROR(Spill());
    if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) return FileError("read");
  }
  std::string from_file;
  size_t at = 0;
  for (Entry& entry : entries_) {
    const size_t bytes = entry.before_bytes + entry.after_bytes + entry.rows_bytes;
    std::string_view held;
    if (file_ != nullptr) {
      from_file.resize(bytes);
      if (std::fread(from_file.data(), 1, bytes, file_.get()) != bytes) return FileError("read");
      held = from_file;
    } else {
      held = std::string_view(memory_).substr(at, bytes);
      at += bytes;
    }
    entry.event.present_before = held.substr(0, entry.before_bytes);
    entry.event.present_after = held.substr(entry.before_bytes, entry.after_bytes);
    entry.event.rows = held.substr(entry.before_bytes + entry.after_bytes);
    HAKOBU_CHECK(held.size() == bytes, "fewer bytes are held of a transaction than it has", kStartAgain);
    HAKOBU_CHECK(entry.map < maps_.size(), "rows of a held transaction belong to no table", kStartAgain);
    HAKOBU_RETURN_IF_ERROR(each(entry.place, maps_[entry.map], entry.event));
  }
  return absl::OkStatus();
}

}  // namespace hakobu
