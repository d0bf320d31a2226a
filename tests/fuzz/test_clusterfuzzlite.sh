#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# .clusterfuzzlite/build.sh without its image: with the variables that the image sets, does every target land in $OUT, with
# seeds, dictionary and libraries, and does it run there on its seeds alone? `make clusterfuzzlite` runs it.
#
#   test_clusterfuzzlite.sh FOLDER    where it builds; kept, so that a second run is short

set -uo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
rm -rf "$folder/out" "$folder/seeds"
mkdir -p "$folder/src" "$folder/out" "$folder/work"

sanitizer="-fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize-address-use-after-scope"
export SRC=$folder/src OUT=$folder/out WORK=$folder/work CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS="-O1 $sanitizer -fsanitize=fuzzer-no-link" CXXFLAGS="-O1 $sanitizer -fsanitize=fuzzer-no-link"
.clusterfuzzlite/build.sh >"$folder/log" 2>&1 || {
  tail -n 40 "$folder/log"
  echo "FAIL build.sh"
  exit 1
}

failed=0 count=0
fail() {
  echo "FAIL $*"
  failed=1
}
for source in fuzz/fuzz_*.c; do
  name=$(basename "$source" .c)
  count=$((count + 1))
  [ -x "$OUT/$name" ] || { fail "$name is not there"; continue; }
  mkdir -p "$folder/seeds/$name"
  unzip -q -o "$OUT/${name}_seed_corpus.zip" -d "$folder/seeds/$name" || fail "$name: no seeds"
  [ "$(find "$folder/seeds/$name" -type f | wc -l)" -eq "$(find "fuzz/corpus/${name#fuzz_}" -type f | wc -l)" ] || fail "$name: seeds are missing"
  words=()
  if [ -f "fuzz/dict/${name#fuzz_}.dict" ]; then
    [ -f "$OUT/$name.dict" ] || fail "$name: no dictionary"
    words=("-dict=$OUT/$name.dict")
  fi
  # The path of a library that is not in the image would be another one.
  outside=$(ldd "$OUT/$name" | grep -E 'gnutls|ngtcp2|nghttp3|libuv|nettle' | grep -vF "$OUT/lib/")
  [ -z "$outside" ] || fail "$name takes libraries from elsewhere: $outside"
  (cd / && timeout 120 "$OUT/$name" -runs=50 "${words[@]}" "$folder/seeds/$name" >"$folder/$name.log" 2>&1) || fail "$name: $(tail -n 20 "$folder/$name.log")"
  grep -q 'INITED\|DONE' "$folder/$name.log" || fail "$name did not run"
done
grep -qF 'AddressSanitizer' "$OUT/fuzz_varint" || fail "no AddressSanitizer in the programs"
for dictionary in fuzz/dict/*.dict; do
  [ -f "fuzz/fuzz_$(basename "$dictionary" .dict).c" ] || fail "$dictionary is of no target"
done
echo "$count targets"
exit $failed
