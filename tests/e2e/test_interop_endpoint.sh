#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Our endpoint for the quic-interop-runner (tools/interop): every case between its server and its client over the
# runner's link, files compared by the driver; what it says of an environment that makes no sense; requests that
# cannot be answered. The driver is checked too: ends that do not do their part have to fail it.

. "$(dirname "$0")/lib.sh"
need python3 python3
need openssl openssl

HERE=$(cd "$(dirname "$0")" && pwd)
ENDPOINT=${WT_BUILD_DIR:?}/tools/interop/interop_endpoint
DRIVE="python3 -B $HERE/../../tools/interop/drive.py"
CASES="handshake transfer-unidirectional-receive transfer-unidirectional-send transfer-bidirectional-receive
  transfer-bidirectional-send transfer-datagram-receive transfer-datagram-send two-endpoints lost-datagrams
  unknown-case"

# --- All cases, over the link. ---

$DRIVE --endpoint "$ENDPOINT" --verbose --keep "$DIR/cells" >"$DIR/drive" 2>&1
check_equal "the driver is content" 0 $?
sed 's/^/     /' "$DIR/drive"
for name in $CASES; do
  check_contains "$name" "$(cat "$DIR/drive")" "pass   ours (server), ours (client), $name:"
done
check_contains "no case is left out" "$(cat "$DIR/drive")" "endpoint: $(wc -w <<<"$CASES") passed, 0 failed"

# The same two ends without namespaces.
$DRIVE --endpoint "$ENDPOINT" --verbose --relay --case handshake --case transfer-datagram-send >"$DIR/drive" 2>&1
check_equal "the driver is content with a relay" 0 $?
check_contains "over a relay" "$(cat "$DIR/drive")" "2 passed, 0 failed"

# --- The driver sees what is wrong. ---

fails() { # fails <what> <named> <case> <program>
  $DRIVE --endpoint "$4" --relay --case "$3" >"$DIR/drive" 2>&1
  check_equal "$1 fails" 1 $?
  check_contains "$1 is named" "$(cat "$DIR/drive")" "$2"
}

# A client that changes what it has saved: by a byte, by a file.
cat >"$DIR/alters" <<'EOF'
#!/bin/bash
[ "$ROLE" = client ] || exec "$REAL"
"$REAL" || exit
case $(cat "$HOW") in
  byte) file=$(find "$DOWNLOADS" -type f | head -n 1); printf x | dd of="$file" bs=1 seek=7 conv=notrunc status=none ;;
  missing) find "$DOWNLOADS" -type f | head -n 1 | xargs rm ;;
  more) touch "$DOWNLOADS/more" ;;
  protocol) echo other >"$DOWNLOADS/negotiated_protocol.txt" ;;
esac
EOF
sed -i "2i REAL='$ENDPOINT' HOW='$DIR/how'" "$DIR/alters"
chmod +x "$DIR/alters"
for how in "byte:other bytes" "missing:1 files are missing, 0 too many" "more:0 files are missing, 1 too many"; do
  echo "${how%%:*}" >"$DIR/how"
  fails "a file changed (${how%%:*})" "${how#*:}" transfer-datagram-receive "$DIR/alters"
done
echo protocol >"$DIR/how"
fails "another protocol" "client: the protocol is other" handshake "$DIR/alters"
fails "an endpoint that does nothing" "the server did not become ready" handshake /bin/true
fails "one that knows every case" "ends with 0, not 127" unknown-case /bin/true

# --- The environment. ---

refused() { # refused <status> <named> [variable=value...]
  local status=$1 named=$2 out
  shift 2
  out=$(env -i "$@" "$ENDPOINT" 2>&1)
  check_equal "$*: ends with $status" "$status" $?
  check_contains "$*: says why" "$out" "$named"
}

refused 2 "ROLE" TESTCASE=handshake
refused 2 "ROLE" ROLE=judge TESTCASE=handshake
refused 127 "none of a client" ROLE=client
refused 127 "none of a client" ROLE=client TESTCASE=transfer-datagram-send
refused 127 "none of a server" ROLE=server TESTCASE=transfer-datagram-receive
refused 127 "none of a server" ROLE=server TESTCASE=transfer-datagram-
refused 2 "no endpoint" ROLE=client TESTCASE=handshake
refused 2 "not a list of URLs" ROLE=client TESTCASE=transfer REQUESTS=quick-fox
refused 2 "not a list of URLs" ROLE=client TESTCASE=transfer REQUESTS=https://localhost:1
refused 2 "not a list of URLs" ROLE=client TESTCASE=transfer-datagram-receive REQUESTS=https://localhost:1/a/../b
refused 2 "not a list of paths" ROLE=server TESTCASE=transfer-datagram-send REQUESTS=../a
refused 2 "no file to fetch" ROLE=server TESTCASE=transfer-datagram-send REQUESTS=a/
refused 1 "cert.pem" ROLE=server TESTCASE=transfer CERTS="$DIR"

# --- Requests that cannot be answered, and a certificate that cannot be trusted. ---

mkdir -p "$DIR/www/a" "$DIR/downloads" "$DIR/certs" "$DIR/other"
echo secret >"$DIR/www/secret"
make_certificate certs/cert && mv "$DIR/certs/cert.key" "$DIR/certs/priv.key"
make_certificate other/cert

serve_endpoint() {
  mkfifo "$DIR/ready"
  env ROLE=server TESTCASE=transfer LISTEN=127.0.0.1:0 WWW="$DIR/www" CERTS="$DIR/certs" LOGS="$DIR" \
    "$ENDPOINT" >"$DIR/ready" 2>"$DIR/server.log" &
  SERVER=$!
  exec 3<"$DIR/ready"
  read -r -t 30 READY <&3 || fail "the endpoint's server did not start"
  PORT=${READY##*:}
}

ask() { # ask <testcase> <file>: sets STATUS and OUT
  OUT=$(env ROLE=client TESTCASE="$1" REQUESTS="https://localhost:$PORT/a/$2" DOWNLOADS="$DIR/downloads" \
    CERTS="${CERTS:-$DIR/certs}" LOGS="$DIR/none" timeout 50 "$ENDPOINT" 2>&1)
  STATUS=$?
}

serve_endpoint
CERTS=$DIR/other ask handshake ""
check_equal "an unknown authority: no session" 1 "$STATUS"
check_contains "an unknown authority: said" "$OUT" WT_ERR_CERTIFICATE
ask transfer-bidirectional-receive missing
check_equal "a file that is not there" 1 "$STATUS"
check_contains "a file that is not there: said" "$OUT" "a/missing: the peer ended the stream before the file's end"
printf '' >"$DIR/www/a/empty"
ask transfer-bidirectional-receive empty
check_equal "an empty file" 0 "$STATUS"
check_equal "an empty file is saved" "0" "$(stat -c %s "$DIR/downloads/a/empty")"
wait "$SERVER"
check_equal "the server ends by itself" 0 $?
SERVER=

finish
