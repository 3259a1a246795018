// CSV and newline-delimited JSON loads.
// Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv, …-json
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "localbq/rest/http.h"
#include "localbq/rest/json_rows.h"
#include "localbq/rest/load_source.h"
#include "localbq/rest/row_filler.h"
#include "localbq/rest/text_file.h"
#include "localbq/storage_api/text_check.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

absl::Status Failure(std::string_view message) {
  return absl::InvalidArgumentError(fmt::format("Error while reading data, error message: {}", message));
}

// ---- autodetect: the narrowest type that every value of a column has.

enum class Guess : uint8_t { kNone, kBool, kInt64, kFloat64, kDate, kTimestamp, kString };

Guess GuessOf(std::string_view text) {
  Schema schema(1);
  const auto fits = [&](Type type) {
    schema[0] = Column{.name = "c", .type = type};
    RowFiller filler(schema);
    return StoreText(text, 0, &filler.sinks()[0], filler.context());
  };
  if (text.empty()) return Guess::kNone;
  if (SameName(text, "true") || SameName(text, "false")) return Guess::kBool;
  if (fits(Type::kInt64) && text.find_first_of(".eE") == std::string_view::npos) return Guess::kInt64;
  if (fits(Type::kFloat64)) return Guess::kFloat64;
  if (fits(Type::kDate)) return Guess::kDate;
  return fits(Type::kTimestamp) ? Guess::kTimestamp : Guess::kString;
}

Guess Wider(Guess a, Guess b) {
  if (a == b || b == Guess::kNone) return a;
  if (a == Guess::kNone) return b;
  const auto numeric = [](Guess guess) { return guess == Guess::kInt64 || guess == Guess::kFloat64; };
  return numeric(a) && numeric(b) ? Guess::kFloat64 : Guess::kString;
}

Type TypeOf(Guess guess) {
  switch (guess) {
    case Guess::kBool:
      return Type::kBool;
    case Guess::kInt64:
      return Type::kInt64;
    case Guess::kFloat64:
      return Type::kFloat64;
    case Guess::kDate:
      return Type::kDate;
    case Guess::kTimestamp:
      return Type::kTimestamp;
    default:
      return Type::kString;
  }
}

// ---- CSV

struct CsvOptions {
  char delimiter = ',';
  char quote = '"';
  bool has_quote = true;
  int64_t skip_rows = 0;
  std::set<std::string> null_markers;
  bool jagged = false, ignore_unknown = false, quoted_newlines = false, match_names = false;
};

absl::StatusOr<CsvOptions> ReadOptions(const json& load) {
  CsvOptions options;
  std::string delimiter = Text(load, "fieldDelimiter", ",");
  if (delimiter == "\\t" || delimiter == "tab") delimiter = "\t";
  if (delimiter.size() != 1) {
    return absl::UnimplementedError(
        "A fieldDelimiter of several bytes is not supported by the local BigQuery");
  }
  options.delimiter = delimiter[0];
  const std::string quote = Text(load, "quote", "\"");
  options.has_quote = !quote.empty();
  if (options.has_quote) options.quote = quote[0];
  options.skip_rows = Integer(load, "skipLeadingRows");
  if (load.contains("nullMarker") && load["nullMarker"].is_string()) {
    options.null_markers.insert(Text(load, "nullMarker"));
  }
  if (load.contains("nullMarkers") && load["nullMarkers"].is_array()) {
    for (const json& marker : load["nullMarkers"]) options.null_markers.insert(marker.get<std::string>());
  }
  if (options.null_markers.empty()) options.null_markers.insert("");
  options.jagged = Flag(load, "allowJaggedRows");
  options.ignore_unknown = Flag(load, "ignoreUnknownValues");
  options.quoted_newlines = Flag(load, "allowQuotedNewlines");
  const std::string encoding = Text(load, "encoding", "UTF-8");
  if (encoding != "UTF-8" && encoding != "UTF8") {
    return absl::UnimplementedError(
        fmt::format("encoding {} is not supported by the local BigQuery, only UTF-8 is", encoding));
  }
  return options;
}

struct CsvField {
  std::string_view text;
  bool quoted = false;
};

// Takes one record from the front of `rest`. Quotes inside quotes are doubled; texts with them go to the
// arena.
bool NextRecord(const CsvOptions& options, std::string_view* rest, Arena* arena,
                std::vector<CsvField>* fields, std::string* error) {
  fields->clear();
  std::string_view text = *rest;
  size_t at = 0;
  while (true) {
    CsvField field;
    if (options.has_quote && at < text.size() && text[at] == options.quote) {
      field.quoted = true;
      const size_t begin = ++at;
      bool doubled = false;
      while (at < text.size() &&
             (text[at] != options.quote || (at + 1 < text.size() && text[at + 1] == options.quote))) {
        if (text[at] == options.quote) {
          doubled = true;
          ++at;
        }
        if (text[at] == '\n' && !options.quoted_newlines) {
          *error =
              "Missing close quote character (\"). If the data has line breaks in quotes, set "
              "allowQuotedNewlines";
          *rest = text.substr(at + 1);
          return false;
        }
        ++at;
      }
      if (at == text.size()) {
        *error = "Missing close quote character (\").";
        *rest = {};
        return false;
      }
      field.text = text.substr(begin, at - begin);
      if (doubled) {
        std::string single;
        for (size_t i = 0; i < field.text.size(); ++i) {
          single.push_back(field.text[i]);
          if (field.text[i] == options.quote) ++i;
        }
        field.text = arena->Copy(single);
      }
      ++at;
      if (at < text.size() && text[at] != options.delimiter && text[at] != '\n' && text[at] != '\r') {
        *error = "Data between close quote character (\") and field separator.";
        const size_t end = std::min(text.find('\n', at), text.size() - 1);
        *rest = text.substr(end + 1);
        return false;
      }
    } else {
      const char stops[] = {options.delimiter, '\n'};
      const size_t end = std::min(text.find_first_of(std::string_view(stops, 2), at), text.size());
      field.text = text.substr(at, end - at);
      at = end;
      if ((at == text.size() || text[at] == '\n') && field.text.ends_with('\r')) field.text.remove_suffix(1);
    }
    fields->push_back(field);
    if (at < text.size() && text[at] == '\r') ++at;
    if (at >= text.size() || text[at] == '\n') {
      *rest = at >= text.size() ? std::string_view() : text.substr(at + 1);
      return true;
    }
    ++at;  // the delimiter
  }
}

class CsvSource : public LoadSource {
 public:
  CsvSource(std::string text, CsvOptions options) : text_(std::move(text)), options_(std::move(options)) {}
  const Schema& schema() const override { return schema_; }

  // The first row is a header when its fields are all texts but the rows below are not.
  absl::Status Detect() {
    Arena arena;
    std::vector<CsvField> fields;
    std::vector<std::string> names;
    std::vector<Guess> header, body;
    std::string_view rest = text_;
    std::string error;
    for (int row = 0; row < 500 && !rest.empty(); ++row) {
      if (!NextRecord(options_, &rest, &arena, &fields, &error)) continue;
      if (row < options_.skip_rows - 1) continue;
      for (size_t i = 0; i < fields.size(); ++i) {
        const Guess guess = GuessOf(fields[i].text);
        if (names.size() <= i) {
          names.emplace_back(fields[i].text);
          header.push_back(guess);
          body.push_back(Guess::kNone);
        } else {
          body[i] = Wider(body[i], guess);
        }
      }
    }
    const bool all_texts = std::ranges::all_of(header, [](Guess guess) { return guess == Guess::kString; });
    const bool body_differs = std::ranges::any_of(
        body, [](Guess guess) { return guess != Guess::kString && guess != Guess::kNone; });
    const bool has_header = options_.skip_rows > 0 || (all_texts && body_differs);
    for (size_t i = 0; i < names.size(); ++i) {
      Column column;
      column.name = has_header ? Cleaned(names[i]) : fmt::format("string_field_{}", i);
      column.type = TypeOf(has_header ? body[i] : Wider(header[i], body[i]));
      schema_.push_back(std::move(column));
    }
    if (has_header && options_.skip_rows == 0) options_.skip_rows = 1;
    return absl::OkStatus();
  }

  absl::Status Read(const Schema& target, BadRows* bad, EmitChunk emit) override {
    RowFiller filler(target);
    std::vector<ColumnSink*> sinks;
    for (ColumnSink& sink : filler.sinks()) sinks.push_back(&sink);
    if (!given_.empty() || !schema_.empty()) sinks = InFileOrder(&filler);
    std::string_view rest = text_;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    std::vector<CsvField> fields;
    std::string error;
    for (int64_t line = 1; !rest.empty(); ++line) {
      const bool parsed = NextRecord(options_, &rest, &filler.arena(), &fields, &error);
      if (line <= options_.skip_rows) continue;
      if (parsed && fields.size() == 1 && fields[0].text.empty() && !fields[0].quoted)
        continue;  // an empty line
      if (!parsed || !StoreRecord(fields, sinks, &filler, &error)) {
        filler.Discard();
        const std::string message =
            fmt::format("Error while reading data, error message: {}; line_number: {}", error, line);
        if (!bad->Add(message)) {
          return absl::InvalidArgumentError(message);
        }
      }
      if (filler.full()) HAKOBU_RETURN_IF_ERROR(filler.Flush(emit));
    }
    return filler.Flush(emit);
  }

  void SetGiven(Schema given) { given_ = std::move(given); }

 private:
  static std::string Cleaned(std::string_view name) {
    std::string clean;
    for (const char c : name) clean.push_back(std::isalnum(static_cast<unsigned char>(c)) ? c : '_');
    if (clean.empty() || std::isdigit(static_cast<unsigned char>(clean[0]))) clean.insert(0, "_");
    return clean;
  }

  // A file's fields go by position to the load's own schema, which may be another order than the table's.
  std::vector<ColumnSink*> InFileOrder(RowFiller* filler) const {
    std::vector<ColumnSink*> sinks;
    for (const Column& column : given_.empty() ? schema_ : given_) {
      ColumnSink* found = nullptr;
      for (ColumnSink& sink : filler->sinks()) {
        if (SameName(sink.column().name, column.name)) found = &sink;
      }
      sinks.push_back(found);
    }
    return sinks;
  }

  bool StoreRecord(const std::vector<CsvField>& fields, const std::vector<ColumnSink*>& sinks,
                   RowFiller* filler, std::string* error) const {
    if (fields.size() > sinks.size() && !options_.ignore_unknown) {
      *error = fmt::format("Too many values in line. Found {} column(s), expected {}.", fields.size(),
                           sinks.size());
      return false;
    }
    if (fields.size() < sinks.size() && !options_.jagged) {
      *error = fmt::format("CSV table references column position {}, but line contains only {} columns.",
                           sinks.size() - 1, fields.size());
      return false;
    }
    for (size_t i = 0; i < std::min(fields.size(), sinks.size()); ++i) {
      ColumnSink* sink = sinks[i];
      const CsvField& field = fields[i];
      if (sink == nullptr) continue;
      // Quoted, it is a value: "" is the empty string. With a marker named, an empty field is no NULL any
      // more.
      if (!field.quoted && options_.null_markers.contains(std::string(field.text))) continue;
      if (sink->is_list() || sink->column().type == Type::kRecord) {
        *error = fmt::format("CSV cannot hold nested or repeated data: field {}", sink->column().name);
        return false;
      }
      if (!StoreText(field.text, filler->slot(), sink, filler->context())) {
        *error = fmt::format("{} for field {} (position {})", filler->error(), sink->column().name, i);
        return false;
      }
    }
    const absl::Status finished = filler->Finish();
    if (!finished.ok()) *error = std::string(View(finished.message()));
    return finished.ok();
  }

  const std::string text_;
  CsvOptions options_;
  Schema schema_, given_;
};

// ---- newline-delimited JSON

void Learn(const JsonValue& row, Schema* schema);

void LearnValue(const JsonValue& value, Column* column) {
  using Kind = JsonValue::Kind;
  switch (value.kind) {
    case Kind::kObject:
      column->type = Type::kRecord;
      Learn(value, &column->fields);
      break;
    case Kind::kArray:
      column->mode = Mode::kRepeated;
      for (const JsonValue& element : value.elements) LearnValue(element, column);
      break;
    case Kind::kNull:
      break;
    default: {
      Guess guess = value.kind == Kind::kBool ? Guess::kBool : GuessOf(value.text);
      if (guess == Guess::kNone) guess = Guess::kString;
      const auto number = [](Type type) { return type == Type::kInt64 || type == Type::kFloat64; };
      const Type type = TypeOf(guess);
      if (column->description.empty()) {
        column->type = type;
        column->description = "seen";
      } else if (column->type != type) {
        column->type = number(column->type) && number(type) ? Type::kFloat64 : Type::kString;
      }
    }
  }
}

void Learn(const JsonValue& row, Schema* schema) {
  for (const auto& [name, value] : row.members) {
    auto found =
        std::ranges::find_if(*schema, [&](const Column& column) { return SameName(column.name, name); });
    if (found == schema->end()) {
      schema->push_back(Column{.name = name});
      found = std::prev(schema->end());
    }
    LearnValue(value, &*found);
  }
}

void ForgetMarks(Schema* schema) {
  for (Column& column : *schema) {
    column.description.clear();
    ForgetMarks(&column.fields);
  }
}

class NdjsonSource : public LoadSource {
 public:
  NdjsonSource(std::string text, bool ignore_unknown)
      : text_(std::move(text)), unknown_(ignore_unknown ? UnknownFields::kIgnore : UnknownFields::kRefuse) {}
  const Schema& schema() const override { return schema_; }

  absl::Status Detect() {
    std::string_view rest = text_;
    for (int row = 0; row < 500 && !rest.empty(); ++row) {
      JsonValue value;
      std::string error;
      if (ParseJson(NextLine(&rest), &value, &error)) Learn(value, &schema_);
    }
    ForgetMarks(&schema_);
    return absl::OkStatus();
  }

  bool UseDefaults(ColumnDefaults* defaults) override {
    defaults_ = defaults;
    return true;
  }

  absl::Status Read(const Schema& target, BadRows* bad, EmitChunk emit) override {
    RowFiller filler(target);
    if (defaults_ != nullptr) filler.UseDefaults(defaults_);
    std::string_view rest = text_;
    while (!rest.empty()) {
      const std::string_view line = NextLine(&rest);
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      JsonValue value;
      std::string error;
      std::vector<RowProblem> problems;
      if (!ParseJson(line, &value, &error) || value.kind != JsonValue::Kind::kObject) {
        problems.push_back({"", "Failed to parse JSON: " + error});
      } else {
        StoreJsonRow(value, &filler, unknown_, JsonStrings::kAreValues, &problems);
      }
      if (problems.empty()) {
        HAKOBU_RETURN_IF_ERROR(filler.Finish());
      } else {
        filler.Discard();
        const absl::Status failure =
            Failure(fmt::format("JSON processing encountered too many errors, giving up. Rows: 1; errors: 1; "
                                "max bad: {}; error percent: "
                                "0; {}",
                                bad->most, problems[0].message));
        if (!bad->Add(std::string(View(failure.message())))) return failure;
      }
      if (filler.full()) HAKOBU_RETURN_IF_ERROR(filler.Flush(emit));
    }
    return filler.Flush(emit);
  }

 private:
  static std::string_view NextLine(std::string_view* rest) {
    const size_t end = std::min(rest->find('\n'), rest->size());
    const std::string_view line = rest->substr(0, end);
    rest->remove_prefix(std::min(end + 1, rest->size()));
    return line;
  }

  ColumnDefaults* defaults_ = nullptr;
  const std::string text_;
  const UnknownFields unknown_;
  Schema schema_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadSource>> OpenCsv(const std::string& path, const json& load) {
  HAKOBU_ASSIGN_OR_RETURN(CsvOptions options, ReadOptions(load));
  HAKOBU_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  auto source = std::make_unique<CsvSource>(std::move(text), std::move(options));
  if (const json& given = Child(load, "schema"); !given.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(Schema schema, SchemaFromJson(given));
    source->SetGiven(std::move(schema));
  } else if (Flag(load, "autodetect")) {
    HAKOBU_RETURN_IF_ERROR(source->Detect());
  }
  return source;
}

absl::StatusOr<std::unique_ptr<LoadSource>> OpenNdjson(const std::string& path, const json& load) {
  HAKOBU_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  auto source = std::make_unique<NdjsonSource>(std::move(text), Flag(load, "ignoreUnknownValues"));
  if (Child(load, "schema").empty() && Flag(load, "autodetect")) HAKOBU_RETURN_IF_ERROR(source->Detect());
  return source;
}

}  // namespace hakobu::localbq::rest
