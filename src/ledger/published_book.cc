#include "ledger/published_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<PublishedContent>& PublishedRows() {
  using R = PublishedContent;
  static const auto* const table = new RecordTable<R>(
      "published", {}, 1,
      {ColumnOf<&R::target>("target"), ColumnOf<&R::run_id>("run_id"), ColumnOf<&R::form>("form"),
       ColumnOf<&R::rows>("rows"), ColumnOf<&R::content>("content"), ColumnOf<&R::created_ms>("created_ms"),
       ColumnOf<&R::modified_ms>("modified_ms")});
  return *table;
}

}  // namespace

absl::Status PublishedBook::RecordPublished(const PublishedContent& content) {
  return Session(file_).Put(PublishedRows(), content);
}

absl::StatusOr<std::optional<PublishedContent>> PublishedBook::Published(const std::string& target) {
  return Session(file_).ReadFirst(PublishedRows(), "WHERE target = ?", target);
}

}  // namespace hakobu
