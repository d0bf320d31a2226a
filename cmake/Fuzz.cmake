# SPDX-License-Identifier: MIT
#
# Each fuzz/fuzz_*.c is one libFuzzer program; its seeds lie in fuzz/corpus/ under the name without "fuzz_", and its
# dictionary, if it has one, in fuzz/dict/. What several of them share is in the other files of the folder.

file(GLOB WT_FUZZERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/fuzz_*.c)
file(GLOB WT_FUZZ_SHARED CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*.c)
list(REMOVE_ITEM WT_FUZZ_SHARED ${WT_FUZZERS})
add_library(fuzz_shared STATIC ${WT_FUZZ_SHARED})
target_include_directories(fuzz_shared PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(fuzz_shared PRIVATE wt_options webtransport_static)

# What the backplanes read, without their client libraries.
add_library(fuzz_backplanes STATIC ${PROJECT_SOURCE_DIR}/backplanes/common/envelope.c
  ${PROJECT_SOURCE_DIR}/backplanes/common/tracks.c ${PROJECT_SOURCE_DIR}/backplanes/common/broker_url.c
  ${PROJECT_SOURCE_DIR}/backplanes/nats/subject.c)
target_include_directories(fuzz_backplanes PUBLIC ${PROJECT_SOURCE_DIR}/backplanes/common ${PROJECT_SOURCE_DIR}/backplanes/nats
  PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(fuzz_backplanes PRIVATE wt_options)

# What the tool reads itself.
add_library(fuzz_tool STATIC ${PROJECT_SOURCE_DIR}/tools/webtransport/common/key_file.c)
target_include_directories(fuzz_tool PUBLIC ${PROJECT_SOURCE_DIR}/tools/webtransport)
target_link_libraries(fuzz_tool PRIVATE wt_options)

set(engine -fsanitize=fuzzer)
if(WT_FUZZ_ENGINE)
  enable_language(CXX) # the engine may be an archive of C++
  separate_arguments(engine UNIX_COMMAND "${WT_FUZZ_ENGINE}")
endif()

foreach(source IN LISTS WT_FUZZERS)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/targets)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/common)
  # libFuzzer calls the entry point; no header declares it.
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
  target_link_libraries(${name} PRIVATE fuzz_shared fuzz_backplanes fuzz_tool wt_options webtransport_static)
  if(WT_FUZZ_ENGINE)
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
    target_link_libraries(${name} PRIVATE ${engine})
  else()
    target_link_options(${name} PRIVATE ${engine})
  endif()
endforeach()
