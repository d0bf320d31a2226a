# SPDX-License-Identifier: MIT
#
# Tests of the backplanes: tests/backplanes/FOLDER/test_*.c are cmocka programs with the objects of backplanes/common/ and
# backplanes/FOLDER/. Those of redis/ and nats/ start the broker's own server; bed/ is for them. They also run under
# ThreadSanitizer (label `threads`).

set(WT_BACKPLANE_TESTS ${PROJECT_SOURCE_DIR}/tests/backplanes)
file(GLOB WT_BACKPLANE_BED CONFIGURE_DEPENDS ${WT_BACKPLANE_TESTS}/bed/*.c)
add_library(backplane_bed OBJECT ${WT_BACKPLANE_BED})
target_include_directories(backplane_bed PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/backplanes/common)
target_link_libraries(backplane_bed PRIVATE wt_options PkgConfig::CMOCKA PkgConfig::LIBUV)

# wt_add_backplane_tests(<folder> <seconds> <what is linked>...)
function(wt_add_backplane_tests folder seconds)
  file(GLOB tests CONFIGURE_DEPENDS ${WT_BACKPLANE_TESTS}/${folder}/test_*.c)
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    set(target backplanes_${folder}_${name})
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/backplanes/${folder})
    target_include_directories(${target} PRIVATE ${WT_BACKPLANE_TESTS}/bed ${WT_BACKPLANE_INCLUDES}
      ${PROJECT_SOURCE_DIR}/backplanes/${folder})
    target_link_libraries(${target} PRIVATE wt_options ${ARGN} PkgConfig::CMOCKA PkgConfig::LIBUV)
    set_property(GLOBAL APPEND PROPERTY WT_TEST_PROGRAMS ${target})
    add_dependencies(thread_tests ${target})
    add_test(NAME backplanes/${folder}/${name} COMMAND ${target})
    # nats-server is not in the PATH of every user.
    set_tests_properties(backplanes/${folder}/${name} PROPERTIES LABELS "backplanes;threads" TIMEOUT ${seconds}
      ENVIRONMENT "${WT_TEST_ENVIRONMENT};PATH=$ENV{PATH}:/usr/sbin")
  endforeach()
endfunction()

wt_add_backplane_tests(common 60 $<TARGET_OBJECTS:backplane_common>)
foreach(name IN LISTS WT_BACKPLANES) # the client library: PkgConfig::HIREDIS or PkgConfig::NATS
  string(TOUPPER ${name} client)
  string(REPLACE REDIS HIREDIS client ${client})
  wt_add_backplane_tests(${name} 400 $<TARGET_OBJECTS:backplane_bed> webtransport_${name}_static PkgConfig::${client})
endforeach()

# Whole servers with both.
if(TARGET webtransport_redis AND TARGET webtransport_nats)
  wt_add_backplane_tests(servers 400 $<TARGET_OBJECTS:backplane_bed> webtransport_redis_static webtransport_nats_static
    webtransport_static PkgConfig::NATS ${WT_LIBRARY_DEPENDENCIES})
endif()
