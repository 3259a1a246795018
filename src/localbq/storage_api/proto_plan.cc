#include "localbq/storage_api/proto_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "google/cloud/bigquery/storage/v1/annotations.pb.h"

namespace hakobu::localbq {
namespace {

namespace pb = google::protobuf;
using pb::FieldDescriptor;

bool EqualIgnoringCase(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
           return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
                  absl::ascii_tolower(static_cast<unsigned char>(b));
         });
}

std::string ColumnName(const FieldDescriptor& field) {
  const auto& options = field.options();
  if (options.HasExtension(google::cloud::bigquery::storage::v1::column_name)) {
    return options.GetExtension(google::cloud::bigquery::storage::v1::column_name);
  }
  return field.name();
}

struct WireForm {
  Wire wire;
  bool wrapped = false;
};

std::optional<WireForm> WellKnown(const std::string& name) {
  static const auto* forms = new std::unordered_map<std::string, WireForm>{
      {"google.protobuf.BoolValue", {Wire::kBool, true}},
      {"google.protobuf.Int32Value", {Wire::kInt32, true}},
      {"google.protobuf.Int64Value", {Wire::kInt64, true}},
      {"google.protobuf.UInt32Value", {Wire::kUint32, true}},
      {"google.protobuf.UInt64Value", {Wire::kUint64, true}},
      {"google.protobuf.FloatValue", {Wire::kFloat, true}},
      {"google.protobuf.DoubleValue", {Wire::kDouble, true}},
      {"google.protobuf.StringValue", {Wire::kString, true}},
      {"google.protobuf.BytesValue", {Wire::kBytes, true}},
      {"google.protobuf.Timestamp", {Wire::kTimestamp}},
      {"google.protobuf.Duration", {Wire::kDuration}},
  };
  const auto found = forms->find(name);
  return found == forms->end() ? std::nullopt : std::optional(found->second);
}

// Absent: a wire type that BigQuery takes for no column (sint32, fixed64 …, groups).
std::optional<WireForm> FormOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return WireForm{Wire::kBool};
    case FieldDescriptor::TYPE_INT32:
      return WireForm{Wire::kInt32};
    case FieldDescriptor::TYPE_INT64:
      return WireForm{Wire::kInt64};
    case FieldDescriptor::TYPE_UINT32:
      return WireForm{Wire::kUint32};
    case FieldDescriptor::TYPE_UINT64:
      return WireForm{Wire::kUint64};
    case FieldDescriptor::TYPE_ENUM:
      return WireForm{Wire::kEnum};
    case FieldDescriptor::TYPE_FLOAT:
      return WireForm{Wire::kFloat};
    case FieldDescriptor::TYPE_DOUBLE:
      return WireForm{Wire::kDouble};
    case FieldDescriptor::TYPE_STRING:
      return WireForm{Wire::kString};
    case FieldDescriptor::TYPE_BYTES:
      return WireForm{Wire::kBytes};
    case FieldDescriptor::TYPE_MESSAGE:
      if (const auto known = WellKnown(field.message_type()->full_name())) return known;
      return WireForm{Wire::kMessage};
    default:
      return std::nullopt;
  }
}

Source SourceOf(Wire wire) {
  switch (wire) {
    case Wire::kBool:
      return Source::kBool;
    case Wire::kInt32:
    case Wire::kInt64:
    case Wire::kUint32:
      return Source::kInteger;
    case Wire::kUint64:
      return Source::kUnsigned;
    case Wire::kEnum:
      return Source::kEnum;
    case Wire::kFloat:
    case Wire::kDouble:
      return Source::kDouble;
    case Wire::kString:
      return Source::kText;
    case Wire::kTimestamp:
      return Source::kTimestamp;
    case Wire::kDuration:
      return Source::kDuration;
    case Wire::kBytes:
    case Wire::kMessage:
      return Source::kBytes;
  }
  return Source::kBytes;
}

// What the value stores do not know: widths and wrappers that only some types take.
bool TakesForm(Type type, const WireForm& form) {
  const bool narrow = form.wire == Wire::kInt32 || form.wire == Wire::kUint32;
  switch (type) {
    case Type::kBool:
      return !form.wrapped || form.wire == Wire::kBool;
    case Type::kDate:
      return !form.wrapped && form.wire != Wire::kUint32;
    case Type::kTime:
    case Type::kDateTime:
      return !form.wrapped && !narrow;
    case Type::kNumeric:
    case Type::kBigNumeric:
      return !form.wrapped || form.wire == Wire::kBytes;
    case Type::kTimestamp:
    case Type::kJson:
    case Type::kGeography:
    case Type::kInterval:
      return !form.wrapped;
    default:
      return true;
  }
}

class Compiler {
 public:
  Compiler(ProtoPlan* plan, const Schema& lost) : plan_(plan), lost_(lost) {}

  absl::Status Compile(const pb::Descriptor& row) {
    plan_->messages.emplace_back();
    HAKOBU_RETURN_IF_ERROR(Message(row, plan_->schema, 0, ""));
    if (!extra_.empty()) {
      absl::Status status = absl::InvalidArgumentError(fmt::format(
          "Input schema has more fields than BigQuery schema, extra fields: '{}'", fmt::join(extra_, ",")));
      status.SetPayload(View(kExtraFieldsUrl), absl::Cord("1"));
      return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Message(const pb::Descriptor& message, const std::vector<Column>& columns, size_t target,
                       const std::string& prefix) {
    if (++depth_ > 15) return absl::InvalidArgumentError("The proto schema nests more than 15 levels deep");
    ProtoMessage built;
    for (int i = 0; i < message.field_count(); ++i) {
      HAKOBU_RETURN_IF_ERROR(Field(*message.field(i), columns, target == 0, prefix, &built));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].mode != Mode::kRequired) continue;
      built.required.push_back(static_cast<uint32_t>(i));
      built.required_paths.push_back(prefix + columns[i].name);
    }
    plan_->messages[target] = std::move(built);
    --depth_;
    return absl::OkStatus();
  }

  absl::Status Field(const FieldDescriptor& descriptor, const std::vector<Column>& columns, bool is_row,
                     const std::string& prefix, ProtoMessage* built) {
    const std::string name = ColumnName(descriptor);
    ProtoField field;
    field.path = prefix + name;
    if (is_row && ChangeField(descriptor, name, &field)) return Add(descriptor, std::move(field), built);
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const Column& candidate) {
      return EqualIgnoringCase(candidate.name, name);
    });
    if (column == columns.end() && is_row && FindColumn(lost_, name) != nullptr) return absl::OkStatus();
    if (column == columns.end()) {
      extra_.push_back(field.path);
      return absl::OkStatus();
    }
    field.sink = static_cast<uint32_t>(column - columns.begin());
    field.path = prefix + column->name;
    field.repeated = descriptor.is_repeated();
    if (field.repeated != (column->mode == Mode::kRepeated)) {
      return absl::InvalidArgumentError(
          fmt::format("The proto field mismatched with BigQuery field at {}.{}, the proto field label {}, "
                      "BigQuery field mode {}",
                      RowName(descriptor), name, field.repeated ? "repeated" : "optional",
                      column->mode == Mode::kRepeated   ? "REPEATED"
                      : column->mode == Mode::kRequired ? "REQUIRED"
                                                        : "NULLABLE"));
    }
    const auto form = FormOf(descriptor);
    if (!form) return Clash(descriptor, name, *column);
    field.wire = form->wire;
    field.wrapped = form->wrapped;
    if (column->type == Type::kRecord || column->type == Type::kRange) {
      if (field.wire != Wire::kMessage) return Clash(descriptor, name, *column);
      field.message = static_cast<uint32_t>(plan_->messages.size());
      plan_->messages.emplace_back();
      HAKOBU_RETURN_IF_ERROR(
          Message(*descriptor.message_type(), FieldsOf(*column), field.message, field.path + "."));
    } else {
      field.store = field.wire == Wire::kMessage ? nullptr : FindStore(SourceOf(field.wire), column->type);
      if (field.store == nullptr || !TakesForm(column->type, *form)) return Clash(descriptor, name, *column);
    }
    return Add(descriptor, std::move(field), built);
  }

  static std::vector<Column> FieldsOf(const Column& column) {
    if (column.type == Type::kRecord) return column.fields;
    Column start, end;
    start.name = "start";
    end.name = "end";
    start.type = end.type = column.range_element;
    return {start, end};
  }

  bool ChangeField(const FieldDescriptor& descriptor, const std::string& name, ProtoField* field) {
    if (descriptor.type() != FieldDescriptor::TYPE_STRING || descriptor.is_repeated()) return false;
    field->wire = Wire::kString;
    if (EqualIgnoringCase(name, "_CHANGE_TYPE")) {
      field->role = FieldRole::kChangeType;
      return plan_->has_change_type = true;
    }
    if (EqualIgnoringCase(name, "_CHANGE_SEQUENCE_NUMBER")) {
      field->role = FieldRole::kSequenceNumber;
      return plan_->has_sequence_number = true;
    }
    return false;
  }

  absl::Status Add(const FieldDescriptor& descriptor, ProtoField field, ProtoMessage* built) {
    if (field.wire == Wire::kEnum) {
      for (int i = 0; i < descriptor.enum_type()->value_count(); ++i) {
        const auto* value = descriptor.enum_type()->value(i);
        field.labels.emplace(value->number(), value->name());
      }
    }
    const auto index = static_cast<int32_t>(built->fields.size());
    const auto number = static_cast<uint32_t>(descriptor.number());
    built->fields.push_back(std::move(field));
    if (number >= ProtoMessage::kSmallNumbers) {
      built->by_number[number] = index;
    } else {
      if (built->by_small_number.size() <= number) built->by_small_number.resize(number + 1, -1);
      built->by_small_number[number] = index;
    }
    return absl::OkStatus();
  }

  static std::string RowName(const FieldDescriptor& descriptor) {
    return descriptor.containing_type()->full_name();
  }

  static absl::Status Clash(const FieldDescriptor& descriptor, const std::string& name,
                            const Column& column) {
    return absl::InvalidArgumentError(
        fmt::format("The proto field mismatched with BigQuery field at {}.{}, the proto field type {}, "
                    "BigQuery field type {}",
                    RowName(descriptor), name, descriptor.type_name(), RestTypeName(column.type)));
  }

  ProtoPlan* plan_;
  const Schema& lost_;
  std::vector<std::string> extra_;
  int depth_ = 0;
};

class Problems : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string& element, const pb::Message*, ErrorLocation,
                const std::string& message) override {
    if (text.empty()) text = fmt::format("{}: {}", element, message);
  }
  std::string text;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ProtoPlan>> CompileProtoPlan(std::string_view descriptor,
                                                                  const Schema& schema, const Schema& lost) {
  pb::FileDescriptorProto file;
  file.set_name("writer_schema.proto");
  file.set_syntax("proto2");
  if (!file.add_message_type()->ParseFromArray(descriptor.data(), static_cast<int>(descriptor.size()))) {
    return absl::InvalidArgumentError("Invalid proto schema: the writer schema is not a DescriptorProto");
  }
  // Naming the well-known types links them in; a writer may refer to them without importing anything.
  for (const pb::Descriptor* known :
       {pb::Timestamp::descriptor(), pb::Duration::descriptor(), pb::Int64Value::descriptor()}) {
    file.add_dependency(known->file()->name());
  }
  pb::DescriptorPool pool(pb::DescriptorPool::generated_pool());
  Problems problems;
  const pb::FileDescriptor* built = pool.BuildFileCollectingErrors(file, &problems);
  if (built == nullptr)
    return absl::InvalidArgumentError(fmt::format("Invalid proto schema: {}", problems.text));
  auto plan = std::make_shared<ProtoPlan>();
  plan->schema = schema;
  HAKOBU_RETURN_IF_ERROR(Compiler(plan.get(), lost).Compile(*built->message_type(0)));
  if (plan->has_sequence_number && !plan->has_change_type) {
    return absl::InvalidArgumentError("_CHANGE_SEQUENCE_NUMBER is set without _CHANGE_TYPE");
  }
  return plan;
}

ChangeMode ChangeModeOf(const ProtoPlan& plan) {
  return plan.has_change_type ? ChangeMode::kChange : ChangeMode::kInsert;
}
bool HasSequenceNumber(const ProtoPlan& plan) {
  return plan.has_sequence_number;
}

}  // namespace hakobu::localbq
