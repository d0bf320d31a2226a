# SPDX-License-Identifier: MIT
#
# The `webtransport` command: the public header alone, and the files of its page as arrays (www.h).

file(GLOB WT_TOOL_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/webtransport/*.c)
if(NOT WT_TOOL_SOURCES)
  message(WARNING "No source files in tools/webtransport/: the tool is not built")
  return()
endif()

set(WT_WWW_DIR ${PROJECT_SOURCE_DIR}/tools/webtransport/www)
set(WT_WWW_OUT ${PROJECT_BINARY_DIR}/www)
file(GLOB_RECURSE WT_WWW_FILES CONFIGURE_DEPENDS ${WT_WWW_DIR}/*)
# A file that was taken away must leave the tool too: the list itself is an input.
string(REPLACE ";" "\n" WT_WWW_LIST "${WT_WWW_FILES}")
file(CONFIGURE OUTPUT ${WT_WWW_OUT}/files.txt CONTENT "${WT_WWW_LIST}\n" @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/cmake/www.h ${WT_WWW_OUT}/www.h COPYONLY)
add_custom_command(
  OUTPUT ${WT_WWW_OUT}/www.c
  COMMAND ${CMAKE_COMMAND} -D ROOT=${WT_WWW_DIR} -D LIST=${WT_WWW_OUT}/files.txt -D OUT=${WT_WWW_OUT}/www.c
          -P ${PROJECT_SOURCE_DIR}/cmake/EmbedWww.cmake
  DEPENDS ${WT_WWW_FILES} ${WT_WWW_OUT}/files.txt ${PROJECT_SOURCE_DIR}/cmake/EmbedWww.cmake
  COMMENT "Embedding the page's files"
  VERBATIM)

add_executable(webtransport_tool ${WT_TOOL_SOURCES} ${WT_WWW_OUT}/www.c)
set_target_properties(webtransport_tool PROPERTIES OUTPUT_NAME webtransport
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_include_directories(webtransport_tool PRIVATE ${WT_WWW_OUT})
target_link_libraries(webtransport_tool PRIVATE
  wt_options webtransport_static PkgConfig::MICROHTTPD PkgConfig::JANSSON)
install(TARGETS webtransport_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
