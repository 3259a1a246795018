// Which of a column's largest values lie so far above the others that the next rows will hardly come after
// them: a test row with id 9,000,000,000,000,000,000, microseconds among seconds. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hakobu {

// So many of the largest values are looked at: more that lie apart are no outliers but how the column goes
// on.
constexpr size_t kLargestValues = 200;

// `values`: the largest ones, integers as decimal text, largest first, at most kLargestValues. How many of
// them, from the first on, lie above a gap of more than a thousand times the distance that all values below
// it in the list span. Never all of them. What is taken for outlying by mistake is read again, and no longer
// is as soon as enough rows have come after it.
size_t CountOutlying(const std::vector<std::string>& values);

}  // namespace hakobu
