// Whole binary logs: any bytes must end in a status, never in a crash, an overrun or unbounded memory.
#include "base/byte_reader.h"
#include "decode/binlog/log_decoder.h"
#include "decode/binlog/row_image.h"

namespace {

using namespace hakobu;
using namespace hakobu::binlog;

class DecodeAll : public LogVisitor {
 public:
  absl::Status OnBegin(const LogContext&) override { return absl::OkStatus(); }
  absl::Status OnRows(const LogContext&, const TableMap& map, const RowsEvent& rows) override {
    auto decoder = RowImageDecoder::Create(map, nullptr, UnknownColumns::kAssume);
    if (!decoder.ok()) return decoder.status();
    Batch batch(map.columns.size());
    return decoder->Decode(rows, &batch);
  }
  absl::Status OnStatement(const LogContext&, const LogStatement&) override { return absl::OkStatus(); }
  absl::Status OnEnd(const LogContext&, TransactionEnd) override { return absl::OkStatus(); }
};

}  // namespace

// The input is a file without its magic. Event lengths are mended, so that the fuzzer gets past the frame.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string input(reinterpret_cast<const char*>(data), size);
  DecodeAll visitor;
  LogDecoder decoder(&visitor);
  decoder.SetPosition("fuzz.000001", 4);
  for (size_t at = 0; at + kHeaderBytes <= input.size();) {
    size_t event_bytes = ByteReader(std::string_view(input).substr(at + 9)).U32();
    if (event_bytes < kHeaderBytes || event_bytes > input.size() - at) {
      event_bytes = input.size() - at;
      for (int i = 0; i < 4; ++i) input[at + 9 + i] = static_cast<char>(event_bytes >> (8 * i));
    }
    if (!decoder.Feed(std::string_view(input).substr(at, event_bytes)).ok()) break;
    at += event_bytes;
  }
  return 0;
}
