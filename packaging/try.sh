#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Inside a bare root, with packages and the tarball in /var/tmp/deb: one part of packages.sh.
#
#   packaging/try.sh install    the tool
#   packaging/try.sh look       what it brought; a server answers
#   packaging/try.sh upgrade    from an older version to this one, whose settings stay; this one again
#   packaging/try.sh library    the library; builds the README's server against it, shared and static
#   packaging/try.sh purge      removes all, and looks for what is left
#   packaging/try.sh tarball    builds the release tarball, and packs it again

set -euo pipefail
cd "$(dirname "$0")/.."
deb=/var/tmp/deb
out=/var/tmp

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

fail() {
  echo "try: $*" >&2
  exit 1
}

# On Debian 12 the development files of ngtcp2 have to come from the backports, which apt takes only when told.
release=()
[ "$(. /etc/os-release && echo "$VERSION_CODENAME")" != bookworm ] || release=(-t bookworm-backports)

install() { apt_get install --no-install-recommends "$deb"/webtransport_*.deb; }

# --- What the package brought ---

# Manual pages of the tool and of each command that it has, completions, the service.
look_files() {
  local page command
  for command in $(webtransport --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    page=/usr/share/man/man1/webtransport-$command.1.gz
    gzip -dc "$page" | grep '^[.]SH NAME' >/dev/null || fail "$page is no manual page"
  done
  [ -n "${command:-}" ] || fail "webtransport --help lists no commands"
  for file in man/man1/webtransport.1.gz bash-completion/completions/webtransport zsh/vendor-completions/_webtransport \
    fish/vendor_completions.d/webtransport.fish doc/webtransport/copyright; do
    [ -s "/usr/share/$file" ] || fail "/usr/share/$file is missing"
  done
  getent passwd webtransport >/dev/null || fail "no user for the service"
  [ -e /etc/default/webtransport ] || fail "no settings of the service"
}

# The service waits for its operator: it is there, neither enabled nor started.
look_service() {
  local unit
  for unit in webtransport.service webtransport.socket webtransport-gateway.service; do
    [ -n "$(find /lib/systemd/system /usr/lib/systemd/system -maxdepth 1 -name "$unit")" ] || fail "$unit is missing"
    [ -z "$(find /etc/systemd/system -name "$unit")" ] || fail "$unit is enabled"
  done
}

# An installed /usr/bin/webtransport serves and connects.
look_echo() {
  local port hash server
  webtransport serve --json --listen 127.0.0.1:0 --http none >/tmp/ready 2>/tmp/log &
  server=$!
  for _ in $(seq 100); do
    [ ! -s /tmp/ready ] || break
    sleep 0.1
  done
  port=$(sed -n 's/.*"127[.]0[.]0[.]1:\([0-9]*\)".*/\1/p' /tmp/ready)
  hash=$(sed -n 's/.*"certificate_sha256":"\([0-9a-f]*\)".*/\1/p' /tmp/ready)
  [ -n "$port" ] && [ -n "$hash" ] || fail "the server did not start: $(cat /tmp/log)"
  [ "$(echo hello | webtransport connect --quiet --insecure-hash "$hash" "https://127.0.0.1:$port/echo")" = hello ] ||
    fail "no echo"
  kill "$server" && wait "$server"
}

# --- An older version before this one ---

# The packages of this version under the number of an older one; debug symbols and documentation aside.
older_make() {
  local file tree
  rm -rf "$out/older" && mkdir "$out/older"
  for file in "$deb"/webtransport_*.deb "$deb"/libwebtransport0_*.deb; do
    tree=$(mktemp -d)
    dpkg-deb --raw-extract "$file" "$tree"
    sed -i 's/^Version: .*/&~older/' "$tree/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$tree" "$out/older/" >/dev/null
    rm -r "$tree"
  done
}

version_of() { dpkg-query -W -f '${Version}' "$1"; }

upgrade() {
  local version
  version=$(version_of webtransport)
  older_make
  apt_get purge webtransport
  apt_get install --no-install-recommends "$out"/older/*.deb
  [ "$(version_of webtransport)" = "$version~older" ] || fail "the older version is not installed"
  echo '# a line of the operator' >>/etc/default/webtransport
  apt_get install --no-install-recommends "$deb"/webtransport_*.deb "$deb"/libwebtransport0_*.deb
  [ "$(version_of webtransport) $(version_of libwebtransport0)" = "$version $version" ] || fail "it was not upgraded"
  grep -x '# a line of the operator' /etc/default/webtransport >/dev/null || fail "the upgrade lost settings"
  apt_get install --reinstall "$deb"/webtransport_*.deb
  look_service
  look_echo
}

# --- The library ---

library() {
  local server=$out/server
  apt_get install --no-install-recommends "${release[@]}" gcc libc6-dev pkg-config "$deb"/libwebtransport*.deb
  awk '/^```c[[:space:]]*$/ && !done { inside = 1; next } /^```/ && inside { inside = 0; done = 1 } inside' README.md >"$server.c"
  # shellcheck disable=SC2046
  cc -Wall -Werror -o "$server-shared" "$server.c" $(pkg-config --cflags --libs libwebtransport)
  ldd "$server-shared" | grep '/lib/.*/libwebtransport[.]so[.]0' >/dev/null || fail "the server does not use the library of the package"
  # shellcheck disable=SC2046
  cc -Wall -Werror -o "$server-static" "$server.c" $(pkg-config --cflags libwebtransport) -Wl,-Bstatic -lwebtransport -Wl,-Bdynamic \
    $(pkg-config --static --libs libwebtransport | sed 's/-lwebtransport//')
  ! ldd "$server-static" | grep libwebtransport || fail "the static server uses the shared library"
  [ -d /usr/share/doc/libwebtransport-doc ] || fail "no documentation"
  webtransport cert --force --json --out "$server" | sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' >"$server.sha256"
  [ -s "$server.sha256" ] || fail "no certificate"
}

purge() {
  apt_get purge 'libwebtransport*' webtransport
  apt_get autoremove --purge
  ! find /usr /etc /var/lib -name '*webtransport*' -not -path '/usr/src/*' -not -name libwebtransport-backports.list | grep . ||
    fail "these files were left"
}

# --- The tarball ---

tarball() {
  local name tree=$out/tree
  ! command -v git || fail "this root has git"
  apt_get install --no-install-recommends "${release[@]}" gcc libc6-dev make cmake pkg-config libngtcp2-dev libngtcp2-crypto-gnutls-dev \
    libnghttp3-dev libgnutls28-dev libuv1-dev libmicrohttpd-dev libjansson-dev libyaml-dev
  rm -rf "$tree" && mkdir "$tree"
  tar -xzf "$deb"/libwebtransport-*.tar.gz -C "$tree"
  name=$(ls "$tree")
  cd "$tree/$name"
  cmake -S . -B build -DWT_BUILD_TESTS=OFF
  cmake --build build -j "${JOBS:-$(nproc)}"
  build/webtransport --version
  packaging/dist.sh build/dist-1
  packaging/dist.sh build/dist-2
  cmp build/dist-[12]/"$name.tar.gz"
  tar -tzf "build/dist-1/$name.tar.gz" | sort >/tmp/again
  tar -tzf "$deb/$name.tar.gz" | sort | diff - /tmp/again || fail "the tarball that was packed without git has other files"
}

case ${1:-} in
  install | upgrade | library | purge | tarball) "$1" ;;
  look)
    look_files
    look_service
    look_echo
    ;;
  *) fail "usage: $0 install|look|upgrade|library|purge|tarball" ;;
esac
