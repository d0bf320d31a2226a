#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Puts the packages of package-lock.json, and nothing else, into a folder of their own.
#
#   setup.sh BUILD    BUILD/deno; does nothing, at once, when it is there from just these packages

set -euo pipefail
cd "$(dirname "$0")"
build=$1
done=$build/done-package-lock.json

if [ -x "$build/deno" ] && cmp -s package-lock.json "$done"; then exit 0; fi
rm -rf "$build/node_modules" "$build/deno" "$done"
cp package.json package-lock.json "$build/"
# The program is a package of the machine's kind; no script has to be run for it.
(cd "$build" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
for program in "$build"/node_modules/@deno/*/deno; do
  if "$program" --version >/dev/null 2>&1; then ln -s "$program" "$build/deno"; fi
done
if [ ! -x "$build/deno" ]; then
  echo "Deno does not run on this machine" >&2
  exit 1
fi
cp package-lock.json "$done"
