#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The rule for logrotate of the Debian package, by logrotate itself, against a server that root has started with --user nobody.
# The folder, the user and the signal's way are exchanged: there is no systemd here, and no user webtransport.

. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need logrotate logrotate
need curl curl
need node nodejs
if [ "$(id -u)" != 0 ]; then
  echo "skip: only root may give a log to another user"
  exit 77
fi

rule=$(dirname "$0")/../../packaging/debian/webtransport.logrotate
group=$(id -gn nobody)
chmod 711 "$DIR"
logs=$DIR/logs
mkdir "$logs"
chown "nobody:$group" "$logs"
chmod 750 "$logs"
make_certificate a
chown nobody "$DIR/a.key" "$DIR/a.pem"

# A request that leaves a line; waits until the line is in the file.
asked() { # asked <what> <path>
  local _
  curl -s -o /dev/null "$HTTP$2"
  for _ in $(seq 200); do
    grep -qs "\"/$2\"" "$logs/access.log" && break
    read -r -t 0.05 <> <(:)
  done
  check_equal "$1" 1 "$(grep -cs "\"/$2\"" "$logs/access.log")"
}

rotate() { # rotate <expected status>
  sed -e "s|/var/log/webtransport|$logs|; s|su webtransport webtransport|su nobody $group|" \
    -e "s|systemctl kill .*|kill -USR1 $SERVER \&\& echo sent >>$DIR/signals|" "$rule" >"$DIR/rule"
  chmod 644 "$DIR/rule"
  logrotate --force --state "$DIR/state" "$DIR/rule" >"$DIR/rotated" 2>&1
  check_equal "logrotate: status" "$1" $?
}

start_server --user "nobody:$group" --access-log "$logs/access.log" --cert "$DIR/a.pem" --key "$DIR/a.key"
check_equal "the log is the user's, and nobody else's" "nobody:$group 640" "$(stat -c '%U:%G %a' "$logs/access.log")"
asked "a line before" one
rotate 0
check_equal "the server was told once" sent "$(cat "$DIR/signals")"
asked "a line in the new file" two
check_equal "which is the user's, too" "nobody:$group 640" "$(stat -c '%U:%G %a' "$logs/access.log")"
check_equal "the old one stays as it was, uncompressed once" 1 "$(grep -c '"/one"' "$logs/access.log.1")"
check_equal "and has no later line" 0 "$(grep -c '"/two"' "$logs/access.log.1")"
rotate 0
asked "a line after the second rotation" three
check_equal "the first is compressed now" 1 "$(zgrep -c '"/one"' "$logs/access.log.2.gz")"

# The user cannot make a file in a folder of root's: the server goes on with the old file, and says so.
chown root:root "$logs"
chmod 755 "$logs"
mv "$logs/access.log" "$logs/access.log.0"
kill -USR1 "$SERVER"
check_contains "a folder that is not the user's is told" "$(wait_log "access log")" "$logs/access.log"
check_equal "the server lives" 200 "$(curl -s -o /dev/null -w '%{http_code}' "${HTTP}healthz")"
chown "nobody:$group" "$logs"
kill -USR1 "$SERVER"
for _ in $(seq 200); do
  [ -e "$logs/access.log" ] && break
  read -r -t 0.05 <> <(:)
done
asked "once it is the user's, lines come again" four
stop_server
check_equal "it ends well" 0 "$STATUS"
finish
