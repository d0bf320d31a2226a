# SPDX-License-Identifier: MIT
#
# The backplanes: each folder of backplanes/ but common/ is a library of its own, static and shared, that the core does
# not link. It is built where the client library of its broker is installed. Each contains common/ and the few files of
# src/base/ that it uses, so it needs nothing but the public headers from the core.

option(WT_REDIS "Build the backplane for Redis where hiredis is installed (libhiredis-dev)" ON)
option(WT_NATS "Build the backplane for NATS where nats.c is installed (libnats-dev)" ON)

set(WT_BACKPLANES "")
file(GLOB WT_BACKPLANE_COMMON CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/backplanes/common/*.c)
list(APPEND WT_BACKPLANE_COMMON ${PROJECT_SOURCE_DIR}/src/base/mem.c ${PROJECT_SOURCE_DIR}/src/base/sized.c)
set(WT_BACKPLANE_INCLUDES ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/backplanes/common)
add_library(backplane_common OBJECT ${WT_BACKPLANE_COMMON})
target_include_directories(backplane_common PRIVATE ${WT_BACKPLANE_INCLUDES})
target_link_libraries(backplane_common PRIVATE wt_options PkgConfig::LIBUV)

# wt_add_backplane(<name> <modules for pkg-config> <libraries for it> <target>...): from backplanes/<name>/, on these
# libraries.
function(wt_add_backplane name modules libraries)
  set(root ${PROJECT_SOURCE_DIR}/backplanes/${name})
  set(prefix webtransport_${name})
  file(GLOB sources CONFIGURE_DEPENDS ${root}/*.c)
  add_library(${prefix}_objects OBJECT ${sources})
  target_include_directories(${prefix}_objects PRIVATE ${root} ${WT_BACKPLANE_INCLUDES})
  target_link_libraries(${prefix}_objects PRIVATE wt_options ${ARGN})
  foreach(kind SHARED STATIC)
    set(library ${prefix})
    if(kind STREQUAL STATIC)
      set(library ${prefix}_static)
    endif()
    add_library(${library} ${kind} $<TARGET_OBJECTS:${prefix}_objects> $<TARGET_OBJECTS:backplane_common>)
    set_target_properties(${library} PROPERTIES OUTPUT_NAME webtransport-${name} LINKER_LANGUAGE C)
    target_include_directories(${library} INTERFACE
      $<BUILD_INTERFACE:${root}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/backplanes/common>
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${library} PRIVATE ${ARGN})
    add_library(webtransport::${library} ALIAS ${library})
  endforeach()
  set_target_properties(${prefix} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${root}/symbols.map)
  target_link_options(${prefix} PRIVATE ${WT_SANITIZERS} LINKER:--version-script=${root}/symbols.map)
  target_link_options(${prefix}_static INTERFACE $<BUILD_INTERFACE:${WT_SANITIZERS}>)

  install(DIRECTORY ${root}/webtransport ${PROJECT_SOURCE_DIR}/backplanes/common/webtransport DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  install(TARGETS ${prefix} ${prefix}_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  # As libwebtransport.pc: the prefix is taken at installation.
  set(WT_PC_NAME ${name})
  set(WT_PC_MODULES ${modules})
  set(WT_PC_LIBRARIES ${libraries})
  set(AT "@")
  configure_file(${PROJECT_SOURCE_DIR}/backplanes/backplane.pc.in ${PROJECT_BINARY_DIR}/libwebtransport-${name}.pc.in @ONLY)
  install(CODE "
    set(WT_PC_PREFIX \"\${CMAKE_INSTALL_PREFIX}\")
    configure_file(\"${PROJECT_BINARY_DIR}/libwebtransport-${name}.pc.in\" \"${PROJECT_BINARY_DIR}/libwebtransport-${name}.pc\" @ONLY)")
  install(FILES ${PROJECT_BINARY_DIR}/libwebtransport-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  set(WT_BACKPLANES ${WT_BACKPLANES} ${name} PARENT_SCOPE)
endfunction()

if(WT_REDIS)
  pkg_check_modules(HIREDIS QUIET IMPORTED_TARGET "hiredis>=0.14")
  if(HIREDIS_FOUND)
    wt_add_backplane(redis "hiredis >= 0.14, libuv >= 1.44" "-lgnutls" PkgConfig::HIREDIS PkgConfig::GNUTLS PkgConfig::LIBUV)
  endif()
endif()
if(WT_NATS)
  pkg_check_modules(NATS QUIET IMPORTED_TARGET "libnats>=3.4")
  if(NATS_FOUND)
    wt_add_backplane(nats "libnats >= 3.4, libuv >= 1.44" "" PkgConfig::NATS PkgConfig::LIBUV)
  endif()
endif()
