# SPDX-License-Identifier: MIT
#
# What bench/run.py needs beside the tool: the floor under a bulk transfer, and the load for WebSocket servers.

pkg_check_modules(LIBCRYPTO REQUIRED IMPORTED_TARGET libcrypto)

add_executable(bench_floor bench/floor.c)
target_link_libraries(bench_floor PRIVATE wt_options PkgConfig::GNUTLS PkgConfig::LIBCRYPTO)

if(IPSEC_MB_INCLUDE_DIR AND IPSEC_MB_LIBRARY)
  target_compile_definitions(bench_floor PRIVATE WT_HAVE_IPSEC_MB)
  target_include_directories(bench_floor SYSTEM PRIVATE ${IPSEC_MB_INCLUDE_DIR})
  target_link_libraries(bench_floor PRIVATE ${IPSEC_MB_LIBRARY})
endif()

add_executable(bench_wsload bench/wsload.c tools/webtransport/bench/histogram.c)
target_include_directories(bench_wsload PRIVATE ${PROJECT_SOURCE_DIR}/tools/webtransport)
target_link_libraries(bench_wsload PRIVATE wt_options PkgConfig::GNUTLS)

set_target_properties(bench_floor PROPERTIES OUTPUT_NAME floor)
set_target_properties(bench_wsload PROPERTIES OUTPUT_NAME wsload)
set_target_properties(bench_floor bench_wsload PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
