// How fast the local BigQuery takes rows over gRPC, client and server in one process on the same cores:
//   build/release/bench/localbq_storage [ROWS]
// Prints rows/s of appends to a PENDING stream (and its commit), to the default stream, and of CDC upserts.
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "google/cloud/bigquery/storage/v1/storage.grpc.pb.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/change_log.h"
#include "localbq/storage_api/storage_api.h"

namespace {

using namespace hakobu::localbq;  // NOLINT: a benchmark's main file
namespace v1 = google::cloud::bigquery::storage::v1;
using Field = google::protobuf::FieldDescriptorProto;

constexpr int64_t kRowsPerRequest = 20'000;

void PutVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}
void PutInteger(std::string* out, int field, int64_t value) {
  PutVarint(out, static_cast<uint64_t>(field) << 3);
  PutVarint(out, static_cast<uint64_t>(value));
}
void PutText(std::string* out, int field, std::string_view text) {
  PutVarint(out, static_cast<uint64_t>(field) << 3 | 2);
  PutVarint(out, text.size());
  out->append(text);
}

google::protobuf::DescriptorProto Descriptor(bool changes) {
  google::protobuf::DescriptorProto message;
  message.set_name("Row");
  const auto add = [&](const char* name, Field::Type type) {
    auto* field = message.add_field();
    field->set_name(name);
    field->set_number(message.field_size());
    field->set_type(type);
    field->set_label(Field::LABEL_OPTIONAL);
  };
  add("id", Field::TYPE_INT64);
  add("guest", Field::TYPE_STRING);
  add("amount", Field::TYPE_INT64);
  add("at", Field::TYPE_INT64);
  if (changes) add("_CHANGE_TYPE", Field::TYPE_STRING);
  if (changes) add("_CHANGE_SEQUENCE_NUMBER", Field::TYPE_STRING);
  return message;
}

std::vector<v1::AppendRowsRequest> Requests(const std::string& stream, int64_t rows, bool changes) {
  std::vector<v1::AppendRowsRequest> requests;
  for (int64_t at = 0; at < rows; at += kRowsPerRequest) {
    v1::AppendRowsRequest& request = requests.emplace_back();
    if (at == 0) {
      request.set_write_stream(stream);
      *request.mutable_proto_rows()->mutable_writer_schema()->mutable_proto_descriptor() =
          Descriptor(changes);
    }
    for (int64_t id = at; id < std::min(rows, at + kRowsPerRequest); ++id) {
      std::string* row = request.mutable_proto_rows()->mutable_rows()->add_serialized_rows();
      PutInteger(row, 1, id);
      PutText(row, 2, fmt::format("guest number {}", id));
      PutInteger(row, 3, id * 7);
      PutInteger(row, 4, 1'700'000'000'000'000 + id);
      if (changes) PutText(row, 5, "UPSERT");
      if (changes) PutText(row, 6, fmt::format("1/{:x}", id));
    }
  }
  return requests;
}

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Send(v1::BigQueryWrite::Stub& stub, const std::vector<v1::AppendRowsRequest>& requests) {
  grpc::ClientContext context;
  auto stream = stub.AppendRows(&context);
  std::thread writer([&] {
    for (const auto& request : requests) stream->Write(request);
    stream->WritesDone();
  });
  v1::AppendRowsResponse response;
  while (stream->Read(&response)) {
    if (response.has_error()) fmt::print("error: {}\n", response.error().message());
  }
  writer.join();
  if (const auto status = stream->Finish(); !status.ok()) fmt::print("error: {}\n", status.error_message());
}

void Report(const char* what, int64_t rows, double seconds) {
  fmt::print("{:<34} {:>9.0f} rows/s  {:.2f} s\n", what, static_cast<double>(rows) / seconds, seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 2'000'000;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("hakobu-bench-{}", ::getpid());
  {
    const double start = Seconds([&] {
      auto warehouse = *Warehouse::Open(folder);
      auto catalog = *Catalog::Open(warehouse.get());
      auto api = *StorageApi::Start(catalog.get(), {});
    });
    Report("start on a new folder", 1, start);
    auto warehouse = *Warehouse::Open(folder);
    auto catalog = *Catalog::Open(warehouse.get());
    auto api = *StorageApi::Start(catalog.get(), {});
    Dataset dataset;
    dataset.id = {"p", "d"};
    (void)catalog->CreateDataset(dataset);
    Table table;
    table.id = {"p", "d", "t"};
    const std::pair<const char*, Type> columns[] = {
        {"id", Type::kInt64}, {"guest", Type::kString}, {"amount", Type::kInt64}, {"at", Type::kTimestamp}};
    for (const auto& [name, type] : columns) {
      Column column;
      column.name = name;
      column.type = type;
      table.schema.push_back(column);
    }
    table.primary_key = {"id"};
    (void)catalog->CreateTable(table);
    grpc::ChannelArguments arguments;
    const auto channel = grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", api->port()),
                                                   grpc::InsecureChannelCredentials(), arguments);
    auto stub = v1::BigQueryWrite::NewStub(channel);
    const std::string parent = "projects/p/datasets/d/tables/t";
    grpc::ClientContext create, finalize, commit;
    v1::CreateWriteStreamRequest create_request;
    create_request.set_parent(parent);
    create_request.mutable_write_stream()->set_type(v1::WriteStream::PENDING);
    v1::WriteStream stream;
    (void)stub->CreateWriteStream(&create, create_request, &stream);
    auto requests = Requests(stream.name(), rows, false);
    Report("append, PENDING stream", rows, Seconds([&] { Send(*stub, requests); }));
    Report("finalize and commit", rows, Seconds([&] {
             v1::FinalizeWriteStreamRequest finalize_request;
             finalize_request.set_name(stream.name());
             v1::FinalizeWriteStreamResponse finalized;
             (void)stub->FinalizeWriteStream(&finalize, finalize_request, &finalized);
             v1::BatchCommitWriteStreamsRequest commit_request;
             commit_request.set_parent(parent);
             commit_request.add_write_streams(stream.name());
             v1::BatchCommitWriteStreamsResponse committed;
             (void)stub->BatchCommitWriteStreams(&commit, commit_request, &committed);
           }));
    requests = Requests(parent + "/streams/_default", rows, true);
    Report("CDC upserts of the same keys", rows, Seconds([&] { Send(*stub, requests); }));
    Report("merge of what is left", rows, Seconds([&] {
             const auto status = api->changes().Apply(**catalog->GetTable(table.id));
             if (!status.ok()) fmt::print("error: {}\n", status.ToString());
           }));
    Table plain = table;
    plain.id.table = "plain";
    plain.primary_key.clear();
    (void)catalog->CreateTable(plain);
    requests = Requests("projects/p/datasets/d/tables/plain/streams/_default", rows, false);
    Report("append, default stream", rows, Seconds([&] { Send(*stub, requests); }));
  }
  std::filesystem::remove_all(folder);
  return 0;
}
