#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Ordinary HTTP/3 by clients that are not ours: gtlsclient (ngtcp2's example client) for a page, a 404,
# a body of 100 MB up and one of 1 GB down; libcurl (client/http3_get.c) for what gtlsclient cannot
# send: ranges and conditions. Contents are compared by SHA-256.
#
# WT_HTTP3_DOWN_MB and WT_HTTP3_UP_MB change the sizes; the script says which ones it used.

. "$(dirname "$0")/lib.sh"
need gtlsclient ngtcp2-client
need node nodejs
need openssl openssl
need "${CC:-cc}" gcc

DOWN_MB=${WT_HTTP3_DOWN_MB:-1024}
UP_MB=${WT_HTTP3_UP_MB:-100}

"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -o "$DIR/http3_get" "$(dirname "$0")/client/http3_get.c" -ldl ||
  { echo "FAIL client/http3_get.c does not compile"; exit 1; }
"$DIR/http3_get" --version ||
  { echo "FAIL libcurl-gnutls without HTTP/3: install libcurl3-gnutls (Debian 12: from bookworm-backports)"; exit 1; }

# Bytes that do not repeat and are the same in every run.
noise() { # noise <megabytes> <key>
  head -c "${1}M" /dev/zero | openssl enc -aes-128-ctr -K "$2" -iv 0 2>/dev/null
}
hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# Neither says its version in the same place everywhere; gtlsclient's is ngtcp2's.
record version "libcurl: $("$DIR/http3_get" --version | sed 's/^libcurl\/\([^ ]*\).*/\1/')" ""
record version "gtlsclient: $(dpkg-query -W -f '${Version}' ngtcp2-client 2>/dev/null | sed 's/-.*//')" ""

mkdir "$DIR/www" "$DIR/got"
printf '<!DOCTYPE html><title>A page</title>\n' >"$DIR/www/index.html"
noise 1 01 >"$DIR/www/small.bin"
noise "$UP_MB" 02 >"$DIR/up"
down_hash=$(noise "$DOWN_MB" 03 | tee "$DIR/www/big.bin" | sha256sum | cut -d' ' -f1)
up_hash=$(hash_of "$DIR/up")
make_certificate a
make_certificate b
cp "$DIR/a.pem" "$DIR/live.pem"
cp "$DIR/a.key" "$DIR/live.key"
start_server --www "$DIR/www" --cert "$DIR/live.pem" --key "$DIR/live.key" --log info \
  --host my_service
URL=https://localhost:$PORT

# --- gtlsclient. ---

fetch() { # fetch <uri> [option...]
  local uri=$1
  shift
  timeout 150 gtlsclient --no-quic-dump --no-http-dump --exit-on-all-streams-close --download "$DIR/got" "$@" \
    127.0.0.1 "$PORT" "$uri" >"$DIR/trace" 2>&1
}
status_of() { grep -o '\[:status: [0-9]*\]' "$DIR/trace" | head -1; }

fetch "$URL/index.html"
check_equal "gtlsclient: a page" "[:status: 200]" "$(status_of)"
check_equal "gtlsclient: the bytes of a page" "$(hash_of "$DIR/www/index.html")" "$(hash_of "$DIR/got/index.html")"
check_equal "gtlsclient: the type of a page" "[content-type: text/html; charset=utf-8]" \
  "$(grep -o '\[content-type: [^]]*\]' "$DIR/trace")"

fetch "$URL/nothing.html"
check_equal "gtlsclient: a 404" "[:status: 404]" "$(status_of)"
fetch "$URL/%2e%2e/live.key"
check_equal "gtlsclient: no way out of the folder" "[:status: 404]" "$(status_of)"

fetch "$URL/sink" -m POST -d "$DIR/up" -q
check_equal "gtlsclient: $UP_MB MB posted to /sink are counted" "$(stat -c %s "$DIR/up")" \
  "$(json j.bytes <"$DIR/got/sink")"

fetch "$URL/echo" -m POST -d "$DIR/up" -q
check_equal "gtlsclient: $UP_MB MB posted to /echo come back" "$up_hash" "$(hash_of "$DIR/got/echo")"
rm -f "$DIR/got/echo" "$DIR/up"

from=$(date +%s%N)
fetch "$URL/big.bin" -q
took=$((($(date +%s%N) - from) / 1000000))
check_equal "gtlsclient: a file of $DOWN_MB MB" "$down_hash" "$(hash_of "$DIR/got/big.bin")"
echo "     $DOWN_MB MB in $took ms"
rm -f "$DIR/got/big.bin"

fetch "$URL/source?bytes=1000003" -q
pattern='const d = require("fs").readFileSync(process.argv[1]);
         console.log(d.length, d.every((b, i) => b === ((i * 31 + (i >> 8)) & 255)))'
check_equal "gtlsclient: GET /source has its length and pattern" "1000003 true" \
  "$(node -e "$pattern" "$DIR/got/source?bytes=1000003")"

fetch "$URL/index.html" -n 50
check_equal "gtlsclient: 50 requests on one connection" 50 "$(grep -c '\[:status: 200\]' "$DIR/trace")"

# --- libcurl. ---

curl3() { # curl3 <path> [option value]...: headers to $DIR/head, body to $DIR/body
  local path=$1
  shift
  timeout 100 "$DIR/http3_get" "$@" "$URL$path" "$DIR/body" >"$DIR/head" 2>"$DIR/trace"
}
field() { tr -d '\r' <"$DIR/head" | sed -n "s/^$1: //p"; }
code() { awk 'NR==1 {print $1, $2}' "$DIR/head"; }
part() { dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none | sha256sum | cut -d' ' -f1; }

curl3 /small.bin
check_equal "libcurl: a file, over HTTP/3" "HTTP/3 200" "$(code)"
check_equal "libcurl: the bytes of a file" "$(hash_of "$DIR/www/small.bin")" "$(hash_of "$DIR/body")"
check_equal "libcurl: ranges are announced" bytes "$(field accept-ranges)"
etag=$(field etag)
check_equal "libcurl: an ETag" true "$([ -n "$etag" ] && echo true)"

curl3 /small.bin --range 1000-1999
check_equal "libcurl: a range" "HTTP/3 206" "$(code)"
check_equal "libcurl: which range it is" "bytes 1000-1999/1048576" "$(field content-range)"
check_equal "libcurl: the bytes of a range" "$(part "$DIR/www/small.bin" 1000 1000)" "$(hash_of "$DIR/body")"
curl3 "/small.bin?v=1" --range 0-9
check_equal "libcurl: header fields are found beside a query" "HTTP/3 206 10" "$(code) $(field content-length)"
curl3 /small.bin --range -500
check_equal "libcurl: the last 500 bytes" "bytes 1048076-1048575/1048576" "$(field content-range)"
check_equal "libcurl: the bytes of the last 500" "$(part "$DIR/www/small.bin" 1048076 500)" "$(hash_of "$DIR/body")"
last=$((DOWN_MB * 1048576 - 1))
curl3 /big.bin --range "$((last - 99999))-$last"
check_equal "libcurl: a range at the end of $DOWN_MB MB" "$(part "$DIR/www/big.bin" $((last - 99999)) 100000)" \
  "$(hash_of "$DIR/body")"
curl3 /small.bin --range 2000000-
check_equal "libcurl: a range beyond the end" "HTTP/3 416" "$(code)"

curl3 /small.bin --header "If-None-Match: $etag"
check_equal "libcurl: not modified" "HTTP/3 304" "$(code)"
check_equal "libcurl: not modified, and no body" 0 "$(stat -c %s "$DIR/body")"
curl3 /small.bin --method HEAD
check_equal "libcurl: HEAD" "HTTP/3 200 1048576 0" "$(code) $(field content-length) $(stat -c %s "$DIR/body")"
curl3 /small.bin --method DELETE
check_equal "libcurl: DELETE of a file" "HTTP/3 405" "$(code)"
curl3 /close
check_equal "libcurl: GET where only sessions go" "HTTP/3 405" "$(code)"
check_contains "libcurl: GET where only sessions go, with a hint" "$(cat "$DIR/body")" "WebTransport"
curl3 "/source?bytes=many"
check_equal "libcurl: a bad parameter" "HTTP/3 400" "$(code)"
check_contains "libcurl: a bad parameter is named" "$(cat "$DIR/body")" "bytes must be a number"
curl3 /small.bin --header "X-Long: $(head -c 20000 /dev/zero | tr '\0' a)"
check_equal "libcurl: header fields beyond the limit" "HTTP/3 431" "$(code)"

# --- expect: 100-continue, by a client that waits for the 100 for longer than its request may take. ---

statuses() { tr -d '\r' <"$DIR/head" | sed -n 's/^HTTP.3 \([0-9]*\).*/\1/p' | paste -sd ' '; }

curl3 /sink --expect "a body that waits"
check_equal "libcurl: 100, then the answer" "100 200" "$(statuses)"
check_equal "libcurl: the body came after the 100" 17 "$(json j.bytes <"$DIR/body")"
curl3 /echo --expect "an echo that waits"
check_equal "libcurl: 100 before an answer that begins at once" "100 200" "$(statuses)"
check_equal "libcurl: the echo of a body that waited" "an echo that waits" "$(cat "$DIR/body")"
curl3 /index.html --expect "a body that nobody wants"
check_equal "libcurl: no 100 where the body is not wanted" 405 "$(statuses)"
curl3 /sink --post "a body" --header "Expect: 200-ok"
check_equal "libcurl: another expectation" 417 "$(statuses)"

# --- Hosts as containers and careful people write them. ---

for host in my_service MY_SERVICE localhost. my_service.; do
  here=$URL
  URL=https://$host:$PORT
  curl3 /index.html --resolve "$host:$PORT:127.0.0.1"
  URL=$here
  check_equal "libcurl: a host called $host" "HTTP/3 200" "$(code)"
done

# --- The certificate, as a client that verifies sees it. ---

curl3 /index.html --ca "$DIR/a.pem"
check_equal "libcurl: the certificate is verified" "HTTP/3 200" "$(code)"
cp "$DIR/b.pem" "$DIR/live.pem"
cp "$DIR/b.key" "$DIR/live.key"
kill -HUP "$SERVER"
wait_log "certificate reloaded" >/dev/null
curl3 /index.html --ca "$DIR/b.pem"
check_equal "libcurl: after SIGHUP, the new one" "HTTP/3 200" "$(code)"
curl3 /index.html --ca "$DIR/a.pem"
check_equal "libcurl: after SIGHUP, not the old one" "" "$(code)"

stop_server
check_equal "the server ends well" 0 "$STATUS"
finish
