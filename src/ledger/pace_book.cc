#include "ledger/pace_book.h"

#include <algorithm>

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<PaceWish>& Wishes() {
  using R = PaceWish;
  static const auto* const table = new RecordTable<R>(
      "pace_wish", {}, 1,
      {ColumnOf<&R::id>("id"), ColumnOf<&R::share>("share"), ColumnOf<&R::since>("since_us")});
  return *table;
}

const RecordTable<PaceFit>& Fits() {
  using R = PaceFit;
  static const auto* const table =
      new RecordTable<R>("pace_fits", {}, 1,
                         {ColumnOf<&R::bucket>("bucket"), ColumnOf<&R::refill>("refill"),
                          ColumnOf<&R::cost>("cost"), ColumnOf<&R::doubt>("doubt")});
  return *table;
}

const RecordTable<PaceLoad>& LoadRows() {
  using R = PaceLoad;
  static const auto* const table =
      new RecordTable<R>("pace_loads", {}, 3,
                         {ColumnOf<&R::source>("source"), ColumnOf<&R::week>("week"),
                          ColumnOf<&R::slot>("slot"), ColumnOf<&R::iops>("iops")});
  return *table;
}

}  // namespace

absl::Status PaceBook::SetWish(const PaceWish& wish) {
  return Session(file_).Put(Wishes(), wish);
}

absl::StatusOr<PaceWish> PaceBook::Wish() {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<PaceWish> wish,
                          Session(file_).ReadFirst(Wishes(), "WHERE id = 1"));
  return wish.value_or(PaceWish{});
}

absl::Status PaceBook::StoreFit(const PaceFit& fit) {
  return Session(file_).Put(Fits(), fit);
}

absl::StatusOr<std::optional<PaceFit>> PaceBook::Fit(const std::string& bucket) {
  return Session(file_).ReadFirst(Fits(), "WHERE bucket = ?", bucket);
}

absl::Status PaceBook::StoreLoad(const PaceLoad& load) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(LoadRows(), load));
  const uint64_t oldest = load.week - std::min(load.week, kWeeksKept);
  HAKOBU_RETURN_IF_ERROR(session.Run("DELETE FROM pace_loads WHERE week < ?", oldest));
  return session.Commit();
}

absl::StatusOr<std::vector<PaceLoad>> PaceBook::Loads(const std::string& source) {
  return Session(file_).Read(LoadRows(), "WHERE source = ?", source);
}

}  // namespace hakobu
