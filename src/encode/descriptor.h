// The DescriptorProto that goes with a ProtoEncoder's rows.
#pragma once

#include <string>

#include "encode/column.h"

namespace hakobu {

// Serialized, field numbers 1, 2, 3 … in the columns' order; sets each column's prefix (its tag).
// `change_fields`: two STRING fields follow for change data capture.
std::string MakeDescriptor(Columns* columns, ProtoOptions::ChangeFields change_fields);

// The tags of the change fields, as Column::prefix.
Column ChangeTypeColumn(const Columns& columns);
Column SequenceNumberColumn(const Columns& columns);

}  // namespace hakobu
