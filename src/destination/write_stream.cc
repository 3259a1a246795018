#include "destination/write_stream.h"

#include <fmt/format.h>

#include "base/status.h"
#include "destination/append_state.h"

namespace hakobu {

RowBytes OwnedRows(std::string bytes, uint64_t row_count) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  return {*owner, row_count, owner};
}

std::string DefaultStream(const TableName& table) {
  return table.Resource() + "/streams/_default";
}

bool IsDefaultStream(std::string_view stream) {
  constexpr std::string_view kName = "/_default";
  return stream.size() >= kName.size() && stream.substr(stream.size() - kName.size()) == kName;
}

AppendConnection::AppendConnection(StorageWrite& service, AppendOptions options)
    : state_(std::make_unique<State>(service, std::move(options))) {}
AppendConnection::~AppendConnection() = default;

AppendConnection::TargetId AppendConnection::AddTarget(AppendTarget target) {
  return state_->AddTarget(std::move(target));
}

void AppendConnection::ChangeDescriptor(TargetId target, std::string descriptor) {
  state_->target(target).descriptor = std::make_shared<const std::string>(std::move(descriptor));
  state_->target(target).schema_updated = false;
}

absl::Status AppendConnection::Append(TargetId target, RowBytes rows) {
  return state_->Append(target, std::move(rows));
}

absl::Status AppendConnection::Flush(TargetId target) {
  return state_->Flush(target);
}

absl::Status AppendConnection::FlushAll() {
  absl::Status first;
  for (TargetId id = 0; id < state_->target_count(); ++id) first.Update(state_->Flush(id));
  return first;
}

absl::Status AppendConnection::Poll(absl::Duration longest) {
  return state_->Poll(longest);
}

absl::Status AppendConnection::Failure(TargetId target) const {
  return state_->target(target).failure;
}

uint64_t AppendConnection::AcknowledgedRows(TargetId target) const {
  return state_->target(target).acknowledged_rows;
}

uint64_t AppendConnection::AcknowledgedAppends(TargetId target) const {
  return state_->target(target).acknowledged_appends;
}

bool AppendConnection::SchemaUpdated(TargetId target) const {
  return state_->target(target).schema_updated;
}

absl::Status AppendConnection::Parked(TargetId target) const {
  return state_->target(target).parked;
}

const AppendConnection::Counters& AppendConnection::counters() const {
  return state_->counters();
}

WriteStream::WriteStream(StorageWrite& service, AppendTarget target, AppendOptions options)
    : connection_(service, std::move(options)), target_(connection_.AddTarget(std::move(target))) {}

}  // namespace hakobu
