// What each target was left with by the run that published it last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "ledger/session.h"

namespace hakobu {

// What a target held when a run had published it, and which table it was: while neither has changed there is
// nothing to send.
struct PublishedContent {
  std::string target{};
  std::string run_id{};
  std::string form{};  // digest of schema and encoding: sums of different forms cannot be compared
  uint64_t rows = 0;
  uint64_t content = 0;     // ContentSum::sum
  int64_t created_ms = 0;   // the target's creationTime
  int64_t modified_ms = 0;  // and lastModifiedTime, just after it was published
};

// Thread-safe.
class PublishedBook {
 public:
  explicit PublishedBook(LedgerFile* file) : file_(file) {}

  absl::Status RecordPublished(const PublishedContent& content);
  absl::StatusOr<std::optional<PublishedContent>> Published(const std::string& target);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
