// A text of an Avro file, and of a line of JSON, loaded into a column of a type that Avro does not have.
#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

struct TextType {
  const char* type;
  const char* more;  // of the column's schema
  const char* text;
};
constexpr TextType kTextTypes[] = {
    {"INTERVAL", "", "0-0 1 2:3:4"},
    {"RANGE", R"(,"rangeElementType":{"type":"DATE"})", "[2026-01-01, 2026-02-01)"},
    {"TIME", "", "01:02:03"},
    {"GEOGRAPHY", "", "POINT(1 2)"},
};

// An object container file with one record of one text [Avro 1.11, "Object Container Files"]. Nothing here is
// longer than 63 or, where two bytes are written, 8,191.
std::string Length(size_t size) {
  const size_t zigzag = size * 2;
  std::string bytes;
  if (zigzag < 0x80) return std::string(1, static_cast<char>(zigzag));
  bytes += static_cast<char>((zigzag & 0x7f) | 0x80);
  bytes += static_cast<char>(zigzag >> 7);
  return bytes;
}
std::string Text(std::string_view text) {
  return Length(text.size()) + std::string(text);
}
std::string AvroFileOf(std::string_view text) {
  constexpr char kAvroSchema[] =
      R"({"type":"record","name":"Root","fields":[{"name":"v","type":["null","string"]}]})";
  const std::string sync(16, 'h');
  const std::string record = Length(1) + Text(text);
  std::string file = "Obj\x01";
  file += Length(1) + Text("avro.schema") + Text(kAvroSchema) + Length(0) + sync;
  return file + Length(1) + Length(record.size()) + record + sync;
}

}  // namespace

ProbeAnswers ProbeAvroTexts(ProbeSite& site) {
  std::vector<ProbeAnswer> answers;
  for (const TextType& each : kTextTypes) {
    const std::string fields = fmt::format(R"([{{"name":"v","type":"{}"{}}}])", each.type, each.more);
    const std::string name = absl::AsciiStrToLower(each.type);
    HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("avro_" + name, fields));
    const absl::Status by_avro =
        site.Load(table, AvroFileOf(each.text), WriteDisposition::kAppend, "AVRO", fields);
    const absl::Status by_json =
        site.Load(table, fmt::format("{{\"v\":\"{}\"}}\n", each.text), WriteDisposition::kAppend);
    ProbeAnswer answer{.question = "avro_" + name};
    answer.answer = by_avro.ok() ? "accepted" : "refused";
    answer.seen = fmt::format("by Avro: {}; by JSON: {}", Words(by_avro), Words(by_json));
    answer.meaning = by_avro.ok() ? fmt::format("{} can be loaded from Avro", each.type)
                                  : fmt::format("{} cannot be loaded from Avro", each.type);
    answer.taken = std::string_view(each.type) == "INTERVAL"
                       ? "INTERVAL by `write: load` is refused by `check`; `write: storage` takes it"
                       : "nothing: TIME is written as Avro's own type, RANGE never";
    if (std::string_view(each.type) == "GEOGRAPHY") answer.taken = "GEOGRAPHY is loaded as text";
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace hakobu
