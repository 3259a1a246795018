#include "source/wire_zstd.h"

#include <mysql.h>
#include <zstd.h>

#include <climits>
#include <cstdarg>
#include <memory>

namespace hakobu {
namespace {

constexpr int kCompressionPlugin = 104;             // MARIADB_CLIENT_COMPRESSION_PLUGIN
constexpr unsigned int kInterfaceVersion = 0x0100;  // …_INTERFACE_VERSION
constexpr int kDefaultLevel = 3;                    // as the server's zstd_compression_level

// The library hands it back as it got it; a connection has one.
struct Context {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compress{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decompress{ZSTD_createDCtx(), ZSTD_freeDCtx};
  int level;
};

// MARIADB_COMPRESSION_PLUGIN: the header, then these four. The last two answer whether they failed, and set
// the size.
struct CompressionPlugin {
  st_mysql_client_plugin header;
  Context* (*make)(int level);
  void (*free)(Context* context);
  my_bool (*compress)(Context* context, void* out, size_t* out_size, void* in, size_t in_size);
  my_bool (*decompress)(Context* context, void* out, size_t* out_size, void* in, size_t* in_size);
};

my_bool Settle(size_t result, size_t* size) {
  if (ZSTD_isError(result) != 0) return 1;
  *size = result;
  return 0;
}

Context* Make(int level) {
  auto context = std::make_unique<Context>();
  context->level = level == INT_MAX || level < 1 || level > ZSTD_maxCLevel() ? kDefaultLevel : level;
  return context->compress == nullptr || context->decompress == nullptr ? nullptr : context.release();
}

void Free(Context* context) {
  delete context;
}

my_bool Compress(Context* context, void* out, size_t* out_size, void* in, size_t in_size) {
  return context == nullptr
             ? my_bool{1}
             : Settle(ZSTD_compressCCtx(context->compress.get(), out, *out_size, in, in_size, context->level),
                      out_size);
}

my_bool Decompress(Context* context, void* out, size_t* out_size, void* in, size_t* in_size) {
  return context == nullptr
             ? my_bool{1}
             : Settle(ZSTD_decompressDCtx(context->decompress.get(), out, *out_size, in, *in_size), out_size);
}

CompressionPlugin plugin = {
    .header = {.type = kCompressionPlugin,
               .interface_version = kInterfaceVersion,
               .name = "zstd",
               .author = "hakobu",
               .desc = "zstd for compressed packets",
               .version = {1, 0, 0},
               .license = "Apache-2.0",
               .mysql_api = nullptr,
               .init = nullptr,
               .deinit = nullptr,
               .options = nullptr},
    .make = Make,
    .free = Free,
    .compress = Compress,
    .decompress = Decompress,
};

}  // namespace

absl::Status OfferWireZstd() {
  static const bool offered = [] {
    MYSQL* mysql = mysql_init(nullptr);  // where an error would be put
    const bool taken = mysql != nullptr && mysql_client_register_plugin(mysql, &plugin.header) != nullptr;
    if (mysql != nullptr) mysql_close(mysql);
    return taken;
  }();
  return offered
             ? absl::OkStatus()
             : absl::FailedPreconditionError("offer zstd to the source: the client library takes no plugin");
}

}  // namespace hakobu
