#include "localbq/rest/anonymous.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/jobs.h"

namespace hakobu::localbq::rest {
namespace {

constexpr absl::Duration kLife = absl::Hours(24);
thread_local bool is_making = false;

std::string Digest(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

absl::Status Fill(Connection& connection, const Catalog::NewRows& to, const QueryRows& rows) {
  HAKOBU_ASSIGN_OR_RETURN(Appender appender, Appender::Open(connection, to.schema, to.table));
  for (const Chunk& chunk : rows.chunks) HAKOBU_RETURN_IF_ERROR(appender.Append(chunk));
  return appender.Close();
}

}  // namespace

TableId AnonymousTableOf(const Job& job) {
  return {job.project, "_" + Digest(job.project + "/" + job.user).substr(0, 40),
          "anon" + Digest(job.project + "/" + job.id)};
}

bool IsAnonymous(const TableId& id) {
  return id.dataset.starts_with('_') && id.table.starts_with("anon");
}

bool IsMakingAnonymousTable() {
  return is_making;
}

absl::Status MakeAnonymousTable(const Service& service, const TableId& id) {
  static absl::Mutex* const one_at_a_time = new absl::Mutex;
  const JobPtr job = service.jobs->FindByResult(id);
  const std::shared_ptr<const QueryRows> rows = job ? job->rows() : nullptr;
  if (!rows || rows->schema.empty()) return absl::OkStatus();
  absl::MutexLock lock(one_at_a_time);
  is_making = true;
  const absl::Cleanup done = [] { is_making = false; };
  if (service.catalog->GetTable(id).ok()) return absl::OkStatus();
  Dataset dataset;
  dataset.id = id.parent();
  dataset.access = nlohmann::json::array({{{"role", "OWNER"}, {"userByEmail", job->user}}})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const absl::Status made = service.catalog->CreateDataset(std::move(dataset)).status();
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  Table table;
  table.id = id;
  table.schema = rows->schema;
  table.expiration_ms = absl::ToUnixMillis(absl::Now() + kLife);
  return service.catalog
      ->ReplaceTable(
          std::move(table), Catalog::Replacement::kTable,
          [&](Connection& connection, const Catalog::NewRows& to) { return Fill(connection, to, *rows); })
      .status();
}

absl::Status DropAnonymousTable(const Service& service, const Job& job) {
  const absl::Status dropped = service.catalog->DeleteTable(AnonymousTableOf(job));
  return absl::IsNotFound(dropped) ? absl::OkStatus() : dropped;
}

}  // namespace hakobu::localbq::rest
