#include "source/packet_stream.h"

// clang-format off
#define HAVE_TLS 1  // ma_pvio.h leaves out what the library was built with
using uchar = unsigned char;
#include <mysql.h>
#include <ma_pvio.h>
// clang-format on

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hakobu {
namespace {

// What a batch of rows is decoded and encoded from while it is in the core's cache.
constexpr size_t kBlockBytes = 64 << 10;
// Less room than this at a block's end is not worth a system call.
constexpr size_t kLeastRead = 4 << 10;

// As the library's own reader: bytes, or 0 and less at the end and on an error.
ssize_t ReadTls(MARIADB_PVIO* pvio, char* room, size_t size) {
  auto* tls = static_cast<SSL*>(pvio->ctls->ssl);
  for (;;) {
    const int bytes = SSL_read(tls, room, static_cast<int>(size));
    if (bytes > 0) return bytes;
    if (SSL_get_error(tls, bytes) != SSL_ERROR_WANT_READ) return -1;
    if (pvio->methods->wait_io_or_timeout(pvio, 1, pvio->timeout[PVIO_READ_TIMEOUT]) < 1) return -1;
  }
}

// One system call for what is there or comes; the library's own reader needs three where nothing is there
// yet. The library has made the socket one that waits, with the read time-out as SO_RCVTIMEO.
ssize_t ReadPlain(MARIADB_PVIO* pvio, char* room, size_t size) {
  for (;;) {
    const ssize_t bytes = recv(mysql_get_socket(pvio->mysql), room, size, 0);
    if (bytes >= 0 || errno != EINTR) return bytes;
  }
}

}  // namespace

void PacketStream::Free::operator()(char* bytes) const {
  std::free(bytes);
}

void PacketStream::Release() {
  for (Block& block : held_) {
    if (block.size == kBlockBytes) idle_.push_back(std::move(block));
  }
  held_.clear();
  if (block_.size > kBlockBytes) {  // a large value's: what came after it moves out
    const size_t unread = end_ - begin_;
    Block usual = Take(unread);
    if (usual.bytes == nullptr) return;
    if (unread > 0) std::memcpy(usual.bytes.get(), block_.bytes.get() + begin_, unread);
    block_ = std::move(usual);
    begin_ = 0;
    end_ = unread;
  } else if (begin_ == end_) {
    begin_ = end_ = 0;
  }
}

// A block of the usual size, or larger for so many bytes; without bytes where there is no memory.
PacketStream::Block PacketStream::Take(size_t bytes) {
  Block block;
  if (bytes <= kBlockBytes && !idle_.empty()) {
    block = std::move(idle_.back());
    idle_.pop_back();
    return block;
  }
  block.size = std::max(bytes, kBlockBytes);
  block.bytes.reset(static_cast<char*>(std::malloc(block.size)));
  return block;
}

bool PacketStream::ReadNext(std::string_view* payload) {
  if (mysql_->net.compress) return ReadByLibrary(payload);
  if (!Have(kHeaderBytes)) return false;
  const size_t size = PayloadBytes(block_.bytes.get() + begin_);
  if (size == kLargestPayload) return ReadJoined(payload);
  if (!Have(kHeaderBytes + size)) return false;
  *payload = {block_.bytes.get() + begin_ + kHeaderBytes, size};
  begin_ += kHeaderBytes + size;
  return true;
}

// The pieces are moved together over the headers between them.
bool PacketStream::ReadJoined(std::string_view* payload) {
  size_t joined = kHeaderBytes;  // from begin_, the first header included
  for (size_t piece = kLargestPayload; piece == kLargestPayload;) {
    const size_t next = joined == kHeaderBytes ? 0 : joined;
    if (!Have(next + kHeaderBytes)) return false;
    piece = PayloadBytes(block_.bytes.get() + begin_ + next);
    if (!Have(next + kHeaderBytes + piece)) return false;
    if (next == 0) {
      joined += piece;
      continue;
    }
    char* at = block_.bytes.get() + begin_ + next;
    std::memmove(at, at + kHeaderBytes, end_ - begin_ - next - kHeaderBytes);
    end_ -= kHeaderBytes;
    joined += piece;
  }
  *payload = {block_.bytes.get() + begin_ + kHeaderBytes, joined - kHeaderBytes};
  begin_ += joined;
  return true;
}

// A compressed connection's packets come out of the library's own buffer.
bool PacketStream::ReadByLibrary(std::string_view* payload) {
  const unsigned long size = mysql_net_read_packet(mysql_);
  if (size == packet_error || !MakeRoom(size)) return false;
  std::memcpy(block_.bytes.get() + begin_, mysql_->net.read_pos, size);
  *payload = {block_.bytes.get() + begin_, size};
  begin_ = end_ = begin_ + size;
  return true;
}

// At least so many bytes from begin_ on.
bool PacketStream::Have(size_t bytes) {
  if (end_ - begin_ >= bytes) return true;
  if (!MakeRoom(bytes)) return false;
  while (end_ - begin_ < bytes) {
    if (!Receive()) return false;
  }
  return true;
}

bool PacketStream::Receive() {
  MARIADB_PVIO* pvio = mysql_->net.pvio;
  if (pvio == nullptr) return false;
  char* room = block_.bytes.get() + end_;
  const size_t size = block_.size - end_;
  // What the library has read ahead comes first.
  if (pvio->cache != nullptr && pvio->cache_pos < pvio->cache + pvio->cache_size) {
    const size_t bytes =
        std::min(size, static_cast<size_t>(pvio->cache + pvio->cache_size - pvio->cache_pos));
    std::memcpy(room, pvio->cache_pos, bytes);
    pvio->cache_pos += bytes;
    end_ += bytes;
    return true;
  }
  const ssize_t bytes = pvio->ctls != nullptr ? ReadTls(pvio, room, size) : ReadPlain(pvio, room, size);
  if (bytes <= 0) return false;
  end_ += static_cast<size_t>(bytes);
  return true;
}

// Room for so many bytes from begin_ on, and for a read worth its call. Payloads given out stay where they
// are.
bool PacketStream::MakeRoom(size_t bytes) {
  const size_t unread = end_ - begin_;
  if (block_.size - begin_ >= bytes && block_.size - end_ >= std::min(kLeastRead, bytes - unread))
    return true;
  if (begin_ == 0 && block_.size > 0) {  // nothing of it is given out: it may move
    const size_t size = std::max(bytes, 2 * block_.size);
    char* larger = static_cast<char*>(std::realloc(block_.bytes.get(), size));
    if (larger == nullptr) return false;
    (void)block_.bytes.release();
    block_ = {std::unique_ptr<char[], Free>(larger), size};
    return true;
  }
  Block next = Take(bytes);
  if (next.bytes == nullptr) return false;
  if (unread > 0) std::memcpy(next.bytes.get(), block_.bytes.get() + begin_, unread);
  if (block_.size > 0) held_.push_back(std::move(block_));
  block_ = std::move(next);
  begin_ = 0;
  end_ = unread;
  return true;
}

}  // namespace hakobu
