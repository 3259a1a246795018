// Places in a log as a command line gives them, and identities as a ledger holds them: any text is read or
// refused, and what was read says the same of itself.
#include <cstdlib>

#include "log/file_identity.h"
#include "log/point.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hakobu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto point = LogPoint::Parse(text); point.ok()) {
    const auto again = LogPoint::Parse(point->Text());
    if (!again.ok() || again->file != point->file || again->offset != point->offset) std::abort();
    if (OrderInLog(*point, *again) != 0) std::abort();
  }
  const LogFileIdentity identity = LogFileIdentity::Parse(text);
  if (identity.known() && !(LogFileIdentity::Parse(identity.Text()) == identity)) std::abort();
  return 0;
}
