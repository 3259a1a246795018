// Two patches with the same If-Match, of a dataset and of a table: the whole answer to the second.
#include <fmt/format.h>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

absl::StatusOr<std::string> SecondAnswer(ProbeSite& site, const std::string& path, const std::string& etag) {
  std::string last;
  for (const char* body : {R"({"description":"first"})", R"({"description":"second"})"}) {
    HttpRequest request;
    request.method = "PATCH";
    request.url = site.rest().options().endpoint.rest + "/bigquery/v2" + path;
    request.headers = {"Content-Type: application/json; charset=UTF-8", "If-Match: " + etag};
    request.body = body;
    HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response, site.rest().Send(std::move(request)));
    last = fmt::format("{} {}", response.status, response.body);
  }
  return last;
}

ProbeAnswer PreconditionAnswer(const char* question, const std::string& seen) {
  ProbeAnswer answer{.question = question, .seen = seen};
  answer.answer = seen.substr(0, seen.find(' '));
  answer.meaning =
      answer.answer == "412" ? "a stale etag is refused" : "a stale etag is not refused with 412";
  answer.taken = "access lists and schemas are written under If-Match, and read again after 412";
  return answer;
}

}  // namespace

ProbeAnswers ProbePreconditions(ProbeSite& site) {
  const DatasetName& dataset = site.plan().scratch;
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("etags", R"([{"name":"id","type":"INTEGER"}])"));
  HAKOBU_ASSIGN_OR_RETURN(const Resource dataset_now, GetDataset(site.rest(), dataset));
  HAKOBU_ASSIGN_OR_RETURN(const Resource table_now, GetTable(site.rest(), table));
  HAKOBU_ASSIGN_OR_RETURN(
      const std::string of_dataset,
      SecondAnswer(site, ResourcePath({"projects", dataset.project, "datasets", dataset.dataset}),
                   dataset_now.etag));
  HAKOBU_ASSIGN_OR_RETURN(const std::string of_table,
                          SecondAnswer(site,
                                       ResourcePath({"projects", dataset.project, "datasets", dataset.dataset,
                                                     "tables", table.table}),
                                       table_now.etag));
  return std::vector<ProbeAnswer>{PreconditionAnswer("stale_dataset_etag", of_dataset),
                                  PreconditionAnswer("stale_table_etag", of_table)};
}

}  // namespace hakobu
