#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs the modules of package-lock.json; does nothing, at once, when they are there. Bun's package fetches or
# links its program in an install script; the program itself is in a package for the platform, and is linked here.

set -euo pipefail
cd "$(dirname "$0")"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
program=$(find node_modules/@oven -path '*/bin/bun' -type f | head -n 1)
[ -z "$program" ] || ln -sf "../../$program" node_modules/.bin/bun
