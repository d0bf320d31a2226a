# SPDX-License-Identifier: MIT
"""Tokens: which let a client in, where they are looked for, and what happens when they end."""

import os
import time

import tokens
from rig import Backend, Gateway, check, wait_for
from tests_config import look, name_it, write

CLAIMS = {"aud": "gateway", "iss": "https://id.example", "sub": "alice"}


def configuration(keys, backend):
    rules = "    jwt-audience: gateway\n    jwt-issuer: https://id.example\n"
    route = (f"  /%s:\n    backend: {backend.url}\n    jwt-algorithm: %s\n    jwt-key: %s\n" + rules)
    places = "    jwt-from: [authorization, 'cookie:session', 'query:token']\n"
    return ("routes:\n" + route % ("HS256", "HS256", keys.secret) + places +
            route % ("RS256", "RS256", keys.public("rsa")) + route % ("ES256", "ES256", keys.public("ec")) +
            route % ("paths/", "HS256", keys.secret) + "    jwt-path-claim: paths\n"
            f"  /open: {backend.url}\n")


def bearer(token):
    return "-H", f"authorization: Bearer {token}"


def test_tokens(tool, folder):
    keys, backend = tokens.Keys(folder), Backend(name_it(b"hi"))
    path = f"{folder}/tokens.yaml"
    write(path, configuration(keys, backend))
    gateway = Gateway(tool, "--config", path)
    for name, algorithm, token in tokens.good(keys, int(time.time()), CLAIMS):
        status, out, messages = gateway.connect(f"/{algorithm}", b"", *bearer(token))
        check(f"{name}: let in", (status, out) == (0, b"hi"), messages)
    line = gateway.session("/HS256")
    check("the access log has the user", line["user"] == "alice", line)
    before, let_in = len(backend.ends), []
    bad = tokens.bad(keys, int(time.time()), CLAIMS)
    for name, algorithm, token in bad:
        status, out, messages = gateway.connect(f"/{algorithm}", b"", *bearer(token))
        if status == 0 or out or "401" not in messages:
            let_in.append((name, status, messages))
    check(f"{len(bad)} bad tokens: 401", len(bad) > 20 and not let_in, let_in)
    check("the back end saw none of them", len(backend.ends) == before, backend.ends)
    check("no token: 401", "401" in gateway.connect("/HS256")[2])
    line = gateway.refused("/HS256", 401, refusal="Unauthorized: the request has no token.")
    check("the access log says why", line["route"] == "/HS256" and line["user"] is None, line)
    check("a route without a token is open", gateway.connect("/open")[1] == b"hi")
    check("refusals are counted", gateway.metrics()["auth_refused_total /HS256"] > 20, gateway.metrics())
    gateway.end()


def test_example(tool, folder):
    keys, path = tokens.Keys(folder), f"{folder}/example.yaml"
    example = os.path.join(os.path.dirname(__file__), "../../../examples/gateway-auth.yaml")
    with open(example, encoding="utf-8") as file:
        write(path, file.read().replace("/etc/webtransport/tokens.pub", keys.public("ec")))
    check("the example", look(tool, path) == (0, "3 routes, nothing is wrong\n"), look(tool, path))


def test_places(tool, folder):
    keys, backend = tokens.Keys(folder), Backend(name_it(b"hi"))
    path = f"{folder}/places.yaml"
    write(path, configuration(keys, backend))
    gateway = Gateway(tool, "--config", path, "--log", "debug")
    token = tokens.good(keys, int(time.time()), CLAIMS)[0][2]
    check("in a cookie", gateway.connect("/HS256", b"", "-H", f"cookie: a=b; session={token}")[1] == b"hi")
    check("in the query", gateway.connect(f"/HS256?x=1&token={token}")[1] == b"hi")
    check("not where it is not looked for", "401" in gateway.connect(f"/RS256?token={token}")[2])
    check("a bad one in the query", "401" in gateway.connect(f"/HS256?token={token[:-5]}")[2])
    check("a bad one is not made good by another place",
          "401" in gateway.connect(f"/HS256?token={token}", b"", *bearer("x.y.z"))[2])
    for claim, at, code in (("/paths/a", "/paths/a", 0), ("/paths/", "/paths/a/b", 0), (["/x", "/paths/b"], "/paths/b", 0),
                            ("/paths/a", "/paths/b", 403), ("/paths/a", "/paths/a/b", 403), (None, "/paths/a", 403),
                            ("/paths/a/", "/paths/a/%2e%2e/b", 400), ("/paths/a", "/paths/%61", 0)):
        claims = {**CLAIMS, "exp": int(time.time()) + 60, **({"paths": claim} if claim else {})}
        status, out, messages = gateway.connect(at, b"", *bearer(tokens.hs(tokens.SECRET, tokens.head("HS256"), claims)))
        check(f"a token for {claim} at {at}: {code or 'let in'}",
              out == b"hi" if code == 0 else status and str(code) in messages, messages)
    gateway.end()
    part = token.split(".")[2]
    check("tokens are not in the log", not any(part in line or part[:20] in line for line in gateway.log))
    check("nor in the access log", not any(part in str(line) for line in gateway.sessions))


def test_end_of_a_token(tool, folder):
    keys, backend = tokens.Keys(folder), Backend(name_it(b"hi"))
    path = f"{folder}/end.yaml"
    write(path, configuration(keys, backend) + "defaults:\n  jwt-leeway: 0\n")
    gateway = Gateway(tool, "--config", path)
    claims = {**CLAIMS, "exp": int(time.time()) + 2}
    client = gateway.client("/HS256", *bearer(tokens.hs(tokens.SECRET, tokens.head("HS256"), claims)))
    check("a session begins", client.stdout.read(2) == b"hi")
    line = gateway.session("/HS256")
    check("it is closed when the token ends", line["by"] == "gateway" and line["code"] == 12, line)
    check("and not before", time.time() >= claims["exp"])
    check("the client has code and reason", "12" in (client.communicate(timeout=60)[1]).decode(), client.returncode)
    gateway.end()


def test_keys_change(tool, folder):
    keys, backend = tokens.Keys(folder), Backend(name_it(b"hi"))
    path = f"{folder}/change.yaml"
    write(path, configuration(keys, backend))
    gateway = Gateway(tool, "--config", path)
    claims = {**CLAIMS, "exp": int(time.time()) + 600}
    old = bearer(tokens.hs(tokens.SECRET, tokens.head("HS256"), claims))
    new = bearer(tokens.hs(tokens.OTHER_SECRET, tokens.head("HS256"), claims))
    check("the old key", gateway.connect("/HS256", b"", *old)[1] == b"hi" and
          "401" in gateway.connect("/HS256", b"", *new)[2])
    keys.write("secret", tokens.OTHER_SECRET)
    check("a file that changes is read again",
          wait_for("the new key", lambda: gateway.connect("/HS256", b"", *new)[1] == b"hi"))
    check("and the old key is not good any more", "401" in gateway.connect("/HS256", b"", *old)[2])
    keys.write("secret", tokens.SECRET)
    gateway.reload()
    gateway.ready["certificate_sha256"] = gateway.logged(" reloaded: ").split()[-1]
    check("SIGHUP reads it at once", gateway.connect("/HS256", b"", *old)[1] == b"hi")
    keys.write("secret", keys.public_text("rsa"))
    gateway.reload()
    check("a public key as a secret: refused", "this is a key in PEM" in gateway.logged("not reloaded"))
    check("and the old one stays", gateway.connect("/HS256", b"", *old)[1] == b"hi")
    gateway.end()


TESTS = [test_tokens, test_example, test_places, test_end_of_a_token, test_keys_change]
