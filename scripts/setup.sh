#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs what is missing, asking nothing; does nothing, at once, when all is there.
#
#   scripts/setup.sh build   what `make build` and `make run` need
#   scripts/setup.sh test    that, and what `make test`, `make format` and `make lint` need (the default)
#   scripts/setup.sh interop what the peers of tests/interop need: the build, and the languages they are written in
#   scripts/setup.sh browsers what `make interop` needs beyond that: all of `test`, and Firefox
#   scripts/setup.sh docs    what `make docs` needs: the build, Doxygen and Sphinx
#   scripts/setup.sh deb     what `make deb` needs
#   scripts/setup.sh deb-tool  what `packaging/deb.sh --tool` needs: neither the documentation's programs nor lintian
#   scripts/setup.sh backports  nothing but the backports of Debian 12, where ngtcp2 comes from
#   scripts/setup.sh newest  nothing but ngtcp2 and nghttp3 of the release's backports, though its own are new enough
#   scripts/setup.sh bench   what `make bench` and its like need: that of interop, the servers that they compare, and gnuplot
#
# Works on Debian 12 or later, and on Ubuntu from the release on that carries ngtcp2 1.11. Debian 12 itself has
# ngtcp2 0.12: there the newer one comes from its backports, from the mirror that the machine uses.

set -euo pipefail
cd "$(dirname "$0")/.."

want=${1:-test}
mode=$want
case $want in
  build | test | interop) ;;
  browsers) want=test ;;
  docs | deb | deb-tool | backports | newest) want=build ;;
  bench) want=interop ;;
  *)
    echo "usage: $0 [build|test|interop|browsers|docs|deb|deb-tool|backports|newest|bench]" >&2
    exit 2
    ;;
esac

ngtcp2_min=1.11
nghttp3_min=1.8
curl_min=8.0
# From this one on Go fetches, as a module, the newer version that a module asks for.
go_min=1.21
rust_min=1.91
# Playwright asks its browser for WebDriver BiDi's network.addDataCollector.
firefox_min=143

# What is asked of the distribution's own release, and what Debian 12 has only in its backports.
plain=(cmake pkg-config libgnutls28-dev libssl-dev libuv1-dev libmicrohttpd-dev libjansson-dev
  libyaml-dev libcurl4-openssl-dev libjwt-dev)
recent=(libngtcp2-dev libngtcp2-crypto-gnutls-dev libnghttp3-dev)
tools=(gcc:gcc make:make)
# Packet protection by wide vectors; other processors do without.
[ "$(uname -m)" != x86_64 ] || plain+=(libipsec-mb-dev)
if [ "$want" = test ]; then
  # libunistring: for static programs, since GnuTLS's list of libraries names it, and its package needs it not.
  plain+=(libcmocka-dev libglib2.0-dev abigail-tools python3-cffi libhiredis-dev libnats-dev openssh-client
    openssh-server systemtap-sdt-dev libunistring-dev)
  recent+=(ngtcp2-client ngtcp2-server)
  tools+=(clang:clang clang-format:clang-format clang-tidy:clang-tidy chromium:chromium node:nodejs npm:npm
    python3:python3 ninja:ninja-build mold:mold openssl:openssl curl:curl man:man-db zsh:zsh fish:fish script:bsdutils
    ip:iproute2 redis-server:redis-server promtool:prometheus gdb:gdb zip:zip unzip:unzip logrotate:logrotate)
  # Not in the PATH of every user.
  [ -x /usr/sbin/nats-server ] || tools+=(nats-server:nats-server)
fi

if [ "$want" = interop ]; then
  plain+=(libcmocka-dev libglib2.0-dev)
  tools+=(python3:python3 openssl:openssl)
fi

# The site's generator, in the release's own versions.
site=(doxygen python3-sphinx python3-myst-parser python3-breathe furo)
if [ "$mode" = docs ]; then
  plain+=("${site[@]}")
fi

case $mode in deb | deb-tool)
  plain+=(build-essential debhelper libhiredis-dev libnats-dev systemtap-sdt-dev)
  tools+=(dpkg-buildpackage:dpkg-dev)
  ;;
esac
if [ "$mode" = deb ]; then
  plain+=("${site[@]}")
  tools+=(lintian:lintian)
fi

if [ "$mode" = bench ]; then
  recent+=(ngtcp2-client ngtcp2-server)
  tools+=(gnuplot:gnuplot-nox taskset:util-linux node:nodejs npm:npm websockify:websockify)
fi

# What makes a command root's; empty for root itself.
root=()
[ "$(id -u)" = 0 ] || root=(sudo)

say() { echo "setup: $*"; }

fail() {
  echo "setup: $*" >&2
  exit 1
}

# Prints those of the given packages that are not installed.
packages_missing() {
  local have
  have=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    case $have in
      *" $package:installed "*) ;;
      *) echo "$package" ;;
    esac
  done
}

# A pkg-config of another maker (pkgconf) is as good.
missing_of_plain() {
  packages_missing "${plain[@]}" | while read -r package; do
    { [ "$package" = pkg-config ] && command -v pkg-config >/dev/null; } ||
      { [ "$package" = cmake ] && command -v cmake >/dev/null; } || echo "$package"
  done
  for pair in "${tools[@]}"; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
}

# Clang's fuzzing and sanitizer runtime is a package of its own, named for clang's version.
clang_runtime_missing() {
  [ "$want" = test ] && command -v clang >/dev/null || return 0
  local library major
  library=$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")
  if [ ! -e "$library" ] && [ ! -e "$(clang -print-file-name=libclang_rt.fuzzer.a)" ]; then
    major=$(clang -dumpversion)
    echo "libclang-rt-${major%%.*}-dev"
  fi
}

# The packages whose version matters, unless pkg-config (or the package list) says that they are new enough. Those with
# programs count as installed if the programs are there: see examples_install.
missing_of_recent() {
  local package wanted=("${recent[@]}")
  if command -v pkg-config >/dev/null &&
    pkg-config --exists "libngtcp2 >= $ngtcp2_min" "libngtcp2_crypto_gnutls >= $ngtcp2_min" \
      "libnghttp3 >= $nghttp3_min"; then
    wanted=()
    { [ "$want" != test ] && [ "$mode" != bench ]; } || wanted=(ngtcp2-client ngtcp2-server)
  fi
  for package in "${wanted[@]}"; do
    case $package in
      ngtcp2-client | ngtcp2-server) PATH=$PATH:/usr/sbin command -v "gtls${package#ngtcp2-}" >/dev/null || echo "$package" ;;
      *) echo "$package" ;;
    esac
  done
}

# The tests ask by libcurl too, whose GnuTLS build speaks HTTP/3 where it stands on ngtcp2. Debian 13
# renamed its package.
curl_missing() {
  [ "$want" = test ] || return 0
  local library
  library=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n '/libcurl-gnutls[.]so[.]4 /{s/.*=> //p;q}')
  if [ -z "$library" ] || ! ldd "$library" | grep libngtcp2 >/dev/null; then
    if apt-cache show libcurl3t64-gnutls >/dev/null 2>&1; then
      echo libcurl3t64-gnutls
    else
      echo libcurl3-gnutls
    fi
  fi
}

# version_of PROGRAM WORD: the version that it prints of itself, or 0.
version_of() {
  local version
  version=$("$1" "$2" 2>/dev/null | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')
  echo "${version:-0}"
}

# The languages that the peers of the interop test ask for. Debian 12 has a Rust that is new enough only in the
# packages that it builds browsers with.
languages_missing() {
  [ "$want" = interop ] && command -v python3 >/dev/null || return 0
  local program
  for program in $(python3 tests/interop/run.py --needs); do
    case $program in
      go)
        dpkg --compare-versions "$(version_of go version)" ge "$go_min" || echo golang-go
        ;;
      cargo)
        if ! dpkg --compare-versions "$(version_of cargo --version)" ge "$rust_min"; then
          if dpkg --compare-versions "$(candidate_of cargo)" ge "$rust_min"; then echo cargo; else echo cargo-web; fi
        fi
        ;;
      npm) command -v npm >/dev/null || echo npm ;;
      python3-venv) python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv ;;
      *) fail "tests/interop needs '$program', and nothing here tells how to install that" ;;
    esac
  done
}

# Debian carries Firefox as its ESR, Ubuntu only as a snap, which cannot be driven.
firefox_missing() {
  [ "$mode" = browsers ] || return 0
  dpkg --compare-versions "$(version_of firefox-esr --version)" ge "$firefox_min" || echo firefox-esr
}

apt_get() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}

# The version that a package must have; nothing where any will do.
minimum_of() {
  case $1 in
    libnghttp3-dev) echo "$nghttp3_min" ;;
    *ngtcp2*) echo "$ngtcp2_min" ;;
    libcurl3-gnutls) echo "$curl_min" ;;
    golang-go) echo "2:$go_min" ;;
    firefox-esr) echo "$firefox_min" ;;
    *) ;;
  esac
}

# The version of a package that apt would install with the given options, or nothing.
candidate_of() {
  local package=$1
  shift
  apt-cache "$@" policy "$package" | sed -n 's/^  Candidate: //p' | grep -v '(none)'
}

# Whether the release itself has a package as it is needed, or else (with options) its backports.
is_offered() {
  [ "$mode" != newest ] || [ $# -gt 1 ] || return 1
  [ -z "$(minimum_of "$1")" ] || dpkg --compare-versions "$(candidate_of "$@")" ge "$(minimum_of "$1")"
}

# Enables the backports of this Debian release, unless they are, at the mirror that apt uses for it.
enable_backports() {
  local codename=$1 uris uri keyring signed line
  uris=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Identifier: Packages' | sort -u)
  if grep -q "|$codename-backports|main\$" <<<"$uris"; then
    return 0
  fi
  uri=$(grep "|$codename|main\$" <<<"$uris" | head -n 1 | cut -d '|' -f 1)
  [ -n "$uri" ] || fail "apt's sources name no mirror of $codename main; enable $codename-backports by hand"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  signed=
  [ -e "$keyring" ] && signed="[signed-by=$keyring] "
  line="deb ${signed}${uri} $codename-backports main"
  say "enabling $codename-backports"
  "${root[@]}" sh -c 'printf "%s\n" "$1" >/etc/apt/sources.list.d/libwebtransport-backports.list' sh "$line"
  apt_get update
}

install_packages() {
  local package id codename backported=() arguments=()
  say "installing: $*"
  apt_get update
  id=$(. /etc/os-release && echo "${ID:-}")
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

  # Only the packages that need it come from the backports; everything else stays with the release.
  for package in "$@"; do
    if is_offered "$package"; then
      arguments+=("$package")
      continue
    fi
    [ "$id" = debian ] && [ -n "$codename" ] ||
      fail "this distribution offers $package $(candidate_of "$package"), and $(minimum_of "$package") or later is" \
        "needed. Debian 12 with its backports and Debian 13 have it."
    [ ${#backported[@]} -gt 0 ] || enable_backports "$codename"
    is_offered "$package" -t "$codename-backports" ||
      fail "$codename-backports offers $package $(candidate_of "$package" -t "$codename-backports")," \
        "and $(minimum_of "$package") or later is needed"
    backported+=("$package")
  done
  if [ ${#backported[@]} -gt 0 ]; then
    # What is behind them (libngtcp2-16, golang-src, ...) has to come from there too.
    for package in $(apt-cache -t "$codename-backports" depends --no-recommends --no-suggests "${backported[@]}" |
      sed -n 's/^ *Depends: \(lib\(ngtcp2\|nghttp3\)[^ ]*\|golang-src\)$/\1/p'); do
      backported+=("$package")
    done
    for package in $(printf '%s\n' "${backported[@]}" | sort -u); do
      arguments+=("$package/$codename-backports")
    done
  fi
  apt_get install --no-install-recommends "${arguments[@]}"
}

if [ "$mode" = backports ]; then
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt_get update
  dpkg --compare-versions "$(candidate_of libngtcp2-dev)" ge "$ngtcp2_min" || enable_backports "$codename"
  exit
fi

# The release's example programs of ngtcp2 depend on exactly its own ngtcp2. They run on the newer one too, so their files
# are installed without the packages.
examples_install() {
  local folder package
  folder=$(mktemp -d)
  # shellcheck disable=SC2046
  apt_get install --no-install-recommends $(apt-cache depends --no-recommends --no-suggests ngtcp2-client ngtcp2-server |
    sed -n 's/^ *Depends: \([a-z][^ ]*\)$/\1/p' | grep -v '^lib\(ngtcp2\|nghttp3\)')
  (cd "$folder" && apt-get -q download ngtcp2-client ngtcp2-server)
  for package in "$folder"/*.deb; do dpkg-deb --extract "$package" "$folder/files"; done
  "${root[@]}" find "$folder/files/usr" -name 'gtls*' -type f -perm /111 -exec cp -t /usr/local/bin {} +
  rm -r "$folder"
}

if [ "$mode" = newest ]; then
  case $(dpkg-query -W -f '${Version}' "${recent[@]}" 2>/dev/null) in
    *~bpo*) ;;
    *) install_packages "${recent[@]}" ;;
  esac
  command -v gtlsclient >/dev/null || examples_install
  exit
fi

# Package names hold no spaces: what these print is split into words on purpose.
# shellcheck disable=SC2207
missing=($(missing_of_plain && missing_of_recent && curl_missing && clang_runtime_missing && languages_missing &&
  firefox_missing))
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null || fail "this is no Debian or Ubuntu; install: ${missing[*]}"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "root (or sudo) is needed to install: ${missing[*]}"
  install_packages "${missing[@]}"
  # Clang may only be here now, and tell which runtime it wants.
  # shellcheck disable=SC2207
  missing=($(clang_runtime_missing))
  [ "${#missing[@]}" -eq 0 ] || apt_get install --no-install-recommends "${missing[@]}"
  [ -z "$(missing_of_recent)" ] || fail "the installed ngtcp2 or nghttp3 is still too old: $(missing_of_recent | xargs)"
  # Python may only be here now, and tell what the peers need.
  # shellcheck disable=SC2207
  missing=($(languages_missing))
  [ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
  [ -z "$(languages_missing)" ] ||
    fail "the installed languages are still too old: $(languages_missing | xargs). Debian's security updates have newer ones"
  [ -z "$(firefox_missing)" ] ||
    fail "the installed Firefox is older than $firefox_min; Debian's security updates have a newer one"
  [ -z "$(curl_missing)" ] || fail "the installed $(curl_missing) has no HTTP/3"
fi

if [ "$want" = test ] && [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
  fail "node $(node --version) is too old for the browser test: 18 or later is needed"
fi

# The browser tests drive Chromium through playwright-core, which brings no browser of its own; xterm.js is the terminal of
# an example's page.
for folder in tests/browser examples/terminal; do
  if [ "$want" = test ] && [ -e $folder/package-lock.json ]; then
    if [ ! $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]; then
      say "installing the node modules of $folder"
      (cd $folder && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
      touch $folder/node_modules/.package-lock.json
    fi
  fi
done
