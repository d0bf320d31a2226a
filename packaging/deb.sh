#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the Debian packages of what is committed, from the release tarball, and lets lintian look at them:
#
#   packaging/deb.sh [FOLDER]             default: build/deb
#   packaging/deb.sh --tool [FOLDER]      without documentation, debug symbols and lintian, for the image of a container
#
# debian/changelog is written here, so that the version stands in one place.

set -euo pipefail
cd "$(dirname "$0")/.."
kind=binary
[ "${1:-}" != --tool ] || { kind=any && shift; }
out=${1:-build/deb}
version=$(packaging/version.sh)
name=libwebtransport-$version

rm -rf "$out"
mkdir -p "$out"
packaging/dist.sh "$out" >/dev/null
tar -xzf "$out/$name.tar.gz" -C "$out"
cp -r "$out/$name/packaging/debian" "$out/$name/debian"
date=$(git log -1 --format=%cD 2>/dev/null || date -R)
cat >"$out/$name/debian/changelog" <<EOF
libwebtransport ($version) unstable; urgency=medium

  * Release $version; CHANGELOG.md tells what is new.

 -- $(sed -n 's/^Maintainer: //p' packaging/debian/control)  $date
EOF
[ $kind = binary ] || export DEB_BUILD_OPTIONS=noautodbgsym
(cd "$out/$name" && dpkg-buildpackage --unsigned-source --unsigned-changes --build=$kind)
cd "$out"
[ $kind = any ] || lintian --fail-on error --suppress-tags bad-distribution-in-changes-file ./*.changes
sha256sum ./*.deb >SHA256SUMS
ls ./*.deb
