#include "destination/trial.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/match.h"
#include "base/status.h"
#include "destination/jobs.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"

namespace hakobu {
namespace {

constexpr absl::Duration kScratchLife = absl::Hours(1);
// The table was made a moment ago, so a denial may be the window after that, which passed at the third try at
// the latest [flink-connector-gcp ADR 0030]; a missing permission looks the same, and somebody waits for the
// answer.
constexpr absl::Duration kDeniedPatience = absl::Seconds(15);

std::string RandomWord() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

class Trials {
 public:
  Trials(Rest& rest, StorageWrite& storage, const TrialPlan& plan)
      : rest_(rest), storage_(storage), plan_(plan) {
    const std::string name = "_hakobu_check_" + RandomWord();
    scratch_ = {plan.dataset.project, plan.dataset.dataset, name};
    copy_ = {plan.dataset.project, plan.dataset.dataset, name + "_copy"};
  }

  std::vector<TrialStep> Run() {
    if (Needs(Use::kNightly) || Needs(Use::kStream)) {
      Step("list the dataset's tables", "bigquery.tables.list",
           [&] { return ListTables(rest_, plan_.dataset).status(); });
    }
    if (!Step("create a table", "bigquery.tables.create", [&] { return Create(); })) return std::move(steps_);
    Step("look at a table", "bigquery.tables.get", [&] { return GetTable(rest_, scratch_).status(); });
    if (Needs(Use::kNightly)) TryNightly();
    // What a load was refused for want of is missing for appends too.
    if (may_write_ && (plan_.appends || Needs(Use::kStream))) {
      Step("append rows (Storage Write API)", "bigquery.tables.updateData", [&] { return Append(); });
    }
    Step("query a table", "bigquery.tables.getData", [&] { return Query(); });
    if (Needs(Use::kNightly) || Needs(Use::kStream)) {
      Step("change a table", "bigquery.tables.update",
           [&] { return PatchTable(rest_, scratch_, R"({"description":"made by hakobu check"})").status(); });
    }
    if (Needs(Use::kNightly) || Needs(Use::kGrants)) {
      // Without it a run must take it that there are some, and put tables in place by MERGE.
      Step(
          "list row access policies", "bigquery.rowAccessPolicies.list",
          [&] { return ListRowPolicies(rest_, scratch_).status(); }, Needs(Use::kGrants));
    }
    if (Needs(Use::kGrants)) TryGrants();
    Delete();
    return std::move(steps_);
  }

 private:
  bool Needs(Use use) const { return (plan_.uses & static_cast<uint8_t>(use)) != 0; }

  template <typename Call>
  bool Step(std::string call, std::string_view permission, Call&& try_call, bool needed = true) {
    const bool job = permission == "bigquery.jobs.create";
    std::string place = job ? "project " + plan_.billing_project : "dataset " + plan_.dataset.ToString();
    const absl::Status status = ExplainRefusal(try_call(), permission, place);
    steps_.push_back({std::move(call), std::string(permission), std::move(place), needed, status});
    return status.ok();
  }

  absl::Status Create() {
    const absl::Time expires = rest_.options().context.clock->Now() + kScratchLife;
    nlohmann::json table = {{"expirationTime", fmt::to_string(absl::ToUnixMillis(expires))},
                            {"description", "made and removed by hakobu check"},
                            {"schema", {{"fields", {{{"name", "n"}, {"type", "INTEGER"}}}}}}};
    if (!plan_.kms_key.empty()) table["encryptionConfiguration"]["kmsKeyName"] = plan_.kms_key;
    return CreateTable(rest_, scratch_, table.dump()).status();
  }

  void TryNightly() {
    Step("run a job", "bigquery.jobs.create", [&] {
      QuerySpec query;
      query.project = plan_.billing_project;
      query.location = plan_.location;
      query.sql = "SELECT 1";
      return DryRunQuery(rest_, query).status();
    });
    const bool loaded = Step("load rows into a table", "bigquery.tables.updateData", [&] { return Load(); });
    may_write_ = loaded || !absl::IsPermissionDenied(steps_.back().status);
    Step("copy a table", "bigquery.tables.create", [&] {
      return RunJob(rest_, Job("check_copy"),
                    CopyConfiguration({scratch_}, copy_, WriteDisposition::kTruncate))
          .status();
    });
  }

  absl::Status Load() {
    LoadSettings load;
    load.target = scratch_;
    load.format = "NEWLINE_DELIMITED_JSON";
    load.disposition = WriteDisposition::kTruncateData;
    load.create = false;
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LoadUpload> upload,
                            LoadUpload::Start(rest_, Job("check_load"), LoadConfiguration(load)));
    HAKOBU_RETURN_IF_ERROR(upload->Write("{\"n\":1}\n"));
    HAKOBU_ASSIGN_OR_RETURN(const hakobu::Job job, upload->Finish());
    return WaitForJob(rest_, job.name).status();
  }

  absl::Status Append() {
    google::protobuf::DescriptorProto descriptor;
    descriptor.set_name("Row");
    google::protobuf::FieldDescriptorProto* field = descriptor.add_field();
    field->set_name("n");
    field->set_number(1);
    field->set_type(google::protobuf::FieldDescriptorProto::TYPE_INT64);
    field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    google::cloud::bigquery::storage::v1::ProtoRows rows;
    rows.add_serialized_rows("\x08\x02");  // n: 2
    HAKOBU_ASSIGN_OR_RETURN(const StreamFacts stream,
                            storage_.CreateStream(scratch_, StreamType::kCommitted, kDeniedPatience));
    AppendTarget target;
    target.stream = stream.name;
    target.descriptor = descriptor.SerializeAsString();
    AppendOptions options;
    options.table_patience = kDeniedPatience;
    WriteStream writer(storage_, std::move(target), options);
    HAKOBU_RETURN_IF_ERROR(writer.Append(OwnedRows(rows.SerializeAsString(), 1)));
    return writer.Flush();
  }

  absl::Status Query() {
    QuerySpec query;
    query.project = plan_.billing_project;
    query.location = plan_.location;
    query.sql = fmt::format("SELECT COUNT(*) FROM {}", scratch_.Quoted());
    return RunQuery(rest_, query).status();
  }

  void TryGrants() {
    std::string policy;
    const bool read = Step("read a table's IAM policy", "bigquery.tables.getIamPolicy", [&] {
      absl::StatusOr<std::string> found = GetTablePolicy(rest_, scratch_);
      if (found.ok()) policy = *std::move(found);
      return found.status();
    });
    if (read) {
      Step("write a table's IAM policy", "bigquery.tables.setIamPolicy",
           [&] { return SetTablePolicy(rest_, scratch_, policy).status(); });
    }
    const auto ddl = [&](const std::string& sql) {
      QuerySpec query;
      query.project = plan_.billing_project;
      query.location = plan_.location;
      query.sql = sql;
      return RunQuery(rest_, query).status();
    };
    const bool made = Step("create a row access policy", "bigquery.rowAccessPolicies.create", [&] {
      return ddl(
          fmt::format("CREATE ROW ACCESS POLICY hakobu_check ON {} FILTER USING (TRUE)", scratch_.Quoted()));
    });
    if (made) {
      Step("delete a row access policy", "bigquery.rowAccessPolicies.delete",
           [&] { return ddl(fmt::format("DROP ALL ROW ACCESS POLICIES ON {}", scratch_.Quoted())); });
    }
  }

  void Delete() {
    Step("delete a table", "bigquery.tables.delete", [&]() -> absl::Status {
      HAKOBU_RETURN_IF_ERROR(DeleteTable(rest_, copy_));
      return DeleteTable(rest_, scratch_);
    });
  }

  JobName Job(std::string_view kind) const {
    return {plan_.billing_project, MakeJobId(kind, {scratch_.table}), plan_.location};
  }

  Rest& rest_;
  StorageWrite& storage_;
  const TrialPlan& plan_;
  TableName scratch_, copy_;
  bool may_write_ = true;
  std::vector<TrialStep> steps_;
};

}  // namespace

absl::Status ExplainRefusal(const absl::Status& status, std::string_view permission, std::string_view place) {
  if (!absl::IsPermissionDenied(status)) return status;
  const std::string_view message = View(status.message());
  // The service often names the permission itself; its word beats ours.
  for (const PermissionNeed& need : PermissionNeeds()) {
    if (message.find(std::string(need.permission) + " denied") != std::string_view::npos) {
      permission = need.permission;
    }
  }
  const std::string_view role = RoleWith(permission);
  absl::Status plain(status.code(), View(message.substr(0, message.find("; hint: "))));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { plain.SetPayload(url, payload); });
  return WithHint(plain,
                  fmt::format("{} on {} is missing: {} has it, and `hakobu init --roles` prints roles with "
                              "nothing more than is needed",
                              permission, place, role.empty() ? "no predefined role that we know" : role));
}

std::vector<TrialStep> TryCalls(Rest& rest, StorageWrite& storage, const TrialPlan& plan) {
  return Trials(rest, storage, plan).Run();
}

}  // namespace hakobu
