#include "app/explain_word_command.h"

namespace hakobu {
namespace {

constexpr std::string_view kOfCode = "exit code", kOfRun = "state of a run",
                           kOfRunTable = "state of a table in a run", kOfStream = "state of a stream",
                           kOfTable = "state of a streamed table", kOfAlert = "alert", kOfOutage = "outage";

constexpr ExplainedWord kWords[] = {
    {"0", kOfCode, "Done: everything that was asked for is in BigQuery, or is so as it should be.", ""},
    {"1", kOfCode,
     "Failed: a table was not delivered, a side could not be reached, a comparison found a difference, or "
     "the command "
     "was stopped.",
     "The last lines on standard error say what failed; `hakobu status` has it too. The next run continues "
     "one that was cut "
     "off, and delivers failed tables anew."},
    {"2", kOfCode, "Wrong usage, or a configuration that cannot be used. Nothing was done.",
     "The message names file, line and key, what is expected and what was found; `hakobu check` looks at "
     "both sides."},
    {"3", kOfCode,
     "Done, but somebody should look: a run that was late or has quarantined values, a stream with stopped "
     "tables or open "
     "gaps, `status --max-age` with data that is too old.",
     "`hakobu status`. What is known and no news goes into `accept:` (docs/alerts.md); how late a run was "
     "and why says "
     "`hakobu explain-run`."},
    {"4", kOfCode, "Refused, because going on would lose data or overwrite what is not hakobu's.",
     "Read the message: it says what would be lost, and which command decides it. Nothing was changed."},
    {"running", kOfRun, "It is under way.", ""},
    {"done", kOfRun, "All of its tables are published. Of a table: published.", ""},
    {"failed", kOfRun,
     "Some tables were not delivered; the others were. Of a table: this attempt ended with an error.",
     "The next run delivers them anew."},
    {"cancelled", kOfRun, "Somebody stopped it (Ctrl-C, SIGTERM).",
     "The next `hakobu run` continues it; --fresh begins anew."},
    {"interrupted", kOfRun, "A side went away and stayed away, a disk was full, or the process was killed.",
     "The next `hakobu run` within 12 hours continues it where it stopped."},
    {"abandoned", kOfRun, "It was cut off, and a later run began anew instead of continuing it.", ""},
    {"planned", kOfRunTable, "Its chunks are chosen; nothing of it is in BigQuery yet.", ""},
    {"reading", kOfRunTable, "Chunks are on their way.", ""},
    {"publishing", kOfRunTable, "All chunks are there, and are being put in place.", ""},
    {"starting", kOfStream, "It asks both sides what is there.", ""},
    {"connecting", kOfStream, "It connects to the source's log.", ""},
    {"streaming", kOfStream, "It follows the log.", ""},
    {"draining", kOfStream, "It was asked to stop, and delivers what it has read.", ""},
    {"stopped", kOfTable,
     "It is not delivered any more; its reason says why. The other tables go on. Of a stream: it was "
     "stopped.",
     "Mend what the reason names, then `hakobu repair --recopy TABLE` copies it anew."},
    {"beginning", kOfTable, "Its target is being made.", ""},
    {"copying", kOfTable, "Its first copy is under way; changes are delivered meanwhile.", ""},
    {"copying_again", kOfTable, "It is copied once more, over the rows that are there.", ""},
    {"copying_gap", kOfTable, "It is copied, and an open gap may concern what was copied before.",
     "`hakobu gaps`, then `hakobu repair`."},
    {"catching", kOfTable, "Its copy is done, and the log up to the copy's end is being delivered.", ""},
    {"gap", kOfTable, "It is delivered, but changes that an open gap covers may be missing.",
     "`hakobu gaps` says which, `hakobu repair` compares with the source and closes it."},
    {"whole", kOfTable, "It equals the source at the place in the log that is stored.", ""},
    {"dropped", kOfTable, "It is gone from the source or the configuration; what is in BigQuery stays.", ""},
    {"source", kOfOutage, "MySQL or MariaDB does not answer, or refuses.",
     "Route, security group, password, and whether the server runs. A stream waits and goes on; what it "
     "needs of the log must "
     "not be purged meanwhile: `hakobu status` says for how long the source keeps it."},
    {"bigquery", kOfOutage, "BigQuery does not answer, or refuses.",
     "The message has its own words. Credentials, permissions (`hakobu check`) and quotas refuse; networks "
     "and Google's "
     "service go away, and come back."},
    {"ledger", kOfOutage, "The ledger's file is locked by another process, or its disk is full.",
     "Changes are delivered meanwhile; they would be delivered again after a kill, which changes nothing."},
    {"run:start", kOfAlert, "A run ended before its first table.",
     "`hakobu status` shows the attempt and its error; `hakobu check` tries both sides."},
    {"run:table", kOfAlert, "A run did not deliver this table.",
     "Its detail is the error; `hakobu run TABLE` delivers it alone once it is mended."},
    {"run:tables", kOfAlert, "More than three tables failed: probably one cause.",
     "Look at the errors they share."},
    {"run:interrupted", kOfAlert, "A side stayed away until the run gave up.",
     "The next run continues it; begin one by hand if the night is short."},
    {"run:promise", kOfAlert, "The promised hour has come without all tables.",
     "`hakobu explain-run` says where the time went, `hakobu forecast` when it will be so again."},
    {"run:values", kOfAlert, "Values that BigQuery cannot hold, and that `accept` does not know.",
     "The run's report has their first keys. Mend them, or accept them (docs/alerts.md)."},
    {"stream:end", kOfAlert, "The stream ended by itself.", "Its log's last lines; then start it again."},
    {"stream:outage", kOfAlert, "A side has been away for longer than `notify.outage_after`.",
     "`hakobu explain source`, `hakobu explain bigquery`, `hakobu explain ledger`."},
    {"stream:table", kOfAlert, "A table is not delivered any more.", "`hakobu explain stopped`."},
    {"stream:gap", kOfAlert, "Changes may not have been delivered.", "`hakobu explain gap`."},
    {"stream:lag", kOfAlert, "The stream is further behind than `notify.stream_lag`, though nothing is away.",
     "More changes than the line, the source or BigQuery takes: the metrics say which; `stream.memory` and "
     "`stream.connections` help where BigQuery is far."},
    {"stream:values", kOfAlert, "Values of a streamed table that BigQuery cannot hold.",
     "The stream's log names columns and keys; `hakobu notify clear CAUSE` once it is known."},
    {"grants:drift", kOfAlert, "Who may see a dataset was changed outside of hakobu.",
     "`hakobu grants drift`, then `hakobu grants adopt` or `hakobu grants revoke`."},
};

}  // namespace

std::span<const ExplainedWord> ExplainedWords() {
  return kWords;
}

}  // namespace hakobu
