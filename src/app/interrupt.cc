#include "app/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "app/command.h"

namespace hakobu {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// A thread takes the signals with sigwait, so that what they start is ordinary code.
class SignalThread : public InterruptGuard {
 public:
  SignalThread(Cancellation* cancel, std::string_view said) : cancel_(cancel), said_(said) {
    const sigset_t signals = StopSignals();
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    thread_ = std::thread([this] { Wait(); });
  }
  ~SignalThread() override {
    ending_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  void Wait() {
    const sigset_t signals = StopSignals();
    for (int number = 0; sigwait(&signals, &number) == 0 && !ending_;) {
      if (cancel_->cancelled()) _exit(kExitFailed);
      if (!said_.empty()) Tell(said_);
      cancel_->Cancel();
    }
  }

  Cancellation* cancel_;
  std::string said_;
  sigset_t before_{};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace

std::unique_ptr<InterruptGuard> InterruptGuard::Watch(Cancellation* cancel, std::string_view said) {
  return std::make_unique<SignalThread>(cancel, said);
}

}  // namespace hakobu
