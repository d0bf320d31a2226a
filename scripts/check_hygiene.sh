#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Fails on what would tie the tree to one machine, and on a file that has outgrown its concept:
#
#   - a path of the machine that something was written on
#   - the host of a package registry, or where a lock file's package was once fetched from
#   - a file of src/ with more than 1,000 lines
#   - a C file without its SPDX line
#
#   scripts/check_hygiene.sh [ROOT]
#   scripts/check_hygiene.sh --self-test   check that each bad sample is found, and no good one

set -uo pipefail
cd "$(dirname "$0")/.."

# The patterns are written so that this file does not match itself.
machine_paths='(^|[^A-Za-z0-9_.~$}-])/(work|root|home/[a-z][a-z0-9_-]*|Users/[A-Za-z]+)/'
registries='(registry|deb|security|archive|ports|snapshot|mirror[s]?)[.](npmjs|yarnpkg|debian|ubuntu)[.](org|com|net)|artifact[-]?registry|pkg[.]dev/|[.]npmjs[.]'
resolved='"resolved"[[:space:]]*:'

# The files that count: what git tracks or would, without git everything that is not built or fetched.
files() {
  if [ -e "$1/.git" ] && git -C "$1" rev-parse --show-toplevel >/dev/null 2>&1; then
    git -C "$1" ls-files -z --cached --others --exclude-standard | sort -zu
  else
    (cd "$1" && find . -type f -not -path './build/*' -not -path '*/node_modules/*' -not -path './.git/*' -print0 |
      sed -z 's#^\./##')
  fi
}

# find_in WHAT PATTERN [GREP OPTIONS]: files of $root that match; samples of the checks are bad on purpose.
find_in() {
  local what=$1 pattern=$2 hits
  hits=$(cd "$root" && files . | grep -zv '^tests/checks/' | xargs -0 -r grep -nIE -e "$pattern" -- /dev/null 2>/dev/null)
  if [ -n "$hits" ]; then
    while IFS= read -r hit; do
      echo "$what: ${hit:0:200}"
    done <<<"$hits"
    return 1
  fi
}

check() {
  local root=$1 bad=0 long
  find_in "machine path" "$machine_paths" || bad=1
  find_in "registry host" "$registries" || bad=1
  find_in "resolved address" "$resolved" || bad=1
  long=$(cd "$root" && find src -name '*.[ch]' -print0 2>/dev/null | xargs -0 -r wc -l |
    awk '$2 != "total" && $1 > 1000 { print "over 1,000 lines: " $2 ":" $1 }')
  if [ -n "$long" ]; then
    echo "$long"
    bad=1
  fi
  while IFS= read -r -d '' file; do
    case $file in
      tests/checks/*) ;;
      *.c | *.h)
        if [ -e "$root/$file" ] && ! head -n 1 "$root/$file" | grep -qF '/* SPDX-License-Identifier: MIT */'; then
          echo "no SPDX line: $file:1"
          bad=1
        fi
        ;;
    esac
  done < <(cd "$root" && files .)
  return $bad
}

# The samples are made here: in the tree they would be findings.
self_test() {
  local found want
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root/src/base" "$root/docs"
  local spdx='/* SPDX-License-Identifier: MIT */'
  printf '%s\nint a; // see /usr/include, https://example.com%s/x and .%s/y\n' "$spdx" /work /work >"$root/src/base/good.c"
  if ! check "$root"; then
    echo "a good tree was refused"
    return 1
  fi
  printf '%s\n' 'int a;' >"$root/src/base/bare.c"
  { echo "$spdx" && yes '/* a line */' | head -n 1000; } >"$root/src/base/long.c"
  printf 'cd %s/project\n' /work >"$root/docs/path.md"
  printf '%s/.npmrc\n' '~ is /root' >>"$root/docs/path.md"
  printf 'from https://registry.%s.org/x\n' npmjs >"$root/docs/host.md"
  printf 'deb http://deb.%s.org/%s bookworm main\n' debian debian >>"$root/docs/host.md"
  printf '{"%s": "x"}\n' resolved >"$root/package-lock.json"
  found=$(check "$root" | sed 's/^\([^:]*: [^:]*:[0-9]*\).*/\1/' | sort)
  want=$(printf '%s\n' 'machine path: docs/path.md:1' 'machine path: docs/path.md:2' 'registry host: docs/host.md:1' \
    'registry host: docs/host.md:2' 'resolved address: package-lock.json:1' 'over 1,000 lines: src/base/long.c:1001' \
    'no SPDX line: src/base/bare.c:1' | sort)
  if [ "$found" != "$want" ]; then
    diff <(echo "$want") <(echo "$found")
    return 1
  fi
}

case ${1:-.} in
  --self-test) self_test ;;
  *) check "${1:-.}" ;;
esac
