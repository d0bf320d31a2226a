# SPDX-License-Identifier: MIT
#
# libwebtransport: one set of objects, a static and a shared library from it, and what is installed
# with them: headers, libwebtransport.pc and the CMake package.

set(WT_SOURCES "")
foreach(layer IN LISTS WT_LAYERS)
  file(GLOB layer_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${layer}/*.c)
  list(APPEND WT_SOURCES ${layer_sources})
endforeach()
if(NOT WT_SOURCES)
  message(WARNING "No source files in src/: only an empty library is built")
  file(WRITE ${PROJECT_BINARY_DIR}/empty.c "typedef int wt_empty;\n")
  set(WT_SOURCES ${PROJECT_BINARY_DIR}/empty.c)
endif()

add_library(wt_objects OBJECT ${WT_SOURCES})
target_include_directories(wt_objects PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(wt_objects PRIVATE wt_options ${WT_LIBRARY_DEPENDENCIES})
if(WT_IPSEC_MB_LIBS)
  target_compile_definitions(wt_objects PRIVATE WT_HAVE_IPSEC_MB)
  target_include_directories(wt_objects PRIVATE ${IPSEC_MB_INCLUDE_DIR})
endif()
if(WT_USDT_FOUND)
  target_compile_definitions(wt_objects PRIVATE WT_HAVE_USDT)
endif()
if(WT_LIBCRYPTO_LIBS)
  target_compile_definitions(wt_objects PRIVATE WT_HAVE_LIBCRYPTO)
  target_include_directories(wt_objects PRIVATE ${OPENSSL_CRYPTO_INCLUDE_DIRS})
endif()

add_library(webtransport SHARED $<TARGET_OBJECTS:wt_objects>)
add_library(webtransport_static STATIC $<TARGET_OBJECTS:wt_objects>)
foreach(library webtransport webtransport_static)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME webtransport LINKER_LANGUAGE C)
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${library} PRIVATE ${WT_LIBRARY_DEPENDENCIES})
  add_library(webtransport::${library} ALIAS ${library})
endforeach()
set_target_properties(webtransport PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_options(webtransport PRIVATE ${WT_SANITIZERS})
# Each exported function carries a version; nothing but the functions of the headers is exported.
set(WT_SYMBOL_MAP ${PROJECT_SOURCE_DIR}/src/libwebtransport.map)
target_link_options(webtransport PRIVATE LINKER:--version-script=${WT_SYMBOL_MAP})
set_target_properties(webtransport PROPERTIES LINK_DEPENDS ${WT_SYMBOL_MAP})
# A program links the sanitizers' runtime itself.
target_link_options(webtransport_static INTERFACE $<BUILD_INTERFACE:${WT_SANITIZERS}>)

install(DIRECTORY include/webtransport DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS webtransport EXPORT webtransport-shared
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS webtransport_static EXPORT webtransport-static
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

set(WT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/webtransport)
install(EXPORT webtransport-shared NAMESPACE webtransport:: FILE webtransport-shared.cmake DESTINATION ${WT_PACKAGE_DIR})
install(EXPORT webtransport-static NAMESPACE webtransport:: FILE webtransport-static.cmake DESTINATION ${WT_PACKAGE_DIR})

include(CMakePackageConfigHelpers)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/webtransport-config.cmake.in
  ${PROJECT_BINARY_DIR}/webtransport-config.cmake INSTALL_DESTINATION ${WT_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/webtransport-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/webtransport-config.cmake ${PROJECT_BINARY_DIR}/webtransport-config-version.cmake
  DESTINATION ${WT_PACKAGE_DIR})

# An absolute CMAKE_INSTALL_LIBDIR (as some distributions pass) stays absolute in the .pc file.
foreach(dir LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(WT_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  else()
    set(WT_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
# The prefix is taken at installation, so that `cmake --install build --prefix DIR` is right too.
set(AT "@")
configure_file(${PROJECT_SOURCE_DIR}/libwebtransport.pc.in ${PROJECT_BINARY_DIR}/libwebtransport.pc.in @ONLY)
install(CODE "
  set(WT_PC_PREFIX \"\${CMAKE_INSTALL_PREFIX}\")
  configure_file(\"${PROJECT_BINARY_DIR}/libwebtransport.pc.in\" \"${PROJECT_BINARY_DIR}/libwebtransport.pc\" @ONLY)")
install(FILES ${PROJECT_BINARY_DIR}/libwebtransport.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
