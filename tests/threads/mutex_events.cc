// Tells ThreadSanitizer what Abseil's locks do. The distribution's Abseil is built without it, so that every
// lock would look like none and every use of one like a race. The linker sends our calls of the functions
// below through these
// (--wrap); what happens within Abseil, conditions among it, is not looked at.
// The events: LLVM's compiler-rt/include/sanitizer/tsan_interface.h.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

// Names as the compiler mangles Abseil's members; the linker makes __wrap_ and __real_ of them.
#define WRAPPED(mangled, result, ...)              \
  extern "C" result __real_##mangled(__VA_ARGS__); \
  extern "C" result __wrap_##mangled(__VA_ARGS__)

namespace {

constexpr unsigned kExclusive = 0;
constexpr unsigned kShared = __tsan_mutex_read_lock;

template <typename Lock>
void Locking(Mutex* mutex, unsigned kind, Lock lock) {
  __tsan_mutex_pre_lock(mutex, kind);
  lock(mutex);
  __tsan_mutex_post_lock(mutex, kind, 0);
}

template <typename Unlock>
void Unlocking(Mutex* mutex, unsigned kind, Unlock unlock) {
  __tsan_mutex_pre_unlock(mutex, kind);
  unlock(mutex);
  __tsan_mutex_post_unlock(mutex, kind);
}

// A wait gives the lock up and takes it again.
template <typename Wait>
auto Waiting(Mutex* mutex, Wait wait) {
  __tsan_mutex_pre_unlock(mutex, kExclusive);
  const auto result = wait();
  __tsan_mutex_post_unlock(mutex, kExclusive);
  __tsan_mutex_pre_lock(mutex, kExclusive);
  __tsan_mutex_post_lock(mutex, kExclusive, 0);
  return result;
}

}  // namespace

WRAPPED(_ZN4absl7debian35Mutex4LockEv, void, Mutex* mutex) {
  Locking(mutex, kExclusive, __real__ZN4absl7debian35Mutex4LockEv);
}

WRAPPED(_ZN4absl7debian35Mutex6UnlockEv, void, Mutex* mutex) {
  Unlocking(mutex, kExclusive, __real__ZN4absl7debian35Mutex6UnlockEv);
}

WRAPPED(_ZN4absl7debian35Mutex10ReaderLockEv, void, Mutex* mutex) {
  Locking(mutex, kShared, __real__ZN4absl7debian35Mutex10ReaderLockEv);
}

WRAPPED(_ZN4absl7debian35Mutex12ReaderUnlockEv, void, Mutex* mutex) {
  Unlocking(mutex, kShared, __real__ZN4absl7debian35Mutex12ReaderUnlockEv);
}

WRAPPED(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, void, Mutex* mutex, const Condition& condition) {
  Waiting(mutex, [&] {
    __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, condition);
    return true;
  });
}

WRAPPED(_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE, bool, Mutex* mutex,
        const Condition& condition, Duration timeout) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(mutex, condition,
                                                                                           timeout);
  });
}

WRAPPED(_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE, bool, CondVar* condition,
        Mutex* mutex, Time deadline) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(condition, mutex,
                                                                                    deadline);
  });
}

// What was done before Notify is seen by whoever has seen it.
WRAPPED(_ZN4absl7debian312Notification6NotifyEv, void, Notification* notification) {
  __tsan_release(notification);
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}

WRAPPED(_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE, bool,
        const Notification* notification, Duration timeout) {
  const bool notified = __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
      notification, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(notification));
  return notified;
}
