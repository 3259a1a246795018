// Numbers as the fewest digits that give them back.
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// At most 32 bytes to `out`; returns the end. "0.1", "-0", "1e20", "1e-7": exponents as MySQL writes them,
// without '+' and leading zeros. A float has the digits of a float ("0.1", not "0.10000000149011612").
char* WriteDouble(double value, char* out);
char* WriteFloat(float value, char* out);
void AppendDouble(double value, std::string* out);

// A vector's little-endian float32s as a JSON array: "[1,2.5]". A size that is no multiple of 4 is cut.
void AppendVector(std::string_view floats, std::string* out);

}  // namespace hakobu
