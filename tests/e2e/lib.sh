# SPDX-License-Identifier: MIT
#
# What the scripts of this folder share: starting `webtransport serve`, asking its companion, checks.
# A script sources it, calls check_* as often as it likes and ends with `finish`.

set -u

WEBTRANSPORT=${1:-${WEBTRANSPORT:-}}
if [ ! -x "$WEBTRANSPORT" ]; then
  echo "usage: $0 path/to/webtransport" >&2
  exit 2
fi

DIR=$(mktemp -d "${TMPDIR:-/tmp}/webtransport-test.XXXXXX")
SERVER=
CHECKS=0
FAILURES=0

cleanup() {
  if [ -n "$SERVER" ] && kill -KILL "$SERVER" 2>/dev/null; then wait "$SERVER" 2>/dev/null; fi
  rm -rf "$DIR"
}
trap cleanup EXIT

# A tool that a test cannot do without: missing is a failure, never a test left out.
need() { # need <program> <package>
  command -v "$1" >/dev/null || { echo "FAIL $1 is missing: install $2, or run scripts/setup.sh" >&2; exit 1; }
  [ "$1" != node ] || json_start
}

# Where WT_RESULTS_DIR is set each result is left there too, as tests/interop/suites.py reads it: a check is named
# "PEER: WHAT", or just "WHAT" where there is no other peer.
RESULTS=/dev/null
if [ -n "${WT_RESULTS_DIR:-}" ]; then
  RESULTS=$WT_RESULTS_DIR/$(basename "$0" .sh).tsv
  : >"$RESULTS"
fi
record() { # record <kind> <check> <reason>
  local peer=
  case $2 in *": "*) peer=${2%%: *} ;; esac
  printf '%s\t%s\t%s\t%s\n' "$1" "$peer" "${2#"${peer:+$peer: }"}" "$3" >>"$RESULTS"
}

pass() { CHECKS=$((CHECKS + 1)); echo "ok   $1"; record pass "$1" ""; }
fail() { # fail <what> [how]
  CHECKS=$((CHECKS + 1))
  FAILURES=$((FAILURES + 1))
  echo "FAIL $1${2:+: $2}"
  record fail "$1" "$(tr -s '\t\n' '  ' <<<"${2:-}")"
}

check_equal() { # check_equal <what> <expected> <found>
  if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected '$2', found '$3'"; fi
}

check_contains() { # check_contains <what> <text> <part>
  case $2 in *"$3"*) pass "$1" ;; *) fail "$1" "no '$3' in: $2" ;; esac
}

# Calls the tool wrongly: it has to name what was wrong, say where help is, and end with 2.
wrong() { # wrong <named> [argument...]
  local named=$1 out status
  shift
  out=$("$WEBTRANSPORT" "$@" 2>&1 >/dev/null)
  status=$?
  check_equal "'$*' ends with 2" 2 $status
  check_contains "'$*' names it" "$out" "$named"
  check_contains "'$*' suggests --help" "$out" "--help"
}

# Reads JSON from standard input and prints what a JavaScript expression makes of it, called `j`. One node answers all calls of
# a script (json.mjs): a check would else take less time than the start of its own.
JSON=
json_start() {
  mkdir "$DIR/json" && mkfifo "$DIR/json/calls"
  node "$(dirname "${BASH_SOURCE[0]}")/json.mjs" "$DIR/json" <"$DIR/json/calls" &
  disown # a script may wait for all that it has started
  exec {JSON}>"$DIR/json/calls" # node ends when this is closed, with the script
}

json() { # json <expression>
  local id=$BASHPID.$SRANDOM status text
  cat >"$DIR/json/$id.in"
  printf '%s' "$1" >"$DIR/json/$id.js"
  mkfifo "$DIR/json/$id.said"
  echo "$id" >&"$JSON"
  { read -r status; IFS= read -r -d '' text; } <"$DIR/json/$id.said"
  if [ "$status" = 0 ]; then echo "$text"; else echo "json: $text: $1" >&2; fi
  return "$status"
}

# Starts the server on free ports, waits for its JSON line, and sets SERVER, READY, PORT, HTTP and HASH.
# Its log arrives on file descriptor 4 (see `wait_log`). WT_TEST_WORKERS: with so many workers, unless the script says.
# LAUNCH: a program, with its options, that becomes the server by exec.
start_server() { # start_server [option...]
  case " $* " in
    *" --workers "*) ;;
    *) set -- "$@" ${WT_TEST_WORKERS:+--workers "$WT_TEST_WORKERS"} ;;
  esac
  rm -f "$DIR/out" "$DIR/err"
  mkfifo "$DIR/out" "$DIR/err"
  ${LAUNCH:-} "$WEBTRANSPORT" serve --json --listen 127.0.0.1:0 --http localhost:0 "$@" >"$DIR/out" 2>"$DIR/err" &
  SERVER=$!
  exec 3<"$DIR/out" 4<"$DIR/err"
  if ! read -r -t 30 READY <&3; then
    echo "FAIL the server did not start: $(timeout 2 cat <&4)" >&2
    exit 1
  fi
  PORT=$(json 'j.listen[0].split(":").pop()' <<<"$READY")
  HTTP=$(json 'j.http' <<<"$READY")
  HASH=$(json 'j.certificate_sha256' <<<"$READY")
}

# Reads the log until a line has the text; prints that line.
wait_log() { # wait_log <text>
  local line
  while read -r -t 20 line <&4; do
    case $line in *"$1"*) echo "$line"; return 0 ;; esac
  done
  return 1
}

# Sends a signal, waits for the end; sets STATUS and TOOK (seconds).
stop_server() { # stop_server [signal]
  local from=$SECONDS
  kill "-${1:-TERM}" "$SERVER"
  wait "$SERVER"
  STATUS=$?
  TOOK=$((SECONDS - from))
  SERVER=
  exec 3<&- 4<&-
}

# A self-signed certificate for localhost: $DIR/<name>.pem and $DIR/<name>.key.
make_certificate() { # make_certificate <name>
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj "/CN=localhost" \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$DIR/$1.key" -out "$DIR/$1.pem" 2>/dev/null
}

# One by `openssl ca`, which takes dates: YYYYMMDDHHMMSSZ.
make_dated_certificate() { # make_dated_certificate <name> <from> <to>
  local ca=$DIR/$1.ca
  rm -rf "$ca"
  mkdir "$ca"
  : >"$ca/index.txt"
  printf '%s\n' '[ca]' 'default_ca = all' '[all]' "database = $ca/index.txt" "new_certs_dir = $ca" 'rand_serial = yes' \
    'default_md = sha256' 'policy = any' 'x509_extensions = names' '[any]' 'commonName = optional' '[names]' \
    'basicConstraints = CA:FALSE' 'subjectAltName = DNS:localhost,IP:127.0.0.1' >"$ca/conf"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$DIR/$1.key" \
    -out "$ca/request" 2>/dev/null &&
    openssl ca -batch -config "$ca/conf" -selfsign -keyfile "$DIR/$1.key" -in "$ca/request" -startdate "$2" \
      -enddate "$3" -notext -out "$DIR/$1.pem" 2>/dev/null || fail "openssl cannot make $1.pem"
}

certificate_hash() { # certificate_hash <file>
  openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1
}

finish() {
  echo "$CHECKS checks, $FAILURES failed"
  [ "$FAILURES" -eq 0 ]
  exit
}
