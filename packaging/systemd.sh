#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Boots systemd in a root of a Debian release, as root, installs the packages of a folder there and tries the units
# (systemd_checks.sh):
#
#   packaging/systemd.sh RELEASE FOLDER      packaging/systemd.sh 12 build/deb
#
# systemd is the first process of namespaces of its own: its processes, mounts, network (lo alone) and control groups are
# gone when this script ends, and nothing outside sees them. Where the kernel does not allow that the script says so and ends
# well: there is nothing to try.

set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 2 ] || { echo "usage: $0 RELEASE FOLDER" >&2; exit 2; }
release=$1 folder=$2
root=${WT_DEBIAN_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/libwebtransport/debian-$release-systemd}
group=libwebtransport-systemd.$$
groups=
systemd=

say() { echo "systemd: $*"; }

leave() {
  say "left out: $*"
  exit 0
}

# The folder of the second version of control groups, wherever this machine has it.
groups_find() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }

cleanup() {
  [ -z "$systemd" ] || kill -KILL "$systemd" 2>/dev/null || true
  wait 2>/dev/null || true
  # Groups within groups: the innermost go first. Their processes may take a moment to be gone.
  local tries
  for tries in $(seq 50); do
    find "$groups/$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    [ -e "$groups/$group" ] || break
    [ "$tries" -lt 50 ] || say "$groups/$group stays"
    sleep 0.1
  done
}

install() {
  say "Debian $release: installing the packages and systemd"
  WT_DEBIAN_ROOT=$root scripts/in_debian.sh "$release" scripts/setup.sh backports
  rm -rf "$root/var/tmp/deb"
  mkdir -p "$root/var/tmp/deb"
  cp "$folder"/webtransport_*.deb "$root/var/tmp/deb/"
  cp packaging/systemd_checks.sh "$root/var/tmp/"
  WT_DEBIAN_ROOT=$root scripts/in_debian.sh "$release" sh -c '
    export DEBIAN_FRONTEND=noninteractive
    systemctl disable webtransport.service webtransport.socket webtransport-gateway.service 2>/dev/null
    apt-get -q -y purge webtransport && rm -rf /etc/webtransport /etc/systemd/system/webtransport*
    apt-get -q -y install --no-install-recommends systemd systemd-sysv dbus iproute2 &&
      apt-get -q -y install --no-install-recommends /var/tmp/deb/webtransport_*.deb'
}

# Becomes systemd. The group is made before the namespace of groups, whose root it is then.
boot() {
  # shellcheck disable=SC2016
  exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child bash -c '
    set -e
    root=$1
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for name in null zero full random urandom tty; do
      : >"$root/dev/$name"
      mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    hostname webtransport-test
    ip link set lo up
    cd "$root"
    pivot_root . .
    umount --lazy .
    mount --make-rshared /
    exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
  ' bash "$root"
}

# inside COMMAND...: in the namespaces of the booted systemd.
inside() {
  timeout 180 nsenter --target "$(pgrep -P "$systemd")" --mount --pid --uts --ipc --net --cgroup -- \
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

[ "$(id -u)" = 0 ] || leave "root is needed"
for program in debootstrap unshare nsenter pivot_root ip pgrep; do
  command -v "$program" >/dev/null || leave "$program is missing"
done
groups=$(groups_find)
[ -n "$groups" ] || leave "this machine has no control groups of version 2 (cgroup2 is not mounted)"
mkdir "$groups/$group" 2>/dev/null || leave "$groups cannot be written to"
trap cleanup EXIT
log=$(mktemp)
install >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
(
  echo "$BASHPID" >"$groups/$group/cgroup.procs"
  boot
) >"$log" 2>&1 </dev/null &
systemd=$!

state=
for _ in $(seq 300); do
  state=$(inside systemctl is-system-running 2>/dev/null || true)
  case $state in running | degraded) break ;; esac
  kill -0 "$systemd" 2>/dev/null || break
  sleep 0.1
done
case $state in
  running | degraded) say "Debian $release: systemd is up ($state)" ;;
  *)
    tail -n 20 "$log"
    say "systemd did not start here"
    exit 1
    ;;
esac
inside bash /var/tmp/systemd_checks.sh
rm -f "$log"
say "Debian $release: all good"
