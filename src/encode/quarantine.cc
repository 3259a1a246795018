#include "encode/quarantine.h"

#include <algorithm>
#include <utility>

namespace hakobu {

QuarantinedColumn& Quarantine::Find(std::string_view column) {
  for (QuarantinedColumn& known : columns_) {
    if (known.column == column) return known;
  }
  return columns_.emplace_back(QuarantinedColumn{.column = std::string(column), .values = 0, .first = {}});
}

bool Quarantine::Count(std::string_view column) {
  QuarantinedColumn& counted = Find(column);
  ++counted.values;
  return counted.first.size() < kSamples;
}

void Quarantine::Sample(std::string_view column, QuarantinedValue value) {
  QuarantinedColumn& sampled = Find(column);
  if (sampled.first.size() < kSamples) sampled.first.push_back(std::move(value));
}

void Quarantine::Merge(const Quarantine& other) {
  for (const QuarantinedColumn& theirs : other.columns_) {
    QuarantinedColumn& ours = Find(theirs.column);
    ours.values += theirs.values;
    const size_t wanted = std::min(kSamples - ours.first.size(), theirs.first.size());
    ours.first.insert(ours.first.end(), theirs.first.begin(),
                      theirs.first.begin() + static_cast<ptrdiff_t>(wanted));
  }
}

uint64_t Quarantine::values() const {
  uint64_t sum = 0;
  for (const QuarantinedColumn& column : columns_) sum += column.values;
  return sum;
}

}  // namespace hakobu
