// Avro loads.
// Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions
#include <fmt/format.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/rest/avro_file.h"
#include "localbq/rest/http.h"
#include "localbq/rest/load_source.h"
#include "localbq/rest/row_filler.h"
#include "localbq/storage_api/numeric.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

struct Options {
  bool logical_types = false;
  std::vector<Type> decimal_targets;
};

// The first of the job's targets that holds every value of decimal(precision, scale).
Type DecimalTarget(const AvroType& type, const Options& options) {
  const auto allowed = [&](Type target) {
    return std::ranges::find(options.decimal_targets, target) != options.decimal_targets.end();
  };
  const int whole = type.precision - type.scale;
  if (allowed(Type::kNumeric) && whole <= 29 && type.scale <= 9) return Type::kNumeric;
  if (allowed(Type::kBigNumeric) && whole <= 38 && type.scale <= 38) return Type::kBigNumeric;
  if (allowed(Type::kString)) return Type::kString;
  return allowed(Type::kBigNumeric) ? Type::kBigNumeric : Type::kNumeric;
}

Type ScalarTypeOf(const AvroType& type, const Options& options) {
  if (type.logical_type == "decimal") return DecimalTarget(type, options);
  const std::string& logical = options.logical_types ? type.logical_type : std::string();
  switch (type.kind) {
    case AvroKind::kBoolean:
      return Type::kBool;
    case AvroKind::kInt:
    case AvroKind::kLong:
      if (logical == "date") return Type::kDate;
      if (logical.starts_with("time-")) return Type::kTime;
      if (logical.starts_with("timestamp-")) return Type::kTimestamp;
      if (logical.starts_with("local-timestamp-")) return Type::kDateTime;
      return Type::kInt64;
    case AvroKind::kFloat:
    case AvroKind::kDouble:
      return Type::kFloat64;
    case AvroKind::kBytes:
    case AvroKind::kFixed:
      return Type::kBytes;
    case AvroKind::kString:
      if (type.sql_type == "JSON") return Type::kJson;
      if (type.sql_type == "GEOGRAPHY") return Type::kGeography;
      if (logical == "datetime" || type.sql_type == "DATETIME") return Type::kDateTime;
      return Type::kString;
    default:
      return Type::kString;
  }
}

// A union of null and one other type is that type, nullable.
absl::StatusOr<const AvroType*> Branch(const AvroType& type) {
  const AvroType* branch = nullptr;
  for (const AvroType& child : type.children) {
    if (child.kind == AvroKind::kNull) continue;
    if (branch != nullptr) {
      return absl::UnimplementedError(
          fmt::format("Avro field {}: a union of several types is not supported by the local BigQuery, only "
                      "of null and one",
                      type.name));
    }
    branch = &child;
  }
  return branch;
}

absl::StatusOr<Column> ColumnOf(const AvroType& type, const std::string& name, const Options& options) {
  Column column;
  column.name = name;
  if (type.kind == AvroKind::kUnion) {
    HAKOBU_ASSIGN_OR_RETURN(const AvroType* branch, Branch(type));
    if (branch == nullptr) return column;
    HAKOBU_ASSIGN_OR_RETURN(column, ColumnOf(*branch, name, options));
    if (column.mode == Mode::kRequired) column.mode = Mode::kNullable;
    return column;
  }
  column.mode = Mode::kRequired;
  if (type.kind == AvroKind::kArray) {
    HAKOBU_ASSIGN_OR_RETURN(column, ColumnOf(type.children[0], name, options));
    column.mode = Mode::kRepeated;
  } else if (type.kind == AvroKind::kMap) {
    column.type = Type::kRecord;
    column.mode = Mode::kRepeated;
    Column key{.name = "key", .type = Type::kString, .mode = Mode::kRequired};
    HAKOBU_ASSIGN_OR_RETURN(Column value, ColumnOf(type.children[0], "value", options));
    column.fields = {std::move(key), std::move(value)};
  } else if (type.kind == AvroKind::kRecord) {
    column.type = Type::kRecord;
    for (const AvroType& field : type.children) {
      HAKOBU_ASSIGN_OR_RETURN(Column child, ColumnOf(field, field.name, options));
      column.fields.push_back(std::move(child));
    }
  } else {
    column.type = ScalarTypeOf(type, options);
  }
  return column;
}

// A writer's type beside the sink its values go to (none: they are read over).
struct Plan {
  const AvroType* type = nullptr;
  ColumnSink* sink = nullptr;
  StoreFunction store = nullptr;
  Source source = Source::kText;
  int64_t factor = 1;  // milliseconds to microseconds
  std::vector<Plan> children;
};

void PlanScalar(Plan* plan) {
  const AvroType& type = *plan->type;
  const Type target = plan->sink->column().type;
  const bool temporal = target == Type::kTime || target == Type::kTimestamp || target == Type::kDateTime;
  switch (type.kind) {
    case AvroKind::kBoolean:
      plan->source = Source::kBool;
      break;
    case AvroKind::kInt:
    case AvroKind::kLong:
      plan->source = temporal ? Source::kMicros : Source::kInteger;
      if (type.logical_type.ends_with("millis")) plan->factor = 1000;
      break;
    case AvroKind::kFloat:
    case AvroKind::kDouble:
      plan->source = Source::kDouble;
      break;
    case AvroKind::kBytes:
    case AvroKind::kFixed:
      plan->source = type.logical_type == "decimal" ? Source::kDecimal : Source::kBytes;
      break;
    default:
      plan->source = Source::kText;
  }
  // Bytes are a number only where the file calls them a decimal.
  if (plan->source != Source::kBytes || target == Type::kBytes) plan->store = FindStore(plan->source, target);
}

Plan MakePlan(const AvroType& type, ColumnSink* sink) {
  Plan plan{.type = &type, .sink = sink};
  const bool is_list = sink != nullptr && sink->is_list();
  ColumnSink* element = is_list ? &sink->child(0) : sink;
  switch (type.kind) {
    case AvroKind::kUnion:
      for (const AvroType& branch : type.children) plan.children.push_back(MakePlan(branch, sink));
      break;
    case AvroKind::kArray:
      plan.children.push_back(MakePlan(type.children[0], is_list ? element : nullptr));
      break;
    case AvroKind::kMap: {
      const bool pairs = is_list && element->child_count() == 2;
      plan.children.push_back(MakePlan(type.children[0], pairs ? &element->child(1) : nullptr));
      break;
    }
    case AvroKind::kRecord:
      for (const AvroType& field : type.children) {
        ColumnSink* child = nullptr;
        for (size_t i = 0; sink != nullptr && i < sink->child_count(); ++i) {
          if (SameName(sink->child(i).column().name, field.name)) child = &sink->child(i);
        }
        plan.children.push_back(MakePlan(field, child));
      }
      break;
    default:
      if (sink != nullptr) PlanScalar(&plan);
  }
  return plan;
}

// Little-endian two's complement in as few bytes as hold it: a fixed type is as wide as its writer liked.
std::string_view WithoutSignExtension(std::string_view bytes) {
  while (bytes.size() > 1) {
    const char sign = (bytes[bytes.size() - 2] & 0x80) != 0 ? '\xff' : '\0';
    if (bytes.back() != sign) break;
    bytes.remove_suffix(1);
  }
  return bytes;
}

class Decoder {
 public:
  Decoder(AvroCursor* cursor, RowFiller* filler) : cursor_(cursor), filler_(filler) {}

  // False: a value was refused (the cursor went past it all the same).
  bool Value(const Plan& plan, idx_t slot) {
    switch (plan.type->kind) {
      case AvroKind::kNull:
        return true;
      case AvroKind::kUnion: {
        const auto index = static_cast<uint64_t>(cursor_->Long());
        if (index >= plan.children.size()) {
          cursor_->Fail();
          return true;
        }
        return Value(plan.children[index], slot);
      }
      case AvroKind::kArray:
      case AvroKind::kMap:
        return Items(plan, slot);
      case AvroKind::kRecord: {
        bool good = true;
        if (plan.sink != nullptr) plan.sink->SetValid(slot);
        for (const Plan& child : plan.children) good = Value(child, slot) && good;
        return good;
      }
      default:
        return Scalar(plan, slot);
    }
  }

 private:
  bool Items(const Plan& plan, idx_t slot) {
    bool good = true;
    const Plan& element = plan.children[0];
    const bool is_map = plan.type->kind == AvroKind::kMap;
    for (int64_t count = cursor_->Long(); count != 0 && !cursor_->failed(); count = cursor_->Long()) {
      if (count < 0) {
        cursor_->Long();
        count = -count;
      }
      for (; count > 0 && !cursor_->failed(); --count) {
        const bool wanted = element.sink != nullptr;
        const idx_t at = wanted ? plan.sink->PushElement(slot) : 0;
        if (is_map) {
          const std::string_view key = cursor_->Bytes();
          if (wanted) {
            plan.sink->child(0).SetValid(at);
            plan.sink->child(0).child(0).PutText(at, key);
          }
        }
        good = Value(element, at) && good;
      }
    }
    return good;
  }

  bool Scalar(const Plan& plan, idx_t slot) {
    localbq::Scalar scalar;
    const AvroType& type = *plan.type;
    switch (type.kind) {
      case AvroKind::kBoolean: {
        const std::string_view byte = cursor_->Take(1);
        scalar.integer = !byte.empty() && byte[0] != 0;
        break;
      }
      case AvroKind::kInt:
      case AvroKind::kLong:
        scalar.integer = cursor_->Long() * plan.factor;
        break;
      case AvroKind::kFloat:
        scalar.real = Fixed<float, uint32_t>();
        break;
      case AvroKind::kDouble:
        scalar.real = Fixed<double, uint64_t>();
        break;
      case AvroKind::kEnum: {
        const auto index = static_cast<uint64_t>(cursor_->Long());
        if (index < type.symbols.size()) scalar.bytes = type.symbols[index];
        break;
      }
      case AvroKind::kFixed:
        scalar.bytes = cursor_->Take(static_cast<size_t>(type.size));
        break;
      default:
        scalar.bytes = cursor_->Bytes();
    }
    if (plan.sink == nullptr || cursor_->failed()) return true;
    return plan.source == Source::kDecimal ? Decimal(plan, scalar, slot) : Put(plan, scalar, slot);
  }

  template <typename Real, typename Bits>
  Real Fixed() {
    const std::string_view bytes = cursor_->Take(sizeof(Bits));
    Bits bits = 0;
    if (!bytes.empty()) std::memcpy(&bits, bytes.data(), sizeof bits);
    return std::bit_cast<Real>(bits);
  }

  bool Put(const Plan& plan, const localbq::Scalar& scalar, idx_t slot) {
    if (plan.store != nullptr) return plan.store(scalar, slot, plan.sink, filler_->context());
    if (plan.source == Source::kText) return StoreText(scalar.bytes, slot, plan.sink, filler_->context());
    *filler_->context().error = fmt::format("Field {} cannot be loaded as {}", plan.sink->column().name,
                                            SqlTypeText(plan.sink->column()));
    return false;
  }

  // Big-endian two's complement of any length.
  bool Decimal(const Plan& plan, localbq::Scalar scalar, idx_t slot) {
    if (scalar.bytes.empty()) scalar.bytes = std::string_view("\0", 1);
    char* reversed = filler_->arena().Allocate(scalar.bytes.size());
    std::reverse_copy(scalar.bytes.begin(), scalar.bytes.end(), reversed);
    scalar.bytes = WithoutSignExtension({reversed, scalar.bytes.size()});
    scalar.nanos = plan.type->scale;
    if (plan.store != nullptr) return plan.store(scalar, slot, plan.sink, filler_->context());
    ScaledInteger value;
    if (plan.sink->column().type != Type::kString || !FromLittleEndian(scalar.bytes, &value)) {
      *filler_->context().error = fmt::format("A decimal of field {} does not fit {}",
                                              plan.sink->column().name, SqlTypeText(plan.sink->column()));
      return false;
    }
    plan.sink->PutText(slot, filler_->arena().Copy(ToText(value, plan.type->scale)));
    return true;
  }

  AvroCursor* cursor_;
  RowFiller* filler_;
};

class AvroSource : public LoadSource {
 public:
  AvroSource(std::unique_ptr<AvroFile> file, Schema schema)
      : file_(std::move(file)), schema_(std::move(schema)) {}
  const Schema& schema() const override { return schema_; }

  absl::Status Read(const Schema& target, BadRows* bad, EmitChunk emit) override {
    file_->Rewind();
    RowFiller filler(target);
    std::vector<Plan> plans;
    for (const AvroType& field : file_->schema().children) {
      ColumnSink* found = nullptr;
      for (ColumnSink& sink : filler.sinks()) {
        if (SameName(sink.column().name, field.name)) found = &sink;
      }
      plans.push_back(MakePlan(field, found));
    }
    std::string buffer;
    std::string_view bytes;
    int64_t rows = 0;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, file_->NextBlock(&rows, &buffer, &bytes));
      if (!more) return absl::OkStatus();
      AvroCursor cursor(bytes);
      Decoder decoder(&cursor, &filler);
      for (int64_t row = 0; row < rows; ++row) {
        HAKOBU_RETURN_IF_ERROR(ReadRow(plans, &decoder, cursor, &filler, bad));
        if (filler.full()) HAKOBU_RETURN_IF_ERROR(filler.Flush(emit));
      }
      HAKOBU_RETURN_IF_ERROR(filler.Flush(emit));  // its texts lie in the block
    }
  }

 private:
  static absl::Status ReadRow(const std::vector<Plan>& plans, Decoder* decoder, const AvroCursor& cursor,
                              RowFiller* filler, BadRows* bad) {
    bool good = true;
    for (const Plan& plan : plans) good = decoder->Value(plan, filler->slot()) && good;
    if (cursor.failed()) {
      return absl::InvalidArgumentError(
          "Error while reading data, error message: The Apache Avro library failed to read data: a block "
          "ends early");
    }
    std::string message = filler->error();
    if (good) {
      const absl::Status finished = filler->Finish();
      if (finished.ok()) return finished;
      message = std::string(View(finished.message()));
    } else {
      filler->Discard();
    }
    message = "Error while reading data, error message: " + message;
    return bad->Add(message) ? absl::OkStatus() : absl::InvalidArgumentError(message);
  }

  std::unique_ptr<AvroFile> file_;
  const Schema schema_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadSource>> OpenAvro(const std::string& path, const json& load) {
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<AvroFile> file, AvroFile::Open(path));
  Options options{.logical_types = Flag(load, "useAvroLogicalTypes"), .decimal_targets = {}};
  const auto targets = load.find("decimalTargetTypes");
  if (targets != load.end() && targets->is_array()) {
    for (const json& target : *targets) {
      if (const auto type = ParseTypeName(target.is_string() ? target.get<std::string>() : "")) {
        options.decimal_targets.push_back(*type);
      }
    }
  }
  if (options.decimal_targets.empty()) options.decimal_targets = {Type::kNumeric};
  HAKOBU_ASSIGN_OR_RETURN(Column root, ColumnOf(file->schema(), "root", options));
  return std::make_unique<AvroSource>(std::move(file), std::move(root.fields));
}

}  // namespace hakobu::localbq::rest
