#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes JSON Web Tokens, good and bad ones, with the standard library and openssl.

    tokens.py FOLDER > tests/tool/gateway/tokens.h     tokens and keys for the tests in C

`good` and `bad` are lists of (name, algorithm of the route, token); each bad one has one thing wrong."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys

SECRET = "a secret that is long enough for HS256"
OTHER_SECRET = "another secret, as long as it has to be"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


class Keys:
    """Key pairs in a folder."""

    KINDS = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "rsa_other": ("RSA", "rsa_keygen_bits:2048"),
             "rsa_small": ("RSA", "rsa_keygen_bits:1024"), "ec": ("EC", "ec_paramgen_curve:P-256"),
             "ec_other": ("EC", "ec_paramgen_curve:P-256"), "ec384": ("EC", "ec_paramgen_curve:P-384")}

    def __init__(self, folder):
        self.folder = folder
        for name, (algorithm, option) in self.KINDS.items():
            openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", self.private(name))
            openssl("pkey", "-in", self.private(name), "-pubout", "-out", self.public(name))
        self.secret = self.write("secret", SECRET + "\n")

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def private(self, name):
        return f"{self.folder}/{name}.key"

    def public(self, name):
        return f"{self.folder}/{name}.pub"

    def public_text(self, name):
        with open(self.public(name), encoding="ascii") as file:
            return file.read()


def ecdsa_raw(der):
    """r and s of a DER signature, 32 bytes each."""
    def integer(at):
        length = der[at + 1]
        return int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"), at + 2 + length
    r, at = integer(2)
    return r + integer(at)[0]


def hs(secret, header, claims, digest=hashlib.sha256):
    text = f"{part(header)}.{part(claims)}"
    secret = secret if isinstance(secret, bytes) else secret.encode()
    return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"


def rs(key, header, claims):
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{b64(openssl('dgst', '-sha256', '-sign', key, data=text.encode()))}"


def es(key, header, claims, raw=True):
    text = f"{part(header)}.{part(claims)}"
    der = openssl("dgst", "-sha256", "-sign", key, data=text.encode())
    return f"{text}.{b64(ecdsa_raw(der) if raw else der)}"


def head(algorithm, **more):
    return {"typ": "JWT", "alg": algorithm, **more}


def good(keys, now, claims):
    ok = {"exp": now + 3600, **claims}
    return [
        ("HS256", "HS256", hs(SECRET, head("HS256"), ok)),
        ("RS256", "RS256", rs(keys.private("rsa"), head("RS256", kid="1"), ok)),
        ("ES256", "ES256", es(keys.private("ec"), head("ES256"), ok)),
        ("without typ", "HS256", hs(SECRET, {"alg": "HS256"}, ok)),
        ("exp a fraction", "HS256", hs(SECRET, head("HS256"), {**ok, "exp": now + 60.5})),
        ("just expired, within the leeway", "HS256", hs(SECRET, head("HS256"), {**ok, "exp": now - 5})),
        ("nbf within the leeway", "HS256", hs(SECRET, head("HS256"), {**ok, "nbf": now + 5})),
        ("several audiences", "HS256", hs(SECRET, head("HS256"), {**ok, "aud": ["x", ok["aud"]]})),
    ]


def bad_signatures(keys, ok):
    token = hs(SECRET, head("HS256"), ok)
    first, second, third = token.split(".")
    other = part({**ok, "sub": "root"})
    rsa_text, ec_text = keys.public_text("rsa"), keys.public_text("ec")
    es_good = es(keys.private("ec"), head("ES256"), ok)
    rs_good = rs(keys.private("rsa"), head("RS256"), ok)
    return [
        ("alg none without a signature", "HS256", f"{part(head('none'))}.{second}."),
        ("alg none without its dot", "HS256", f"{part(head('none'))}.{second}"),
        ("alg none with a signature", "HS256", hs(SECRET, head("none"), ok)),
        ("alg none with a signature, RS256", "RS256", f"{part(head('none'))}.{second}.{rs_good.split('.')[2]}"),
        ("alg NoNe", "HS256", hs(SECRET, head("NoNe"), ok)),
        ("alg hs256 in lower case", "HS256", hs(SECRET, head("hs256"), ok)),
        ("no alg", "HS256", hs(SECRET, {"typ": "JWT"}, ok)),
        ("alg null", "HS256", hs(SECRET, head(None), ok)),
        ("alg a list", "HS256", hs(SECRET, head(["HS256"]), ok)),
        ("HS384, well signed", "HS256", hs(SECRET, head("HS384"), ok, hashlib.sha384)),
        ("HS512 called HS256", "HS256", hs(SECRET, head("HS256"), ok, hashlib.sha512)),
        ("two alg", "HS256", hs(SECRET, b'{"alg":"none","alg":"HS256"}', ok)),
        ("another secret", "HS256", hs(OTHER_SECRET, head("HS256"), ok)),
        ("an empty secret", "HS256", hs("", head("HS256"), ok)),
        ("HS256 by the public RSA key", "RS256", hs(rsa_text, head("HS256"), ok)),
        ("HS256 by the public RSA key, called RS256", "RS256", hs(rsa_text, head("RS256"), ok)),
        ("HS256 by the public RSA key without its line end", "RS256", hs(rsa_text.strip(), head("HS256"), ok)),
        ("HS256 by the public EC key", "ES256", hs(ec_text, head("HS256"), ok)),
        ("HS256 where RS256 is asked for", "RS256", token),
        ("RS256 where HS256 is asked for", "HS256", rs_good),
        ("ES256 where RS256 is asked for", "RS256", es_good),
        ("RS256 by another key", "RS256", rs(keys.private("rsa_other"), head("RS256"), ok)),
        ("RS256 by a key that the header brings", "RS256",
         rs(keys.private("rsa_other"), head("RS256", jwk={"kty": "RSA"}, jku="https://evil.example/"), ok)),
        ("ES256 by another key", "ES256", es(keys.private("ec_other"), head("ES256"), ok)),
        ("ES256 of zeros", "ES256", f"{es_good.rsplit('.', 1)[0]}.{b64(bytes(64))}"),
        ("ES256 in DER", "ES256", es(keys.private("ec"), head("ES256"), ok, raw=False)),
        ("claims changed", "HS256", f"{first}.{other}.{third}"),
        ("header changed", "HS256", f"{part(head('HS256', x=1))}.{second}.{third}"),
        ("signature of another token", "HS256", f"{first}.{second}.{hs(SECRET, head('HS256'), {}).split('.')[2]}"),
        ("signature cut off", "HS256", f"{first}.{second}.{third[:-6]}"),
        ("signature empty", "HS256", f"{first}.{second}."),
        ("cut off in the claims", "HS256", token[:len(first) + 12]),
        ("critical parameters", "HS256", hs(SECRET, head("HS256", crit=["exp"]), ok)),
    ]


def bad_forms(ok):
    token = hs(SECRET, head("HS256"), ok)
    first, second, third = token.split(".")
    return [
        ("a dot", "HS256", "."),
        ("two dots", "HS256", ".."),
        ("no header", "HS256", f".{second}.{third}"),
        ("no claims", "HS256", f"{first}..{third}"),
        ("five parts", "HS256", f"{token}.a.b"),
        ("a sentence", "HS256", "let-me-in"),
        ("padding", "HS256", f"{first}.{second}.{third}="),
        ("a character that is not base64", "HS256", f"{first}.{second[:-1]}!.{third}"),
        ("another alphabet", "HS256", f"{first}.{second}.+/{third[2:]}"),
        ("too long", "HS256", hs(SECRET, head("HS256"), {**ok, "x": "y" * 9000})),
        ("claims that are a list", "HS256", hs(SECRET, head("HS256"), [ok])),
        ("claims that are no JSON", "HS256", hs(SECRET, head("HS256"), b"{exp:1}")),
        ("a header that is no JSON", "HS256", hs(SECRET, b"HS256", ok)),
        ("a claim twice", "HS256", hs(SECRET, head("HS256"), b'{"exp":1,' + json.dumps(ok).encode()[1:])),
    ]


def bad_claims(ok, now):
    def with_claims(name, **changes):
        claims = {key: value for key, value in {**ok, **changes}.items() if value is not None}
        return name, "HS256", hs(SECRET, head("HS256"), claims)
    return [
        with_claims("expired", exp=now - 120),
        with_claims("expired long ago", exp=0),
        with_claims("never expires", exp=None),
        with_claims("exp a text", exp=str(now + 3600)),
        with_claims("exp negative", exp=-1),
        with_claims("exp true", exp=True),
        ("exp infinite", "HS256", hs(SECRET, head("HS256"), json.dumps(ok).encode()[:-1] + b',"nbf":1e999}')),
        with_claims("not valid yet", nbf=now + 600),
        with_claims("nbf a text", nbf="0"),
        with_claims("another audience", aud="billing"),
        with_claims("no audience", aud=None),
        with_claims("audiences without ours", aud=["billing", "mail"]),
        with_claims("audience of another type", aud={"gateway": 1}),
        with_claims("another issuer", iss="https://evil.example"),
        with_claims("no issuer", iss=None),
    ]


def bad(keys, now, claims):
    ok = {"exp": now + 3600, **claims}
    return bad_signatures(keys, ok) + bad_forms(ok) + bad_claims(ok, now)


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main():
    keys = Keys(sys.argv[1])
    now, claims = 1900000000, {"aud": "gateway", "iss": "https://id.example", "sub": "alice"}
    print("/* SPDX-License-Identifier: MIT */\n/* Written by tests/e2e/gateway/tokens.py. */\n"
          "#ifndef WEBTRANSPORT_TEST_TOKENS_H\n#define WEBTRANSPORT_TEST_TOKENS_H\n\n/* clang-format off */\n\n"
          '#include "gateway/token_keys.h"\n')
    print(f"#define TOKENS_NOW INT64_C({now})\n#define TOKENS_SECRET {c_text(SECRET)}")
    for name, macro in (("rsa", "RSA"), ("rsa_small", "RSA_SMALL"), ("ec", "EC"), ("ec384", "EC384")):
        print(f"#define TOKENS_{macro}_KEY {c_text(keys.public_text(name))}")
    print("\nstruct token_sample {\n  const char *name;\n  enum token_algorithm algorithm;\n  const char *token;\n};\n")
    for list_name, rows in (("good_tokens", good(keys, now, claims)), ("bad_tokens", bad(keys, now, claims))):
        print(f"static const struct token_sample {list_name}[] = {{")
        for name, algorithm, token in rows:
            # C has limits on texts: the long one is made in the test.
            if len(token) < 4000:
                print(f"  {{{c_text(name)}, TOKEN_{algorithm}, {c_text(token)}}},")
        print("};\n")
    print("#endif")


if __name__ == "__main__":
    os.umask(0o077)
    main()
