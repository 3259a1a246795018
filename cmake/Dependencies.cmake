# Every library hakobu stands on: the distribution's packages, and npm for libduckdb and Google's protos.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(Snappy CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_library(FARMHASH farmhash REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n data)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)

set(NODE_MODULES ${CMAKE_SOURCE_DIR}/node_modules)
if(NOT EXISTS ${NODE_MODULES}/google-proto-files)
  message(FATAL_ERROR "node_modules is missing: run scripts/setup (or ./demo, ./test) first")
endif()

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${NODE_MODULES}/@duckdb/node-bindings-linux-x64/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${NODE_MODULES}/duckdb/src/duckdb/src/include
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${NODE_MODULES}/duckdb/src/duckdb/src/include)

include(GoogleProtos)
