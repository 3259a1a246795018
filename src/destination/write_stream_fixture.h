// Rows, options and faults for the tests of appends.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "destination/fake_storage_write.h"
#include "destination/write_stream.h"

namespace hakobu {

inline constexpr std::string_view kStream = "projects/p/datasets/d/tables/t/streams/s";

inline RowBytes MakeRows(int first, int count, size_t row_size = 8) {
  storage_v1::ProtoRows rows;
  for (int i = 0; i < count; ++i) {
    std::string row = fmt::format("row{}", first + i);
    row.resize(std::max(row.size(), row_size), '.');
    rows.add_serialized_rows(row);
  }
  return OwnedRows(rows.SerializeAsString(), static_cast<uint64_t>(count));
}

inline std::vector<std::string> ExpectedRows(int count, size_t row_size = 8) {
  storage_v1::ProtoRows rows;
  const RowBytes bytes = MakeRows(0, count, row_size);
  rows.ParseFromArray(bytes.bytes.data(), static_cast<int>(bytes.bytes.size()));
  return {rows.serialized_rows().begin(), rows.serialized_rows().end()};
}

// Short delays on the real clock: the fake service is a real socket.
inline StorageWriteOptions Fast(const FakeStorageWrite& fake) {
  StorageWriteOptions options;
  options.endpoint = fake.endpoint();
  options.retry.first_delay = absl::Milliseconds(2);
  options.retry.longest_delay = absl::Milliseconds(20);
  options.retry.max_elapsed = absl::Seconds(20);
  return options;
}

inline std::string Descriptor(const std::string& name) {
  google::protobuf::DescriptorProto descriptor;
  descriptor.set_name(name);
  return descriptor.SerializeAsString();
}

inline AppendTarget Target(std::string_view stream = kStream) {
  return {std::string(stream), Descriptor("Row"), 0};
}

inline Fault InBand(grpc::StatusCode code, const std::string& message) {
  return {Fault::Kind::kInBand, {code, message}, std::nullopt, {}};
}

// A service that knows the table, made or changed `ago`.
inline StorageWriteOptions Knowing(const FakeStorageWrite& fake, absl::Duration ago,
                                   std::string json = "{}") {
  StorageWriteOptions options = Fast(fake);
  options.look_at_table = [ago, json](const TableName&) {
    return TableLook{TableSight::kThere, absl::Now() - ago, json};
  };
  return options;
}

}  // namespace hakobu
