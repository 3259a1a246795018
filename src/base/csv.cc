#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"

namespace hakobu {
namespace {

// Length of the UTF-8 sequence at the start of `text`; 0 when there is none [Unicode, table 3-7].
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto tail = [&](size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    return tail(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    return tail(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  CsvFile Parse() {
    CsvFile result;
    result.records = Records();
    result.faults = std::move(faults_);
    return result;
  }

 private:
  std::vector<CsvRecord> Records() {
    std::vector<CsvRecord> records;
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
    if (text_.substr(0, 2) == "\xFF\xFE" || text_.substr(0, 2) == "\xFE\xFF") {
      Fail(1, 1, "UTF-8", "UTF-16", "save the file as \"CSV UTF-8\"");
      return records;
    }
    while (at_ < text_.size()) {
      if (Peek() == '#') {
        while (at_ < text_.size() && !AtLineEnd()) Take();
        TakeLineEnd();
        continue;
      }
      if (separator_ == 0) ChooseSeparator();
      CsvRecord record = ParseRecord();
      if (std::any_of(record.fields.begin(), record.fields.end(),
                      [](const CsvField& field) { return !field.text.empty(); })) {
        records.push_back(std::move(record));
      }
    }
    return records;
  }

  char Peek() const { return text_[at_]; }
  // A lone CR is no line's end: editors show what follows it on the same line, so it is refused as any
  // control character.
  bool AtLineEnd() const { return Peek() == '\n' || text_.substr(at_, 2) == "\r\n"; }

  void FailQuote(int line, int column, std::string expected, std::string found, std::string hint) {
    is_broken_ = true;
    Fail(line, column, std::move(expected), std::move(found), std::move(hint));
  }
  void Fail(int line, int column, std::string expected, std::string found, std::string hint = "") {
    faults_.push_back({line, column, std::move(expected), std::move(found), std::move(hint)});
  }

  void FailCharacter(std::string_view character, bool is_broken) {
    if (is_broken) {
      const auto byte = static_cast<unsigned char>(character.front());
      Fail(line_, column_, "UTF-8", fmt::format("the byte 0x{:02X}", byte), "save the file as \"CSV UTF-8\"");
    } else if (character == "\r") {
      Fail(line_, column_, "a line's end (LF or CRLF)", "a CR alone",
           "save the file with the line ends of Windows or Unix");
    } else {
      Fail(line_, column_, "text", fmt::format("the control character {}", EscapeControl(character)),
           "characters that are not seen have no place in such a list: remove it");
    }
  }

  // One character, checked; what is refused is replaced by `?`, and said once a line.
  std::string_view Take() {
    const size_t length = SequenceLength(text_.substr(at_));
    const std::string_view taken = text_.substr(at_, std::max<size_t>(length, 1));
    if (length == 0 || (taken != "\t" && HasControl(taken))) {
      if (bad_line_ != line_) {
        bad_line_ = line_;
        FailCharacter(taken, length == 0);
      }
      at_ += taken.size(), ++column_;
      return "?";
    }
    at_ += length, ++column_;
    return taken;
  }

  void TakeLineEnd() {
    if (at_ >= text_.size()) return;
    at_ += Peek() == '\r' ? 2 : 1;
    ++line_, column_ = 1;
  }

  void ChooseSeparator() {
    const std::string_view rest = text_.substr(at_);
    const std::string_view header = rest.substr(0, rest.find('\n'));
    const size_t found = header.find_first_of(",;\t");
    if (found != std::string_view::npos)
      separator_ = header[found];
    else if (!header.empty())
      separator_ = ',';
  }

  CsvRecord ParseRecord() {
    CsvRecord record{line_, {}};
    is_broken_ = false;
    while (true) {
      record.fields.push_back(ParseField());
      record.is_broken = is_broken_;
      if (at_ >= text_.size()) return record;
      if (AtLineEnd()) {
        TakeLineEnd();
        return record;
      }
      ++at_, ++column_;  // the separator
    }
  }

  bool AtFieldEnd() const { return at_ >= text_.size() || AtLineEnd() || Peek() == separator_; }

  CsvField ParseField() {
    while (!AtFieldEnd() && IsBlank(Peek())) Take();
    CsvField field{"", line_, column_};
    if (!AtFieldEnd() && Peek() == '"') {
      ParseQuoted(&field);
      return field;
    }
    while (!AtFieldEnd()) {
      if (Peek() == '"') {
        FailQuote(line_, column_, "a field in quotes or without any", "a quote within it",
                  "put the whole field in quotes and write each quote in it twice");
        while (!AtFieldEnd()) Take();
        return field;
      }
      field.text += Take();
    }
    while (!field.text.empty() && IsBlank(field.text.back())) field.text.pop_back();
    return field;
  }

  void ParseQuoted(CsvField* field) {
    const int line = line_, column = column_;
    Take();
    while (at_ < text_.size()) {
      if (AtLineEnd()) {
        field->text += '\n';
        TakeLineEnd();
      } else if (Peek() != '"') {
        field->text += Take();
      } else {
        Take();
        if (at_ >= text_.size() || Peek() != '"') return AfterQuote();
        field->text += Take();
      }
    }
    FailQuote(line, column, "a closing quote", "the end of the file",
              "a quote within a quoted field is written twice");
  }

  void AfterQuote() {
    while (!AtFieldEnd() && IsBlank(Peek())) Take();
    if (AtFieldEnd()) return;
    FailQuote(line_, column_, "a separator after the closing quote", "more text",
              "a quote within a quoted field is written twice");
    while (!AtFieldEnd()) Take();
  }

  std::string_view text_;
  std::vector<CsvFault> faults_;
  size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  int bad_line_ = 0;
  char separator_ = 0;
  bool is_broken_ = false;
};

}  // namespace

CsvFile ReadCsv(std::string_view text) {
  return Parser(text).Parse();
}

std::string CsvQuote(std::string_view field) {
  const bool blank_edge = !field.empty() && (IsBlank(field.front()) || IsBlank(field.back()));
  const bool comment = !field.empty() && field.front() == '#';
  if (field.find_first_of(",;\t\"\r\n") == std::string_view::npos && !blank_edge && !comment) {
    return std::string(field);
  }
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace hakobu
