// AppendRowsRequest's wire bytes [storage.proto], built so that the rows follow as they lie:
//   request = header rows
//   header  = write_stream? offset? trace_id? tag(proto_rows) length ( writer_schema? tag(rows) length )
// The order of fields is free in protobuf; proto_rows is put last, and rows last in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hakobu {

struct AppendHeader {
  std::string_view write_stream;  // empty: as before on this connection
  std::optional<int64_t> offset;
  std::string_view trace_id;    // first request of a connection
  std::string_view descriptor;  // a serialised DescriptorProto; empty: as before
  uint64_t rows_size = 0;       // bytes of ProtoRows that will follow
};

std::string EncodeAppendHeader(const AppendHeader& header);

}  // namespace hakobu
