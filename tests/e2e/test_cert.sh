#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport cert` and `webtransport cert show`: files and their modes, what is never overwritten, the
# snippets, each run as what it is, and certificates of other makers, good and bad.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl
need cc gcc

cd "$DIR" || exit 1
umask 022

# --- A certificate with the defaults. ---

text=$("$WEBTRANSPORT" cert)
check_equal "cert ends well" 0 $?
check_equal "two files are made, the key for its owner alone" "600 webtransport.key 644 webtransport.pem" \
  "$(stat -c '%a %n' webtransport.key webtransport.pem | paste -s -d ' ')"
hash=$(certificate_hash webtransport.pem)
check_contains "the hash is told" "$text" "SHA-256      $hash"
openssl x509 -in webtransport.pem -noout -text >"$DIR/openssl.txt"
check_contains "openssl: P-256" "$(cat openssl.txt)" "prime256v1"
check_contains "openssl: the names" "$(cat openssl.txt)" "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"
check_equal "openssl: the key belongs to it" "$(openssl x509 -in webtransport.pem -noout -pubkey)" \
  "$(openssl pkey -in webtransport.key -pubout)"
openssl x509 -in webtransport.pem -noout -checkend $((12 * 86400)) >/dev/null
check_equal "it is valid for 12 days more" 0 $?
openssl x509 -in webtransport.pem -noout -checkend $((13 * 86400)) >/dev/null
check_equal "but not for 13" 1 $?

# --- The snippets are what they say. ---

snippet() { sed -n "/^$1:\$/,/^[A-Z]/{/^$1:\$/d;/^[A-Z]/d;p}" <<<"$text"; } # snippet <title>

snippet JavaScript >snippet.js
check_equal "JavaScript: an algorithm and the hash" "https://localhost:4433/echo sha-256 $hash" "$(
  { echo 'class WebTransport { constructor(url, o) { const [h] = o.serverCertificateHashes;
          console.log(url, h.algorithm, Buffer.from(h.value).toString("hex")); } }'
    cat snippet.js; } | node -)"

{
  echo '#include <stdint.h>'
  echo '#include <stdio.h>'
  echo '#include <stddef.h>'
  echo 'struct config { const uint8_t (*certificate_hashes)[32]; size_t certificate_hash_count; };'
  echo 'int main(void) { struct config config;'
  snippet C
  echo 'if (config.certificate_hash_count != 1) return 1;'
  echo 'for (int i = 0; i < 32; i++) printf("%02x", config.certificate_hashes[0][i]);'
  echo 'return 0; }'
} >snippet.c
check_equal "C: compiles, and is the hash" "$hash" "$(cc -Wall -Wextra -Werror snippet.c -o snippet && ./snippet)"

snippet "Command line" >snippet.sh
check_contains "the command line names the hash" "$(cat snippet.sh)" \
  "webtransport connect --insecure-hash $hash https://localhost:4433/echo"
start_server --cert webtransport.pem --key webtransport.key
check_equal "a server takes the files" "$hash" "$HASH"
stop_server

# --- Nothing is overwritten, unless that is asked for. ---

refused() { # refused <named> [option...]
  local named=$1 out status
  shift
  out=$("$WEBTRANSPORT" cert "$@" 2>&1 >/dev/null)
  status=$?
  check_equal "'cert $*' ends with 1" 1 $status
  check_contains "'cert $*' names the file" "$out" "$named"
}
refused "webtransport.key: there is such a file already; --force overwrites it"
rm webtransport.key
refused "webtransport.pem: there is such a file already"
check_equal "a key without its certificate does not stay" false "$([ -e webtransport.key ] && echo true || echo false)"
ln -s nowhere webtransport.key
refused "webtransport.key: there is such a file already"
check_equal "not even through a link" false "$([ -e nowhere ] && echo true || echo false)"
rm webtransport.key
refused "missing/x.key: No such file or directory" --out missing/x
echo old >webtransport.key
chmod 644 webtransport.key
before=$(sha256sum webtransport.pem)
"$WEBTRANSPORT" cert --force >/dev/null
check_equal "--force ends well" 0 $?
check_equal "--force: another certificate" true "$([ "$before" != "$(sha256sum webtransport.pem)" ] && echo true)"
check_equal "--force: nobody else can read the key" 600 "$(stat -c %a webtransport.key)"
check_equal "--force: the key belongs to it" "$(openssl x509 -in webtransport.pem -noout -pubkey)" \
  "$(openssl pkey -in webtransport.key -pubout)"
check_equal "--force leaves nothing beside them" "" "$(compgen -G '*.new')"
mkdir folder.pem
refused "folder.pem: Is a directory" --force --out-cert folder.pem --out-key folder.key
check_equal "and nothing at all where it fails" "" "$(compgen -G '*.new'; compgen -G folder.key)"

# --- Options. ---

out=$("$WEBTRANSPORT" cert --json -n example.com --name 2001:db8::1 --days 2 --out "a b's")
check_equal "--json ends well" 0 $?
check_equal "--json: the files" "a b's.pem a b's.key" "$(json 'j.cert_file + " " + j.key_file' <<<"$out")"
check_equal "--json: the names" '["example.com","2001:db8::1"]' "$(json j.names <<<"$out")"
check_equal "--json: the hash" "$(certificate_hash "a b's.pem")" "$(json j.sha256 <<<"$out")"
check_equal "--json: in base64" "$(certificate_hash "a b's.pem")" \
  "$(json 'Buffer.from(j.sha256_base64, "base64").toString("hex")' <<<"$out")"
check_equal "--json: two days" 172800 "$(json 'j.not_after - j.not_before' <<<"$out")"
text=$("$WEBTRANSPORT" cert -f --name ::1 --out "a b's")
check_contains "an address in a URL has brackets" "$text" "https://[::1]:4433/echo"
line=$(snippet "Command line" | grep serve)
check_equal "names are quoted for a shell" "serve --cert a b's.pem --key a b's.key" \
  "$(bash -c "webtransport() { echo \"\$@\"; }; $line")"
"$WEBTRANSPORT" cert --out-cert c.crt --out-key k.pem >/dev/null
check_equal "--out-cert and --out-key" "600 k.pem 644 c.crt" "$(stat -c '%a %n' k.pem c.crt | paste -s -d ' ')"

wrong "--days '0'" cert --days 0
wrong "--days '14'" cert --days 14
wrong "--name ''" cert --name ""
wrong "--name 'a b'" cert --name "a b"
wrong "--out ''" cert --out ""
wrong "'same.pem'" cert --out-cert same.pem --out-key same.pem
wrong "unexpected argument 'shew'" cert shew
wrong "FILE is missing" cert show
wrong "'--days'" cert show --days 3 webtransport.pem
check_contains "cert --help names the subcommand" "$("$WEBTRANSPORT" cert --help)" "webtransport cert show [OPTION]... FILE..."

# --- Show. ---

show() { "$WEBTRANSPORT" cert show "$@"; }
text=$(show webtransport.pem)
check_equal "show ends well" 0 $?
hash=$(certificate_hash webtransport.pem)
base64=$(openssl x509 -in webtransport.pem -outform DER | openssl dgst -sha256 -binary | base64)
for part in "webtransport.pem, certificate 1" "CN=localhost (self-signed)" "localhost, 127.0.0.1, ::1" "(13 days, 13 days left)" \
  "ECDSA P-256" "ECDSA-SHA256" "$hash" "$base64" "browsers accept it"; do
  check_contains "show: $part" "$text" "$part"
done
openssl x509 -in webtransport.pem -outform DER -out webtransport.der
check_equal "show: DER too" "$hash" "$(show --json webtransport.der | json 'j[0].sha256')"
serial=$(openssl x509 -in webtransport.pem -noout -serial | cut -d = -f 2)
check_equal "--json: as openssl has it" "${serial,,}" "$(show -j webtransport.pem | json 'j[0].serial')"
check_equal "--json: dates as openssl has them" "$(date -d "$(openssl x509 -in webtransport.pem -noout -enddate | cut -d = -f 2)" +%s)" \
  "$(show -j webtransport.pem | json 'j[0].not_after')"

# made <name> [option...]: a certificate by openssl, as $1.pem
made() {
  local name=$1
  shift
  openssl req -x509 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.pem" "$@" 2>/dev/null || fail "openssl $name"
}
refusal() { show -j "$1.pem" | json 'j[0].browsers_accept_hash + ": " + j[0].refusal'; } # refusal <name>
ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
made long "${ec[@]}" -days 15
check_contains "show: valid too long" "$(refusal long)" "false: "
check_contains "show: valid too long, in words" "$(refusal long)" "14 days"
made rsa -newkey rsa:2048 -days 10
check_contains "show: RSA" "$(refusal rsa)" "false: "
check_contains "show: RSA, in words" "$(refusal rsa)" "key"
check_contains "show: RSA's size" "$(show rsa.pem)" "RSA 2048"
made good "${ec[@]}" -days 14
check_equal "show: 14 days are allowed" "true: null" "$(refusal good)"
make_dated_certificate expired 20200101000000Z 20200110000000Z
check_equal "show: expired" "false: it has expired" "$(refusal expired)"
check_contains "show: expired, in words" "$(show expired.pem)" "expired)"
later=$(date -u -d '+10 days' +%Y%m%d000000Z)
make_dated_certificate later "$later" "$(date -u -d '+20 days' +%Y%m%d000000Z)"
check_equal "show: not valid yet" "false: it is not valid yet" "$(refusal later)"

cat good.pem rsa.pem >chain.pem
check_equal "show: each certificate of a file" "0 CN=good,1 CN=rsa" "$(show -j chain.pem | json 'j.map((c) => c.index + " " + c.subject).join()')"
check_equal "show: each file" "good.pem,rsa.pem" "$(show -j good.pem rsa.pem | json 'j.map((c) => c.file).join()')"
cat webtransport.key good.pem >both.pem
check_equal "show: a key in the file is passed over" "CN=good" "$(show -j both.pem | json 'j.map((c) => c.subject).join()')"
made 'evil' "${ec[@]}" -days 3 -addext 'subjectAltName=DNS:a,DNS:b'
check_equal "show: names as a list" '["a","b"]' "$(show -j evil.pem | json 'j[0].names')"

bad() { # bad <file> <said>
  local out status
  out=$(show "$1" 2>&1 >/dev/null)
  status=$?
  check_equal "show '$1' ends with 1" 1 $status
  check_contains "show '$1' names the file" "$out" "webtransport cert show: $1: $2"
}
: >empty.pem
echo rubbish >rubbish.pem
head -c 300 good.pem >cut.pem
head -c 5000000 /dev/zero >huge.pem
bad none.pem "No such file or directory"
bad folder.pem "Is a directory"
bad empty.pem ""
bad rubbish.pem ""
bad cut.pem ""
bad webtransport.key ""
bad huge.pem "File too large"
out=$(show -j rubbish.pem good.pem none.pem 2>/dev/null)
check_equal "show: one bad file of several is a failure" 1 $?
check_equal "but the good one is shown" "CN=good" "$(json 'j.map((c) => c.subject).join()' <<<"$out")"
show good.pem >/dev/full 2>/dev/null
check_equal "show: a full disk is a failure" 1 $?

finish
