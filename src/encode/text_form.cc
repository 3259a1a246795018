#include "encode/text_form.h"

#include <openssl/sha.h>

#include <charconv>

#include "encode/binary_text.h"
#include "encode/geometry.h"
#include "encode/number_text.h"
#include "encode/problem.h"
#include "encode/temporal.h"

namespace hakobu {
namespace {

constexpr size_t kReportCharacters = 100;
constexpr size_t kReportBytes = 48;  // of binary values, which take two characters each

bool IsWithin(int64_t value, int64_t least, int64_t greatest) {
  return value >= least && value <= greatest;
}

std::string_view From(const ShortText& room, const char* end) {
  return {room.data(), static_cast<size_t>(end - room.data())};
}

Problem AppendBytes(const Column& column, std::string_view bytes, std::string* out) {
  const size_t begin = out->size();
  if (column.conversion == Conversion::kUuid) {
    if (bytes.size() != 16) return kNotUuid;
    out->resize(begin + 36);
    WriteUuid(bytes, out->data() + begin);
  } else if (column.conversion == Conversion::kBase64) {
    out->resize(begin + (bytes.size() + 2) / 3 * 4);
    WriteBase64(bytes, out->data() + begin);
  } else {
    out->resize(begin + bytes.size() * 2);
    WriteHex(bytes, out->data() + begin);
  }
  return nullptr;
}

Problem AppendInvalid(const Column& column, std::string_view text, std::string* out) {
  if (!column.keeps_invalid_text) return column.invalid_text;
  *out += EscapeInvalidUtf8(text);
  return nullptr;
}

}  // namespace

std::string_view WriteShortText(const Column& column, const Cell& cell, ShortText* room) {
  char* out = room->data();
  char* limit = out + room->size();
  switch (cell.kind) {
    case CellKind::kInt64:
      return From(*room, std::to_chars(out, limit, cell.integer).ptr);
    case CellKind::kUInt64:
      return From(*room, std::to_chars(out, limit, cell.unsigned_integer).ptr);
    case CellKind::kDouble:
      return From(*room, WriteDouble(cell.real, out));
    case CellKind::kFloat:
      return From(*room, WriteFloat(static_cast<float>(cell.real), out));
    case CellKind::kDate:
      if (!IsWithin(cell.integer, kMinDays, kMaxDays)) return {};
      return From(*room, WriteDate(cell.integer, out));
    case CellKind::kDateTime:
    case CellKind::kTimestamp:
      if (!IsWithin(cell.integer, kMinMicros, kMaxMicros)) return {};
      return From(*room, WriteDateTime(cell.integer, column.fraction, out));
    case CellKind::kTime:
      return From(*room, WriteTime(cell.integer, column.fraction, out));
    default:
      return {};
  }
}

Problem AppendText(const Column& column, const Cell& cell, std::string* out) {
  switch (cell.kind) {
    case CellKind::kString:
    case CellKind::kDecimal:
    case CellKind::kJson:
      out->append(cell.text());
      return nullptr;
    case CellKind::kBytes:
      return AppendBytes(column, cell.text(), out);
    case CellKind::kGeometry: {
      const size_t begin = out->size();
      if (AppendWkt(cell.text(), GeometryUse::kText, out) == GeometryProblem::kNone) return nullptr;
      out->resize(begin);
      return kNotGeometry;
    }
    case CellKind::kVector:
      AppendVector(cell.text(), out);
      return nullptr;
    case CellKind::kInvalid:
      return AppendInvalid(column, cell.text(), out);
    default: {
      ShortText room;
      const std::string_view brief = WriteShortText(column, cell, &room);
      out->append(brief);
      return brief.empty() ? kNotDate : nullptr;
    }
  }
}

std::string ReportText(const Column& column, const Cell& cell) {
  if (column.mask != Mask::kNone) return "(masked)";
  ShortText room;
  const std::string_view brief = WriteShortText(column, cell, &room);
  if (!brief.empty()) return std::string(brief);
  if (cell.kind == CellKind::kNull) return "NULL";
  if (!IsText(cell.kind)) return std::to_string(cell.integer);
  const std::string_view text = cell.text();
  if (cell.kind == CellKind::kBytes || cell.kind == CellKind::kGeometry || cell.kind == CellKind::kVector) {
    std::string hex = "0x";
    hex.resize(2 + std::min(text.size(), kReportBytes) * 2);
    WriteHex(text.substr(0, kReportBytes), hex.data() + 2);
    if (text.size() > kReportBytes) hex += "…";
    return hex;
  }
  // Cut first: a huge value is not copied for its report. A character has at most 4 bytes.
  const std::string valid = EscapeInvalidUtf8(CutUtf8(text, kReportCharacters * 4));
  const std::string_view first = FirstCharacters(valid, kReportCharacters);
  return first.size() < valid.size() || text.size() > kReportCharacters * 4
             ? std::string(FirstCharacters(valid, 99)) + "…"
             : valid;
}

std::string_view MaskText(const Column& column, std::string_view salted, ShortText* room) {
  const std::string_view text = salted.substr(column.mask_salt.size());
  if (column.mask == Mask::kFirstN) return FirstCharacters(text, column.mask_keep_characters);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(salted.data()), salted.size(), digest);
  WriteHex({reinterpret_cast<const char*>(digest), sizeof(digest)}, room->data());
  return {room->data(), 2 * sizeof(digest)};
}

}  // namespace hakobu
