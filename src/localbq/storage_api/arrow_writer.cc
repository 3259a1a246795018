#include "localbq/storage_api/arrow_writer.h"

#include <cstring>

#include "localbq/storage_api/arrow_ipc.h"
#include "localbq/storage_api/numeric.h"

namespace hakobu::localbq {

struct BatchBody {
  ArrowBatchLayout layout;
  std::string bytes;
  void Add(const void* data, size_t size) {
    layout.buffers.push_back({static_cast<int64_t>(bytes.size()), static_cast<int64_t>(size)});
    if (size > 0) bytes.append(static_cast<const char*>(data), size);
    bytes.resize((bytes.size() + 63) / 64 * 64, '\0');
  }
};

namespace {

bool IsVariable(Type type) {
  return type == Type::kString || type == Type::kBytes || type == Type::kJson || type == Type::kGeography;
}

// Bytes of a value that is copied as it lies in DuckDB; 0: it is converted.
size_t CopiedWidth(Type type) {
  switch (type) {
    case Type::kInt64:
    case Type::kFloat64:
    case Type::kDateTime:
    case Type::kTime:
    case Type::kTimestamp:
      return 8;
    case Type::kDate:
      return 4;
    case Type::kNumeric:
      return 16;
    default:
      return 0;
  }
}

bool IsValid(const uint64_t* validity, idx_t row) {
  return validity == nullptr || (validity[row >> 6] >> (row & 63) & 1) != 0;
}

void SetBit(std::string* bits, int64_t at) {
  (*bits)[static_cast<size_t>(at >> 3)] =
      static_cast<char>((*bits)[static_cast<size_t>(at >> 3)] | 1 << (at & 7));
}

}  // namespace

ArrowWriter::Builder::Builder(const Column& column, bool as_element)
    : type(column.type), is_list(column.mode == Mode::kRepeated && !as_element) {
  if (is_list) {
    children.emplace_back(column, true);
  } else if (type == Type::kRecord) {
    for (const Column& field : column.fields) children.emplace_back(field, false);
  } else if (type == Type::kRange) {
    Column bound;
    bound.type = column.range_element;
    children.emplace_back(bound, false);
    children.emplace_back(bound, false);
  }
  Clear();
}

void ArrowWriter::Builder::Clear() {
  length = null_count = 0;
  validity_bits.clear();
  data.clear();
  offsets.clear();
  if (is_list || IsVariable(type)) offsets.push_back(0);
  for (Builder& child : children) child.Clear();
}

size_t ArrowWriter::Builder::bytes() const {
  size_t sum = data.size() + offsets.size() * 4 + validity_bits.size();
  for (const Builder& child : children) sum += child.bytes();
  return sum;
}

void ArrowWriter::Builder::AppendValidity(const uint64_t* validity, idx_t from, idx_t count) {
  validity_bits.resize(static_cast<size_t>(length + static_cast<int64_t>(count) + 7) / 8, '\0');
  for (idx_t i = 0; i < count; ++i) {
    // A NULL list is an empty one.
    if (is_list || IsValid(validity, from + i)) {
      SetBit(&validity_bits, length + static_cast<int64_t>(i));
    } else {
      ++null_count;
    }
  }
}

void ArrowWriter::Builder::AppendTexts(duckdb_vector vector, idx_t from, idx_t count) {
  auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  for (idx_t i = from; i < from + count; ++i) {
    if (IsValid(validity, i))
      data.append(duckdb_string_t_data(&values[i]), duckdb_string_t_length(values[i]));
    offsets.push_back(static_cast<int32_t>(data.size()));
  }
}

void ArrowWriter::Builder::AppendLists(duckdb_vector vector, idx_t from, idx_t count) {
  const auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector));
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  const duckdb_vector elements = duckdb_list_vector_get_child(vector);
  for (idx_t i = from; i < from + count; ++i) {
    if (IsValid(validity, i)) children[0].Append(elements, entries[i].offset, entries[i].length);
    offsets.push_back(static_cast<int32_t>(children[0].length));
  }
}

void ArrowWriter::Builder::AppendConverted(duckdb_vector vector, const uint64_t* validity, idx_t from,
                                           idx_t count) {
  if (type == Type::kBool) {
    data.resize(static_cast<size_t>(length + static_cast<int64_t>(count) + 7) / 8, '\0');
    const auto* values = static_cast<bool*>(duckdb_vector_get_data(vector));
    for (idx_t i = 0; i < count; ++i) {
      if (IsValid(validity, from + i) && values[from + i]) SetBit(&data, length + static_cast<int64_t>(i));
    }
    return;
  }
  for (idx_t i = from; i < from + count; ++i) {
    char value[32] = {};
    const size_t size = type == Type::kBigNumeric ? 32 : 16;
    if (IsValid(validity, i) && type == Type::kBigNumeric) {
      auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)) + i;
      ScaledInteger number;
      FromDuckDbBignum({duckdb_string_t_data(text), duckdb_string_t_length(*text)}, &number);
      ToLittleEndian(number, 32, value);
    } else if (IsValid(validity, i) && type == Type::kInterval) {
      const duckdb_interval interval = static_cast<duckdb_interval*>(duckdb_vector_get_data(vector))[i];
      const int64_t nanos = interval.micros * 1000;
      std::memcpy(value, &interval.months, 4);
      std::memcpy(value + 4, &interval.days, 4);
      std::memcpy(value + 8, &nanos, 8);
    }
    data.append(value, size);
  }
}

void ArrowWriter::Builder::Append(duckdb_vector vector, idx_t from, idx_t count) {
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  AppendValidity(validity, from, count);
  if (is_list) {
    AppendLists(vector, from, count);
  } else if (!children.empty()) {
    for (size_t i = 0; i < children.size(); ++i) {
      children[i].Append(duckdb_struct_vector_get_child(vector, i), from, count);
    }
  } else if (IsVariable(type)) {
    AppendTexts(vector, from, count);
  } else if (const size_t width = CopiedWidth(type); width > 0) {
    data.append(static_cast<const char*>(duckdb_vector_get_data(vector)) + from * width, count * width);
  } else {
    AppendConverted(vector, validity, from, count);
  }
  length += static_cast<int64_t>(count);
}

ArrowWriter::ArrowWriter(const Schema& schema) {
  for (const Column& column : schema) columns_.emplace_back(column, false);
}

void ArrowWriter::Append(const Chunk& chunk) {
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].Append(chunk.column(i), 0, chunk.rows());
  rows_ += static_cast<int64_t>(chunk.rows());
}

size_t ArrowWriter::bytes() const {
  size_t sum = 0;
  for (const Builder& column : columns_) sum += column.bytes();
  return sum;
}

void ArrowWriter::Lay(const Builder& builder, BatchBody* body) {
  body->layout.nodes.push_back({builder.length, builder.null_count});
  if (builder.null_count > 0) {
    body->Add(builder.validity_bits.data(), builder.validity_bits.size());
  } else {
    body->Add(nullptr, 0);
  }
  if (!builder.offsets.empty()) body->Add(builder.offsets.data(), builder.offsets.size() * sizeof(int32_t));
  if (builder.children.empty()) body->Add(builder.data.data(), builder.data.size());
  for (const Builder& child : builder.children) Lay(child, body);
}

std::string ArrowWriter::Finish() {
  BatchBody body;
  body.layout.rows = rows_;
  for (Builder& column : columns_) {
    Lay(column, &body);
    column.Clear();
  }
  rows_ = 0;
  return SerializeArrowBatch(body.layout, body.bytes);
}

}  // namespace hakobu::localbq
