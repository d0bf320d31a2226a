# SPDX-License-Identifier: MIT
#
# The `webtransport` command: the public header alone, and the files of its page as arrays (www.h).

file(GLOB WT_TOOL_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/webtransport/*.c
  ${PROJECT_SOURCE_DIR}/tools/webtransport/*/*.c)
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

# What the gateway has if it is installed.
add_library(wt_gateway_parts INTERFACE)
if(CURL_FOUND)
  target_link_libraries(wt_gateway_parts INTERFACE PkgConfig::CURL)
  target_compile_definitions(wt_gateway_parts INTERFACE WT_HAVE_CURL)
endif()
if(JWT_FOUND)
  target_link_libraries(wt_gateway_parts INTERFACE PkgConfig::JWT)
  target_compile_definitions(wt_gateway_parts INTERFACE WT_HAVE_JWT)
endif()

# All but main.c, for the tool, for the program that writes its documentation, and for tests.
list(REMOVE_ITEM WT_TOOL_SOURCES ${PROJECT_SOURCE_DIR}/tools/webtransport/main.c)
add_library(webtransport_tool_parts OBJECT ${WT_TOOL_SOURCES} ${WT_WWW_OUT}/www.c)
target_include_directories(webtransport_tool_parts PRIVATE ${WT_WWW_OUT} ${PROJECT_SOURCE_DIR}/tools/webtransport)
target_link_libraries(webtransport_tool_parts PRIVATE
  wt_options webtransport_static PkgConfig::MICROHTTPD PkgConfig::JANSSON PkgConfig::YAML PkgConfig::LIBUV
  wt_gateway_parts)

# `serve --backplane`: with the backplanes that are built. webtransport/broker.h is there without them, too.
target_include_directories(webtransport_tool_parts PRIVATE ${PROJECT_SOURCE_DIR}/backplanes/common)
foreach(name IN LISTS WT_BACKPLANES)
  string(TOUPPER ${name} macro)
  target_compile_definitions(webtransport_tool_parts PRIVATE WT_TOOL_${macro})
  target_include_directories(webtransport_tool_parts PRIVATE
    $<TARGET_PROPERTY:webtransport_${name}_static,INTERFACE_INCLUDE_DIRECTORIES>)
  list(APPEND WT_TOOL_BACKPLANES webtransport_${name}_static)
endforeach()

# wt_tool_program(<target> <source>...): a program with the tool's parts in it.
function(wt_tool_program target)
  add_executable(${target} ${ARGN} $<TARGET_OBJECTS:webtransport_tool_parts>)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tools/webtransport)
  target_link_libraries(${target} PRIVATE wt_options ${WT_TOOL_BACKPLANES} webtransport_static PkgConfig::MICROHTTPD PkgConfig::JANSSON
    PkgConfig::YAML PkgConfig::LIBUV wt_gateway_parts m)
endfunction()

wt_tool_program(webtransport_tool tools/webtransport/main.c)
set_target_properties(webtransport_tool PROPERTIES OUTPUT_NAME webtransport
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
install(TARGETS webtransport_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Manual pages and completions, written by a program that has the tool's tables in it.
file(GLOB WT_DOCS_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/docs/*.c)
wt_tool_program(webtransport_docs ${WT_DOCS_SOURCES})
set_target_properties(webtransport_docs PROPERTIES OUTPUT_NAME webtransport-docs
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/targets)
set(WT_DOCS_OUT ${PROJECT_BINARY_DIR}/manual)
add_custom_command(
  OUTPUT ${WT_DOCS_OUT}/written
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${WT_DOCS_OUT}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${WT_DOCS_OUT}
  COMMAND webtransport_docs ${WT_DOCS_OUT}
  COMMAND ${CMAKE_COMMAND} -E touch ${WT_DOCS_OUT}/written
  DEPENDS webtransport_docs
  COMMENT "Writing manual pages and completions"
  VERBATIM)
add_custom_target(webtransport_documentation ALL DEPENDS ${WT_DOCS_OUT}/written)
install(DIRECTORY ${WT_DOCS_OUT}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
# Each shell looks for a command's completions in a folder of its own, by name.
install(FILES ${WT_DOCS_OUT}/webtransport.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME webtransport)
install(FILES ${WT_DOCS_OUT}/_webtransport DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${WT_DOCS_OUT}/webtransport.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The gateway as a service of systemd. It names the tool where it is installed, which `cmake --install --prefix` may change.
# Units are below lib, whatever folder libraries have.
install(CODE "
  set(TOOL \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/webtransport\")
  configure_file(\"${PROJECT_SOURCE_DIR}/packaging/systemd/webtransport-gateway.service.in\"
    \"${PROJECT_BINARY_DIR}/systemd/webtransport-gateway.service\" @ONLY)")
install(FILES ${PROJECT_BINARY_DIR}/systemd/webtransport-gateway.service DESTINATION lib/systemd/system)

# What operators give to Grafana and Prometheus.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/monitoring/dashboard.json DESTINATION ${CMAKE_INSTALL_DATADIR}/webtransport
  RENAME grafana-dashboard.json)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/monitoring/rules.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/webtransport
  RENAME prometheus-rules.yaml)
