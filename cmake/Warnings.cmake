# SPDX-License-Identifier: MIT
#
# One set of compile options for everything that is built here: link `wt_options` privately.

add_library(wt_options INTERFACE)
target_compile_definitions(wt_options INTERFACE _GNU_SOURCE)
target_compile_options(wt_options INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes)
if(WT_WERROR)
  target_compile_options(wt_options INTERFACE -Werror)
endif()

set(WT_SANITIZERS "")
if(WT_SANITIZE_THREAD)
  if(WT_SANITIZE OR WT_FUZZ)
    message(FATAL_ERROR "WT_SANITIZE_THREAD excludes WT_SANITIZE and WT_FUZZ: a program has one of these runtimes")
  endif()
  set(WT_SANITIZERS -O1 -fsanitize=thread -fno-omit-frame-pointer)
endif()
# OSS-Fuzz and ClusterFuzzLite name the engine and give all flags in CFLAGS (.clusterfuzzlite/build.sh).
set(WT_FUZZ_ENGINE "" CACHE STRING "What fuzz targets are linked with, if CFLAGS have the sanitizers; empty: libFuzzer and our own")
if(WT_SANITIZE OR (WT_FUZZ AND NOT WT_FUZZ_ENGINE))
  set(WT_SANITIZERS -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
if(WT_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "WT_FUZZ needs clang: add -DCMAKE_C_COMPILER=clang")
  endif()
  if(NOT WT_FUZZ_ENGINE)
    list(APPEND WT_SANITIZERS -fsanitize=fuzzer-no-link)
  endif()
endif()
target_compile_options(wt_options INTERFACE ${WT_SANITIZERS})
target_link_options(wt_options INTERFACE ${WT_SANITIZERS})
