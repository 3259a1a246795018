// A client of the local BigQuery's gRPC side for bench/localbq, in a process of its own:
//   localbq_client append PORT projects/p/datasets/d/tables/t/streams/_default ROWS ROW_BYTES
//   localbq_client read PORT projects/p/datasets/d/tables/t
// Rows are {id INT64, text STRING, amount INT64}; ROW_BYTES 0 makes narrow ones, of about 30 bytes. They are
// encoded before the clock starts. Prints {"rows", "bytes", "seconds"}.
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"

namespace {

namespace v1 = google::cloud::bigquery::storage::v1;
using Field = google::protobuf::FieldDescriptorProto;

constexpr int64_t kRequestBytes = int64_t{1} << 20;

void PutVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}

void PutRow(int64_t id, const std::string& text, std::string* row) {
  PutVarint(row, 1 << 3);
  PutVarint(row, static_cast<uint64_t>(id));
  PutVarint(row, 2 << 3 | 2);
  PutVarint(row, text.size());
  row->append(text);
  PutVarint(row, 3 << 3);
  PutVarint(row, static_cast<uint64_t>(id) * 7);
}

google::protobuf::DescriptorProto Descriptor() {
  google::protobuf::DescriptorProto message;
  message.set_name("Row");
  const std::pair<const char*, Field::Type> fields[] = {
      {"id", Field::TYPE_INT64}, {"text", Field::TYPE_STRING}, {"amount", Field::TYPE_INT64}};
  for (const auto& [name, type] : fields) {
    Field* field = message.add_field();
    field->set_name(name);
    field->set_number(message.field_size());
    field->set_type(type);
    field->set_label(Field::LABEL_OPTIONAL);
  }
  return message;
}

struct Report {
  int64_t rows = 0, bytes = 0;
  double seconds = 0;
};

std::vector<v1::AppendRowsRequest> Requests(const std::string& stream, int64_t rows, int64_t row_bytes,
                                            int64_t* bytes) {
  std::vector<v1::AppendRowsRequest> requests;
  int64_t in_request = kRequestBytes;
  for (int64_t id = 0; id < rows; ++id) {
    if (in_request >= kRequestBytes) {
      v1::AppendRowsRequest& request = requests.emplace_back();
      in_request = 0;
      if (id == 0) {
        request.set_write_stream(stream);
        *request.mutable_proto_rows()->mutable_writer_schema()->mutable_proto_descriptor() = Descriptor();
      }
    }
    std::string text = fmt::format("guest number {}", id);
    if (row_bytes > 0) text.resize(static_cast<size_t>(row_bytes), 'x');
    std::string* row = requests.back().mutable_proto_rows()->mutable_rows()->add_serialized_rows();
    PutRow(id, text, row);
    in_request += static_cast<int64_t>(row->size());
    *bytes += static_cast<int64_t>(row->size());
  }
  return requests;
}

int Failed(const grpc::Status& status) {
  fmt::print(stderr, "error {}: {}\n", static_cast<int>(status.error_code()), status.error_message());
  return 1;
}

int Append(v1::BigQueryWrite::Stub& stub, const std::string& stream_name, int64_t rows, int64_t row_bytes,
           Report* report) {
  const auto requests = Requests(stream_name, rows, row_bytes, &report->bytes);
  report->rows = rows;
  const auto start = std::chrono::steady_clock::now();
  grpc::ClientContext context;
  const auto stream = stub.AppendRows(&context);
  std::thread writer([&] {
    for (const auto& request : requests) stream->Write(request);
    stream->WritesDone();
  });
  v1::AppendRowsResponse response;
  size_t acknowledged = 0;
  while (stream->Read(&response)) acknowledged += response.has_append_result() ? 1 : 0;
  writer.join();
  report->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (const grpc::Status status = stream->Finish(); !status.ok()) return Failed(status);
  return acknowledged == requests.size() ? 0 : 1;
}

int Read(v1::BigQueryRead::Stub& stub, const std::string& table, Report* report) {
  const auto start = std::chrono::steady_clock::now();
  grpc::ClientContext create_context;
  v1::CreateReadSessionRequest request;
  request.set_parent(table.substr(0, table.find("/datasets/")));
  request.mutable_read_session()->set_table(table);
  request.mutable_read_session()->set_data_format(v1::ARROW);
  request.set_max_stream_count(1);
  v1::ReadSession session;
  const grpc::Status created = stub.CreateReadSession(&create_context, request, &session);
  if (!created.ok()) return Failed(created);
  for (const auto& each : session.streams()) {
    grpc::ClientContext context;
    v1::ReadRowsRequest read;
    read.set_read_stream(each.name());
    const auto reader = stub.ReadRows(&context, read);
    v1::ReadRowsResponse response;
    while (reader->Read(&response)) {
      report->rows += response.row_count();
      report->bytes += static_cast<int64_t>(response.arrow_record_batch().serialized_record_batch().size());
    }
    if (const grpc::Status status = reader->Finish(); !status.ok()) return Failed(status);
  }
  report->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 3 ? argv[1] : "";
  if (command != "append" && command != "read") {
    fmt::print(stderr, "usage: localbq_client append PORT STREAM ROWS ROW_BYTES | read PORT TABLE\n");
    return 2;
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const auto channel = grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", argv[2]),
                                                 grpc::InsecureChannelCredentials(), arguments);
  Report report;
  int code = 0;
  if (command == "append") {
    const int64_t rows = argc > 4 ? std::atoll(argv[4]) : 1'000'000;
    const int64_t row_bytes = argc > 5 ? std::atoll(argv[5]) : 0;
    code = Append(*v1::BigQueryWrite::NewStub(channel), argv[3], rows, row_bytes, &report);
  } else {
    code = Read(*v1::BigQueryRead::NewStub(channel), argv[3], &report);
  }
  fmt::print("{{\"rows\":{},\"bytes\":{},\"seconds\":{:.6f}}}\n", report.rows, report.bytes, report.seconds);
  return code;
}
