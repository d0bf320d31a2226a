# SPDX-License-Identifier: MIT
#
# Each examples/*.c is a program of its own, built against the public header and the shared library; loop.c brings a
# libuv loop of its own.

file(GLOB WT_EXAMPLES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
foreach(source IN LISTS WT_EXAMPLES)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
  target_link_libraries(example_${name} PRIVATE wt_options webtransport)
endforeach()
target_link_libraries(example_loop PRIVATE PkgConfig::LIBUV)

# The chat is one on several servers, if there is Redis.
if(TARGET webtransport_redis)
  target_link_libraries(example_chat PRIVATE webtransport_redis)
  target_compile_definitions(example_chat PRIVATE CHAT_REDIS)
endif()
