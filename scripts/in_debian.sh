#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs a command on this tree in a clean root of a Debian release, by default all tests. Needs root and debootstrap.
#
#   scripts/in_debian.sh 13                       make test
#   scripts/in_debian.sh 13 make build            another command, in the folder of the sources
#   scripts/in_debian.sh 13 -- bash               a shell there
#   scripts/in_debian.sh 13-backports             Debian 13 with ngtcp2 and nghttp3 of its backports
#
# The first run makes the root, from the mirror that apt uses on this machine. Later runs find it, with all that was
# installed and built there. Only what is committed is taken in. The kernel is this machine's.
#
# Variables: WT_DEBIAN_ROOT (the folder of the root; default: ~/.cache/libwebtransport/debian-<release>), WT_DEBIAN_BARE=1
# (nothing is installed in the root, not even git and make), and JOBS, CI and FUZZ_SECONDS, which are handed on.

set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "in_debian: $*"; }

fail() {
  echo "in_debian: $*" >&2
  exit 2
}

case ${1:-} in
  12) codename=bookworm ;;
  13 | 13-backports) codename=trixie ;;
  *) fail "usage: $0 12|13|13-backports [command...]" ;;
esac
release=$1
shift
[ "${1:-}" != -- ] || shift
[ $# -gt 0 ] || set -- make test

[ "$(id -u)" = 0 ] || fail "root is needed, for debootstrap and chroot"
for program in debootstrap git unshare pivot_root flock; do
  command -v "$program" >/dev/null || fail "$program is missing: apt-get install debootstrap git util-linux"
done

root=${WT_DEBIAN_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/libwebtransport/debian-$release}
sources=/usr/src/libwebtransport

# The mirror of this machine's own release, which has the other releases too.
mirror_find() {
  apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)|$(RELEASE)' 'Identifier: Packages' |
    sed -n 's/^\(http[^|]*[/]debian[/]*\)|main|[a-z]*$/\1/p' | sort -u | head -n 1
}

root_make() {
  local mirror
  mirror=$(mirror_find)
  [ -n "$mirror" ] || fail "apt's sources name no mirror of Debian"
  say "making $root"
  debootstrap --variant=minbase --include=ca-certificates "$codename" "$root" "$mirror" ||
    fail "debootstrap failed; remove $root before the next try"
  touch "$root/.complete"
}

# What lets apt and npm reach the network as they do outside.
root_connect() {
  local name
  for name in /etc/resolv.conf /etc/hosts; do
    [ ! -e "$name" ] || cp -L "$name" "$root$name"
  done
  apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90outside" || true
  [ -z "${WT_DEBIAN_BARE:-}" ] || return 0
  chroot "$root" sh -c 'command -v git && command -v make' >/dev/null || {
    chroot "$root" apt-get -q update
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends git make
  }
}

# The authorities that this machine trusts beyond Debian's: a proxy's, most often.
root_trust() {
  local own=/usr/local/share/ca-certificates
  [ -d "$own" ] || return 0
  ! diff -r "$own" "$root$own" >/dev/null 2>&1 || return 0
  cp -r "$own/." "$root$own/"
  chroot "$root" update-ca-certificates >/dev/null 2>&1 || fail "update-ca-certificates failed in $root"
}

# A clone, kept between runs for what was built in it.
sources_update() {
  local commit
  commit=$(git rev-parse HEAD)
  [ -z "$(git status --porcelain)" ] || say "what is not committed stays outside"
  [ -e "$root$sources/.git" ] || git clone -q --no-hardlinks . "$root$sources"
  git -C "$root$sources" fetch -q "$PWD" HEAD
  git -C "$root$sources" checkout -q --force --detach "$commit"
}

# In namespaces of its own: mounts and processes go when the command ends. By pivot_root, since the kernel lets nobody
# make a user namespace after a chroot, and tests do.
root_run() {
  # shellcheck disable=SC2016
  exec unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1 sources=$2
    shift 2
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    cd "$root"
    pivot_root . .
    umount --lazy .
    cd "$sources"
    # Not by exec: the first process has to be one that waits for orphans, as tests expect.
    set +e
    env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt TERM="${TERM:-dumb}" \
      ${JOBS:+JOBS="$JOBS"} ${CI:+CI="$CI"} ${FUZZ_SECONDS:+FUZZ_SECONDS="$FUZZ_SECONDS"} "$@"
    exit $?
  ' bash "$root" "$sources" "$@"
}

mkdir -p "$root"
exec 9<"$root"
flock --nonblock 9 || fail "another run uses $root"
[ -e "$root/.complete" ] || root_make
root_connect
root_trust
sources_update
[[ $release != *-backports ]] || (root_run scripts/setup.sh newest)
say "Debian $release, $(git rev-parse --short HEAD): $*"
root_run "$@"
