# Google's .proto files, compiled once into a target of their own. They have the contract's comments.
set(PROTO_ROOT ${NODE_MODULES}/google-proto-files)
set(PROTO_OUT ${CMAKE_BINARY_DIR}/protos)
file(MAKE_DIRECTORY ${PROTO_OUT})
set(storage google/cloud/bigquery/storage/v1)
set(HAKOBU_PROTOS
  google/api/annotations google/api/client google/api/field_behavior google/api/http google/api/launch_stage
  google/api/resource google/rpc/status google/rpc/error_details
  ${storage}/annotations ${storage}/arrow ${storage}/avro ${storage}/protobuf ${storage}/storage
  ${storage}/stream ${storage}/table)

set(generated)
foreach(proto ${HAKOBU_PROTOS})
  list(APPEND generated ${PROTO_OUT}/${proto}.pb.cc)
endforeach()
set(inputs ${HAKOBU_PROTOS})
list(TRANSFORM inputs PREPEND ${PROTO_ROOT}/)
list(TRANSFORM inputs APPEND .proto)
add_custom_command(
  OUTPUT ${generated} ${PROTO_OUT}/${storage}/storage.grpc.pb.cc
  COMMAND protobuf::protoc -I${PROTO_ROOT} --cpp_out=${PROTO_OUT} ${inputs}
  COMMAND protobuf::protoc -I${PROTO_ROOT} --grpc_out=${PROTO_OUT}
          --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${PROTO_ROOT}/${storage}/storage.proto
  DEPENDS ${inputs}
  COMMENT "Generating Google's BigQuery Storage API")
add_library(google_protos STATIC ${generated} ${PROTO_OUT}/${storage}/storage.grpc.pb.cc)
target_include_directories(google_protos SYSTEM PUBLIC ${PROTO_OUT})
target_compile_options(google_protos PRIVATE -O1 -g0 -w)
target_link_libraries(google_protos PUBLIC gRPC::grpc++ protobuf::libprotobuf absl::synchronization)
