#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the Debian packages in clean roots of Debian releases and tries them in bare ones, as root:
#
#   packaging/packages.sh [RELEASE...]      default: 12 13
#
#   root      made by                      what is done in it
#   build     debootstrap, once; kept      make dist twice; make deb with lintian
#   bare      debootstrap, each time       the newcomer's way: apt install, serve, a session from Chromium (this machine's)
#                                          upgrade, reinstallation, removal
#                                          the library: the README's server shared and static, each with a session from Chromium
#                                          the release tarball, built without git
#
# systemd.sh tries the units under a booted systemd, container.sh the image.
#
# Variables: WT_PACKAGES_DIR (the folder of the roots and logs; default: ~/.cache/libwebtransport/packages; some 8 GB),
# WT_PACKAGES_AS_BUILT=1 (the packages of the last run are tried again), JOBS. Remove the folder to begin from nothing.

set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 12 13
folder=${WT_PACKAGES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/libwebtransport/packages}
version=$(packaging/version.sh)
scratch=$(mktemp -d)
release='' bare='' step='' log='' server=''

say() { printf 'packages: %3d:%02d  %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

end() { # also after a failure
  local status=$?
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
  if [ "$status" -ne 0 ]; then
    [ ! -s "$log" ] || tail -n 40 "$log" | sed 's/^/  | /' >&2
    echo "packages: FAILED${release:+ on Debian $release}: ${step:-before the first step}${log:+ (all of it: $log)}" >&2
  fi
}
trap end EXIT

# step NAME COMMAND...: what it prints goes to a log, which is shown if it fails.
step() {
  step=$1 log=$folder/debian-$release-$(tr -cs 'a-z0-9\n' - <<<"${1,,}").log
  local from=$SECONDS
  shift
  "$@" >"$log" 2>&1
  say "Debian $release: $step: $((SECONDS - from)) s"
}

# The lines of the last step that are for people.
show() { sed -n "s/^$1: /  /p" "$log"; }

in_build() { WT_DEBIAN_ROOT=$folder/debian-$release-build scripts/in_debian.sh "$release" "$@"; }
in_bare() { WT_DEBIAN_ROOT=$bare WT_DEBIAN_BARE=1 scripts/in_debian.sh "$release" "$@"; }

# --- In the root where they are built ---

dist_twice() {
  in_build packaging/dist.sh build/dist-1
  in_build packaging/dist.sh build/dist-2
  cmp "$built"/dist-[12]/"libwebtransport-$version.tar.gz"
}

build() {
  step "a root to build in" in_build scripts/setup.sh deb
  step "make dist, twice the same bytes" dist_twice
  step "make deb, with lintian" in_build make deb
  grep '^[EW]: ' "$log" || say "Debian $release: lintian has nothing to say"
}

# Each package that has programs or libraries comes with its debug symbols.
deb_complete() {
  local package
  for package in libwebtransport0 libwebtransport-redis0 libwebtransport-nats0 webtransport; do
    ls "$built/deb/$package"_*.deb "$built/deb/$package"-dbgsym_*.deb
  done
  ls "$built"/deb/libwebtransport-{dev,doc}_*.deb
  for package in libwebtransport0 libwebtransport-redis0 libwebtransport-nats0; do
    dpkg-deb --ctrl-tarfile "$built/deb/$package"_*.deb | tar --list | grep -x ./symbols
  done
}

# --- In the bare root ---

# A debootstrap that was interrupted leaves /proc mounted there, which rm must not enter.
bare_remove() {
  findmnt --list --noheadings --output TARGET | { grep "^$bare/" || true; } | sort -r | xargs --no-run-if-empty -d '\n' umount --lazy
  rm -rf --one-file-system "$bare"
}

bare_make() {
  bare_remove
  in_bare scripts/setup.sh backports
  mkdir "$bare/var/tmp/deb"
  cp "$built"/deb/*.deb "$built/dist-1/libwebtransport-$version.tar.gz" "$bare/var/tmp/deb/"
}

milliseconds() { date +%s%3N; }

newcomer() {
  local start installed serving port hash
  start=$(milliseconds)
  in_bare packaging/try.sh install
  installed=$(milliseconds)
  rm -f "$scratch/ready" # that of the other release
  # By chroot: it has to outlive the command that starts it, and to get the signal that ends it.
  chroot "$bare" /usr/bin/webtransport serve --json --listen localhost:0 --http none >"$scratch/ready" &
  server=$!
  until [ -s "$scratch/ready" ]; do
    kill -0 "$server"
    sleep 0.05
  done
  serving=$(milliseconds)
  port=$(sed -n 's/.*"127[.]0[.]0[.]1:\([0-9]*\)".*/\1/p' "$scratch/ready")
  hash=$(sed -n 's/.*"certificate_sha256":"\([0-9a-f]*\)".*/\1/p' "$scratch/ready")
  node tests/browser/echo.mjs "https://localhost:$port/echo" "$hash" | sed 's/^/newcomer: /'
  echo "newcomer: apt install $((installed - start)) ms, server ready $((serving - installed)) ms," \
    "Chromium and its session $(($(milliseconds) - serving)) ms; all of it $(($(milliseconds) - start)) ms"
  kill "$server"
  wait "$server"
  server=
}

# The checks that Chromium passes in `make test`.
browser_checks() {
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nexec chroot "%s" /usr/bin/webtransport "$@"\n' "$bare" >"$scratch/webtransport"
  chmod +x "$scratch/webtransport"
  WT_BUILD_DIR=$scratch node tests/browser/run.mjs "$scratch/webtransport"
}

# The README's server, linked as `$1` says, and a page of Chromium.
readme_server() {
  node tests/browser/echo.mjs --start /webtransport "$(cat "$bare/var/tmp/server.sha256")" \
    chroot "$bare" "/var/tmp/server-$1" /var/tmp/server.pem /var/tmp/server.key 0 | sed 's/^/browser: /'
}

try() {
  local built
  built=$folder/debian-$release-build/usr/src/libwebtransport/build
  bare=$folder/debian-$release-bare
  say "Debian $release: begins, version $version"
  [ -n "${WT_PACKAGES_AS_BUILT:-}" ] || build
  step "symbols and debug symbols" deb_complete
  step "a bare root" bare_make
  step "the newcomer's way" newcomer
  show newcomer
  step "what the package brought" in_bare packaging/try.sh look
  step "Chromium's checks" browser_checks
  tail -n 1 "$log" | sed 's/^/  /'
  step "upgrade and reinstallation" in_bare packaging/try.sh upgrade
  step "the library and README's server" in_bare packaging/try.sh library
  for linked in shared static; do
    step "Chromium and README's server, $linked" readme_server "$linked"
    show browser
  done
  step "purge leaves nothing" in_bare packaging/try.sh purge
  step "the tarball, without git" in_bare packaging/try.sh tarball
  WT_DEBIAN_ROOT=$folder/debian-$release-systemd step "the units under a booted systemd" packaging/systemd.sh "$release" "$bare/var/tmp/deb"
  show systemd
  say "Debian $release: all good"
}

[ "$(id -u)" = 0 ] || { echo "packages: root is needed, for debootstrap and chroot" >&2 && exit 2; }
mkdir -p "$folder"
say "roots and logs are in $folder"
step="what this machine needs" log=$folder/setup.log
scripts/setup.sh test >"$log" 2>&1
step="the unit's exposure"
# "OK" ends at 4.9 of 10.
systemd-analyze security --offline=true --threshold=49 packaging/systemd/webtransport.service | tail -n 1
for release in "$@"; do try; done
release=
step="the container image" log=$folder/container.log
from=$SECONDS
WT_CONTAINER_DIR=$folder/containers packaging/container.sh >"$log" 2>&1
say "$step: $((SECONDS - from)) s"
show container
say "all good: Debian $*"
