#include "localbq/storage_api/read_service.h"

#include <fmt/format.h>

#include "base/status.h"
#include "localbq/auth/row_filter.h"
#include "localbq/storage_api/arrow_ipc.h"
#include "localbq/storage_api/arrow_writer.h"
#include "localbq/storage_api/avro_writer.h"
#include "localbq/storage_api/caller.h"
#include "localbq/storage_api/resource_name.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

namespace v1 = google::cloud::bigquery::storage::v1;

// About as much as Google puts into one answer, which may have up to 128 MB.
constexpr size_t kResponseBytes = size_t{1} << 20;

// Gathers chunks into answers of one format and sends them.
class Sender {
 public:
  Sender(const ReadSessionPlan& session, int64_t stream_rows, int64_t offset, Faults* faults,
         grpc::ServerWriter<v1::ReadRowsResponse>* writer)
      : faults_(faults),
        session_(session),
        arrow_(session.schema),
        stream_rows_(stream_rows),
        sent_(offset),
        writer_(writer) {}

  bool Add(const Chunk& chunk) {
    if (session_.is_avro) {
      AppendAvroRows(session_.schema, chunk, &avro_);
    } else {
      arrow_.Append(chunk);
    }
    waiting_ += static_cast<int64_t>(chunk.rows());
    return (session_.is_avro ? avro_.size() : arrow_.bytes()) < kResponseBytes || Send();
  }
  // What a fault ends the call with.
  const absl::Status& failure() const { return failure_; }
  bool Send() {
    if (waiting_ == 0) return true;
    if (faults_->is_active() && !PassFaults()) return false;
    v1::ReadRowsResponse response;
    if (session_.is_avro) {
      response.set_uncompressed_byte_size(static_cast<int64_t>(avro_.size()));
      response.mutable_avro_rows()->set_serialized_binary_rows(std::move(avro_));
      avro_.clear();
    } else {
      *response.mutable_arrow_record_batch()->mutable_serialized_record_batch() = arrow_.Finish();
      response.set_uncompressed_byte_size(
          static_cast<int64_t>(response.arrow_record_batch().serialized_record_batch().size()));
    }
    response.set_row_count(waiting_);
    auto* progress = response.mutable_stats()->mutable_progress();
    progress->set_at_response_start(Share());
    sent_ += waiting_;
    waiting_ = 0;
    progress->set_at_response_end(Share());
    if (is_first_ && session_.is_avro)
      response.mutable_avro_schema()->set_schema(AvroSchemaOf(session_.schema));
    if (is_first_ && !session_.is_avro) {
      response.mutable_arrow_schema()->set_serialized_schema(
          SerializeArrowSchema(ArrowFieldsOf(session_.schema)));
    }
    is_first_ = false;
    return writer_->Write(response);
  }

 private:
  // Each answer of a stream is one call to the rules.
  bool PassFaults() {
    const TableId& table = session_.table;
    const Effect effect = faults_->Decide({"ReadRows", table.project, table.dataset, table.table, ""});
    faults_->Delay(effect.delay);
    if (effect.end == Effect::End::kNone) return true;
    failure_ = effect.end == Effect::End::kError ? effect.error : absl::UnavailableError("Socket closed");
    return false;
  }
  double Share() const {
    return stream_rows_ == 0 ? 1 : static_cast<double>(sent_) / static_cast<double>(stream_rows_);
  }

  Faults* const faults_;
  absl::Status failure_;
  const ReadSessionPlan& session_;
  ArrowWriter arrow_;
  std::string avro_;
  const int64_t stream_rows_;
  int64_t sent_, waiting_ = 0;
  bool is_first_ = true;
  grpc::ServerWriter<v1::ReadRowsResponse>* const writer_;
};

absl::Status Describe(const ReadSessionPlan& session, const v1::CreateReadSessionRequest& request,
                      v1::ReadSession* response) {
  response->set_name(session.name);
  response->set_table(request.read_session().table());
  response->set_data_format(request.read_session().data_format());
  *response->mutable_read_options() = request.read_session().read_options();
  response->mutable_expire_time()->set_seconds(session.expires_us / 1'000'000);
  response->set_estimated_row_count(session.rows);
  response->set_trace_id(request.read_session().trace_id());
  if (session.is_avro) {
    response->mutable_avro_schema()->set_schema(AvroSchemaOf(session.schema));
  } else {
    response->mutable_arrow_schema()->set_serialized_schema(
        SerializeArrowSchema(ArrowFieldsOf(session.schema)));
  }
  for (const ReadStreamPlan& stream : session.streams) response->add_streams()->set_name(stream.name);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadService::Admit(const grpc::ServerContext& context, std::string_view parent,
                                ReadRequest* read) const {
  if (authority_ == nullptr) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(read->member, CallerOf(authority_, context, StorageUse::kRead));
  constexpr std::string_view kPrefix = "projects/";
  const std::string_view project = parent.starts_with(kPrefix) ? parent.substr(kPrefix.size()) : parent;
  HAKOBU_RETURN_IF_ERROR(CheckMayRead(authority_, read->member, project, read->table));
  const absl::StatusOr<TablePtr> table = catalog_->GetTable(read->table);
  if (!table.ok()) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(read->row_condition, auth::RowCondition(*authority_, read->member, **table));
  return absl::OkStatus();
}

absl::StatusOr<ReadSessionPtr> ReadService::FindOwn(const grpc::ServerContext& context,
                                                    const std::string& stream, ReadStreamPlan* plan) const {
  HAKOBU_ASSIGN_OR_RETURN(const std::string caller, CallerOf(authority_, context, StorageUse::kRead));
  HAKOBU_ASSIGN_OR_RETURN(ReadSessionPtr session, sessions_->FindByStream(stream, plan));
  if (session->member == caller) return session;
  return absl::PermissionDeniedError(fmt::format(
      "there was an error operating on '{0}': the user does not have 'bigquery.readsessions.getData' "
      "permission for '{0}'",
      stream));
}

grpc::Status ReadService::CreateReadSession(grpc::ServerContext* context,
                                            const v1::CreateReadSessionRequest* request,
                                            v1::ReadSession* response) {
  const auto create = [&]() -> absl::Status {
    const v1::ReadSession& wanted = request->read_session();
    const auto table = ParseTablePath(wanted.table());
    if (!table) return absl::InvalidArgumentError(fmt::format("Invalid table name '{}'", wanted.table()));
    if (wanted.data_format() != v1::AVRO && wanted.data_format() != v1::ARROW) {
      return absl::InvalidArgumentError("request failed: data_format must be AVRO or ARROW");
    }
    const auto& options = wanted.read_options();
    const bool compresses = options.arrow_serialization_options().buffer_compression() !=
                                v1::ArrowSerializationOptions::COMPRESSION_UNSPECIFIED ||
                            options.response_compression_codec() !=
                                v1::ReadSession::TableReadOptions::RESPONSE_COMPRESSION_CODEC_UNSPECIFIED;
    if (compresses) return absl::UnimplementedError("The local BigQuery does not compress what it answers.");
    if (options.has_sample_percentage()) {
      return absl::UnimplementedError(
          "The local BigQuery does not sample: sample_percentage is not supported.");
    }
    if (wanted.table_modifiers().has_snapshot_time()) {
      return absl::UnimplementedError(
          "The local BigQuery has no time travel: snapshot_time is not supported.");
    }
    ReadRequest read;
    read.table = *table;
    read.is_avro = wanted.data_format() == v1::AVRO;
    read.selected_fields.assign(options.selected_fields().begin(), options.selected_fields().end());
    read.row_restriction = options.row_restriction();
    read.max_streams = request->max_stream_count();
    read.min_streams = request->preferred_min_stream_count();
    HAKOBU_RETURN_IF_ERROR(Admit(*context, request->parent(), &read));
    HAKOBU_ASSIGN_OR_RETURN(const ReadSessionPtr session, sessions_->Create(read));
    return Describe(*session, *request, response);
  };
  const TableId table = ParseTablePath(request->read_session().table()).value_or(TableId());
  return ToGrpcStatus(
      RunWithFaults(*faults_, {"CreateReadSession", table.project, table.dataset, table.table, ""}, create));
}

grpc::Status ReadService::ReadRows(grpc::ServerContext* context, const v1::ReadRowsRequest* request,
                                   grpc::ServerWriter<v1::ReadRowsResponse>* writer) {
  const auto read = [&]() -> absl::Status {
    ReadStreamPlan stream;
    HAKOBU_ASSIGN_OR_RETURN(const ReadSessionPtr session, FindOwn(*context, request->read_stream(), &stream));
    Sender sender(*session, stream.rows, request->offset(), faults_, writer);
    const absl::Status status = sessions_->Read(*session, stream, request->offset(), [&](const Chunk& chunk) {
      return !context->IsCancelled() && sender.Add(chunk);
    });
    if (!status.ok()) return status;
    if (sender.failure().ok()) sender.Send();
    return sender.failure();
  };
  return ToGrpcStatus(read());
}

grpc::Status ReadService::SplitReadStream(grpc::ServerContext* context,
                                          const v1::SplitReadStreamRequest* request,
                                          v1::SplitReadStreamResponse*) {
  ReadStreamPlan stream;
  return ToGrpcStatus(FindOwn(*context, request->name(), &stream).status());
}

}  // namespace hakobu::localbq
