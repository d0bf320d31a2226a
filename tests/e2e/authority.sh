# SPDX-License-Identifier: MIT
#
# An authority for the tests of TLS, what it signs, and what it says of that. Sourced after lib.sh.

authority() { # authority <name>
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$DIR/$1.key" -out "$DIR/$1.pem" 2>/dev/null
}

issue() { # issue <name> <authority> <extensions>
  printf '%s\n' "$3" >"$DIR/ext"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$DIR/$1.key" \
    -out "$DIR/$1.csr" 2>/dev/null
  openssl x509 -req -in "$DIR/$1.csr" -CA "$DIR/$2.pem" -CAkey "$DIR/$2.key" -CAcreateserial -days 9 \
    -extfile "$DIR/ext" -out "$DIR/$1.pem" 2>/dev/null
}

# Two authorities, a server and a client of the first, a client of the second. Sets SERVE, options of the server.
make_authorities() {
  authority ours
  authority other
  issue server ours $'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth'
  issue alice ours extendedKeyUsage=clientAuth
  issue eve other extendedKeyUsage=clientAuth
  SERVE=(--cert "$DIR/server.pem" --key "$DIR/server.key")
}

respond() { # respond <V or R> <file> [option...]: what the authority says of the server's certificate
  local status=$1 file=$2 serial revoked=
  local by=(-CA "$DIR/ours.pem" -rsigner "$DIR/ours.pem" -rkey "$DIR/ours.key")
  shift 2
  serial=$(openssl x509 -in "$DIR/server.pem" -noout -serial | cut -d= -f2)
  [ "$status" = R ] && revoked=200101000000Z
  printf '%s\t%s\t%s\t%s\tunknown\t/CN=server\n' "$status" 300101000000Z "$revoked" "$serial" >"$DIR/index"
  openssl ocsp -issuer "$DIR/ours.pem" -cert "$DIR/server.pem" -reqout "$DIR/request" >/dev/null 2>&1
  openssl ocsp -index "$DIR/index" "${by[@]}" -reqin "$DIR/request" -respout "$file" "$@" >/dev/null 2>&1
}
