// One attempt at a run or a stream: it leaves a trace in the ledger whatever becomes of it, and whom `notify`
// names is told.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "app/command.h"
#include "base/cancel.h"
#include "config/config.h"
#include "notify/notifier.h"

namespace hakobu {

class Attempt {
 public:
  // Of a configuration that cannot be used, as much is read again as telling it needs. Make it after the
  // guard of signals.
  Attempt(std::string command, const GlobalOptions& globals, const absl::StatusOr<Config>& config,
          const Cancellation* cancel);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Null when the configuration cannot even tell.
  Notifier* notifier() { return notifier_.get(); }
  // Null likewise; of a configuration that is wrong, only what telling needs may be used.
  const Config* config() const { return config_ ? &*config_ : nullptr; }

  // What came of it. Waits a little until `last` is told. Answers the exit code.
  int End(int exit_code, const std::string& error, Observation last, bool is_well);

 private:
  void Trace();

  const std::string command_;
  const Cancellation& cancel_;
  std::optional<Config> config_;
  std::string ledger_path_;
  uint64_t number_ = 0;  // of the trace; 0: none
  std::unique_ptr<Notifier> notifier_;
};

// As the configuration says for Google's endpoints too: the way out of this network.
HttpOptions NoticeHttp(const Config& config);

}  // namespace hakobu
