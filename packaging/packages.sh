#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the Debian packages in clean roots of Debian releases and tries them in bare ones, as root:
#
#   packaging/packages.sh [RELEASE...]      default: 12 13
#
# In a bare root (of debootstrap, with nothing added) it times what a newcomer does: install the tool, serve, open a page in
# Chromium (this machine's). Then it installs the library, builds the README's server against it, and removes everything again.
# systemd.sh tries the units under a booted systemd, container.sh the image.

set -euo pipefail
cd "$(dirname "$0")/.."
root_of() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/libwebtransport/debian-$1"; }
say() { echo "packages: $*"; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

try() { # try RELEASE
  local release=$1 build bare
  build=$(root_of "$release") bare=$(root_of "$release-bare")
  say "Debian $release: building"
  WT_DEBIAN_ROOT=$build scripts/in_debian.sh "$release" make deb >"$scratch/build.log" 2>&1 ||
    { tail -n 40 "$scratch/build.log"; return 1; }
  grep '^[EW]: ' "$scratch/build.log" || say "lintian has nothing to say"
  WT_DEBIAN_ROOT=$bare scripts/in_debian.sh "$release" scripts/setup.sh backports >"$scratch/bare.log" 2>&1 ||
    { tail -n 40 "$scratch/bare.log"; return 1; }
  rm -rf "$bare/var/tmp/deb"
  cp -r "$build/usr/src/libwebtransport/build/deb" "$bare/var/tmp/deb"

  local from=$SECONDS
  WT_DEBIAN_ROOT=$bare scripts/in_debian.sh "$release" packaging/try.sh tool
  say "Debian $release: from apt install to a server that answers: $((SECONDS - from)) s"
  # The server runs in the root, the browser here.
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nexec chroot "%s" /usr/bin/webtransport "$@"\n' "$bare" >"$scratch/webtransport"
  chmod +x "$scratch/webtransport"
  WT_BUILD_DIR=$scratch node tests/browser/run.mjs "$scratch/webtransport" | tail -n 3
  WT_DEBIAN_ROOT=$bare scripts/in_debian.sh "$release" packaging/try.sh library
  packaging/systemd.sh "$release" "$bare/var/tmp/deb"
  say "Debian $release: all good"
}

[ $# -gt 0 ] || set -- 12 13
scripts/setup.sh test
# "OK" ends at 4.9 of 10.
systemd-analyze security --offline=true --threshold=49 packaging/systemd/webtransport.service | tail -n 1
for release in "$@"; do try "$release"; done
packaging/container.sh
