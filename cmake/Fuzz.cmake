# SPDX-License-Identifier: MIT
#
# Each fuzz/fuzz_*.c is one libFuzzer program; its seeds lie in fuzz/corpus/ under the name without "fuzz_".

file(GLOB WT_FUZZERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/fuzz_*.c)
foreach(source IN LISTS WT_FUZZERS)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/targets)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/common)
  # libFuzzer calls the entry point; no header declares it.
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
  target_link_libraries(${name} PRIVATE wt_options webtransport_static)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
