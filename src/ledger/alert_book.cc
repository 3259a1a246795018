#include "ledger/alert_book.h"

#include "base/status.h"

namespace hakobu {
namespace {

const RecordTable<AlertRecord>& AlertRows() {
  using R = AlertRecord;
  static const auto* const table =
      new RecordTable<R>("alerts", {}, 1,
                         {ColumnOf<&R::cause>("cause"), ColumnOf<&R::level>("level"),
                          ColumnOf<&R::title>("title"), ColumnOf<&R::detail>("detail"),
                          ColumnOf<&R::episode>("episode"), ColumnOf<&R::recurrences>("recurrences"),
                          ColumnOf<&R::since>("since_us"), ColumnOf<&R::said>("said_us"),
                          ColumnOf<&R::gone_since>("gone_since_us"), ColumnOf<&R::ended>("ended_us")});
  return *table;
}

const RecordTable<NoticeRecord>& NoticeRows() {
  using R = NoticeRecord;
  static const auto* const table = new RecordTable<R>(
      "notices", {}, 1,
      {ColumnOf<&R::number>("number"), ColumnOf<&R::channel>("channel"), ColumnOf<&R::cause>("cause"),
       ColumnOf<&R::event_json>("event_json"), ColumnOf<&R::created>("created_us"),
       ColumnOf<&R::state>("state"), ColumnOf<&R::tries>("tries"), ColumnOf<&R::next_try>("next_try_us"),
       ColumnOf<&R::ended>("ended_us"), ColumnOf<&R::error>("error"), ColumnOf<&R::claimed>("claimed"),
       ColumnOf<&R::claimed_until>("claimed_until_us")});
  return *table;
}

}  // namespace

absl::Status AlertBook::Change(const Judge& judge) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<AlertRecord> known, session.Read(AlertRows(), "ORDER BY cause"));
  AlertChanges changes = judge(known);
  if (changes.empty()) return absl::OkStatus();
  for (const AlertRecord& alert : changes.alerts) HAKOBU_RETURN_IF_ERROR(session.Put(AlertRows(), alert));
  HAKOBU_ASSIGN_OR_RETURN(std::optional<uint64_t> last,
                          session.ReadValueOf<uint64_t>("SELECT MAX(number) FROM notices"));
  uint64_t number = last.value_or(0);
  for (NoticeRecord& notice : changes.notices) {
    notice.number = ++number;
    HAKOBU_RETURN_IF_ERROR(session.Insert(NoticeRows(), notice));
  }
  return session.Commit();
}

absl::StatusOr<std::vector<AlertRecord>> AlertBook::Alerts() {
  return Session(file_).Read(AlertRows(), "ORDER BY cause");
}

absl::StatusOr<std::optional<NoticeRecord>> AlertBook::Claim(const std::string& owner, absl::Time now,
                                                             absl::Time until) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(
      std::optional<NoticeRecord> notice,
      session.ReadFirst(
          NoticeRows(),
          "WHERE state = 'waiting' AND next_try_us <= ? AND claimed_until_us <= ? AND NOT EXISTS "
          "(SELECT 1 FROM notices AS earlier WHERE earlier.channel = notices.channel AND "
          "earlier.cause = notices.cause AND earlier.state = 'waiting' AND earlier.number < "
          "notices.number) ORDER BY tries, number LIMIT 1",
          now, now));
  if (!notice.has_value()) return notice;
  notice->claimed = owner;
  notice->claimed_until = until;
  HAKOBU_RETURN_IF_ERROR(session.Update(NoticeRows(), *notice).status());
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return notice;
}

absl::Status AlertBook::Settle(const NoticeRecord& notice, const std::string& owner) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(
      const std::optional<std::string> holder,
      session.ReadValueOf<std::string>("SELECT claimed FROM notices WHERE number = ?", notice.number));
  if (holder.value_or("") != owner) {
    return absl::FailedPreconditionError("expected the message to be this process's, found another's");
  }
  NoticeRecord settled = notice;
  settled.claimed.clear();
  settled.claimed_until = absl::InfinitePast();
  HAKOBU_RETURN_IF_ERROR(session.Update(NoticeRows(), settled).status());
  return session.Commit();
}

absl::StatusOr<std::vector<NoticeRecord>> AlertBook::Notices(size_t newest) {
  return Session(file_).Read(NoticeRows(), "ORDER BY number DESC LIMIT ?", static_cast<uint64_t>(newest));
}

absl::StatusOr<absl::Time> AlertBook::NextTry() {
  HAKOBU_ASSIGN_OR_RETURN(
      const std::vector<NoticeRecord> first,
      Session(file_).Read(NoticeRows(), "WHERE state = 'waiting' ORDER BY next_try_us, number LIMIT 1"));
  return first.empty() ? absl::InfiniteFuture() : first.front().next_try;
}

absl::Status AlertBook::Forget(absl::Time before) {
  return Session(file_).Run(
      "DELETE FROM notices WHERE state <> 'waiting' AND ended_us < ? AND number < "
      "(SELECT newest FROM (SELECT MAX(number) AS newest FROM notices) AS numbers)",
      before);
}

}  // namespace hakobu
