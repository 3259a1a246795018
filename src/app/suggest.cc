#include "app/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "app/text_table.h"

namespace hakobu {
namespace {

bool IsMoment(const SourceColumn& column) {
  return column.type == SourceType::kDateTime || column.type == SourceType::kTimestamp;
}

// "lastName", "LAST-NAME" -> "_last_name_", so that whole words can be looked for. Other scripts stay.
std::string Words(std::string_view name) {
  std::string words = "_";
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool capital =
        std::isupper(c) != 0 && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (capital) words += '_';
    words += std::isalnum(c) != 0 || c >= 0x80 ? static_cast<char>(std::tolower(c)) : '_';
  }
  return words + "_";
}

bool HasAny(std::string_view words, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return words.find(part) != std::string_view::npos; });
}

constexpr std::array<std::string_view, 11> kChangeNames = {
    "_updated_at_",   "_update_at_",   "_modified_at_",   "_updated_",    "_modified_", "_update_time_",
    "_updated_time_", "_update_date_", "_last_modified_", "_updated_on_", "更新"};
constexpr std::array<std::string_view, 10> kBirthNames = {
    "_created_at_",  "_create_at_",   "_created_",     "_create_time_", "_created_on_",
    "_create_date_", "_inserted_at_", "_occurred_at_", "作成",          "登録日"};
constexpr std::array<std::string_view, 11> kJournalNames = {
    "_log_",   "_logs_",   "_history_",  "_histories_", "_event_", "_events_",
    "_audit_", "_access_", "_accesses_", "履歴",        "ログ"};
constexpr std::array<std::string_view, 24> kPeopleNames = {
    "_user_",     "_users_",     "_member_",  "_members_",  "_customer_", "_customers_",
    "_client_",   "_clients_",   "_person_",  "_people_",   "_staff_",    "_staffs_",
    "_employee_", "_employees_", "_contact_", "_contacts_", "_patient_",  "_patients_",
    "_guest_",    "_guests_",    "_account_", "_accounts_", "会員",       "顧客"};

const SourceColumn* FindMoment(const SourceTable& table, const auto& names) {
  for (const SourceColumn& column : table.columns) {
    if (IsMoment(column) && HasAny(Words(column.name), names)) return &column;
  }
  return nullptr;
}

bool IsInteger(SourceType type) {
  return type <= SourceType::kBigInt;
}

// A table whose rows are only ever added, by its name and by having nothing that says a row changed.
bool IsJournal(const SourceTable& table) {
  return HasAny(Words(table.name), kJournalNames) && FindMoment(table, kChangeNames) == nullptr;
}

std::string SizeOf(const SourceTable& table) {
  return fmt::format("about {} rows, {}", CountText(table.estimated_rows), BytesText(table.data_bytes));
}

enum class Held : uint8_t { kText, kTextOrNumber, kTextOrDate };

struct PersonalKind {
  std::string_view looks_like;
  Mask mask;
  Held held;
  std::vector<std::string_view> names;
};

// The first kind that matches wins. (A table: its lines are values.)
const std::vector<PersonalKind>& PersonalKinds() {
  static const std::vector<PersonalKind> kinds = {
      {"a password or another secret",
       Mask::kNull,
       Held::kText,
       {"_password_", "_passwd_", "_pwd_", "_passphrase_", "_secret_", "_token_", "_api_key_",
        "_private_key_", "_password_digest_", "_pin_", "_salt_", "パスワード", "暗証", "_otp_"}},
      {"an e-mail address",
       Mask::kSha256,
       Held::kText,
       {"_email_", "_e_mail_", "_mail_", "_mailaddress_", "_emailaddress_", "_mail_address_", "メール"}},
      {"a telephone number",
       Mask::kSha256,
       Held::kTextOrNumber,
       {"_phone_", "_tel_", "_telephone_", "_mobile_", "_cellphone_", "_fax_", "_phonenumber_", "_keitai_",
        "電話", "携帯"}},
      {"a number that identifies a person",
       Mask::kNull,
       Held::kTextOrNumber,
       {"_ssn_",
        "_my_number_",
        "_mynumber_",
        "_passport_",
        "_license_number_",
        "_card_number_",
        "_iban_",
        "_account_number_",
        "_insurance_number_",
        "_tax_id_",
        "マイナンバー",
        "口座",
        "_national_id_",
        "_credit_card_",
        "_driver_license_",
        "_pension_number_",
        "免許証",
        "保険証",
        "年金番号",
        "旅券"}},
      {"a payment card or a bank account",
       Mask::kNull,
       Held::kTextOrNumber,
       {"_card_no_", "_card_num_", "_cardno_", "_cardnumber_", "_pan_", "_cvv_", "_cvc_", "_security_code_",
        "_card_holder_", "_cardholder_", "_card_name_", "_bank_account_", "_account_no_", "カード番号",
        "カード名義", "クレジットカード", "口座番号", "口座名義"}},
      {"medical", Mask::kNull, Held::kText, {"_diagnosis_",   "_diagnoses_",
                                             "_disease_",     "_symptom_",
                                             "_symptoms_",    "_allergy_",
                                             "_allergies_",   "_medication_",
                                             "_medications_", "_prescription_",
                                             "_medical_",     "_medical_history_",
                                             "_blood_type_",  "_illness_",
                                             "_treatment_",   "_disability_",
                                             "_health_",      "_karte_",
                                             "病名",          "病歴",
                                             "診断",          "症状",
                                             "疾患",          "既往",
                                             "アレルギー",    "服薬",
                                             "処方",          "投薬",
                                             "カルテ",        "血液型",
                                             "健診",          "障害者",
                                             "治療",          "持病"}},
      {"a date of birth",
       Mask::kNull,
       Held::kTextOrDate,
       {"_birthday_", "_birth_", "_birthdate_", "_dob_", "_birth_date_", "_date_of_birth_", "生年月日",
        "誕生日", "_born_"}},
      {"a network address of a person",
       Mask::kSha256,
       Held::kText,
       {"_ip_", "_ip_address_", "_ipaddr_", "_remote_addr_", "_client_ip_", "_remote_ip_", "_user_agent_"}},
      {"an address",
       Mask::kNull,
       Held::kText,
       {"_address_", "_addr_", "_address1_", "_address2_", "_street_", "_zip_", "_zipcode_", "_postal_",
        "_postcode_", "_postal_code_", "住所", "郵便番号", "_zip_code_", "番地", "_jusho_", "_yubin_",
        "本籍"}},
      {"a person's name",
       Mask::kNull,
       Held::kText,
       {"_first_name_", "_last_name_", "_firstname_", "_lastname_", "_full_name_", "_family_name_",
        "_given_name_", "_kana_",      "_furigana_",  "_nickname_", "氏名",        "名前",
        "フリガナ",     "カナ",        "ふりがな",    "苗字",       "姓名",        "宛名",
        "世帯主",       "_shimei_",    "_surname_"}},
      {"free text, in which people write names and more",
       Mask::kNull,
       Held::kText,
       {"_note_",     "_notes_",     "_memo_",    "_memos_",   "_remark_",  "_remarks_",
        "_comment_",  "_comments_",  "_message_", "_inquiry_", "_enquiry_", "_free_text_",
        "_feedback_", "_complaint_", "_biko_",    "_bikou_",   "備考",      "メモ",
        "コメント",   "問い合わせ",  "問合せ",    "自由記述",  "自由入力",  "申し送り",
        "申送り",     "相談",        "ご意見",    "ご要望",    "伝言"}},
  };
  return kinds;
}

// Counts, flags and moments about something personal ("email_verified_at", "phone_count") are not personal.
bool HoldsText(const SourceColumn& column) {
  switch (column.type) {
    case SourceType::kChar:
    case SourceType::kVarchar:
    case SourceType::kText:
    case SourceType::kBinary:
    case SourceType::kVarbinary:
    case SourceType::kBlob:
    case SourceType::kJson:
      return true;
    default:
      return false;
  }
}

bool Holds(const SourceColumn& column, Held held) {
  if (HoldsText(column)) return true;
  if (held == Held::kTextOrDate) return column.type == SourceType::kDate || IsMoment(column);
  // Small numbers count and flag.
  const bool number = column.type == SourceType::kInt || column.type == SourceType::kBigInt ||
                      column.type == SourceType::kDecimal;
  return held == Held::kTextOrNumber && number;
}

// "phone_count" and "mobile_users" are numbers about something personal, "phone" is it.
bool EndsInAny(std::string_view words, const std::vector<std::string_view>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    if (part.ends_with('_')) part.remove_suffix(1);
    return words.ends_with('_') && words.substr(0, words.size() - 1).ends_with(part);
  });
}

std::optional<PersonalColumn> Judge(const SourceTable& table, const SourceColumn& column) {
  const std::string words = Words(column.name) + Words(column.comment);
  for (const PersonalKind& kind : PersonalKinds()) {
    if (!Holds(column, kind.held) || !HasAny(words, kind.names)) continue;
    const bool number = !HoldsText(column) && kind.held == Held::kTextOrNumber;
    if (number && !EndsInAny(Words(column.name), kind.names)) continue;
    return PersonalColumn{column.name, std::string(kind.looks_like), kind.mask};
  }
  const bool people = HasAny(Words(table.name), kPeopleNames);
  if (people && HoldsText(column) && Words(column.name) == "_name_") {
    return PersonalColumn{column.name, "a person's name", Mask::kNull};
  }
  return std::nullopt;
}

}  // namespace

ModeSuggestion SuggestMode(const SourceTable& table, const std::set<std::string>& indexed) {
  const std::string size = SizeOf(table);
  if (!table.key) {
    return {TableMode::kReplace, "",
            fmt::format("{}; it has no key, so it is read in one pass and copied whole", size)};
  }
  if (table.estimated_rows < kLargeRows && table.data_bytes < kLargeBytes) {
    return {TableMode::kReplace, "", fmt::format("{}: small enough to be copied whole", size)};
  }
  const SourceColumn* changed = FindMoment(table, kChangeNames);
  if (changed != nullptr && indexed.contains(changed->name)) {
    return {TableMode::kIncremental, changed->name,
            fmt::format(
                "{}: too large to copy whole each time, and {} has an index; rows that are deleted in MySQL "
                "stay in BigQuery",
                size, changed->name)};
  }
  if (changed != nullptr) {
    return {TableMode::kReplace, "",
            fmt::format(
                "{}: {} has no index, so looking for what is new would scan the table; with one, incremental "
                "would suit it",
                size, changed->name)};
  }
  const SourceColumn& first = table.columns[table.key->columns[0]];
  if (IsJournal(table) && table.key->columns.size() == 1 && IsInteger(first.type)) {
    return {
        TableMode::kIncremental, first.name,
        fmt::format(
            "{}: by its name and columns rows are only ever added; if they are changed later, use replace",
            size)};
  }
  return {TableMode::kReplace, "", fmt::format("{}: large, but no column says when a row was changed", size)};
}

std::vector<PersonalColumn> FindPersonalColumns(const SourceTable& table) {
  std::vector<PersonalColumn> personal;
  for (size_t place = 0; place < table.columns.size(); ++place) {
    std::optional<PersonalColumn> found = Judge(table, table.columns[place]);
    if (!found) continue;
    const bool in_key =
        table.key && std::count(table.key->columns.begin(), table.key->columns.end(), place) > 0;
    if (in_key) found->mask = Mask::kSha256;
    personal.push_back(*std::move(found));
  }
  return personal;
}

std::vector<std::string> FindWideIds(const SourceTable& table) {
  std::vector<std::string> ids;
  for (size_t place = 0; place < table.columns.size(); ++place) {
    const SourceColumn& column = table.columns[place];
    if (column.type != SourceType::kBigInt || !column.is_unsigned) continue;
    const bool in_key =
        table.key && std::count(table.key->columns.begin(), table.key->columns.end(), place) > 0;
    if (in_key || Words(column.name).ends_with("_id_")) ids.push_back(column.name);
  }
  return ids;
}

std::optional<std::string> FindBirthColumn(const SourceTable& table) {
  const SourceColumn* column = FindMoment(table, kBirthNames);
  return column == nullptr ? std::nullopt : std::optional<std::string>(column->name);
}

}  // namespace hakobu
