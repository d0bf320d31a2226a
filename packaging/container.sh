#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds packaging/Containerfile by buildah and tries the image by crun, as root:
#
#   packaging/container.sh
#
# No registry is asked: the base image is made by debootstrap, from the mirror of this machine's apt. Images are kept in
# WT_CONTAINER_DIR (default: ~/.cache/libwebtransport/containers). Only what is committed goes in. Where a program is missing the script says so and ends well.

set -euo pipefail
cd "$(dirname "$0")/.."
cache=${WT_CONTAINER_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/libwebtransport/containers}
scratch=$(mktemp -d)
server=wt-test.$$
checks=0

say() { echo "container: $*"; }

leave() {
  say "left out: $*"
  exit 0
}

fail() {
  echo "container: FAIL $*" >&2
  [ ! -s "$scratch/log" ] || tail -n 20 "$scratch/log" >&2
  exit 1
}

good() {
  checks=$((checks + 1))
  echo "ok   $*"
}

images() { buildah --root "$cache/storage" --runroot "$scratch/run" "$@"; }
runtime() { crun --root "$scratch/crun" --cgroup-manager=disabled "$@"; }

cleanup() {
  runtime delete --force "$server" >/dev/null 2>&1 || true
  images umount --all >/dev/null 2>&1 || true
  images rm --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}

mirror_find() {
  apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)|$(RELEASE)' 'Identifier: Packages' |
    sed -n 's/^\(http[^|]*[/]debian[/]*\)|main|[a-z]*$/\1/p' | sort -u | head -n 1
}

base_make() {
  local container root=$scratch/base
  ! images inspect debian:trixie-slim >/dev/null 2>&1 || return 0
  say "making debian:trixie-slim"
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$(mirror_find)" >"$scratch/log" || fail "debootstrap"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale,man}/*
  # The authorities and the proxy that apt needs on this machine.
  [ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  container=$(images from scratch)
  tar -C "$root" --one-file-system -cf - . | tar -C "$(images mount "$container")" -xf -
  images umount "$container" >/dev/null
  images config --cmd bash "$container"
  images commit -q --rm "$container" localhost/debian:trixie-slim >/dev/null
  rm -rf "$root"
}

image_build() {
  git archive HEAD --prefix=tree/ | tar -x -C "$scratch"
  apt-config dump | grep '^Acquire::' >"$scratch/apt.conf" || true
  say "building"
  images bud --isolation chroot --layers --volume "$scratch/apt.conf:/etc/apt/apt.conf.d/90outside:ro" \
    -f "$scratch/tree/packaging/Containerfile" -t webtransport "$scratch/tree" >"$scratch/log" 2>&1 || fail "the image was not built"
}

of_image() { images inspect --type image --format "{{$1}}" localhost/webtransport; }

# A bundle for crun as the image and `docker run --read-only --cap-drop=all --memory` want it.
bundle_make() { # bundle_make ARGUMENT...
  local container=$1 user
  shift
  mkdir -p "$scratch/bundle"
  user=$(chroot "$(images mount "$container")" id -u "$(of_image .OCIv1.Config.User)")
  (cd "$scratch/bundle" && rm -f config.json && crun spec)
  python3 - "$scratch/bundle/config.json" "$(images mount "$container")" "$user" "$@" <<'PYTHON'
import json, sys
name, root, user, *arguments = sys.argv[1:]
with open(name, encoding="utf-8") as file:
    spec = json.load(file)
process = spec["process"]
process.update(terminal=False, args=["webtransport", *arguments], user={"uid": int(user), "gid": int(user)},
               noNewPrivileges=True, capabilities={kind: [] for kind in process["capabilities"]})
process["rlimits"] = [{"type": "RLIMIT_DATA", "soft": 64 << 20, "hard": 64 << 20}]
spec["root"] = {"path": root, "readonly": True}
spec["linux"].pop("resources", None)
spec["mounts"] = [mount for mount in spec["mounts"] if mount["type"] not in ("cgroup", "cgroup2")]
with open(name, "w", encoding="utf-8") as file:
    json.dump(spec, file)
PYTHON
}

[ "$(id -u)" = 0 ] || leave "root is needed"
for program in buildah crun debootstrap python3; do
  command -v "$program" >/dev/null || leave "$program is missing"
done
# crun wants control groups of version 2 alone. Where this machine has both, this script goes on in mounts of its own.
if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ -z "${WT_CONTAINER_MOUNTS:-}" ]; then
  rm -rf "$scratch"
  exec unshare --mount bash -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && WT_CONTAINER_MOUNTS=1 exec bash "$1"' bash packaging/container.sh
fi
trap cleanup EXIT
mkdir -p "$cache"
base_make
image_build

size=$(images images --format '{{.Size}}' localhost/webtransport)
base=$(images images --format '{{.Size}}' localhost/debian:trixie-slim | head -n 1)
say "the image has $size, of which the base is $base"
[ "$(of_image .OCIv1.Config.User)" = webtransport ] && good "the user is not root"
[ "$(of_image .OCIv1.Config.StopSignal)" = SIGTERM ] && good "it is stopped by SIGTERM"

container=$(images from localhost/webtransport)
bundle_make "$container" serve --json --http none --max-memory 32M
runtime run --bundle "$scratch/bundle" "$server" >"$scratch/ready" 2>"$scratch/log" </dev/null &
process=$!
for _ in $(seq 200); do
  [ ! -s "$scratch/ready" ] || break
  kill -0 "$process" 2>/dev/null || break
  sleep 0.1
done
hash=$(sed -n 's/.*"certificate_sha256":"\([0-9a-f]*\)".*/\1/p' "$scratch/ready")
[ -n "$hash" ] || fail "the server did not start"
good "it serves as process 1, read-only, without capabilities, in 64 MiB"
for host in 127.0.0.1 '[::1]'; do
  said=$(echo hello | timeout 20 crun --root "$scratch/crun" exec "$server" \
    webtransport connect --quiet --insecure-hash "$hash" "https://$host:4433/echo") || true
  [ "$said" = hello ] || fail "no echo from $host"
  good "an echo from $host"
done
runtime kill "$server" TERM
status=0
wait "$process" || status=$?
[ "$status" = 0 ] || fail "it ended with $status"
good "SIGTERM ends it well"
say "$checks checks, all good"
