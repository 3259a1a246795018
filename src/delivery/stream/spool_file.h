// The spool's files, as the operating system has them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace hakobu::spool {

// An open file; closes it when it goes.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

// What `errno` says of it. ResourceExhausted: the disk is full.
absl::Status FileError(std::string_view verb, const std::string& path);
absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path);
// Makes names in it durable.
absl::Status SyncFolder(const std::string& folder);

}  // namespace hakobu::spool
