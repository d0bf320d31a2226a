#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""aioquic as a peer of ../run.py; ../README.md says what it is to do.

    peer.py client --url https://127.0.0.1:PORT --case NAME --cert PEM
    peer.py server --port PORT --cert PEM --key PEM
"""

import argparse
import asyncio
import sys

import client
import server


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    as_client = roles.add_parser("client")
    as_client.add_argument("--url", required=True)
    as_client.add_argument("--case", required=True, choices=client.CASES)
    as_client.add_argument("--cert", required=True)
    as_server = roles.add_parser("server")
    as_server.add_argument("--port", type=int, required=True)
    as_server.add_argument("--cert", required=True)
    as_server.add_argument("--key", required=True)
    args = parser.parse_args()
    if args.role == "server":
        asyncio.run(server.run(args.port, args.cert, args.key))
        return 0
    try:
        asyncio.run(client.run(args.case, args.url, args.cert))
    except asyncio.TimeoutError:
        print(f"{args.case}: not done after {client.DEADLINE} seconds", file=sys.stderr)
        return 1
    except Exception as why:  # whatever it was, the case has failed, and the last line says why
        print(f"{args.case}: {why!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
