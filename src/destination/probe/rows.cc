#include "destination/probe/rows.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/status.h"
#include "google/cloud/bigquery/storage/v1/storage.pb.h"

namespace hakobu {
namespace {

using google::protobuf::FieldDescriptorProto;

// Numbers of the fields in every shape.
constexpr int kIdField = 1, kNoteField = 2, kChangeField = 3, kSequenceField = 4;
constexpr uint32_t kVarint = 0, kLengthDelimited = 2;  // wire types
constexpr absl::Duration kPatience = absl::Seconds(60);

void AddField(google::protobuf::DescriptorProto* descriptor, const char* name, int number,
              FieldDescriptorProto::Type type) {
  FieldDescriptorProto* field = descriptor->add_field();
  field->set_name(name);
  field->set_number(number);
  field->set_type(type);
  field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
}

void WriteText(google::protobuf::io::CodedOutputStream* out, uint32_t number, const std::string& text) {
  if (text.empty()) return;
  out->WriteVarint32(number << 3 | kLengthDelimited);
  out->WriteVarint32(static_cast<uint32_t>(text.size()));
  out->WriteString(text);
}

std::string Serialised(const ProbeRow& row) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.WriteVarint32(kIdField << 3 | kVarint);
  out.WriteVarint64(static_cast<uint64_t>(row.id));
  WriteText(&out, kNoteField, row.note);
  WriteText(&out, kChangeField, row.change);
  WriteText(&out, kSequenceField, row.sequence);
  out.Trim();
  return bytes;
}

}  // namespace

std::string ProbeDescriptor(RowShape shape) {
  google::protobuf::DescriptorProto descriptor;
  descriptor.set_name("Row");
  AddField(&descriptor, "id", kIdField, FieldDescriptorProto::TYPE_INT64);
  if (shape != RowShape::kPlain) {
    AddField(&descriptor, "note", kNoteField, FieldDescriptorProto::TYPE_STRING);
  }
  if (shape == RowShape::kChanges) {
    AddField(&descriptor, "_CHANGE_TYPE", kChangeField, FieldDescriptorProto::TYPE_STRING);
    AddField(&descriptor, "_CHANGE_SEQUENCE_NUMBER", kSequenceField, FieldDescriptorProto::TYPE_STRING);
  }
  return descriptor.SerializeAsString();
}

RowBytes ProbeRows(const std::vector<ProbeRow>& rows) {
  google::cloud::bigquery::storage::v1::ProtoRows all;
  for (const ProbeRow& row : rows) all.add_serialized_rows(Serialised(row));
  return OwnedRows(all.SerializeAsString(), rows.size());
}

absl::Status AppendOnce(StorageWrite& storage, const std::string& stream, RowShape shape,
                        const std::vector<ProbeRow>& rows) {
  AppendTarget target;
  target.stream = stream;
  target.descriptor = ProbeDescriptor(shape);
  AppendOptions options;
  options.table_patience = kPatience;
  WriteStream writer(storage, std::move(target), options);
  HAKOBU_RETURN_IF_ERROR(writer.Append(ProbeRows(rows)));
  return writer.Flush();
}

}  // namespace hakobu
