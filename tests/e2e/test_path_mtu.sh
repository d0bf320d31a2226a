#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# An interface whose MTU is lowered while a transfer runs: two network namespaces, joined by a pair of virtual interfaces.
# At the sender's end the kernel says EMSGSIZE; at the receiver's, large packets vanish without a word. Each with a
# download and an upload.

. "$(dirname "$0")/lib.sh"

if [ -z "${WT_PATH_MTU_INSIDE:-}" ]; then
  command -v ip >/dev/null || { echo "skipped: ip is missing (iproute2)"; exit 0; }
  unshare --user --map-root-user --net true 2>/dev/null || { echo "skipped: namespaces are not permitted here"; exit 0; }
  rm -rf "$DIR"
  WT_PATH_MTU_INSIDE=1 exec unshare --user --map-root-user --net bash "$0" "$WEBTRANSPORT"
fi
need node nodejs

# The client's namespace is one within this one, held by a process.
unshare --net sleep 120 &
HOLDER=$!
trap 'kill "$HOLDER" 2>/dev/null; cleanup' EXIT
until [ "$(readlink "/proc/$HOLDER/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do :; done
client() { nsenter --target "$HOLDER" --net "$@"; }

ip link add near type veth peer name far netns "$HOLDER" 2>"$DIR/error" ||
  { echo "skipped: no virtual interfaces: $(cat "$DIR/error")"; exit 0; }
ip addr add 192.0.2.1/24 dev near
ip link set lo up
ip link set near up
client ip addr add 192.0.2.2/24 dev far
client ip link set far up

: >"$DIR/out"
"$WEBTRANSPORT" serve --listen 192.0.2.1:0 --http 192.0.2.1:0 ${WT_TEST_WORKERS:+--workers "$WT_TEST_WORKERS"} \
  >"$DIR/out" 2>"$DIR/log" &
SERVER=$!
until PORT=$(sed -n 's/^Listening on .*192[.]0[.]2[.]1:\([0-9]*\).*/\1/p' "$DIR/out") && [ -n "$PORT" ]; do
  kill -0 "$SERVER" 2>/dev/null || { cat "$DIR/out" "$DIR/log"; fail "serve ends early"; finish; }
done

# Bytes that have left by the server's interface and the client's.
carried() { ip -s link show near | awk '/[RT]X:/ { getline; sum += $1 } END { printf "%.0f\n", sum }'; }

number() { # number <name> <file>
  tr -d ' \n' <"$2" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

# The load runs for some seconds before it is measured, and the MTU changes meanwhile.
transfer() { # transfer <workload> <interface> <bytes> <what>
  ip link set near mtu 1500
  client ip link set far mtu 1500
  local before bench
  before=$(carried)
  client "$WEBTRANSPORT" bench --workload "$1" --warmup 3s --duration 1s --json \
    --dangerously-accept-any-certificate "https://192.0.2.1:$PORT" >"$DIR/$1.json" 2>"$DIR/$1.err" &
  bench=$!
  until [ "$(carried)" -gt $((before + 20000000)) ]; do
    kill -0 "$bench" 2>/dev/null || break
  done
  case $2 in
    near) ip link set near mtu 1328 ;;
    far) client ip link set far mtu 1328 ;;
  esac
  wait "$bench"
  local bytes
  bytes=$(number "$3" "$DIR/$1.json")
  if [ "${bytes:-0}" -gt 1000000 ]; then
    pass "$4"
  else
    fail "$4" "${bytes:-no} bytes in the second that was measured: $(cat "$DIR/$1.err")"
  fi
}

transfer download near bytes_received "download, the kernel of the sender refuses large packets"
transfer download far bytes_received "download, large packets vanish at the receiver"
transfer upload far bytes_sent "upload, the kernel of the sender refuses large packets"
transfer upload near bytes_sent "upload, large packets vanish at the receiver"
finish
