// What a run's readers are at, counted: from it each second is booked to a reason.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace hakobu {

enum class ReaderState : uint8_t { kReading, kWaiting, kWriting, kRetrying };

// Thread-safe.
class ReaderStates {
 public:
  int Count(ReaderState state) const {
    return counts_[static_cast<size_t>(state)].load(std::memory_order_relaxed);
  }
  void Add(ReaderState state, int change) {
    const int before = counts_[static_cast<size_t>(state)].fetch_add(change, std::memory_order_relaxed);
    HAKOBU_CHECK(before + change >= 0, "more readers leave a state than are in it", kStartAgain);
  }

 private:
  std::array<std::atomic<int>, 4> counts_{};
};

// A reader is in `state` while this lives, and reading otherwise.
class ReaderIn {
 public:
  ReaderIn(ReaderStates* states, ReaderState state) : states_(states), state_(state) {
    states_->Add(ReaderState::kReading, -1);
    states_->Add(state_, 1);
  }
  ~ReaderIn() {
    states_->Add(state_, -1);
    states_->Add(ReaderState::kReading, 1);
  }
  ReaderIn(const ReaderIn&) = delete;
  ReaderIn& operator=(const ReaderIn&) = delete;

 private:
  ReaderStates* states_;
  ReaderState state_;
};

}  // namespace hakobu
