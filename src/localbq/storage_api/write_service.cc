#include "localbq/storage_api/write_service.h"

#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/storage_api/caller.h"
#include "localbq/storage_api/storage_error.h"
#include "localbq/storage_api/table_schema.h"
#include "localbq/storage_api/table_watch.h"

namespace hakobu::localbq {
namespace {

namespace v1 = google::cloud::bigquery::storage::v1;

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
}

absl::Status BadName(std::string_view what, std::string_view name) {
  return absl::InvalidArgumentError(fmt::format("Invalid {} name '{}'", what, name));
}

// The caller may write the table. Asked before the table is looked up.
absl::Status Admit(const AppendServices& services, const grpc::ServerContext& context, const TableId& table) {
  if (services.authority == nullptr) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const std::string caller,
                          CallerOf(services.authority, context, StorageUse::kWrite));
  return CheckMayAppend(services.authority, caller, table);
}

absl::Status AdmitToStream(const AppendServices& services, const grpc::ServerContext& context,
                           std::string_view stream) {
  const auto path = ParseStreamPath(stream);
  return Admit(services, context, path ? path->table : TableId{});
}

absl::Status NotOnDefault(std::string_view call, std::string_view name) {
  if (call == "FinalizeWriteStream") {
    return StorageStatus(absl::StatusCode::kNotFound, StorageErrorCode::kStreamNotFound,
                         "Requested entity was not found.", name);
  }
  return StorageStatus(absl::StatusCode::kInvalidArgument, StorageErrorCode::kInvalidStreamType,
                       fmt::format("{} is not supported on the default stream.", call), name);
}

// Google's names of streams say what they are, and one that was made up is told at once.
bool IsMadeUp(const StreamName& name) {
  return !name.is_default() && !(name.stream.size() == 40 && name.stream.starts_with("Ci"));
}

absl::StatusOr<WriteStreamPtr> FindExplicit(const AppendServices& services, std::string_view call,
                                            std::string_view name) {
  const auto path = ParseStreamPath(name);
  if (!path) return BadName("write stream", name);
  if (path->is_default()) return NotOnDefault(call, name);
  return services.streams->Find(name);
}

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* WriteService::AppendRows(
    grpc::CallbackServerContext* context) {
  return NewAppendReactor(CallerOf(services_.authority, *context, StorageUse::kWrite), services_,
                          idle_close_ms_, &connections_);
}

// `path`: a table's or a stream's.
absl::Status WriteService::Faulted(std::string_view method, std::string_view path,
                                   absl::FunctionRef<absl::Status()> work) {
  TableId table;
  if (const auto stream = ParseStreamPath(path)) table = stream->table;
  if (const auto named = ParseTablePath(path)) table = *named;
  return RunWithFaults(*services_.faults, {method, table.project, table.dataset, table.table, ""}, work);
}

absl::Status WriteService::Describe(const WriteStreamPtr& stream, const TableId& id, bool full,
                                    v1::WriteStream* response) {
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, FindWriteTable(*services_.catalog, *services_.faults, id,
                                                               "GetWriteStream", TablePath(id)));
  if (full) ToTableSchema(table->schema, response->mutable_table_schema());
  if (stream == nullptr) {
    response->set_name(StreamPath(id, kDefaultStream));
    response->set_type(v1::WriteStream::COMMITTED);
    SetTime(table->created_ms * 1000, response->mutable_create_time());
    return absl::OkStatus();
  }
  response->set_name(stream->name);
  response->set_type(static_cast<v1::WriteStream::Type>(stream->type));
  SetTime(stream->created_us, response->mutable_create_time());
  absl::MutexLock lock(&stream->mutex);
  if (stream->type == StreamType::kCommitted) SetTime(stream->created_us, response->mutable_commit_time());
  if (stream->committed_us != 0) SetTime(stream->committed_us, response->mutable_commit_time());
  return absl::OkStatus();
}

grpc::Status WriteService::CreateWriteStream(grpc::ServerContext* context,
                                             const v1::CreateWriteStreamRequest* request,
                                             v1::WriteStream* response) {
  const auto create = [&]() -> absl::Status {
    const auto id = ParseTablePath(request->parent());
    if (!id) return BadName("table", request->parent());
    HAKOBU_RETURN_IF_ERROR(Admit(services_, *context, *id));
    HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, FindWriteTable(*services_.catalog, *services_.faults, *id,
                                                                 "CreateWriteStream", request->parent()));
    if (table->type != TableType::kTable) {
      return absl::InvalidArgumentError(
          fmt::format("Cannot write to {}: it is not a table.", DisplayName(*id)));
    }
    const auto type = request->write_stream().type();
    if (type != v1::WriteStream::COMMITTED && type != v1::WriteStream::PENDING &&
        type != v1::WriteStream::BUFFERED) {
      return StorageStatus(absl::StatusCode::kInvalidArgument, StorageErrorCode::kInvalidStreamType,
                           "The write stream's type must be COMMITTED, PENDING or BUFFERED.",
                           request->parent());
    }
    HAKOBU_ASSIGN_OR_RETURN(const WriteStreamPtr stream,
                            services_.streams->Create(*id, static_cast<StreamType>(type)));
    return Describe(stream, *id, /*full=*/true, response);
  };
  return ToGrpcStatus(Faulted("CreateWriteStream", request->parent(), create));
}

grpc::Status WriteService::GetWriteStream(grpc::ServerContext* context,
                                          const v1::GetWriteStreamRequest* request,
                                          v1::WriteStream* response) {
  const auto get = [&]() -> absl::Status {
    const auto path = ParseStreamPath(request->name());
    if (!path) return BadName("write stream", request->name());
    HAKOBU_RETURN_IF_ERROR(Admit(services_, *context, path->table));
    WriteStreamPtr stream;
    if (IsMadeUp(*path)) {
      return WithEntity(absl::InvalidArgumentError("Invalid stream name."), request->name());
    }
    if (!path->is_default()) {
      HAKOBU_ASSIGN_OR_RETURN(stream, services_.streams->Find(request->name()));
    }
    // CreateWriteStream does not say where it is, only this.
    if (const auto dataset = services_.catalog->GetDataset(path->table.parent()); dataset.ok()) {
      response->set_location(absl::AsciiStrToLower((*dataset)->location));
    }
    return Describe(stream, path->table, request->view() == v1::FULL, response);
  };
  return ToGrpcStatus(Faulted("GetWriteStream", request->name(), get));
}

grpc::Status WriteService::FinalizeWriteStream(grpc::ServerContext* context,
                                               const v1::FinalizeWriteStreamRequest* request,
                                               v1::FinalizeWriteStreamResponse* response) {
  const auto finalize = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(AdmitToStream(services_, *context, request->name()));
    HAKOBU_ASSIGN_OR_RETURN(const WriteStreamPtr stream,
                            FindExplicit(services_, "FinalizeWriteStream", request->name()));
    HAKOBU_ASSIGN_OR_RETURN(const int64_t rows, services_.streams->Finalize(*stream));
    response->set_row_count(rows);
    return absl::OkStatus();
  };
  return ToGrpcStatus(Faulted("FinalizeWriteStream", request->name(), finalize));
}

grpc::Status WriteService::BatchCommitWriteStreams(grpc::ServerContext* context,
                                                   const v1::BatchCommitWriteStreamsRequest* request,
                                                   v1::BatchCommitWriteStreamsResponse* response) {
  const auto commit = [&]() -> absl::Status {
    const auto id = ParseTablePath(request->parent());
    if (!id) return BadName("table", request->parent());
    HAKOBU_RETURN_IF_ERROR(Admit(services_, *context, *id));
    HAKOBU_RETURN_IF_ERROR(FindWriteTable(*services_.catalog, *services_.faults, *id,
                                          "BatchCommitWriteStreams", request->parent())
                               .status());
    HAKOBU_ASSIGN_OR_RETURN(
        const WriteStreams::CommitResult result,
        services_.streams->Commit(*id, {request->write_streams().begin(), request->write_streams().end()}));
    for (const absl::Status& status : result.stream_errors) {
      auto* error = response->add_stream_errors();
      error->set_code(static_cast<v1::StorageError::StorageErrorCode>(StorageCodeOf(status)));
      const std::string_view message = View(status.message());
      error->set_error_message(std::string(message));
      if (const size_t mark = message.rfind(" Entity: "); mark != std::string_view::npos) {
        error->set_entity(std::string(message.substr(mark + 9)));
      }
    }
    if (result.stream_errors.empty()) SetTime(result.committed_us, response->mutable_commit_time());
    return absl::OkStatus();
  };
  return ToGrpcStatus(Faulted("BatchCommitWriteStreams", request->parent(), commit));
}

grpc::Status WriteService::FlushRows(grpc::ServerContext* context, const v1::FlushRowsRequest* request,
                                     v1::FlushRowsResponse* response) {
  const auto flush = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(AdmitToStream(services_, *context, request->write_stream()));
    HAKOBU_ASSIGN_OR_RETURN(const WriteStreamPtr stream,
                            FindExplicit(services_, "FlushRows", request->write_stream()));
    HAKOBU_RETURN_IF_ERROR(FindWriteTable(*services_.catalog, *services_.faults, stream->table, "FlushRows",
                                          request->write_stream())
                               .status());
    if (!request->has_offset()) return absl::InvalidArgumentError("FlushRows requires an offset.");
    HAKOBU_ASSIGN_OR_RETURN(const int64_t flushed,
                            services_.streams->Flush(*stream, request->offset().value()));
    response->set_offset(flushed);
    return absl::OkStatus();
  };
  return ToGrpcStatus(Faulted("FlushRows", request->write_stream(), flush));
}

}  // namespace hakobu::localbq
