#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport serve` and `connect` in sandboxes that refuse system calls for good (fault/refuse.c, a seccomp filter):
# each call that the data path and the start make, one after another. Either it works all the same, or it ends with a
# sentence and a status that tells; and never does it take a core while nothing happens.

. "$(dirname "$0")/lib.sh"
need curl curl
need node nodejs

"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -o "$DIR/refuse" "$(dirname "$0")/fault/refuse.c" ||
  { echo "FAIL fault/refuse.c does not compile"; exit 1; }
"$DIR/refuse" openat2=ENOSYS -- true || { echo "no seccomp here: nothing to test"; exit 0; }

mkdir "$DIR/www"
echo content >"$DIR/www/file.txt"

# Of the server, in hundredths of a second.
cpu_ticks() { awk '{print $14 + $15}' "/proc/$SERVER/stat"; }

echoes() { # echoes [launcher...]
  echo hello | timeout 20 "$@" "$WEBTRANSPORT" connect --insecure-hash "$HASH" "https://127.0.0.1:$PORT/echo" 2>"$DIR/why"
}

# What the server can do without. A loop that spins takes all of a second; one that does not takes next to nothing.
check_works() { # check_works <workers> <rule>...
  local workers=$1 before
  shift
  LAUNCH="$DIR/refuse $* --" start_server --workers "$workers" --www "$DIR/www"
  check_equal "refused $*: an echo" "hello" "$(echoes)"
  before=$(cpu_ticks)
  check_equal "refused $*: a file by HTTP/1.1" "content" "$(timeout 20 curl -s "${HTTP}file.txt")"
  sleep 0.5
  [ $(($(cpu_ticks) - before)) -lt 30 ] && pass "refused $*: at rest" || fail "refused $*: at rest" "it takes a core"
  stop_server
  check_equal "refused $*: it ends in order" 0 "$STATUS"
}

# What it cannot do without: a sentence, and a status.
check_ends() { # check_ends <workers> <part of the sentence> <rule>...
  local workers=$1 part=$2 out status
  shift 2
  out=$(timeout 30 "$DIR/refuse" "$@" -- "$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http "${COMPANION:-localhost:0}" \
    --workers "$workers" 2>&1 </dev/null)
  status=$?
  check_equal "refused $*: status" 1 "$status"
  check_contains "refused $*: a sentence" "$out" "$part"
}

for error in ENOSYS EPERM ENOMEM; do
  check_works 1 recvmmsg=$error sendmmsg=$error
done
check_works 1 sendmsg=EPERM
check_works 2 recvmmsg=EPERM sendmmsg=EPERM setsockopt:1:51=EPERM
check_works 1 timerfd_create=ENOSYS
check_works 1 timerfd_settime=EPERM
check_works 1 openat2=EINVAL
check_works 1 setsockopt:0:13=EPERM setsockopt:0:10=EPERM setsockopt:17:104=EPERM setsockopt:1:7=EPERM setsockopt:1:8=EPERM
check_works 1 getsockopt=EPERM
check_works 1 getrandom=EPERM

check_ends 1 "recvmsg: operation not permitted" recvmmsg=ENOSYS recvmsg=EPERM
check_ends 1 "sendmsg: function not implemented" sendmmsg=EPERM sendmsg=ENOSYS
check_ends 1 "IP_PKTINFO: operation not permitted" setsockopt:0:8=EPERM
check_ends 2 "SO_REUSEPORT: operation not permitted" setsockopt:1:15=EPERM
check_ends 1 "event loop: operation not permitted" epoll_pwait=EPERM
check_ends 1 "event loop: operation not permitted" epoll_ctl=EPERM
check_ends 1 "event loop: too many open files" epoll_create1=EMFILE
check_ends 1 "operation not permitted" eventfd2=EPERM
check_ends 1 "--http: cannot make a thread: Operation not permitted" clone3=EPERM
COMPANION=none check_ends 2 "webtransport serve: cannot make a thread: Operation not permitted" clone3=EPERM

# A companion that cannot accept anybody says so, and does not try without a pause.
LAUNCH="$DIR/refuse accept4=EPERM --" start_server
timeout 3 curl -s "$HTTP" >/dev/null && fail "accept4 is refused" "an answer came"
before=$(cpu_ticks)
check_contains "refused accept4: a line" "$(wait_log "cannot accept")" "Operation not permitted"
check_equal "refused accept4: sessions all the same" "hello" "$(echoes)"
[ $(($(cpu_ticks) - before)) -lt 60 ] && pass "refused accept4: at rest" || fail "refused accept4: at rest"
stop_server

# The client's calls.
start_server
for rule in recvmmsg=ENOSYS sendmmsg=EPERM sendmsg=EPERM timerfd_create=EPERM setsockopt:0:11=EPERM; do
  check_equal "a client, refused $rule" "hello" "$(echoes "$DIR/refuse" "$rule" --)"
done
check_equal "a client that cannot receive" "" "$(echoes "$DIR/refuse" recvmmsg=EPERM recvmsg=EPERM --)"
check_contains "a client that cannot receive: a sentence" "$(cat "$DIR/why")" "operation not permitted"
check_equal "a client without a way" "" "$(echoes "$DIR/refuse" connect=EPERM --)"
check_contains "a client without a way: a sentence" "$(cat "$DIR/why")" "operation not permitted"
stop_server

finish
