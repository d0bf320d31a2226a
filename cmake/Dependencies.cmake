# SPDX-License-Identifier: MIT
#
# What the build stands on, found by pkg-config. Everything that is missing or too old is told at once,
# with the package to install.

find_package(PkgConfig REQUIRED)

set(WT_MISSING "")

# wt_require(<target> <module> <version> <advice>): makes PkgConfig::<target>, or notes what is wrong.
function(wt_require target module version advice)
  pkg_check_modules(${target} QUIET IMPORTED_TARGET "${module}>=${version}")
  if(${target}_FOUND)
    return()
  endif()
  execute_process(COMMAND ${PKG_CONFIG_EXECUTABLE} --modversion ${module}
                  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(found STREQUAL "")
    set(found "nothing")
  endif()
  set(WT_MISSING "${WT_MISSING}\n  ${module} >= ${version} is needed, found ${found}: install ${advice}, or run scripts/setup.sh"
      PARENT_SCOPE)
endfunction()

set(WT_BACKPORTS "(on Debian 12 from bookworm-backports)")
wt_require(NGTCP2 libngtcp2 1.11 "libngtcp2-dev ${WT_BACKPORTS}")
wt_require(NGTCP2_CRYPTO libngtcp2_crypto_gnutls 1.11 "libngtcp2-crypto-gnutls-dev ${WT_BACKPORTS}")
wt_require(NGHTTP3 libnghttp3 1.8 "libnghttp3-dev ${WT_BACKPORTS}")
wt_require(GNUTLS gnutls 3.7 libgnutls28-dev)
wt_require(LIBUV libuv 1.44 libuv1-dev)
if(WT_BUILD_TOOL)
  wt_require(MICROHTTPD libmicrohttpd 0.9.70 libmicrohttpd-dev)
  wt_require(JANSSON jansson 2.10 libjansson-dev)
  wt_require(YAML yaml-0.1 0.2.2 libyaml-dev)
  # HTTP requests and tokens of the gateway. Without them the tool refuses the members of its configuration that need them.
  pkg_check_modules(CURL QUIET IMPORTED_TARGET "libcurl>=7.85")
  if(NOT CURL_FOUND)
    message(STATUS "webtransport gateway: no http:// back ends and no auth-request (libcurl4-openssl-dev is not installed)")
  endif()
  pkg_check_modules(JWT QUIET IMPORTED_TARGET "libjwt>=1.10")
  if(JWT_FOUND AND JWT_VERSION VERSION_GREATER_EQUAL 3)
    set(JWT_FOUND FALSE) # another interface
  endif()
  if(NOT JWT_FOUND)
    message(STATUS "webtransport gateway: no tokens (libjwt-dev 1.10 to 2.x is not installed)")
  endif()
endif()
if(WT_BUILD_TESTS)
  wt_require(CMOCKA cmocka 1.1.5 libcmocka-dev)
  wt_require(GLIB glib-2.0 2.66 libglib2.0-dev)
endif()

if(WT_MISSING)
  message(FATAL_ERROR "Something that the build needs is missing:${WT_MISSING}\n")
endif()

set(WT_LIBRARY_DEPENDENCIES
    PkgConfig::NGTCP2_CRYPTO PkgConfig::NGTCP2 PkgConfig::NGHTTP3 PkgConfig::GNUTLS PkgConfig::LIBUV)

# Faster AES-GCM for packets, on x86-64: used where it is there (src/quic/seal_ipsec_mb.c).
option(WT_IPSEC_MB "Protect packets with libIPSec_MB where it is installed (libipsec-mb-dev)" ON)
set(WT_IPSEC_MB_LIBS "")
if(WT_IPSEC_MB)
  find_path(IPSEC_MB_INCLUDE_DIR intel-ipsec-mb.h)
  find_library(IPSEC_MB_LIBRARY IPSec_MB)
  mark_as_advanced(IPSEC_MB_INCLUDE_DIR IPSEC_MB_LIBRARY)
  if(IPSEC_MB_INCLUDE_DIR AND IPSEC_MB_LIBRARY)
    set(WT_IPSEC_MB_LIBS "-lIPSec_MB")
    list(APPEND WT_LIBRARY_DEPENDENCIES ${IPSEC_MB_LIBRARY})
  endif()
endif()

# Points for perf, bpftrace, systemtap and gdb (src/base/usdt.h).
set(WT_USDT AUTO CACHE STRING "Points for tracers: AUTO (where sys/sdt.h is installed: systemtap-sdt-dev), ON or OFF")
set_property(CACHE WT_USDT PROPERTY STRINGS AUTO ON OFF)
set(WT_USDT_FOUND FALSE)
if(WT_USDT)
  find_path(SDT_INCLUDE_DIR sys/sdt.h)
  mark_as_advanced(SDT_INCLUDE_DIR)
  if(SDT_INCLUDE_DIR)
    set(WT_USDT_FOUND TRUE)
  elseif(NOT WT_USDT STREQUAL "AUTO")
    message(FATAL_ERROR "WT_USDT is ON, and there is no sys/sdt.h: install systemtap-sdt-dev")
  endif()
endif()

# A faster signature for handshakes: used where it is there (src/quic/sign_libcrypto.c).
option(WT_LIBCRYPTO "Sign handshakes with OpenSSL's libcrypto where it is installed (libssl-dev)" ON)
set(WT_LIBCRYPTO_LIBS "")
if(WT_LIBCRYPTO)
  pkg_check_modules(OPENSSL_CRYPTO QUIET "libcrypto>=3.0")
  if(OPENSSL_CRYPTO_FOUND)
    set(WT_LIBCRYPTO_LIBS "-lcrypto")
    list(APPEND WT_LIBRARY_DEPENDENCIES ${OPENSSL_CRYPTO_LINK_LIBRARIES})
  endif()
endif()
