#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Inside a bare root, with packages in /var/tmp/deb: see packages.sh.
#
#   packaging/try.sh tool       installs the tool, and asks a server
#   packaging/try.sh library    installs the library and its documentation, builds the README's server against them, and removes all

set -euo pipefail
cd "$(dirname "$0")/.."
deb=/var/tmp/deb

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >/dev/null; }

fail() {
  echo "try: $*" >&2
  exit 1
}

# serve COMMAND...: starts a server on a free port, sets `port`, `hash` and `server`.
serve() {
  "$@" >/tmp/ready 2>/tmp/log &
  server=$!
  for _ in $(seq 100); do
    [ ! -s /tmp/ready ] || break
    sleep 0.1
  done
  port=$(sed -n 's/.*"127[.]0[.]0[.]1:\([0-9]*\)".*/\1/p' /tmp/ready)
  hash=$(sed -n 's/.*"certificate_sha256":"\([0-9a-f]*\)".*/\1/p' /tmp/ready)
  [ -n "$port" ] && [ -n "$hash" ] || fail "the server did not start: $(cat /tmp/log)"
}

case ${1:-} in
  tool)
    apt_get install --no-install-recommends "$deb"/webtransport_*.deb
    serve webtransport serve --json --listen 127.0.0.1:0 --http none
    [ "$(echo hello | webtransport connect --quiet --insecure-hash "$hash" "https://127.0.0.1:$port/echo")" = hello ] ||
      fail "no echo"
    kill "$server" && wait "$server"
    [ -e /usr/share/man/man1/webtransport-serve.1.gz ] || fail "no manual page"
    getent passwd webtransport >/dev/null || fail "no user for the service"
    ;;
  library)
    # On Debian 12 the development files of ngtcp2 have to come from the backports, which apt takes only when told.
    release=()
    [ "$(. /etc/os-release && echo "$VERSION_CODENAME")" != bookworm ] || release=(-t bookworm-backports)
    apt_get install --no-install-recommends "${release[@]}" gcc libc6-dev pkg-config "$deb"/libwebtransport*.deb
    awk '/^```c[[:space:]]*$/ && !done { inside = 1; next } /^```/ && inside { inside = 0; done = 1 } inside' README.md >/tmp/server.c
    # shellcheck disable=SC2046
    cc -Wall -Werror -o /tmp/server /tmp/server.c $(pkg-config --cflags --libs libwebtransport)
    ldd /tmp/server | grep '/lib/.*/libwebtransport[.]so[.]0' >/dev/null || fail "the server does not use the library of the package"
    # shellcheck disable=SC2046
    cc -Wall -Werror -o /tmp/static /tmp/server.c $(pkg-config --cflags libwebtransport) -Wl,-Bstatic -lwebtransport -Wl,-Bdynamic \
      $(pkg-config --static --libs libwebtransport | sed 's/-lwebtransport//')
    [ -d /usr/share/doc/libwebtransport-doc ] || fail "no documentation"
    apt_get purge 'libwebtransport*' webtransport
    apt_get autoremove --purge
    ! find /usr /etc -name '*webtransport*' -not -path '/usr/src/*' -not -name libwebtransport-backports.list | grep . || fail "these files were left"
    ;;
  *) fail "usage: $0 tool|library" ;;
esac
