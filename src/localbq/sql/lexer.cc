#include "localbq/sql/lexer.h"

#include <fmt/format.h>

#include <array>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace hakobu::localbq::sql {
namespace {

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
int HexValue(char c) {
  return IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  absl::StatusOr<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    for (;;) {
      HAKOBU_RETURN_IF_ERROR(SkipSpace());
      Token token;
      token.begin = at_;
      if (at_ >= sql_.size()) {
        token.end = at_;
        tokens.push_back(std::move(token));
        return tokens;
      }
      HAKOBU_RETURN_IF_ERROR(Next(token));
      token.end = at_;
      tokens.push_back(std::move(token));
    }
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }
  absl::Status Error(size_t at, std::string_view message) const { return ErrorAt(sql_, at, message); }

  absl::Status SkipSpace() {
    for (;;) {
      char c = Peek();
      if (c == '\0' && at_ >= sql_.size()) return absl::OkStatus();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
        ++at_;
      } else if (c == '#' || (c == '-' && Peek(1) == '-')) {
        while (at_ < sql_.size() && sql_[at_] != '\n') ++at_;
      } else if (c == '/' && Peek(1) == '*') {
        size_t close = sql_.find("*/", at_ + 2);
        if (close == sql_.npos) return Error(at_, "Syntax error: Unclosed comment");
        at_ = close + 2;
      } else if (sql_.substr(at_, 2) == "\xC2\xA0") {
        at_ += 2;
      } else {
        return absl::OkStatus();
      }
    }
  }

  absl::Status Next(Token& token) {
    char c = Peek();
    if (IsLetter(c)) {
      if (absl::Status status; PrefixedLiteral(token, status)) return status;
      token.kind = TokenKind::kIdentifier;
      TakeWhile(token, [](char x) { return IsLetter(x) || IsDigit(x); });
      return absl::OkStatus();
    }
    if (c == '`') return Backtick(token);
    if (c == '\'' || c == '"') {
      token.kind = TokenKind::kString;
      return Quoted(token, false, false);
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number(token);
    if (c == '@') return Variable(token);
    return Symbol(token);
  }

  template <typename Accept>
  void TakeWhile(Token& token, Accept accept) {
    while (at_ < sql_.size() && accept(sql_[at_])) token.text += sql_[at_++];
  }

  // r'…', b'…', rb'…', br'…'
  bool PrefixedLiteral(Token& token, absl::Status& status) {
    bool raw = false, bytes = false;
    size_t length = 0;
    for (; length < 2; ++length) {
      char c = static_cast<char>(Peek(length) | 0x20);
      if (c == 'r' && !raw) {
        raw = true;
      } else if (c == 'b' && !bytes) {
        bytes = true;
      } else {
        break;
      }
    }
    if (length == 0 || (Peek(length) != '\'' && Peek(length) != '"')) return false;
    at_ += length;
    token.kind = bytes ? TokenKind::kBytes : TokenKind::kString;
    status = Quoted(token, raw, bytes);
    return true;
  }

  absl::Status Backtick(Token& token) {
    token.kind = TokenKind::kQuotedIdentifier;
    size_t start = at_++;
    for (;;) {
      if (at_ >= sql_.size()) return Error(start, "Syntax error: Unclosed identifier literal");
      char c = sql_[at_];
      if (c == '`') break;
      if (c == '\\') {
        HAKOBU_RETURN_IF_ERROR(Escape(token.text, false));
      } else {
        token.text += c;
        ++at_;
      }
    }
    ++at_;
    if (token.text.empty()) return Error(start, "Syntax error: Invalid empty identifier");
    return absl::OkStatus();
  }

  absl::Status Quoted(Token& token, bool raw, bool bytes) {
    size_t start = token.begin;
    char quote = Peek();
    bool triple = Peek(1) == quote && Peek(2) == quote;
    at_ += triple ? 3 : 1;
    for (;;) {
      if (at_ >= sql_.size() || (!triple && sql_[at_] == '\n')) {
        return Error(start, triple ? "Syntax error: Unclosed triple-quoted string literal"
                                   : "Syntax error: Unclosed string literal");
      }
      char c = sql_[at_];
      if (c == quote && (!triple || (Peek(1) == quote && Peek(2) == quote))) {
        at_ += triple ? 3 : 1;
        return absl::OkStatus();
      }
      if (c == '\\' && raw) {
        token.text += c;
        if (++at_ < sql_.size()) token.text += sql_[at_++];
      } else if (c == '\\') {
        HAKOBU_RETURN_IF_ERROR(Escape(token.text, bytes));
      } else {
        token.text += c;
        ++at_;
      }
    }
  }

  absl::Status Escape(std::string& out, bool bytes) {
    static constexpr std::string_view kFrom = "abfnrtv\\?\"'`", kTo = "\a\b\f\n\r\t\v\\?\"'`";
    size_t start = at_++;
    char c = Peek();
    if (size_t index = kFrom.find(c); c != '\0' && index != kFrom.npos) {
      out += kTo[index];
      ++at_;
      return absl::OkStatus();
    }
    if (c == 'x' || c == 'X') return Digits(start, 1, 2, 16, bytes, out);
    if (c >= '0' && c <= '7') return Digits(start, 0, 3, 8, bytes, out);
    if (c == 'u' && !bytes) return Digits(start, 1, 4, 16, false, out);
    if (c == 'U' && !bytes) return Digits(start, 1, 8, 16, false, out);
    return Error(start, fmt::format("Syntax error: Illegal escape sequence: \\{}", c));
  }

  absl::Status Digits(size_t start, size_t skip, size_t count, uint32_t base, bool bytes, std::string& out) {
    at_ += skip;
    uint32_t code = 0;
    for (size_t i = 0; i < count; ++i, ++at_) {
      char c = Peek();
      if (!IsHex(c) || HexValue(c) >= static_cast<int>(base)) {
        return Error(start, "Syntax error: Illegal escape sequence");
      }
      code = code * base + static_cast<uint32_t>(HexValue(c));
    }
    if (bytes) {
      if (code > 0xFF) return Error(start, "Syntax error: Illegal escape sequence");
      out += static_cast<char>(code);
    } else if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
      return Error(start, "Syntax error: Illegal escape sequence: not a Unicode code point");
    } else {
      AppendUtf8(code, out);
    }
    return absl::OkStatus();
  }

  absl::Status Number(Token& token) {
    token.kind = TokenKind::kInteger;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X') && IsHex(Peek(2))) {
      token.text = "0x";
      at_ += 2;
      TakeWhile(token, IsHex);
      return absl::OkStatus();
    }
    TakeWhile(token, IsDigit);
    if (Peek() == '.') {
      token.kind = TokenKind::kFloat;
      token.text += sql_[at_++];
      TakeWhile(token, IsDigit);
    }
    if (char e = Peek(); e == 'e' || e == 'E') {
      size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (IsDigit(Peek(1 + sign))) {
        token.kind = TokenKind::kFloat;
        token.text += sql_.substr(at_, 1 + sign);
        at_ += 1 + sign;
        TakeWhile(token, IsDigit);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Variable(Token& token) {
    token.kind = TokenKind::kParameter;
    ++at_;
    if (Peek() == '@') {
      token.kind = TokenKind::kSystemVariable;
      ++at_;
    }
    if (Peek() == '`') {
      TokenKind kind = token.kind;
      HAKOBU_RETURN_IF_ERROR(Backtick(token));
      token.kind = kind;
      return absl::OkStatus();
    }
    TakeWhile(token, [](char x) { return IsLetter(x) || IsDigit(x); });
    if (token.text.empty()) return Error(token.begin, "Syntax error: Unexpected \"@\"");
    return absl::OkStatus();
  }

  absl::Status Symbol(Token& token) {
    static constexpr std::array<std::string_view, 9> kPairs = {"<=", ">=", "<>", "!=", "||",
                                                               "<<", ">>", "=>", "->"};
    token.kind = TokenKind::kSymbol;
    for (std::string_view pair : kPairs) {
      if (sql_.substr(at_, 2) == pair) {
        token.text = pair;
        at_ += 2;
        return absl::OkStatus();
      }
    }
    char c = Peek();
    if (std::string_view("()[]{},.;:+-*/=<>?|&^~%$").find(c) == std::string_view::npos) {
      bool printable = c >= ' ' && c < 0x7F;
      return Error(at_, printable ? fmt::format("Syntax error: Illegal input character \"{}\"", c)
                                  : fmt::format("Syntax error: Illegal input character \"\\{:03o}\"",
                                                static_cast<unsigned char>(c)));
    }
    token.text = std::string(1, c);
    ++at_;
    return absl::OkStatus();
  }

  std::string_view sql_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view sql) {
  return Lexer(sql).Run();
}

std::string Place(std::string_view sql, size_t offset) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < offset && i < sql.size(); ++i) {
    if (sql[i] == '\n') {
      ++line;
      column = 1;
    } else if ((sql[i] & 0xC0) != 0x80) {
      ++column;
    }
  }
  return fmt::format("[{}:{}]", line, column);
}

absl::Status ErrorAt(std::string_view sql, size_t offset, std::string_view message) {
  return absl::InvalidArgumentError(fmt::format("{} at {}", message, Place(sql, offset)));
}

std::string Upper(std::string_view text) {
  return absl::AsciiStrToUpper(View(text));
}

std::string Lower(std::string_view text) {
  return absl::AsciiStrToLower(View(text));
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && Lower(a) == Lower(b);
}

std::string QuoteName(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string QuoteText(std::string_view text) {
  if (text.find('\0') != text.npos) {  // DuckDB ends its SQL at a NUL byte
    std::string out = "(";
    size_t start = 0;
    for (size_t nul = text.find('\0');; nul = text.find('\0', start)) {
      if (start > 0) out += " || chr(0) || ";
      out += QuoteText(text.substr(start, nul == text.npos ? text.npos : nul - start));
      if (nul == text.npos) return out + ')';
      start = nul + 1;
    }
  }
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

}  // namespace hakobu::localbq::sql
