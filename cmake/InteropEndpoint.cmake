# SPDX-License-Identifier: MIT
#
# The endpoint for the quic-interop-runner: the public header alone. It is run from where it was built, or from the
# image that its Dockerfile makes, so nothing of it is installed.

find_package(Threads REQUIRED)
file(GLOB WT_INTEROP_ENDPOINT_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/interop/*.c)
add_executable(interop_endpoint ${WT_INTEROP_ENDPOINT_SOURCES})
set_target_properties(interop_endpoint PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools/interop)
target_link_libraries(interop_endpoint PRIVATE wt_options webtransport_static Threads::Threads)
