#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Checks the format of the given files, then runs clang-tidy over src/, backplanes/ and tools/, then the rules of the tree.

set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

clang-format --dry-run -Werror "$@" || failed=1

cmake -S . -B build/lint -DCMAKE_C_COMPILER=clang >/dev/null || exit 1
find src backplanes tools examples -name '*.c' -print0 |
  xargs -0 -r -n 4 -P "$(nproc)" clang-tidy -p build/lint --quiet --warnings-as-errors='*' 2>/dev/null || failed=1

scripts/check_all.sh || failed=1
exit $failed
