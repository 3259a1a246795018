#include "governor/signals.h"

#include <utility>

namespace hakobu {

Signals::Signals(std::vector<SignalLimit> limits, double now)
    : limits_(std::move(limits)), states_(limits_.size(), State{.at = now}) {}

void Signals::See(size_t signal, double at, double value) {
  State& state = states_[signal];
  if (state.seen && at < state.at) return;
  state.at = at;
  state.value = value;
  state.seen = true;
}

bool Signals::Stops(const SignalLimit& limit, State* state, double now) const {
  if (!state->seen) return false;
  if (state->value >= limit.limit) {
    state->stopped = true;
    state->calm_since = now;
  } else if (state->value > limit.limit * limit.calm_part) {
    state->calm_since = now;
  } else if (now - state->calm_since >= limit.calm_for) {
    state->stopped = false;
  }
  return state->stopped;
}

Verdict Signals::Judge(double now) {
  Verdict verdict;
  for (size_t i = 0; i < limits_.size(); ++i) {
    const SignalLimit& limit = limits_[i];
    State& state = states_[i];
    if (now - state.at > limit.blind_after) {
      if (!verdict.stop) verdict = {verdict.utilisation, verdict.highest, true, limit.name, true};
      continue;
    }
    if (limit.kind == SignalKind::kStop) {
      if (Stops(limit, &state, now) && (!verdict.stop || verdict.blind)) {
        verdict = {verdict.utilisation, verdict.highest, true, limit.name, false};
      }
      continue;
    }
    const double part = state.seen && limit.limit > 0 ? state.value / limit.limit : 0;
    if (part <= verdict.utilisation) continue;
    verdict.utilisation = part;
    verdict.highest = limit.name;
  }
  return verdict;
}

}  // namespace hakobu
