#include "delivery/stream/gap_words.h"

namespace hakobu {
namespace {

constexpr GapWords kEnglish = {
    .title = "Notice {id}: an interruption of the delivery from your database to BigQuery",
    .title_closed = "Notice {id}: an interruption of the delivery from your database to BigQuery (resolved)",
    .what = "What happened",
    .when = "When",
    .meaning = "What this means",
    .meaning_closed = "What this meant until the correction",
    .whole = "Tables that are certainly whole",
    .doubtful = "Tables that may not be whole",
    .done = "What has been done",
    .advice = "What we ask of you",
    .item = "- ",
    .from = "From {time}: everything that was committed in the database before this is in BigQuery.",
    .from_unknown = "From: the beginning of the interruption is not known.",
    .until = "Until {time}: everything that was committed after this is delivered again.",
    .until_unknown = "Until {time} at the latest, when the interruption was noticed.",
    .places = "In the database's log: from {from} until {until}.",
    .place_from = "In the database's log: from {from}.",
    .place_until = "In the database's log: until {until}.",
    .missing_gtids = "Transactions that were not delivered: {gtids}.",
    .phantom_gtids = "Transactions that were delivered but that the database no longer has: {gtids}.",
    .lacks =
        "Changes made in this interval may be absent from BigQuery: rows that were added may be missing, "
        "rows that were changed may show their earlier values, and rows that were deleted may still be "
        "there.",
    .holds =
        "BigQuery may hold changes from this interval that the database itself no longer has: rows may "
        "show values, or be there or be missing, other than in the database.",
    .both =
        "Changes made in this interval may be absent from BigQuery, and BigQuery may hold changes that the "
        "database itself no longer has.",
    .none = "None.",
    .copy_to_come = "its rows were copied only after the interruption",
    .untouched = "none of the transactions concerned changed it",
    .not_followed = "it was not being delivered at the time, so nothing of it was lost",
    .compared_equal = "compared with the database row by row on {when} and equal",
    .copied_anew = "copied anew in full on {when}",
    .noticed = "{time}: the interruption was noticed and recorded, and delivery went on behind it.",
    .compared = "{when}: {table} was compared with the database, {rows} rows in {chunks}.",
    .one_range = "{count} key range",
    .ranges = "{count} key ranges",
    .found_equal = "No row differed.",
    .corrected =
        "Rows that were missing: {missing}; that differed: {differed}; that the database no longer "
        "had: {extra}. All of them were corrected and compared again: BigQuery equals the database.",
    .proof = "Compared as of the log position {position}.",
    .copied = "{when}: {table} was copied anew in full.",
    .closed = "{time}: all tables were whole again and this notice was closed.",
    .not_yet = "The tables named above have not been repaired yet.",
    .advice_open =
        "Please do not rely on the tables that may not be whole for this interval. We will tell you "
        "as soon as they have been compared with the database and corrected. You need not change "
        "anything on your side.",
    .advice_closed =
        "The tables may be used as usual. If you made reports from them between the interruption "
        "and the correction, please run those again.",
    .advice_nothing = "Nothing: no table that you use is concerned.",
};

constexpr GapWords kJapanese = {
    .title = "お知らせ（No. {id}）：BigQuery へのデータ連携の中断について",
    .title_closed = "お知らせ（No. {id}）：BigQuery へのデータ連携の中断について（復旧済み）",
    .what = "発生した事象",
    .when = "対象期間",
    .meaning = "データへの影響",
    .meaning_closed = "データへの影響（修正が完了するまで）",
    .whole = "欠落がないことを確認できているテーブル",
    .doubtful = "欠落または差異の可能性があるテーブル",
    .done = "対応状況",
    .advice = "お客様へのお願い",
    .item = "・",
    .from = "開始：{time}（これより前にデータベースで確定した変更は、すべて BigQuery に反映されております）",
    .from_unknown = "開始：中断が始まった時刻は特定できておりません",
    .until = "終了：{time}（これより後に確定した変更は、再び BigQuery に反映されております）",
    .until_unknown = "終了：遅くとも {time}（中断を検知した時刻）",
    .places = "更新ログ上の位置：{from} から {until} まで",
    .place_from = "更新ログ上の位置：{from} から",
    .place_until = "更新ログ上の位置：{until} まで",
    .missing_gtids = "反映されていないトランザクション：{gtids}",
    .phantom_gtids = "反映後にデータベース側で失われたトランザクション：{gtids}",
    .lacks =
        "対象期間中に行われた変更が、BigQuery "
        "に反映されていない可能性がございます。追加された行が存在しない、"
        "更新された行が以前の値のままである、削除された行が残っている、といった状態が考えられます。",
    .holds =
        "データベースからは失われた変更が、BigQuery に残っている可能性がございます。"
        "対象期間に変更された行について、値や行の有無がデータベースと異なる状態が考えられます。",
    .both =
        "対象期間中に行われた変更が BigQuery "
        "に反映されていない可能性、およびデータベースには存在しない変更が "
        "BigQuery に残っている可能性がございます。",
    .none = "該当するテーブルはございません。",
    .copy_to_come = "中断の後に全件をコピーしているため、影響はございません",
    .untouched = "対象のトランザクションによる変更がないことを確認しております",
    .not_followed = "当時は連携の対象外であったため、失われた変更はございません",
    .compared_equal = "{when} にデータベースと全行を照合し、一致を確認いたしました",
    .copied_anew = "{when} に全件をコピーし直しました",
    .noticed = "{time}　中断を検知して記録し、中断より後の変更から連携を再開いたしました。",
    .compared = "{when}　{table} をデータベースと照合いたしました（{rows} 行、{chunks}）。",
    .one_range = "キー範囲 {count} 件",
    .ranges = "キー範囲 {count} 件",
    .found_equal = "差異のある行はございませんでした。",
    .corrected =
        "欠落していた行は {missing} 件、値が異なっていた行は {differed} "
        "件、データベースでは削除済みの行は {extra} 件でした。"
        "すべて修正したうえで再度照合し、データベースと一致することを確認いたしました。",
    .proof = "照合時点の更新ログ上の位置：{position}",
    .copied = "{when}　{table} の全件をコピーし直しました。",
    .closed = "{time}　すべてのテーブルに欠落がないことを確認し、本件の対応を完了いたしました。",
    .not_yet = "上記のテーブルの修復は、まだ完了しておりません。",
    .advice_open =
        "修復が完了するまでの間、「欠落または差異の可能性があるテーブル」の対象期間のデータにつきましては、"
        "ご利用をお控えくださいますようお願い申し上げます。データベースとの照合および修正が完了次第、"
        "あらためてご連絡いたします。お客様側での設定変更などの作業は必要ございません。",
    .advice_closed =
        "各テーブルは通常どおりご利用いただけます。中断の発生から修正完了までの間に作成された集計や"
        "レポートがございましたら、お手数をおかけいたしますが、再度作成くださいますようお願い申し上げます。",
    .advice_nothing = "影響を受けたテーブルはございませんので、ご対応いただくことはございません。",
};

}  // namespace

const GapWords& WordsOf(Language language) {
  return language == Language::kJapanese ? kJapanese : kEnglish;
}

std::string_view CauseText(Language language, GapCause cause) {
  const bool japanese = language == Language::kJapanese;
  switch (cause) {
    case GapCause::kPurged:
      return japanese ? "データベースの更新ログのうち、まだ読み取っていない部分が、保存期間の経過などにより削"
                        "除されました。"
                        "そのため、その部分に記録されていた変更を BigQuery へ反映できておりません。"
                      : "The database had already deleted a part of its log of changes that had not been "
                        "read yet, so "
                        "the changes recorded there could not be delivered to BigQuery.";
    case GapCause::kLostTail:
      return japanese ? "データベースが異常停止し、BigQuery へ反映済みであった直近の変更の一部が、"
                        "再起動後のデータベースから失われました。"
                      : "The database stopped abnormally and, when it started again, had lost some of its "
                        "latest changes, which had been delivered to BigQuery already.";
    case GapCause::kFork:
      return japanese ? "データベースの切り替え（フェイルオーバー）が行われましたが、切り替え先のデータベース"
                        "には、"
                        "BigQuery へ反映済みの変更の一部が引き継がれておりませんでした。"
                      : "The database was switched over to another server, which did not have some of the "
                        "changes that had been delivered to BigQuery already.";
    case GapCause::kRestored:
      return japanese ? "データベースがスナップショットまたはバックアップから復元され、過去の時点の状態に戻り"
                        "ました。"
                        "BigQuery には、その時点より後の変更もすでに反映されておりました。"
                      : "The database was restored from a snapshot or backup and went back to an earlier "
                        "state, while later changes had been delivered to BigQuery already.";
    case GapCause::kErrant:
      return japanese ? "データベースの切り替え（フェイルオーバー）が行われましたが、切り替え先のデータベース"
                        "には、"
                        "待機中に直接加えられた、切り替え前のデータベースにはない変更がございました。"
                        "BigQuery へ反映済みの変更よりも古いため、そのままでは反映できておりません。"
                      : "The database was switched over to another server, to which changes had been made "
                        "directly while it was still a standby. They are older than changes that had been "
                        "delivered to BigQuery already, so they could not be delivered behind those.";
    case GapCause::kReset:
      return japanese
                 ? "データベースの更新ログが初期化されました。最後に反映した変更から初期化までの間に"
                   "行われた変更は、更新ログから読み取ることができません。"
                 : "The database's log of changes was reset. Changes made between the last delivered one "
                   "and the reset can no longer be read from it.";
    case GapCause::kOtherServer:
      return japanese ? "接続先が別のデータベースサーバーに変わりました。切り替えの前後で変更が途切れなく"
                        "続いていることを、更新ログから確認することができません。"
                      : "Another database server answers at the same address, and its log cannot show that "
                        "changes go on there without a break.";
    case GapCause::kUnproven:
    case GapCause::kNone:
      break;
  }
  return japanese ? "データベースの更新ログが途切れなく続いていることを確認できませんでした。"
                    "欠落が生じていない可能性もございますが、確認が完了するまで本件として扱います。"
                  : "It could not be proven that the database's log of changes goes on without a break. "
                    "Possibly nothing is missing; until that is proven, this notice stands.";
}

}  // namespace hakobu
