#include "localbq/storage_api/arrow_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "base/arena.h"
#include "base/status.h"
#include "localbq/storage_api/arrow_ipc.h"
#include "localbq/storage_api/value_store.h"

namespace hakobu::localbq {

// A field of the writer's and the column it goes to.
struct ArrowTarget {
  ArrowField field;
  std::string path;
  uint32_t sink = 0;
  StoreFunction store = nullptr;      // of a scalar
  std::vector<ArrowTarget> children;  // of a list: its element; of a struct: its fields
};

struct ArrowPlan {
  Schema schema;
  std::vector<ArrowTarget> targets;
};

struct ArrowArray {
  int64_t length = 0;
  std::string_view validity, offsets, data;  // empty validity: all valid
  std::vector<ArrowArray> children;
};

namespace {

std::string_view ArrowTypeName(ArrowType type) {
  static constexpr std::string_view kNames[] = {"?",         "null",     "int",     "floatingpoint", "binary",
                                                "utf8",      "bool",     "decimal", "date",          "time",
                                                "timestamp", "interval", "list",    "struct"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index]
         : index == 19             ? "largebinary"
         : index == 20             ? "largeutf8"
                                   : "other";
}

bool IsList(const ArrowField& field) {
  return field.type == ArrowType::kList || field.type == ArrowType::kLargeList;
}
bool IsText(const ArrowField& field) {
  return field.type == ArrowType::kUtf8 || field.type == ArrowType::kBinary || IsList(field) ||
         field.type == ArrowType::kLargeUtf8 || field.type == ArrowType::kLargeBinary;
}
bool IsLarge(const ArrowField& field) {
  return field.type == ArrowType::kLargeUtf8 || field.type == ArrowType::kLargeBinary ||
         field.type == ArrowType::kLargeList;
}

size_t BitsOf(const ArrowField& field) {
  switch (field.type) {
    case ArrowType::kBool:
      return 1;
    case ArrowType::kInt:
    case ArrowType::kDecimal:
    case ArrowType::kTime:
      return static_cast<size_t>(field.bit_width);
    case ArrowType::kFloat:
      return field.precision == 2 ? 64 : 32;
    case ArrowType::kDate:
      return field.unit == 0 ? 32 : 64;
    case ArrowType::kTimestamp:
      return 64;
    default:
      return 0;
  }
}

StoreFunction FindArrowStore(const ArrowField& field, Type type) {
  const bool is_temporal =
      type == Type::kTime || type == Type::kDateTime || type == Type::kTimestamp || type == Type::kDate;
  switch (field.type) {
    case ArrowType::kBool:
      return FindStore(Source::kBool, type);
    case ArrowType::kInt: {
      const int32_t width = field.bit_width;
      if (width != 8 && width != 16 && width != 32 && width != 64) return nullptr;
      if (is_temporal && !(type == Type::kDate && width == 32)) return nullptr;
      return FindStore(field.is_signed || width < 64 ? Source::kInteger : Source::kUnsigned, type);
    }
    case ArrowType::kFloat:
      return field.precision == 1 || field.precision == 2 ? FindStore(Source::kDouble, type) : nullptr;
    case ArrowType::kBinary:
    case ArrowType::kLargeBinary:
      return type == Type::kBytes ? FindStore(Source::kBytes, type) : nullptr;
    case ArrowType::kUtf8:
    case ArrowType::kLargeUtf8:
      return type == Type::kBytes ? nullptr : FindStore(Source::kText, type);
    case ArrowType::kDecimal:
      return field.bit_width == 128 || field.bit_width == 256 ? FindStore(Source::kDecimal, type) : nullptr;
    case ArrowType::kDate:
      return type == Type::kDate && field.unit == 0 ? FindStore(Source::kInteger, type) : nullptr;
    case ArrowType::kTime:
      return type == Type::kTime && (field.bit_width == 32 || field.bit_width == 64)
                 ? FindStore(Source::kMicros, type)
                 : nullptr;
    case ArrowType::kTimestamp:
      return type == (field.timezone.empty() ? Type::kDateTime : Type::kTimestamp)
                 ? FindStore(Source::kMicros, type)
                 : nullptr;
    default:
      return nullptr;
  }
}

absl::Status Clash(const std::string& path, const ArrowField& field, const Column& column) {
  return absl::InvalidArgumentError(fmt::format(
      "The Arrow field mismatched with BigQuery field at {}, the Arrow field type {}, BigQuery field type {}",
      path, ArrowTypeName(field.type), RestTypeName(column.type)));
}

absl::Status Bind(const std::vector<ArrowField>& fields, const std::vector<Column>& columns,
                  const std::string& prefix, std::vector<std::string>* extra,
                  std::vector<ArrowTarget>* targets);

absl::Status BindElement(const ArrowField& field, const Column& column, std::vector<std::string>* extra,
                         ArrowTarget* target) {
  target->field = field;
  if (column.type == Type::kRecord) {
    if (field.type != ArrowType::kStruct) return Clash(target->path, field, column);
    return Bind(field.children, column.fields, target->path + ".", extra, &target->children);
  }
  if (column.type == Type::kRange && field.type == ArrowType::kStruct) {
    std::vector<Column> bounds(2);
    bounds[0].name = "start";
    bounds[1].name = "end";
    bounds[0].type = bounds[1].type = column.range_element;
    return Bind(field.children, bounds, target->path + ".", extra, &target->children);
  }
  target->store = FindArrowStore(field, column.type);
  return target->store == nullptr ? Clash(target->path, field, column) : absl::OkStatus();
}

absl::Status Bind(const std::vector<ArrowField>& fields, const std::vector<Column>& columns,
                  const std::string& prefix, std::vector<std::string>* extra,
                  std::vector<ArrowTarget>* targets) {
  for (const ArrowField& field : fields) {
    const Column* column = FindColumn(columns, field.name);
    ArrowTarget& target = targets->emplace_back();
    target.path = prefix + field.name;
    if (column == nullptr) {
      extra->push_back(target.path);
      continue;
    }
    target.sink = static_cast<uint32_t>(column - columns.data());
    if (column->mode != Mode::kRepeated) {
      HAKOBU_RETURN_IF_ERROR(BindElement(field, *column, extra, &target));
      continue;
    }
    if (!IsList(field) || field.children.size() != 1) return Clash(target.path, field, *column);
    target.field = field;
    target.children.emplace_back().path = target.path;
    HAKOBU_RETURN_IF_ERROR(BindElement(field.children[0], *column, extra, &target.children[0]));
  }
  return absl::OkStatus();
}

// Takes nodes and buffers in the order of Arrow's flattening.
class BatchWalker {
 public:
  BatchWalker(const ArrowBatchLayout& layout, std::string_view body) : layout_(layout), body_(body) {}

  bool Take(const ArrowField& field, ArrowArray* array) {
    if (node_ == layout_.nodes.size()) return false;
    array->length = layout_.nodes[node_++].length;
    if (array->length < 0 || array->length > (int64_t{1} << 40)) return false;
    if (field.type == ArrowType::kNull) return true;
    if (!Buffer(&array->validity)) return false;
    const auto length = static_cast<size_t>(array->length);
    if (!array->validity.empty() && array->validity.size() < (length + 7) / 8) return false;
    if (IsText(field)) {
      const size_t width = IsLarge(field) ? 8 : 4;
      if (!Buffer(&array->offsets) || (length > 0 && array->offsets.size() < (length + 1) * width))
        return false;
      if (!IsList(field) && !Buffer(&array->data)) return false;
    } else if (field.type != ArrowType::kStruct) {
      if (!Buffer(&array->data) || array->data.size() < (length * BitsOf(field) + 7) / 8) return false;
    }
    for (const ArrowField& child : field.children) {
      if (!Take(child, &array->children.emplace_back())) return false;
    }
    return field.type != ArrowType::kStruct ||
           std::all_of(array->children.begin(), array->children.end(),
                       [&](const ArrowArray& child) { return child.length >= array->length; });
  }
  bool AtEnd() const { return node_ == layout_.nodes.size(); }

 private:
  bool Buffer(std::string_view* bytes) {
    if (buffer_ == layout_.buffers.size()) return false;
    const auto [offset, length] = layout_.buffers[buffer_++];
    const auto size = static_cast<int64_t>(body_.size());
    if (offset < 0 || length < 0 || offset > size || length > size - offset) return false;
    *bytes = body_.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
    return true;
  }

  const ArrowBatchLayout& layout_;
  const std::string_view body_;
  size_t node_ = 0, buffer_ = 0;
};

template <typename T>
T At(std::string_view bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

bool IsSet(std::string_view bits, int64_t index) {
  return (static_cast<uint8_t>(bits[static_cast<size_t>(index >> 3)]) >> (index & 7) & 1) != 0;
}

int64_t IntegerAt(const ArrowArray& array, int64_t index, int32_t width, bool is_signed) {
  switch (width) {
    case 8:
      return is_signed ? At<int8_t>(array.data, index) : At<uint8_t>(array.data, index);
    case 16:
      return is_signed ? At<int16_t>(array.data, index) : At<uint16_t>(array.data, index);
    case 32:
      return is_signed ? At<int32_t>(array.data, index) : At<uint32_t>(array.data, index);
    default:
      return At<int64_t>(array.data, index);
  }
}

// False: out of microseconds' range.
bool ToMicros(int64_t value, int16_t unit, int64_t* micros) {
  switch (static_cast<ArrowUnit>(unit)) {
    case ArrowUnit::kSecond:
      return !__builtin_mul_overflow(value, int64_t{1'000'000}, micros);
    case ArrowUnit::kMillisecond:
      return !__builtin_mul_overflow(value, int64_t{1000}, micros);
    case ArrowUnit::kMicrosecond:
      *micros = value;
      return true;
    case ArrowUnit::kNanosecond:
      *micros = value / 1000 - (value % 1000 < 0 ? 1 : 0);
      return true;
  }
  return false;
}

// The bounds of a text or list; false when they do not lie in `size`.
bool Bounds(const ArrowField& field, const ArrowArray& array, int64_t index, int64_t size, int64_t* from,
            int64_t* to) {
  *from = IsLarge(field) ? At<int64_t>(array.offsets, index) : At<int32_t>(array.offsets, index);
  *to = IsLarge(field) ? At<int64_t>(array.offsets, index + 1) : At<int32_t>(array.offsets, index + 1);
  return *from >= 0 && *from <= *to && *to <= size;
}

bool ReadScalar(const ArrowField& field, const ArrowArray& array, int64_t index, Scalar* scalar) {
  switch (field.type) {
    case ArrowType::kBool:
      scalar->integer = IsSet(array.data, index);
      return true;
    case ArrowType::kInt:
      scalar->integer = IntegerAt(array, index, field.bit_width, field.is_signed);
      return true;
    case ArrowType::kFloat:
      scalar->real = field.precision == 2 ? At<double>(array.data, index) : At<float>(array.data, index);
      return true;
    case ArrowType::kDecimal: {
      const auto width = static_cast<size_t>(field.bit_width) / 8;
      scalar->bytes = array.data.substr(static_cast<size_t>(index) * width, width);
      scalar->nanos = field.scale;
      return true;
    }
    case ArrowType::kDate:
      scalar->integer = At<int32_t>(array.data, index);
      return true;
    case ArrowType::kTime:
      return ToMicros(IntegerAt(array, index, field.bit_width, true), field.unit, &scalar->integer);
    case ArrowType::kTimestamp:
      return ToMicros(At<int64_t>(array.data, index), field.unit, &scalar->integer);
    default: {
      int64_t from = 0, to = 0;
      if (!Bounds(field, array, index, static_cast<int64_t>(array.data.size()), &from, &to)) return false;
      scalar->bytes = array.data.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
      return true;
    }
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ArrowPlan>> CompileArrowPlan(std::string_view message,
                                                                  const Schema& schema) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<ArrowField> fields, ParseArrowSchema(message));
  auto plan = std::make_shared<ArrowPlan>();
  plan->schema = schema;
  std::vector<std::string> extra;
  HAKOBU_RETURN_IF_ERROR(Bind(fields, plan->schema, "", &extra, &plan->targets));
  if (!extra.empty()) {
    absl::Status status = absl::InvalidArgumentError(fmt::format(
        "Input schema has more fields than BigQuery schema, extra fields: '{}'", fmt::join(extra, ",")));
    status.SetPayload(View(kExtraFieldsUrl), absl::Cord("1"));
    return status;
  }
  return plan;
}

struct ArrowRowDecoder::State {
  std::shared_ptr<const ArrowPlan> plan;
  DecodeOptions options;
  std::vector<ColumnSink> sinks;
  std::vector<ArrowArray> arrays;
  Arena arena;
  std::string error;

  bool Fail(std::string_view message, const std::string& path) {
    error = fmt::format("{} on field {}.", message, path);
    return false;
  }
  bool Store(const ArrowTarget& target, const ArrowArray& array, int64_t index, idx_t slot,
             ColumnSink* sink) {
    if (target.field.type == ArrowType::kNull) return true;
    if (!array.validity.empty() && !IsSet(array.validity, index)) {
      return sink->column().mode != Mode::kRequired || Fail("Missing required field", target.path);
    }
    if (IsList(target.field)) {
      int64_t from = 0, to = 0;
      if (!Bounds(target.field, array, index, array.children[0].length, &from, &to)) {
        return Fail("Malformed Arrow list", target.path);
      }
      for (; from < to; ++from) {
        const idx_t element = sink->PushElement(slot);
        if (!Store(target.children[0], array.children[0], from, element, &sink->child(0))) return false;
      }
      return true;
    }
    if (target.field.type == ArrowType::kStruct) {
      sink->SetValid(slot);
      for (size_t i = 0; i < target.children.size(); ++i) {
        const ArrowTarget& child = target.children[i];
        if (!Store(child, array.children[i], index, slot, &sink->child(child.sink))) return false;
      }
      return true;
    }
    Scalar scalar;
    if (!ReadScalar(target.field, array, index, &scalar)) return Fail("Malformed Arrow value", target.path);
    if (target.store(scalar, slot, sink, {&arena, &error, options.refuses_wide_numbers})) return true;
    return Fail(std::string(error), target.path);
  }
  bool Row(int64_t index, idx_t slot) {
    error.clear();
    for (size_t i = 0; i < plan->targets.size(); ++i) {
      const ArrowTarget& target = plan->targets[i];
      if (!Store(target, arrays[i], index, slot, &sinks[target.sink])) return false;
    }
    for (size_t i = 0; i < sinks.size(); ++i) {
      const bool is_defaulted = i < options.defaulted.size() && options.defaulted[i];
      if (plan->schema[i].mode == Mode::kRequired && !sinks[i].IsSet(slot) && !is_defaulted) {
        error = fmt::format("Missing required field: {}.", plan->schema[i].name);
        return false;
      }
    }
    return true;
  }
};

std::vector<bool> ColumnsOf(const ArrowPlan& plan) {
  std::vector<bool> sent(plan.schema.size());
  for (const ArrowTarget& target : plan.targets) sent[target.sink] = true;
  return sent;
}

ArrowRowDecoder::ArrowRowDecoder(std::shared_ptr<const ArrowPlan> plan, DecodeOptions options)
    : state_(std::make_unique<State>()) {
  state_->plan = std::move(plan);
  state_->options = std::move(options);
  for (const Column& column : state_->plan->schema) state_->sinks.emplace_back(column);
}

ArrowRowDecoder::~ArrowRowDecoder() = default;

absl::StatusOr<int64_t> ArrowRowDecoder::Open(std::string_view message) {
  std::string_view body;
  HAKOBU_ASSIGN_OR_RETURN(const ArrowBatchLayout layout, ParseArrowBatch(message, &body));
  BatchWalker walker(layout, body);
  state_->arrays.clear();
  for (const ArrowTarget& target : state_->plan->targets) {
    ArrowArray& array = state_->arrays.emplace_back();
    if (!walker.Take(target.field, &array) || array.length != layout.rows) {
      return absl::InvalidArgumentError("Invalid Arrow data: the record batch does not fit its schema");
    }
  }
  if (!walker.AtEnd() || layout.rows < 0) {
    return absl::InvalidArgumentError("Invalid Arrow data: the record batch does not fit its schema");
  }
  return layout.rows;
}

void ArrowRowDecoder::Decode(int64_t from, int64_t count, duckdb_data_chunk chunk,
                             std::vector<RowError>* errors) {
  State& state = *state_;
  const auto rows = static_cast<idx_t>(count);
  for (size_t i = 0; i < state.sinks.size(); ++i) {
    state.sinks[i].Attach(duckdb_data_chunk_get_vector(chunk, i), rows);
  }
  for (idx_t row = 0; row < rows; ++row) {
    const int64_t index = from + static_cast<int64_t>(row);
    if (state.Row(index, row) || errors->size() >= state.options.max_row_errors) continue;
    errors->push_back({index, state.error});
  }
  for (ColumnSink& sink : state.sinks) sink.Finish();
  duckdb_data_chunk_set_size(chunk, rows);
}

void ArrowRowDecoder::Release() {
  state_->arena.Reset();
}

}  // namespace hakobu::localbq
