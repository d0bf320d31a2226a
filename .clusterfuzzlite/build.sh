#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the fuzz targets for ClusterFuzzLite, into $OUT: programs, seeds (TARGET_seed_corpus.zip), dictionaries (TARGET.dict)
# and options (TARGET.options). It runs in the image of the Dockerfile beside it, in the root of the sources, with $SRC,
# $OUT, $WORK, $CC, $CXX, $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE.
#
# ngtcp2 and nghttp3 are built here, with the same flags, so that a fuzzer sees into them; where $SRC has no sources of them,
# those of the system are taken. The image in which targets run has few libraries: what they need lies beside them,
# in $OUT/lib.

set -euo pipefail
: "${SRC:?}" "${OUT:?}" "${WORK:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
export CC CXX CFLAGS="${CFLAGS:-}" CXXFLAGS="${CXXFLAGS:-}"
prefix=$WORK/prefix

dependency() { # dependency <name> [cmake argument...]
  local name=$1
  shift
  [ -d "$SRC/$name" ] || return 0
  cmake -S "$SRC/$name" -B "$WORK/$name" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DENABLE_LIB_ONLY=ON \
    -DENABLE_SHARED_LIB=OFF -DENABLE_STATIC_LIB=ON -DCMAKE_POSITION_INDEPENDENT_CODE=ON "$@"
  cmake --build "$WORK/$name" -j "$(nproc)" --target install
}

dependency nghttp3
dependency ngtcp2 -DENABLE_OPENSSL=OFF -DENABLE_GNUTLS=ON
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}

# RPATH, not RUNPATH: it counts for the libraries of the libraries too.
cmake -S . -B "$WORK/fuzz" -DWT_FUZZ=ON -DWT_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" -DWT_IPSEC_MB=OFF -DWT_LIBCRYPTO=OFF \
  "-DCMAKE_BUILD_RPATH=\$ORIGIN/lib" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags ${BUILD_ARGS:-}
cmake --build "$WORK/fuzz" -j "${JOBS:-$(nproc)}"

copy_libraries() { # copy_libraries <program>
  ldd "$1" | sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | while read -r name path; do
    case $name in
      libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.* | libgcc_s.so.*) ;;
      *) cp -Lu "$path" "$OUT/lib/$name" ;;
    esac
  done
}

mkdir -p "$OUT/lib"
for program in "$WORK"/fuzz/targets/fuzz_*; do
  name=$(basename "$program")
  cp "$program" "$OUT/$name"
  copy_libraries "$program"
  rm -f "$OUT/${name}_seed_corpus.zip"
  scripts/fuzz.py unpack "$name" "$WORK/found/$name"
  zip -q -j -r "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/${name#fuzz_}" "$WORK/found/$name"
  [ ! -f "fuzz/dict/${name#fuzz_}.dict" ] || cp "fuzz/dict/${name#fuzz_}.dict" "$OUT/$name.dict"
  printf '[libfuzzer]\nmax_len = 4096\ntimeout = 25\n' >"$OUT/$name.options"
done
