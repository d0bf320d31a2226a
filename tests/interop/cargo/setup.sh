#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the peer in the current folder, a crate, with the versions of its crates.lock. An old build is used again as far
# as it goes.
#
#   ../cargo/setup.sh BUILD    BUILD/release/interop-peer
#   ../cargo/setup.sh --pin    writes crates.lock from Cargo.lock, after `cargo update`
#
# crates.lock is a Cargo.lock that names no registry. Which one is asked is up to the machine's configuration; the
# name that cargo files its crates under in a lock file is taken from one that cargo writes here.

set -euo pipefail
build=$1
head=$(sed -n '/^#/p' crates.lock)
if [ "$build" = --pin ]; then
  body=$(grep -v -e '^source = ' -e '^#' Cargo.lock)
  printf '%s\n%s\n' "$head" "$body" >crates.lock
  exit 0
fi
oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)

if ! command -v cargo >/dev/null; then
  echo "cargo is missing: install Rust $oldest or later" >&2
  exit 1
fi
have=$(rustc --version | cut -d ' ' -f 2)
if [ "$(printf '%s\n' "$oldest" "$have" | sort -V | head -n 1)" != "$oldest" ]; then
  echo "Rust $have is too old for $(basename "$PWD"): $oldest or later is needed" >&2
  exit 1
fi
if [ ! -e "$build/registry" ]; then
  rm -rf "$build/name"
  mkdir -p "$build/name/src"
  : >"$build/name/src/lib.rs"
  printf '[package]\nname = "name"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nbytes = "1"\n[workspace]\n' \
    >"$build/name/Cargo.toml"
  (cd "$build/name" && cargo generate-lockfile --quiet)
  sed -n '/^source = /p' "$build/name/Cargo.lock" | sort -u >"$build/registry"
fi
awk -v source="$(cat "$build/registry")" '/^#/ { next } /^checksum = / { print source } { print }' crates.lock \
  >"$build/Cargo.lock.new"
cmp -s "$build/Cargo.lock.new" Cargo.lock || cp "$build/Cargo.lock.new" Cargo.lock
cargo build --quiet --release --locked --target-dir "$build"
