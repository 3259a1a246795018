#include "destination/probe/experiments.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr Experiment kExperiments[] = {
    {"fresh_copies", "does a copy job have the rows that were just streamed?", ProbeFreshCopies},
    {"truncate_data", "what does WRITE_TRUNCATE_DATA keep of what hangs on a table?", ProbeTruncateData},
    {"open_writers", "which ways of replacing a table's rows lose what is streamed afterwards?",
     ProbeOpenWriters},
    {"load_then_changes", "do streamed changes replace rows that a load brought?", ProbeLoadThenChanges},
    {"preconditions", "what does a stale If-Match answer?", ProbePreconditions},
    {"avro_texts", "which types take a text of an Avro file?", ProbeAvroTexts},
    {"old_streams", "what becomes of write streams that are left alone?", ProbeOldStreams},
    {"lost_upload", "what does an upload say whose last answer was lost?", ProbeLostUpload},
    {"partitions", "do rows streamed before a partition is overwritten survive it?", ProbePartitions},
    {"dropped_key", "what do streamed changes meet whose table lost its key?", ProbeDroppedKey},
    {"access_entries", "how many entries may a dataset's access list have?", ProbeAccessEntries},
    {"new_tables", "which calls are denied for a table that was just made?", ProbeNewTables},
    {"hidden_access", "is the access list shown to who may not read it?", ProbeHiddenAccess},
};

}  // namespace

std::span<const Experiment> Experiments() {
  return kExperiments;
}

absl::Status RunExperiments(Rest& rest, StorageWrite& storage, const ProbePlan& plan,
                            const std::vector<std::string>& names,
                            const std::function<absl::Status(const ProbeOutcome&)>& done) {
  for (const std::string& name : names) {
    if (std::ranges::find(kExperiments, name, &Experiment::name) != std::end(kExperiments)) continue;
    std::vector<std::string_view> known;
    for (const Experiment& experiment : kExperiments) known.push_back(experiment.name);
    return WithHint(
        absl::InvalidArgumentError(fmt::format("expected the name of an experiment, found `{}`", name)),
        fmt::format("there are {}", fmt::join(known, ", ")));
  }
  ProbeSite site(rest, storage, plan);
  const Cancellation* cancel = rest.options().context.cancellation;
  for (const Experiment& experiment : kExperiments) {
    if (!names.empty() && std::ranges::find(names, experiment.name) == names.end()) continue;
    if (cancel != nullptr) HAKOBU_RETURN_IF_ERROR(cancel->Check());
    ProbeOutcome outcome{std::string(experiment.name), {}};
    ProbeAnswers answers = experiment.run(site);
    if (cancel != nullptr) HAKOBU_RETURN_IF_ERROR(cancel->Check());
    if (answers.ok()) {
      outcome.answers = *std::move(answers);
    } else {
      outcome.answers.push_back({.question = outcome.experiment,
                                 .answer = std::string(kOpenAnswer),
                                 .seen = Words(answers.status()),
                                 .meaning = "it could not be tried here",
                                 .taken = "as if it had not been asked"});
    }
    HAKOBU_RETURN_IF_ERROR(done(outcome));
  }
  return absl::OkStatus();
}

}  // namespace hakobu
