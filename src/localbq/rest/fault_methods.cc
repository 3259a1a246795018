#include "localbq/rest/fault_methods.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/faults.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

// Where a call goes: in its path, or for what is made by POST in its body.
TableId PlaceOf(const Request& request) {
  TableId place;
  const auto part = [&](size_t index) {
    return index < request.segments.size() ? request.segments[index] : std::string();
  };
  place.project = part(1);
  if (part(2) == "datasets") place.dataset = part(3);
  if (part(4) == "tables") place.table = part(5);
  if (request.method != "POST" || !place.table.empty() || request.body.empty()) return place;
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  const auto from = [&](const json& reference) {
    if (place.dataset.empty()) place.dataset = Text(reference, "datasetId");
    if (place.table.empty()) place.table = Text(reference, "tableId");
  };
  from(Child(body, "datasetReference"));
  from(Child(body, "tableReference"));
  for (const char* kind : {"load", "copy", "query"}) {
    from(Child(Child(Child(body, "configuration"), kind), "destinationTable"));
  }
  return place;
}

bool IsPartitioned(const Service& service, const TableId& id) {
  if (!service.faults->quotas().is_on() || id.table.empty()) return false;
  const auto table = service.catalog->GetTable(id);
  return table.ok() && ((*table)->time_partitioning || (*table)->range_partitioning);
}

}  // namespace

Reply ReplyWithFaults(Service& service, std::string_view method, const Request& request,
                      absl::FunctionRef<Reply()> handle) {
  Faults& faults = *service.faults;
  const TableId place = PlaceOf(request);
  const Call call{method, place.project, place.dataset, place.table, request.identity};
  const std::string owner = fmt::format("{}/{}", place.project, request.identity);
  if (const absl::Status held = faults.quotas().Hold("api", owner); !held.ok()) return ErrorReply(held);
  const absl::Cleanup release = [&] { faults.quotas().Release("api", owner); };
  if (const absl::Status charged = faults.quotas().Charge(call, IsPartitioned(service, place));
      !charged.ok()) {
    return ErrorReply(charged);
  }

  const Effect effect = faults.Decide(call);
  faults.Delay(effect.delay);
  Reply dropped;
  dropped.is_dropped = true;
  if (effect.Is(Effect::End::kError, false)) return ErrorReply(WithReason(effect.error, effect.reason));
  if (effect.Is(Effect::End::kDrop, false)) return dropped;
  Reply reply = handle();
  if (effect.end == Effect::End::kError) return ErrorReply(WithReason(effect.error, effect.reason));
  if (effect.end == Effect::End::kDrop) return dropped;
  if (effect.end == Effect::End::kTruncate) {
    const auto whole = static_cast<int64_t>(reply.body.size());
    reply.truncated_at = effect.bytes < 0 ? whole / 2 : effect.bytes;
  }
  return reply;
}

absl::StatusOr<Reply> DescribeFaults(Service& service, const Request&) {
  Reply reply;
  reply.body = service.faults->Describe();
  return reply;
}

absl::StatusOr<Reply> AddFaults(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(FaultPlan plan, ReadFaultPlan(request.body, "request"));
  service.faults->Add(std::move(plan));
  return DescribeFaults(service, request);
}

absl::StatusOr<Reply> RemoveFaults(Service& service, const Request& request) {
  if (request.segments.empty()) {
    service.faults->Clear();
  } else if (!service.faults->Remove(ParseInteger(request.segments[0], 0))) {
    return absl::NotFoundError(fmt::format("Not found: fault {}", request.segments[0]));
  }
  return DescribeFaults(service, request);
}

}  // namespace hakobu::localbq::rest
