#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Makes the release tarball of what is committed, and its checksum:
#
#   packaging/dist.sh [FOLDER]      FOLDER/libwebtransport-VERSION.tar.gz and .sha256; default: build/dist
#
# The same commit gives the same bytes. A tree without git has been made of such a tarball, and is packed as it is.

set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/dist}
version=$(packaging/version.sh)
name=libwebtransport-$version
mkdir -p "$out"

if git rev-parse --git-dir >/dev/null 2>&1; then
  [ -z "$(git status --porcelain)" ] || echo "dist: what is not committed stays outside" >&2
  git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$out/$name.tar.gz"
else
  tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' \
    --mtime="@$(stat -c %Y include/webtransport/version.h)" --exclude=./build --transform="s,^\.,$name," . |
    gzip -9n >"$out/$name.tar.gz"
fi
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
