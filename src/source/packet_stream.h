// The packets of one answer, taken from the connection's socket in large blocks. They stay where they arrived
// until they are released, so that what is decoded from them needs no copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

struct st_mysql;

namespace hakobu {

// Takes over the wire of a connection on which the library has read all packets up to those wanted, and
// leaves it when the answer's last packet has been given out: then the library goes on. Not thread-safe;
// another thread ends a blocked Next by shutting the socket down. The framing: "MySQL Packets" of MySQL's
// internals manual; a payload of 2^24-1 bytes goes on in the next packet.
class PacketStream {
 public:
  explicit PacketStream(st_mysql* mysql) : mysql_(mysql) {}

  // The next packet's payload, whole, valid until Release. False when the connection is lost, silent for
  // longer than its read time-out, or sends what cannot be: it is of no use then.
  bool Next(std::string_view* payload) {
    const char* at = block_.bytes.get() + begin_;
    if (end_ - begin_ >= kHeaderBytes) [[likely]] {
      const size_t size = PayloadBytes(at);
      if (size < kLargestPayload && end_ - begin_ - kHeaderBytes >= size) [[likely]] {
        *payload = {at + kHeaderBytes, size};
        begin_ += kHeaderBytes + size;
        return true;
      }
    }
    return ReadNext(payload);
  }
  // Every payload given out so far may be written over.
  void Release();
  // Nothing has arrived that was not given out.
  bool drained() const { return begin_ == end_; }

 private:
  struct Free {
    void operator()(char* bytes) const;
  };
  struct Block {
    std::unique_ptr<char[], Free> bytes;
    size_t size = 0;
  };
  static constexpr size_t kHeaderBytes = 4;
  static constexpr size_t kLargestPayload = (1 << 24) - 1;

  static size_t PayloadBytes(const char* header) {
    const auto byte = [header](int i) { return static_cast<size_t>(static_cast<uint8_t>(header[i])); };
    return byte(0) | byte(1) << 8 | byte(2) << 16;
  }
  bool ReadNext(std::string_view* payload);
  bool ReadJoined(std::string_view* payload);
  bool ReadByLibrary(std::string_view* payload);
  bool Have(size_t bytes);
  bool Receive();
  bool MakeRoom(size_t bytes);
  Block Take(size_t bytes);

  st_mysql* mysql_;
  Block block_;  // what arrived and is not given out lies from begin_ to end_
  size_t begin_ = 0, end_ = 0;
  std::vector<Block> held_, idle_;  // full of payloads given out; of the usual size, and free
};

}  // namespace hakobu
