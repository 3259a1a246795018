#include "localbq/rest/text_file.h"

#include <fmt/format.h>
#include <zlib.h>

namespace hakobu::localbq::rest {

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  // gzopen reads plain files as they are.
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return absl::InternalError(fmt::format("open {}", path));
  std::string text;
  char buffer[1 << 16];
  int size = 0;
  while ((size = gzread(file, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<size_t>(size));
  gzclose(file);
  if (size < 0) {
    return absl::InvalidArgumentError("Error while reading data, error message: the gzip data is damaged");
  }
  return text;
}

}  // namespace hakobu::localbq::rest
