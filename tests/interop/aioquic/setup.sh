#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Puts the packages of requirements.txt, and nothing else, into a virtual environment of their own.
#
#   setup.sh BUILD    BUILD/venv; does nothing, at once, when it is there with just these packages

set -euo pipefail
cd "$(dirname "$0")"
build=$1
done=$build/requirements.txt

if [ -x "$build/venv/bin/python" ] && cmp -s requirements.txt "$done"; then exit 0; fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "aioquic needs Python 3.11 or later, with venv" >&2
  exit 1
fi
rm -rf "$build/venv" "$done"
python3 -m venv "$build/venv"
"$build/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
  -r requirements.txt
cp requirements.txt "$done"
