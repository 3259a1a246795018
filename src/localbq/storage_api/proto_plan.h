// What CompileProtoPlan makes: for each message of the descriptor, where a field number's value goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "localbq/storage_api/proto_rows.h"
#include "localbq/storage_api/value_store.h"

namespace hakobu::localbq {

// How a value lies on the wire, wrappers and well-known messages included.
enum class Wire : uint8_t {
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kEnum,
  kFloat,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kMessage,
};

enum class FieldRole : uint8_t { kColumn, kChangeType, kSequenceNumber };

struct ProtoField {
  std::string path;  // as error messages name it
  Wire wire = Wire::kInt64;
  bool wrapped = false;  // a google.protobuf.*Value: the scalar is field 1 of a message
  bool repeated = false;
  FieldRole role = FieldRole::kColumn;
  uint32_t sink = 0;     // the column's index among its siblings
  uint32_t message = 0;  // of Wire::kMessage: index into ProtoPlan::messages
  StoreFunction store = nullptr;
  std::unordered_map<int32_t, std::string> labels;  // of Wire::kEnum
};

struct ProtoMessage {
  std::vector<ProtoField> fields;
  std::vector<int32_t> by_small_number;             // -1: unknown
  std::unordered_map<uint32_t, int32_t> by_number;  // from kSmallNumbers on
  std::vector<uint32_t> required;                   // sinks that must be set
  std::vector<std::string> required_paths;

  static constexpr uint32_t kSmallNumbers = 1024;
  const ProtoField* Find(uint32_t number) const {
    if (number < by_small_number.size()) [[likely]] {
      const int32_t index = by_small_number[number];
      return index < 0 ? nullptr : &fields[static_cast<size_t>(index)];
    }
    const auto found = by_number.find(number);
    return found == by_number.end() ? nullptr : &fields[static_cast<size_t>(found->second)];
  }
};

struct ProtoPlan {
  Schema schema;
  std::vector<ProtoMessage> messages;  // [0]: the row
  bool has_change_type = false;
  bool has_sequence_number = false;
};

}  // namespace hakobu::localbq
