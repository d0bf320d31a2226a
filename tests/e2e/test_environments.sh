#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The tool on machines, in containers and under managers that lack what most programs take for granted: see
# test_environments.py, which is the test.

. "$(dirname "$0")/lib.sh"
need python3 python3

for name in refuse date; do
  shared=
  [ "$name" = refuse ] || shared="-shared -fPIC"
  # shellcheck disable=SC2086
  "${CC:-cc}" -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra $shared -o "$DIR/$name" "$(dirname "$0")/fault/$name.c" ||
    { echo "FAIL fault/$name.c does not compile"; exit 1; }
done
# Whoever makes namespaces need not be root, but has to be allowed to.
python3 -B "$(dirname "$0")/test_environments.py" "$WEBTRANSPORT" "$DIR"
check_equal "test_environments.py" 0 $?
finish
