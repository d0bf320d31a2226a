#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Under a booted systemd, with the package `webtransport` installed and nothing configured: do the units do what they say?
# packaging/systemd.sh runs it. It needs bash and what is essential in Debian.

set -u
failures=0
checks=0

check() { # check WHAT COMMAND...
  local what=$1
  shift
  checks=$((checks + 1))
  if "$@" >/tmp/said 2>&1; then
    echo "ok   $what"
  else
    failures=$((failures + 1))
    echo "FAIL $what: $(tail -n 3 /tmp/said)"
  fi
}

property() { systemctl show -P "$2" "$1"; }
is() { [ "$(property "$1" "$2")" = "$3" ] || { echo "$2 is $(property "$1" "$2")"; return 1; }; }

# eventually COMMAND...: within 20 s.
eventually() {
  local end=$((SECONDS + 20))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

logged() { journalctl -q -u "$1" --no-pager | grep -e "$2" >/dev/null; }

echo_at() { # echo_at PORT HOST
  [ "$(echo hello | timeout 20 webtransport connect --quiet --insecure-hash "$(cat /etc/webtransport/hash)" "https://$2:$1/echo")" = hello ]
}

# A new certificate, which the group of the service may read.
certificate() {
  local made
  made=$(mktemp -d)
  webtransport cert --out "$made/new" --json | sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' >"$made/hash"
  chgrp webtransport "$made/new.key" "$made/new.pem"
  chmod 640 "$made/new.key" "$made/new.pem"
  mkdir -p /etc/webtransport
  mv "$made/new.key" /etc/webtransport/key.pem
  mv "$made/new.pem" /etc/webtransport/cert.pem
  mv "$made/hash" /etc/webtransport/hash
}

# What a process must not be able to do. In its mount namespace, as root: what is refused there is refused to the service too.
confined() { # confined UNIT
  local pid
  pid=$(property "$1" MainPID)
  check "$1: is not root" sh -c "! grep -E '^(Uid|Gid):.*\b0\b' /proc/$pid/status"
  check "$1: no new privileges" grep -E '^NoNewPrivs:\s1' "/proc/$pid/status"
  check "$1: calls are filtered" grep -E '^Seccomp:\s2' "/proc/$pid/status"
  for folder in /etc /usr /var /boot; do
    check "$1: $folder is read-only" sh -c "! nsenter -t $pid -m touch $folder/x"
  done
  check "$1: /tmp is its own" sh -c "touch /tmp/theirs && ! nsenter -t $pid -m ls /tmp/theirs"
  check "$1: homes are empty" sh -c "touch ~/x; [ -z \"\$(nsenter -t $pid -m ls -A ~ /home | grep -v :)\" ]"
  check "$1: sees no other process" sh -c "! nsenter -t $pid -m setpriv --reuid 65534 --regid 65534 --clear-groups ls /proc/1/"
}

test_socket_activation() {
  certificate
  echo 'OPTIONS=--cert /etc/webtransport/cert.pem --key /etc/webtransport/key.pem' >/etc/default/webtransport
  check "the socket is enabled and started" systemctl enable --now webtransport.socket
  check "nobody serves yet" is webtransport.service ActiveState inactive
  check "a packet over IPv4 starts the server, which answers it" echo_at 443 127.0.0.1
  check "the server is active" is webtransport.service ActiveState active
  check "over IPv6" echo_at 443 '[::1]'
  check "Type=notify" is webtransport.service NotifyAccess main
  check "stops in order" systemctl stop webtransport.service
  check "with success" is webtransport.service Result success
  check "and status 0" is webtransport.service ExecMainStatus 0
  check "a packet over IPv6 starts it again" echo_at 443 '[::1]'
  systemctl -q disable --now webtransport.socket webtransport.service 2>/dev/null
  check "the service brings its socket" systemctl enable --now webtransport.service
  check "which is enabled" sh -c 'systemctl is-enabled webtransport.socket webtransport.service'
  check "and listens" is webtransport.socket ActiveState active
}

test_restart_loses_no_packet() {
  # A session begins while the server is away: its packets wait in the socket that systemd holds.
  systemctl -q stop webtransport.service 2>/dev/null
  mkdir -p /run/systemd/system/webtransport.service.d
  printf '[Service]\nExecStartPre=/bin/sleep 0.5\n' >/run/systemd/system/webtransport.service.d/slow.conf
  systemctl daemon-reload
  systemctl start --no-block webtransport.service
  check "a client that calls before the server is there" echo_at 443 127.0.0.1
  systemctl restart --no-block webtransport.service
  check "and one during a restart" echo_at 443 '[::1]'
  rm /run/systemd/system/webtransport.service.d/slow.conf
  systemctl daemon-reload
}

test_reload() {
  local pid
  pid=$(property webtransport.service MainPID)
  check "reload" systemctl reload webtransport.service
  check "is told in the journal" eventually logged webtransport 'certificate reloaded'
  check "active again" eventually is webtransport.service ActiveState active
  certificate
  check "a renewed certificate needs no reload" eventually echo_at 443 127.0.0.1
  check "it is the same process" is webtransport.service MainPID "$pid"
}

test_watchdog() {
  local pid
  printf '[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n' >/run/systemd/system/webtransport.service.d/dog.conf
  systemctl daemon-reload
  systemctl restart webtransport.service
  pid=$(property webtransport.service MainPID)
  sleep 2.5 # more than two beats are due
  check "beats arrive" is webtransport.service MainPID "$pid"
  systemctl kill --signal=STOP --kill-who=main webtransport.service
  moved() { [ "$(property webtransport.service MainPID)" != "$pid" ] && is webtransport.service ActiveState active; }
  check "a server that hangs is replaced" eventually moved
  check "by the watchdog" logged webtransport 'Watchdog timeout'
  check "and serves" echo_at 443 127.0.0.1
  rm /run/systemd/system/webtransport.service.d/dog.conf
  systemctl daemon-reload
  systemctl restart webtransport.service
}

test_crash() {
  local pid
  pid=$(property webtransport.service MainPID)
  systemctl kill --signal=SEGV --kill-who=main webtransport.service
  moved() { [ "$(property webtransport.service MainPID)" != "$pid" ] && is webtransport.service ActiveState active; }
  check "a server that crashed is replaced" eventually moved
  check "and serves" echo_at 443 '[::1]'
}

# What is refused by the filter must not kill: the options that need the most.
test_options() {
  echo 'OPTIONS=--cert /etc/webtransport/cert.pem --key /etc/webtransport/key.pem --www /usr/share/doc' \
    >/etc/default/webtransport
  echo 'HTTP=127.0.0.1:8080' >>/etc/default/webtransport
  check "with pages and HTTP" systemctl restart webtransport.service
  check "it serves" echo_at 443 127.0.0.1
  check "by HTTP too" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; grep " 200 " <&3'
  check "it was not replaced" is webtransport.service NRestarts 0
  systemctl reset-failed
  echo 'OPTIONS=--workers 2' >/etc/default/webtransport
  check "workers beside a socket of another owner: the start fails" sh -c '! systemctl restart webtransport.service'
  check "with a sentence" logged webtransport 'cannot listen with worker 1'
  systemctl -q stop webtransport.service 2>/dev/null
  systemctl reset-failed
  echo 'OPTIONS=--cert /etc/webtransport/absent.pem --key /etc/webtransport/key.pem' >/etc/default/webtransport
  check "a missing certificate: the start fails" sh -c '! systemctl restart webtransport.service'
  check "with a sentence" logged webtransport 'absent.pem'
  systemctl -q stop webtransport.service 2>/dev/null
  echo 'OPTIONS=--cert /etc/webtransport/cert.pem --key /etc/webtransport/key.pem' >/etc/default/webtransport
  systemctl reset-failed
}

# Sockets of its own, as the guide has it.
test_workers() {
  systemctl -q disable --now webtransport.socket 2>/dev/null
  sed -e '/^Requires=/d; /^Also=/d' -e 's/^CapabilityBoundingSet=.*/CapabilityBoundingSet=CAP_NET_BIND_SERVICE/' \
    -e 's/^PrivateUsers=.*/PrivateUsers=no/' -e 's/^\[Service\]/&\nAmbientCapabilities=CAP_NET_BIND_SERVICE/' \
    /lib/systemd/system/webtransport.service >/etc/systemd/system/webtransport.service
  echo 'OPTIONS=--listen [::]:443 --workers 2 --cert /etc/webtransport/cert.pem --key /etc/webtransport/key.pem' \
    >/etc/default/webtransport
  systemctl daemon-reload
  check "two workers bind the port themselves" systemctl start webtransport.service
  check "they serve" echo_at 443 127.0.0.1
  check "over IPv6" echo_at 443 '[::1]'
  check "without more rights" grep -E '^CapEff:\s0000000000000400$' "/proc/$(property webtransport.service MainPID)/status"
  check "stops in order" systemctl stop webtransport.service
  rm /etc/systemd/system/webtransport.service
  systemctl daemon-reload
}

# A back end from systemd itself: each connection gets a cat.
backend_make() {
  printf '[Socket]\nListenStream=127.0.0.1:7007\nAccept=yes\n' >/run/systemd/system/cat.socket
  printf '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n' >/run/systemd/system/cat@.service
  systemctl daemon-reload
  systemctl start cat.socket
}

gateway_config() {
  printf '%s\n' 'listen: localhost:444' 'cert: /etc/webtransport/cert.pem' 'key: /etc/webtransport/key.pem' \
    'routes:' '  /echo: tcp://127.0.0.1:7007' >/etc/webtransport/gateway.yaml
}

test_gateway() {
  local pid
  backend_make
  gateway_config
  check "the gateway starts" systemctl enable --now webtransport-gateway.service
  check "it passes a stream on" echo_at 444 127.0.0.1
  check "over IPv6" echo_at 444 '[::1]'
  confined webtransport-gateway.service
  pid=$(property webtransport-gateway.service MainPID)
  check "reload" systemctl reload webtransport-gateway.service
  echo 'nonsense: [' >/etc/webtransport/gateway.yaml
  check "a wrong configuration: reload fails" sh -c '! systemctl reload webtransport-gateway.service'
  check "the old one goes on" echo_at 444 127.0.0.1
  check "in the same process" is webtransport-gateway.service MainPID "$pid"
  gateway_config
  check "the right one again" systemctl reload webtransport-gateway.service
  check "stops in order" systemctl stop webtransport-gateway.service
  check "with success" is webtransport-gateway.service Result success
}

# Without the package's user, systemd makes one for the run.
test_dynamic_user() {
  mkdir -p /run/systemd/system/webtransport-gateway.service.d
  printf '[Service]\nUser=made-for-the-run\nLoadCredential=key:/etc/webtransport/key.pem\n' \
    >/run/systemd/system/webtransport-gateway.service.d/user.conf
  sed -i 's|^key: .*|key: /run/credentials/webtransport-gateway.service/key|' /etc/webtransport/gateway.yaml
  chmod 644 /etc/webtransport/cert.pem
  systemctl daemon-reload
  check "the gateway starts as a dynamic user" systemctl start webtransport-gateway.service
  check "it passes a stream on" echo_at 444 127.0.0.1
  confined webtransport-gateway.service
  check "stops in order" systemctl stop webtransport-gateway.service
}

# systemd gives a service up that was started five times in ten seconds, also by an operator: a fast machine is through with so
# many checks by then.
mkdir -p /run/systemd/system/webtransport.service.d
printf '[Unit]\nStartLimitIntervalSec=0\n' >/run/systemd/system/webtransport.service.d/starts.conf
systemctl daemon-reload

echo "-- socket activation" && test_socket_activation
echo "-- confinement" && confined webtransport.service
check "webtransport.service: exposure of at most 2.0" systemd-analyze security --threshold=20 webtransport.service
check "webtransport-gateway.service: exposure of at most 2.0" systemd-analyze security --threshold=20 webtransport-gateway.service
echo "-- restart" && test_restart_loses_no_packet
echo "-- reload" && test_reload
echo "-- watchdog" && test_watchdog
echo "-- crash" && test_crash
echo "-- options" && test_options
echo "-- workers" && test_workers
echo "-- gateway" && test_gateway
echo "-- dynamic user" && test_dynamic_user
echo "$checks checks, $failures failed"
if [ "$failures" -gt 0 ]; then journalctl -q --no-pager -p warning -n 30; fi
[ "$failures" -eq 0 ]
