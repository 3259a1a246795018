#include "decode/charset/charset.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "decode/charset/tables.h"
#include "decode/charset/utf8.h"
#include "decode/utf8.h"

namespace hakobu {
namespace {

using charset::MultiByteCharset;
using charset::SingleByteTable;

// Writes into an arena with room for the longest result, and gives the rest back.
class Utf8Writer {
 public:
  Utf8Writer(Arena* arena, size_t most_bytes)
      : arena_(arena), begin_(arena->Allocate(most_bytes)), at_(begin_), most_bytes_(most_bytes) {}
  void Put(uint32_t code_point) { at_ += PutUtf8(code_point, at_); }
  std::string_view Finish() {
    const size_t size = static_cast<size_t>(at_ - begin_);
    arena_->ShrinkLast(most_bytes_, size);
    return {begin_, size};
  }

 private:
  Arena* arena_;
  char* begin_;
  char* at_;
  size_t most_bytes_;
};

class Utf8Charset : public Charset {
 public:
  explicit Utf8Charset(uint32_t last) : last_(last) {}
  bool ToUtf8(std::string_view bytes, Arena*, std::string_view* utf8) const override {
    *utf8 = bytes;
    return IsValidUtf8(bytes);
  }
  bool Has(uint32_t code_point) const override { return code_point <= last_; }

 private:
  uint32_t last_;
};

class AsciiCharset : public Charset {
 public:
  bool ToUtf8(std::string_view bytes, Arena*, std::string_view* utf8) const override {
    *utf8 = bytes;
    return IsAscii(bytes);
  }
  bool Has(uint32_t code_point) const override { return code_point < 0x80; }
};

class SingleByteCharset : public Charset {
 public:
  explicit SingleByteCharset(const SingleByteTable* table) : table_(table) {}
  bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const override {
    *utf8 = bytes;
    if (IsAscii(bytes)) return true;
    Utf8Writer writer(arena, bytes.size() * 3);
    bool valid = true;
    for (const char raw : bytes) {
      const auto byte = static_cast<unsigned char>(raw);
      const uint32_t code_point = byte < 0x80 ? byte : (*table_)[byte - 0x80];
      valid &= byte < 0x80 || code_point != 0;
      writer.Put(code_point);
    }
    *utf8 = writer.Finish();
    return valid;
  }
  bool Has(uint32_t code_point) const override {
    return code_point < 0x80 || std::ranges::find(*table_, code_point) != table_->end();
  }

 private:
  const SingleByteTable* table_;
};

// swe7: ASCII with Swedish letters in the place of some punctuation; 7 bits only.
class Swe7Charset : public Charset {
 public:
  bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const override {
    if (!IsAscii(bytes)) return false;
    Utf8Writer writer(arena, bytes.size() * 2);
    for (const char byte : bytes) {
      uint32_t code_point = static_cast<unsigned char>(byte);
      for (const auto& [ascii, letter] : kLetters) {
        if (ascii == byte) code_point = letter;
      }
      writer.Put(code_point);
    }
    *utf8 = writer.Finish();
    return true;
  }
  bool Has(uint32_t code_point) const override {
    if (code_point >= 0x80)
      return std::ranges::find(kLetters, code_point, &Letter::second) != std::end(kLetters);
    return std::ranges::find(kLetters, code_point, &Letter::first) == std::end(kLetters);
  }

 private:
  using Letter = std::pair<char, uint16_t>;
  static constexpr Letter kLetters[] = {{'@', 0xc9}, {'[', 0xc4}, {'\\', 0xd6}, {']', 0xc5}, {'^', 0xdc},
                                        {'`', 0xe9}, {'{', 0xe4}, {'|', 0xf6},  {'}', 0xe5}, {'~', 0xfc}};
};

// Big-endian or little-endian units of 2 or 4 bytes; 2-byte units may be surrogates (MySQL's ucs2 has none,
// but reads the same).
class WideCharset : public Charset {
 public:
  WideCharset(size_t unit_bytes, bool big_endian, uint32_t last)
      : unit_bytes_(unit_bytes), big_endian_(big_endian), last_(last) {}
  bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const override {
    if (bytes.size() % unit_bytes_ != 0) return false;
    Utf8Writer writer(arena, bytes.size() / unit_bytes_ * 4);
    bool valid = true;
    for (size_t at = 0; at < bytes.size(); at += unit_bytes_) {
      uint32_t code_point = Unit(bytes.data() + at);
      if (unit_bytes_ == 2 && code_point >= 0xd800 && code_point < 0xdc00 && at + 4 <= bytes.size()) {
        const uint32_t low = Unit(bytes.data() + at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
          code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
          at += 2;
        }
      }
      if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) {
        valid = false;
        break;
      }
      writer.Put(code_point);
    }
    *utf8 = writer.Finish();
    return valid;
  }
  bool Has(uint32_t code_point) const override { return code_point <= last_; }

 private:
  uint32_t Unit(const char* at) const {
    uint32_t value = 0;
    for (size_t i = 0; i < unit_bytes_; ++i) {
      const size_t place = big_endian_ ? i : unit_bytes_ - 1 - i;
      value = value << 8 | static_cast<unsigned char>(at[place]);
    }
    return value;
  }
  size_t unit_bytes_;
  bool big_endian_;
  uint32_t last_;
};

// Converts one sequence with ICU. 0: no character.
uint32_t ConvertOne(UConverter* converter, const char* bytes, int32_t size) {
  UErrorCode error = U_ZERO_ERROR;
  UChar units[4];
  ucnv_reset(converter);
  const int32_t length = ucnv_toUChars(converter, units, 4, bytes, size, &error);
  if (U_FAILURE(error) || length == 0 || units[0] == 0xfffd) return 0;
  if (length == 1) return units[0];
  if (length == 2 && U16_IS_LEAD(units[0]))
    return static_cast<uint32_t>(U16_GET_SUPPLEMENTARY(units[0], units[1]));
  return 0;
}

using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;

Converter OpenConverter(const char* name) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &error), &ucnv_close);
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  return U_SUCCESS(error) ? std::move(converter) : Converter(nullptr, &ucnv_close);
}

// East Asian sets of one to three bytes, as tables that are filled from ICU once, MySQL's differences on top.
class TableCharset : public Charset {
 public:
  explicit TableCharset(const MultiByteCharset& definition) : single_(128), double_(1 << 15) {
    const Converter converter = OpenConverter(definition.icu_converter);
    const bool euc_japanese = definition.name == "ujis" || definition.name == "eucjpms";
    if (euc_japanese) triple_.resize(1 << 15);
    for (uint32_t lead = 0x80; lead < 0x100; ++lead) {
      const char bytes[] = {static_cast<char>(lead)};
      single_[lead - 0x80] = ConvertOne(converter.get(), bytes, 1);
    }
    for (uint32_t code = 0x8000; code < 0x10000; ++code) {
      const char bytes[] = {'\x8f', static_cast<char>(code >> 8), static_cast<char>(code)};
      if (single_[(code >> 8) - 0x80] == 0)
        double_[code - 0x8000] = ConvertOne(converter.get(), bytes + 1, 2);
      if (euc_japanese) triple_[code - 0x8000] = ConvertOne(converter.get(), bytes, 3);
    }
    for (const charset::Override& run : definition.overrides) {
      for (uint32_t code = run.first; code <= run.last; ++code) {
        auto& table = code > 0xffff ? triple_ : double_;
        table[(code & 0xffff) - 0x8000] = run.first_code_point + (code - run.first);
      }
    }
  }

  bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const override {
    *utf8 = bytes;
    if (IsAscii(bytes)) return true;
    Utf8Writer writer(arena, bytes.size() * 3);
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned char* const end = at + bytes.size();
    bool valid = true;
    while (at < end && valid) {
      uint32_t code_point = *at;
      size_t size = 1;
      if (*at >= 0x80) {
        code_point = single_[*at - 0x80];
        if (*at == 0x8f && !triple_.empty() && end - at >= 3 && at[1] >= 0x80) {
          code_point = triple_[((at[1] << 8) | at[2]) - 0x8000];
          size = 3;
        } else if (code_point == 0 && end - at >= 2) {
          code_point = double_[((at[0] << 8) | at[1]) - 0x8000];
          size = 2;
        }
        valid = code_point != 0;
      }
      writer.Put(code_point);
      at += size;
    }
    *utf8 = writer.Finish();
    return valid;
  }
  bool Has(uint32_t code_point) const override {
    const auto in = [&](const std::vector<uint32_t>& table) {
      return std::ranges::find(table, code_point) != table.end();
    };
    return code_point < 0x80 || in(single_) || in(double_) || in(triple_);
  }

 private:
  std::vector<uint32_t> single_, double_, triple_;
};

// gb18030 has four-byte codes for all of Unicode: ICU's converter agrees with the server on every two-byte
// code.
class IcuCharset : public Charset {
 public:
  explicit IcuCharset(const char* name) : name_(name) {}
  bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const override {
    *utf8 = bytes;
    if (IsAscii(bytes)) return true;
    static thread_local const Converter converter = OpenConverter(name_.c_str());
    static thread_local std::vector<UChar> units;
    units.resize(bytes.size() + 1);
    UErrorCode error = U_ZERO_ERROR;
    ucnv_reset(converter.get());
    const int32_t length = ucnv_toUChars(converter.get(), units.data(), static_cast<int32_t>(units.size()),
                                         bytes.data(), static_cast<int32_t>(bytes.size()), &error);
    if (U_FAILURE(error)) return false;
    Utf8Writer writer(arena, static_cast<size_t>(length) * 3);
    for (int32_t at = 0; at < length;) {
      UChar32 code_point = 0;
      U16_NEXT(units.data(), at, length, code_point);
      if (U_IS_SURROGATE(code_point)) return false;
      writer.Put(static_cast<uint32_t>(code_point));
    }
    *utf8 = writer.Finish();
    return true;
  }
  bool Has(uint32_t) const override { return true; }

 private:
  std::string name_;
};

std::unique_ptr<Charset> Make(std::string_view name) {
  if (name == "utf8mb4") return std::make_unique<Utf8Charset>(0x10ffff);
  if (name == "utf8mb3" || name == "utf8") return std::make_unique<Utf8Charset>(0xffff);
  if (name == "ascii") return std::make_unique<AsciiCharset>();
  if (name == "swe7") return std::make_unique<Swe7Charset>();
  if (name == "ucs2") return std::make_unique<WideCharset>(2, true, 0xffff);
  if (name == "utf16") return std::make_unique<WideCharset>(2, true, 0x10ffff);
  if (name == "utf16le") return std::make_unique<WideCharset>(2, false, 0x10ffff);
  if (name == "utf32") return std::make_unique<WideCharset>(4, true, 0x10ffff);
  if (name == "gb18030") return std::make_unique<IcuCharset>("gb18030");
  if (const SingleByteTable* table = charset::FindSingleByteTable(name)) {
    return std::make_unique<SingleByteCharset>(table);
  }
  for (const MultiByteCharset& definition : charset::MultiByteCharsets()) {
    if (definition.name == name) return std::make_unique<TableCharset>(definition);
  }
  return nullptr;
}

}  // namespace

const Charset* Charset::Find(std::string_view name) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::unique_ptr<Charset>, std::less<>>;
  const std::lock_guard<std::mutex> lock(mutex);
  auto found = known->find(name);
  if (found == known->end()) found = known->emplace(std::string(name), Make(name)).first;
  return found->second.get();
}

std::string AsKept(std::string_view utf8, const Charset& charset) {
  std::string kept;
  for (int32_t at = 0, size = static_cast<int32_t>(utf8.size()); at < size;) {
    const int32_t begin = at;
    UChar32 code_point = 0;
    U8_NEXT(utf8.data(), at, size, code_point);
    if (code_point >= 0 && charset.Has(static_cast<uint32_t>(code_point))) {
      kept += utf8.substr(static_cast<size_t>(begin), static_cast<size_t>(at - begin));
    } else {
      kept += '?';
    }
  }
  return kept;
}

}  // namespace hakobu
