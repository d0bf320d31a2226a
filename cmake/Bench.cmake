# SPDX-License-Identifier: MIT
#
# What bench/run.py needs beside the tool: the floor under a bulk transfer, and the loads for WebSocket servers.

pkg_check_modules(LIBCRYPTO REQUIRED IMPORTED_TARGET libcrypto)

add_executable(bench_floor bench/floor.c)
target_link_libraries(bench_floor PRIVATE wt_options PkgConfig::GNUTLS PkgConfig::LIBCRYPTO)

if(IPSEC_MB_INCLUDE_DIR AND IPSEC_MB_LIBRARY)
  target_compile_definitions(bench_floor PRIVATE WT_HAVE_IPSEC_MB)
  target_include_directories(bench_floor SYSTEM PRIVATE ${IPSEC_MB_INCLUDE_DIR})
  target_link_libraries(bench_floor PRIVATE ${IPSEC_MB_LIBRARY})
endif()

set(WT_BENCH_PARTS ${PROJECT_SOURCE_DIR}/tools/webtransport/bench)
add_executable(bench_wsload bench/wsload.c bench/wslink.c bench/wsrun.c bench/tls_socket.c ${WT_BENCH_PARTS}/histogram.c)
add_executable(bench_wsfan bench/wsfan.c bench/wslink.c bench/wsrun.c bench/tls_socket.c ${WT_BENCH_PARTS}/histogram.c ${WT_BENCH_PARTS}/arrivals.c
               ${WT_BENCH_PARTS}/fan_message.c)
foreach(program bench_wsload bench_wsfan)
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tools/webtransport)
  target_link_libraries(${program} PRIVATE wt_options PkgConfig::GNUTLS)
endforeach()

# For measurements by hand: bench/README.md, "By hand".
add_executable(bench_handshakes bench/handshakes.c)
target_link_libraries(bench_handshakes PRIVATE wt_options webtransport_static)
set_target_properties(bench_handshakes PROPERTIES OUTPUT_NAME handshakes
                                                  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
pkg_check_modules(LIBURING IMPORTED_TARGET liburing>=2.3)
if(LIBURING_FOUND)
  add_executable(bench_uring bench/uring.c)
  target_link_libraries(bench_uring PRIVATE wt_options PkgConfig::LIBURING)
  set_target_properties(bench_uring PROPERTIES OUTPUT_NAME uring RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endif()

set_target_properties(bench_floor PROPERTIES OUTPUT_NAME floor)
set_target_properties(bench_wsload PROPERTIES OUTPUT_NAME wsload)
set_target_properties(bench_wsfan PROPERTIES OUTPUT_NAME wsfan)
set_target_properties(bench_floor bench_wsload bench_wsfan PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

# bench/network: the emulated link, and what measures the link itself.
add_executable(bench_network_link bench/network/link.c bench/network/line.c)
add_executable(bench_network_blast bench/network/blast.c)
add_executable(bench_network_client bench/network/client.c)
target_link_libraries(bench_network_client PRIVATE webtransport_static)
foreach(program bench_network_link bench_network_blast bench_network_client)
  target_link_libraries(${program} PRIVATE wt_options)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endforeach()
set_target_properties(bench_network_link PROPERTIES OUTPUT_NAME network_link)
set_target_properties(bench_network_client PROPERTIES OUTPUT_NAME network_client)
set_target_properties(bench_network_blast PROPERTIES OUTPUT_NAME network_blast)

# bench/gateway: the back end behind the gateways, and the load for those of TLS.
find_package(Threads REQUIRED)
add_executable(bench_gateway_backend bench/gateway/backend.c)
target_link_libraries(bench_gateway_backend PRIVATE wt_options)
add_executable(bench_gateway_tcpload bench/gateway/tcpload.c bench/tls_socket.c tools/webtransport/bench/histogram.c)
target_include_directories(bench_gateway_tcpload PRIVATE ${PROJECT_SOURCE_DIR}/tools/webtransport ${PROJECT_SOURCE_DIR}/bench)
target_link_libraries(bench_gateway_tcpload PRIVATE wt_options PkgConfig::GNUTLS Threads::Threads)
set_target_properties(bench_gateway_backend PROPERTIES OUTPUT_NAME gateway_backend)
set_target_properties(bench_gateway_tcpload PROPERTIES OUTPUT_NAME gateway_tcpload)
set_target_properties(bench_gateway_backend bench_gateway_tcpload PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
