#include "decode/ddl/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/arena.h"
#include "decode/charset/charset.h"

namespace hakobu::ddl {
namespace {

constexpr char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsNameCharacter(char c) {
  return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '_' || c == '$' ||
         static_cast<uint8_t>(c) >= 0x80;
}
int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  return Lower(c) >= 'a' && Lower(c) <= 'f' ? Lower(c) - 'a' + 10 : -1;
}

std::string BytesOfHex(std::string_view digits) {
  std::string bytes;
  size_t i = digits.size() % 2;
  if (i == 1) bytes += static_cast<char>(HexDigit(digits[0]));
  for (; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(HexDigit(digits[i]) << 4 | HexDigit(digits[i + 1]));
  }
  return bytes;
}

std::string BytesOfBits(std::string_view bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    const size_t place = bits.size() - 1 - i;
    if (bits[i] == '1') {
      char& byte = bytes[bytes.size() - 1 - place / 8];
      byte = static_cast<char>(byte | 1 << (place % 8));
    }
  }
  return bytes;
}

char Unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'Z':
      return '\032';
    default:
      return c;
  }
}

class Tokenizer {
 public:
  Tokenizer(std::string_view text, const DdlContext& context, std::vector<Token>* tokens)
      : text_(text), context_(context), tokens_(*tokens) {}

  absl::Status Run() {
    while (problem_.empty() && at_ < text_.size()) Step();
    tokens_.push_back({});
    return problem_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(problem_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void Push(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text)}); }
  void SkipLine() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  void Step();
  void SkipComment();
  bool TakesExecutable();
  void TakeQuoted(char quote, bool is_name);
  void TakeWord();
  bool TakePrefixedLiteral();
  bool BeginsFraction() const;
  void TakeNumber();

  std::string_view text_;
  const DdlContext& context_;
  std::vector<Token>& tokens_;
  size_t at_ = 0;
  int executable_depth_ = 0;
  std::string problem_;
};

void Tokenizer::Step() {
  const char c = Peek();
  if (IsSpace(c)) {
    ++at_;
  } else if (c == '#' || (c == '-' && Peek(1) == '-' && (at_ + 2 >= text_.size() || Peek(2) <= ' '))) {
    SkipLine();
  } else if (c == '/' && Peek(1) == '*') {
    if (!TakesExecutable()) SkipComment();
  } else if (c == '*' && Peek(1) == '/' && executable_depth_ > 0) {
    --executable_depth_;
    at_ += 2;
  } else if (c == '`') {
    TakeQuoted('`', true);
  } else if (c == '"') {
    TakeQuoted('"', context_.ansi_quotes);
  } else if (c == '\'') {
    TakeQuoted('\'', false);
  } else if (TakePrefixedLiteral()) {
    return;
  } else if (IsDigit(c) || BeginsFraction()) {
    TakeNumber();
  } else if (IsNameCharacter(c)) {
    TakeWord();
  } else {
    Push(TokenKind::kSymbol, std::string(1, c));
    ++at_;
  }
}

// Of an executable comment that the server would skip, comments within it are skipped too.
void Tokenizer::SkipComment() {
  const bool nests = Peek(2) == '!' || (Peek(2) == 'M' && Peek(3) == '!');
  int depth = 0;
  do {
    if (at_ >= text_.size()) {
      problem_ = "a comment does not end";
      return;
    }
    if (Peek() == '/' && Peek(1) == '*' && (depth == 0 || nests)) {
      ++depth;
      at_ += 2;
    } else if (Peek() == '*' && Peek(1) == '/') {
      --depth;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (depth > 0);
}

// `/*!80013 …*/`, `/*M!100301 …*/`: moves past its head when its text counts.
bool Tokenizer::TakesExecutable() {
  const bool mariadb = context_.dialect == Dialect::kMariaDb;
  size_t ahead = 2;
  const bool for_mariadb = Peek(ahead) == 'M';
  if (for_mariadb) ++ahead;
  if (Peek(ahead) != '!' || (for_mariadb && !mariadb)) return false;
  ++ahead;
  size_t digits = 0;
  while (digits < 6 && IsDigit(Peek(ahead + digits))) ++digits;
  if (digits >= 5) {
    // MySQL takes a sixth digit only where white space follows it.
    if (digits == 6 && !mariadb && !IsSpace(Peek(ahead + 6))) digits = 5;
    uint32_t version = 0;
    std::from_chars(text_.data() + at_ + ahead, text_.data() + at_ + ahead + digits, version);
    // From 5.7 on the numbers below 10.0 are MySQL's alone.
    const bool foreign = mariadb && !for_mariadb && version >= 50700 && version <= 99999;
    if (version > context_.version || foreign) return false;
    ahead += digits;
  }
  at_ += ahead;
  ++executable_depth_;
  return true;
}

void Tokenizer::TakeQuoted(char quote, bool is_name) {
  std::string value;
  for (++at_;; ++at_) {
    if (at_ >= text_.size()) {
      problem_ = fmt::format("a quoted {} does not end", is_name ? "name" : "text");
      return;
    }
    const char c = text_[at_];
    if (c == quote) {
      if (Peek(1) != quote) break;
      ++at_;
      value += quote;
    } else if (c == '\\' && !is_name && !context_.no_backslash_escapes && at_ + 1 < text_.size()) {
      value += Unescaped(text_[++at_]);
    } else {
      value += c;
    }
  }
  ++at_;
  if (is_name) return Push(TokenKind::kQuotedName, std::move(value));
  // 'a' 'b' is one text, and so is one after its introducer, _utf8mb4'…'.
  if (!tokens_.empty() && tokens_.back().kind == TokenKind::kString) {
    tokens_.back().text += value;
    return;
  }
  Push(TokenKind::kString, std::move(value));
}

// N'…', x'…', 0x…, b'…', 0b…, _charset'…'. The text after an introducer is in that character set.
bool Tokenizer::TakePrefixedLiteral() {
  const char first = Lower(Peek());
  if (first == 'n' && Peek(1) == '\'') {
    ++at_;
    TakeQuoted('\'', false);
    return true;
  }
  if ((first == 'x' || first == 'b') && Peek(1) == '\'') {
    const size_t end = text_.find('\'', at_ + 2);
    const std::string_view digits = text_.substr(at_ + 2, end == text_.npos ? 0 : end - at_ - 2);
    const bool valid = end != text_.npos && std::all_of(digits.begin(), digits.end(), [&](char c) {
                         return first == 'x' ? HexDigit(c) >= 0 : (c == '0' || c == '1');
                       });
    if (!valid) return false;
    at_ = end + 1;
    Push(TokenKind::kHex, first == 'x' ? BytesOfHex(digits) : BytesOfBits(digits));
    return true;
  }
  if (first == '0' && (Peek(1) == 'x' || Peek(1) == 'b')) {
    size_t end = at_ + 2;
    while (end < text_.size() && IsNameCharacter(text_[end])) ++end;
    const std::string_view digits = text_.substr(at_ + 2, end - at_ - 2);
    const bool hex = Peek(1) == 'x';
    const bool valid = !digits.empty() && std::all_of(digits.begin(), digits.end(), [&](char c) {
      return hex ? HexDigit(c) >= 0 : (c == '0' || c == '1');
    });
    if (!valid) return false;
    at_ = end;
    Push(TokenKind::kHex, hex ? BytesOfHex(digits) : BytesOfBits(digits));
    return true;
  }
  if (first != '_') return false;
  size_t end = at_ + 1;
  while (end < text_.size() && IsNameCharacter(text_[end])) ++end;
  std::string name = LowerCase(text_.substr(at_ + 1, end - at_ - 1));
  if (name == "utf8") name = "utf8mb3";
  const Charset* charset = Charset::Find(name);
  if (charset == nullptr && name != "binary") return false;
  while (end < text_.size() && IsSpace(text_[end])) ++end;
  const char next = end < text_.size() ? text_[end] : '\0';
  const char after = end + 1 < text_.size() ? text_[end + 1] : '\0';
  const bool literal = next == '\'' || (next == '"' && !context_.ansi_quotes) ||
                       (Lower(next) == 'x' && after == '\'') || (next == '0' && after == 'x');
  if (!literal) return false;
  at_ = end;
  const size_t place = tokens_.size();
  if (next == '\'' || next == '"') {
    TakeQuoted(next, false);
  } else {
    TakePrefixedLiteral();
  }
  if (charset == nullptr || tokens_.size() != place + 1) return true;
  Arena arena(1024);
  std::string_view utf8;
  if (charset->ToUtf8(tokens_.back().text, &arena, &utf8)) {
    tokens_.back() = {TokenKind::kString, std::string(utf8)};
  }
  return true;
}

// `.5`; not the point of `db.5t`.
bool Tokenizer::BeginsFraction() const {
  if (Peek() != '.' || !IsDigit(Peek(1))) return false;
  if (tokens_.empty() || tokens_.back().kind == TokenKind::kSymbol) return true;
  return tokens_.back().kind == TokenKind::kWord && EqualsIgnoreCase(tokens_.back().text, "DEFAULT");
}

// Digits, a point, an exponent; or a name that begins with digits.
void Tokenizer::TakeNumber() {
  const size_t begin = at_;
  while (IsDigit(Peek())) ++at_;
  const bool after_point =
      !tokens_.empty() && tokens_.back().kind == TokenKind::kSymbol && tokens_.back().text == ".";
  if (after_point || (IsNameCharacter(Peek()) && Lower(Peek()) != 'e')) {
    at_ = begin;
    return TakeWord();
  }
  if (Peek() == '.') {
    ++at_;
    while (IsDigit(Peek())) ++at_;
  }
  if (Lower(Peek()) == 'e') {
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
    if (IsDigit(Peek(1 + sign))) {
      at_ += 1 + sign;
      while (IsDigit(Peek())) ++at_;
    } else if (text_.substr(begin, at_ - begin).find('.') == std::string_view::npos) {
      at_ = begin;
      return TakeWord();
    }
  }
  Push(TokenKind::kNumber, std::string(text_.substr(begin, at_ - begin)));
}

void Tokenizer::TakeWord() {
  const size_t begin = at_;
  while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
  Push(TokenKind::kWord, std::string(text_.substr(begin, at_ - begin)));
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

absl::Status Tokenize(std::string_view text, const DdlContext& context, std::vector<Token>* tokens) {
  return Tokenizer(text, context, tokens).Run();
}

}  // namespace hakobu::ddl
