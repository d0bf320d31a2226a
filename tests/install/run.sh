#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs to a temporary prefix and builds the README's server against it, as a user would: with
# pkg-config alone, shared and static, and with find_package. Then looks at what is exported.
#
#   tests/install/run.sh BUILD_DIR

set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

fail() {
  echo "install: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log" || {
  cat "$scratch/install.log"
  fail "cmake --install failed"
}
pc=$(find "$prefix" -name libwebtransport.pc)
[ -n "$pc" ] || fail "libwebtransport.pc was not installed"
libdir=$(dirname "$(dirname "$pc")")
for file in "$libdir/libwebtransport.so" "$libdir/libwebtransport.a" "$prefix/include/webtransport/webtransport.h" \
  "$prefix/bin/webtransport"; do
  [ -e "$file" ] || fail "${file#"$prefix"/} was not installed"
done
for file in man/man1/webtransport.1 man/man1/webtransport-serve.1 man/man1/webtransport-cert.1 \
  bash-completion/completions/webtransport zsh/site-functions/_webtransport fish/vendor_completions.d/webtransport.fish \
  webtransport/grafana-dashboard.json webtransport/prometheus-rules.yaml; do
  [ -s "$prefix/share/$file" ] || fail "share/$file was not installed"
done
unit=$prefix/lib/systemd/system/webtransport-gateway.service
[ "$(grep -c "=$prefix/bin/webtransport gateway --config" "$unit")" = 2 ] ||
  fail "the gateway's unit was not installed, or does not start the tool"
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify --man=no "$unit" >"$scratch/unit.log" 2>&1 && [ ! -s "$scratch/unit.log" ] || {
    cat "$scratch/unit.log"
    fail "systemd finds something wrong in the unit"
  }
  # In tenths; it says 1.6.
  systemd-analyze security --offline=true --threshold=20 "$unit" >"$scratch/unit.log" 2>&1 || {
    tail -n 1 "$scratch/unit.log"
    fail "the unit leaves the service more than it needs"
  }
fi
export PKG_CONFIG_PATH=$libdir/pkgconfig

# --- The README's server is examples/server.c, word for word (its licence line and opening comment aside).
server=$scratch/server.c
awk '/^```c[[:space:]]*$/ && !done { inside = 1; next } /^```/ && inside { inside = 0; done = 1 } inside' README.md >"$server"
grep -q 'wt_server_new' "$server" || fail "README.md has no \`\`\`c block with a server"
python3 - "$server" examples/server.c <<'PY' || fail "the README's server is not the one of examples/server.c"
import difflib, re, sys

def body(path):
    text = open(path, encoding="utf-8").read()
    text = re.sub(r"\A(\s*/\*.*?\*/)+", "", text, flags=re.S)
    return [line.rstrip() for line in text.strip().splitlines()]

readme, example = body(sys.argv[1]), body(sys.argv[2])
difference = list(difflib.unified_diff(readme, example, "README.md", "examples/server.c", lineterm=""))
if difference:
    print("\n".join(difference))
sys.exit(1 if difference else 0)
PY

cc=${CC:-cc}
flags="-std=c17 -Wall -Wextra -Werror"

# --- Shared: nothing but what pkg-config says.
# shellcheck disable=SC2046,SC2086
$cc $flags "$server" -o "$scratch/shared" $(pkg-config --cflags --libs libwebtransport)
LD_LIBRARY_PATH=$libdir ldd "$scratch/shared" | grep "$libdir/libwebtransport.so.0" >/dev/null ||
  fail "the program does not use the shared library by its soname"
private=$(pkg-config --libs libwebtransport)
case $private in
  *ngtcp2* | *nghttp3* | *gnutls*) fail "a shared link must not name the library's own dependencies: $private" ;;
esac

# --- Static: the same in a prefix where only the archive is, with --static.
cp -r "$prefix" "$scratch/static-prefix"
find "$scratch/static-prefix" -name 'libwebtransport.so*' -delete
sed -i "s#^prefix=.*#prefix=$scratch/static-prefix#" "$(find "$scratch/static-prefix" -name libwebtransport.pc)"
static_path=$(dirname "$(find "$scratch/static-prefix" -name libwebtransport.pc)")
# shellcheck disable=SC2046,SC2086
PKG_CONFIG_PATH=$static_path $cc $flags "$server" -o "$scratch/static" \
  $(PKG_CONFIG_PATH=$static_path pkg-config --static --cflags --libs libwebtransport)
if ldd "$scratch/static" | grep libwebtransport >/dev/null; then
  fail "the static program needs the shared library"
fi

# --- The backplanes that were built: a library each, which the one above does not know.
for name in redis nats; do
  [ -e "$libdir/pkgconfig/libwebtransport-$name.pc" ] || continue
  cat >"$scratch/backplane.c" <<EOF
#include <webtransport/backplane_$name.h>
int main(void) {
  struct wt_broker_config config;
  struct wt_backplane *backplane;
  wt_backplane_${name}_config_default(&config);
  if (wt_backplane_${name}_new(&config, &backplane) != 0) return 1;
  backplane->free(backplane);
  return 0;
}
EOF
  # shellcheck disable=SC2046,SC2086
  $cc $flags "$scratch/backplane.c" -o "$scratch/backplane" $(pkg-config --cflags --libs "libwebtransport-$name")
  LD_LIBRARY_PATH=$libdir "$scratch/backplane" || fail "the backplane for $name cannot be made"
  LD_LIBRARY_PATH=$libdir ldd "$scratch/backplane" | grep "$libdir/libwebtransport-$name.so.0" >/dev/null ||
    fail "the program does not use the library for $name by its soname"
  others=$(nm -D --defined-only "$libdir/libwebtransport-$name.so" | grep ' T ' | grep -cv " wt_backplane_${name}_[a-z_]*@@LIBWEBTRANSPORT_") || true
  [ "$others" = 0 ] || fail "the library for $name exports more than its header says"
  # shellcheck disable=SC2046,SC2086
  $cc $flags "$scratch/backplane.c" -o "$scratch/backplane" $(pkg-config --cflags libwebtransport) \
    "$libdir/libwebtransport-$name.a" $(pkg-config --static --libs "libwebtransport-$name" | sed "s/-lwebtransport-$name//; s/-lwebtransport//")
  "$scratch/backplane" || fail "the backplane for $name cannot be made from its archive"
done

# One program with all archives: their internal names must not collide.
if [ -e "$libdir/libwebtransport-redis.a" ] && [ -e "$libdir/libwebtransport-nats.a" ]; then
  cat >"$scratch/all.c" <<'EOF'
#include <webtransport/backplane_nats.h>
#include <webtransport/backplane_redis.h>
#include <webtransport/webtransport.h>
int main(int argc, char **argv) {
  (void)argv;
  if (argc == 1) return 0;
  return wt_server_new(0, 0, 0, 0) + wt_client_new(0, 0, 0, 0) + wt_backplane_redis_new(0, 0) + wt_backplane_nats_new(0, 0);
}
EOF
  # shellcheck disable=SC2046,SC2086
  $cc $flags "$scratch/all.c" -o "$scratch/all" $(pkg-config --cflags libwebtransport) "$libdir/libwebtransport-redis.a" \
    "$libdir/libwebtransport-nats.a" "$libdir/libwebtransport.a" \
    $(pkg-config --static --libs libwebtransport-redis libwebtransport-nats | sed 's/-lwebtransport[a-z-]*//g') ||
    fail "the archives cannot be in one program"
  "$scratch/all" || fail "a program with all archives does not run"
fi

# --- The header also compiles as C++ where a compiler is, each header on its own as C.
for header in "$prefix"/include/webtransport/*.h; do
  echo "#include <webtransport/$(basename "$header")>" >"$scratch/one.c"
  # shellcheck disable=SC2086
  $cc $flags -pedantic -I"$prefix/include" -fsyntax-only "$scratch/one.c" || fail "$(basename "$header") does not stand alone"
  if command -v c++ >/dev/null; then
    c++ -std=c++17 -Wall -Wextra -Werror -x c++ -I"$prefix/include" -fsyntax-only "$scratch/one.c" ||
      fail "$(basename "$header") is no C++"
  fi
done

# --- find_package, both targets.
mkdir "$scratch/consumer"
cp tests/install/consumer/CMakeLists.txt "$scratch/consumer"
cp "$server" "$scratch/consumer/server.c"
cmake -S "$scratch/consumer" -B "$scratch/consumer/build" -DCMAKE_PREFIX_PATH="$prefix" >"$scratch/cmake.log" 2>&1 &&
  cmake --build "$scratch/consumer/build" >>"$scratch/cmake.log" 2>&1 || {
  cat "$scratch/cmake.log"
  fail "find_package(webtransport) does not work"
}

# --- What is exported: the functions of the headers, all of them and nothing else, each with its version.
scripts/check_abi.py --library "$libdir/libwebtransport.so" || fail "the library is not what the headers say"
exported=$(nm -D --defined-only "$libdir/libwebtransport.so" | grep -c ' T wt_')

# --- The programs run, and say what is wrong when there is no certificate.
for program in shared static consumer/build/with_shared consumer/build/with_static; do
  status=0
  (cd "$scratch" && LD_LIBRARY_PATH=$libdir timeout 10 "./$program" >"$scratch/run.log" 2>&1) || status=$?
  case $status in
    124) fail "$program served without a certificate" ;;
    126 | 127 | 13[0-9]) fail "$program does not run: $(cat "$scratch/run.log")" ;;
    0) fail "$program ended with 0 without a certificate" ;;
  esac
done
"$prefix/bin/webtransport" --version | grep -F "$(pkg-config --modversion libwebtransport)" >/dev/null ||
  fail "the installed tool does not tell the version of libwebtransport.pc"

echo "install: $exported functions exported; README's server built four ways"
