#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport keys` and `serve --fleet-keys`: files and their modes, what is never overwritten, rotation, what a server
# says about a file that is wrong, SIGHUP, and a client whose server was killed and started again.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl

cd "$DIR" || exit 1
umask 022

secret() { sed -n "s/^$1 *//p" "$2"; } # secret <word> <file>

# --- New. ---

text=$("$WEBTRANSPORT" keys new fleet.keys)
check_equal "new ends well" 0 $?
check_contains "new tells how to go on" "$text" "webtransport serve --fleet-keys fleet.keys"
check_equal "the file is for its owner alone" 600 "$(stat -c %a fleet.keys)"
check_equal "it has a current and a next secret of 64 digits" "64 64 0" \
  "$(for word in current next previous; do printf %s "$(secret $word fleet.keys)" | wc -c; done | paste -s -d ' ')"
"$WEBTRANSPORT" keys new more.keys >/dev/null
check_equal "no two are the same" 4 "$(cat fleet.keys more.keys | grep -v '^#' | sort -u | wc -l)"
before=$(cat fleet.keys)
out=$("$WEBTRANSPORT" keys new fleet.keys 2>&1)
check_equal "a file that is there is left alone" 1 $?
check_contains "and named" "$out" "webtransport keys new: fleet.keys: there is such a file already"
check_equal "whatever is in it" "$before" "$(cat fleet.keys)"
out=$("$WEBTRANSPORT" keys new nowhere/x.keys 2>&1)
check_equal "a folder that is missing is a failure" "1 webtransport keys new: nowhere/x.keys: No such file or directory" "$? $out"

# --- Rotate. ---

current=$(secret current fleet.keys) next=$(secret next fleet.keys)
"$WEBTRANSPORT" keys rotate fleet.keys >/dev/null
check_equal "rotate ends well" 0 $?
check_equal "the next secret is the current one" "$next" "$(secret current fleet.keys)"
check_equal "which is the previous one" "$current" "$(secret previous fleet.keys)"
check_equal "and there is a new one" true "$([ "$(secret next fleet.keys)" != "$next" ] && [ -n "$(secret next fleet.keys)" ] && echo true)"
chmod 640 fleet.keys
ln -s fleet.keys link.keys
"$WEBTRANSPORT" keys rotate link.keys >/dev/null
check_equal "a second time, by a link" "$next" "$(secret previous fleet.keys)"
check_equal "the mode stays, and so does the link" "640 fleet.keys" "$(stat -c %a fleet.keys) $(readlink link.keys)"
check_equal "nothing is left beside it" "" "$(compgen -G '*.new')"
grep -v next fleet.keys >bare.keys
current=$(secret current bare.keys)
check_contains "without a next secret there is one afterwards" "$("$WEBTRANSPORT" keys rotate bare.keys)" "there was no next secret"
check_equal "and the current one stays" "$current" "$(secret current bare.keys)"
echo "current abc" >bad.keys
out=$("$WEBTRANSPORT" keys rotate bad.keys 2>&1)
check_equal "a file that is wrong is a failure" 1 $?
check_contains "with its line" "$out" "webtransport keys rotate: bad.keys:1: a digit is missing"
check_equal "and stays" "current abc" "$(cat bad.keys)"

wrong "expected 'keys new FILE'" keys
wrong "unexpected argument" keys newer x
wrong "FILE is missing" keys new
wrong "FILE is missing" keys rotate
wrong "unexpected argument" keys new a b
wrong "--fleet-keys ''" serve --fleet-keys ""
wrong "--fleet-keys is missing" serve --own-resets

# --- Serve. ---

refused() { # refused <said> <file>
  local out status
  out=$(timeout 30 "$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http none --fleet-keys "$2" 2>&1 >/dev/null)
  status=$?
  check_equal "serve does not start with $2" 1 $status
  check_contains "serve says: $1" "$out" "webtransport serve: $1"
}
refused "bad.keys:1: a digit is missing" bad.keys
refused "none.keys: No such file or directory" none.keys
: >empty.keys
refused "empty.keys: there is no line with the current secret" empty.keys

"$WEBTRANSPORT" cert --out server >/dev/null
chmod 644 fleet.keys
start_server --cert server.pem --key server.key --fleet-keys fleet.keys
check_contains "a file that all may read is worth a warning" "$(wait_log "fleet keys")" "every user of this machine can read them"
chmod 600 fleet.keys
"$WEBTRANSPORT" keys rotate fleet.keys >/dev/null
kill -HUP "$SERVER"
check_contains "SIGHUP reads the file again" "$(wait_log "fleet keys")" "fleet keys read again: current, next and previous"
cp fleet.keys good.keys
echo "current 00" >fleet.keys
kill -HUP "$SERVER"
check_contains "a file that is wrong then" "$(wait_log "fleet keys")" \
  "fleet keys not read again, the old ones stay: fleet.keys:1: the secret is too short"
rm fleet.keys
kill -HUP "$SERVER"
check_contains "and one that is gone" "$(wait_log "fleet keys")" "fleet keys not read again, the old ones stay: fleet.keys: No such file"
cp good.keys fleet.keys

# --- Killed and started again: the client hears of it as soon as it sends something. ---

mkfifo input
"$WEBTRANSPORT" connect --insecure-hash "$HASH" "https://127.0.0.1:$PORT/echo" <input >echoed 2>ended &
client=$!
exec 5>input
echo one >&5
for _ in $(seq 200); do
  grep -q one echoed && break
  sleep 0.05
done
check_equal "a client is there" "one" "$(cat echoed)"
kill -KILL "$SERVER"
wait "$SERVER" 2>/dev/null
exec 3<&- 4<&-
rm -f out err
mkfifo out err
"$WEBTRANSPORT" keys rotate fleet.keys >/dev/null
"$WEBTRANSPORT" serve --json --listen "127.0.0.1:$PORT" --http none --cert server.pem --key server.key \
  --fleet-keys fleet.keys >out 2>err &
SERVER=$!
exec 3<out 4<err
read -r -t 30 READY <&3
echo two >&5
timeout 25 tail --pid="$client" -f /dev/null
check_equal "the client ends before its idle timeout" 0 $?
check_contains "by a stateless reset" "$(cat ended)" "stateless reset"
exec 5>&-
wait "$client"
stop_server

finish
