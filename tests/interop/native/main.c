/* SPDX-License-Identifier: MIT */
/*
 * Our end of the interop cases, on the library's public API alone:
 *
 *   interop_peer server --port PORT --cert FILE --key FILE [--limits default|tiny]
 *   interop_peer client --url https://HOST:PORT --case NAME --hash HEX
 *
 * What the two do is laid down in tests/interop/README.md, which every other peer follows too.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static int usage(void) {
  fputs("usage: interop_peer server --port PORT --cert FILE --key FILE [--limits default|tiny]\n"
        "       interop_peer client --url https://HOST:PORT --case NAME --hash HEX\n",
        stderr);
  return 2;
}

static bool hash_read(const char *text, uint8_t hash[32]) {
  if (strspn(text, "0123456789abcdefABCDEF") != 64 || text[64]) return false;
  for (size_t i = 0; i < 32; i++) {
    char byte[3] = {text[2 * i], text[2 * i + 1], 0};
    hash[i] = (uint8_t)strtoul(byte, NULL, 16);
  }
  return true;
}

int main(int argc, char **argv) {
  static const struct option known[] = {
      {"port", required_argument, NULL, 'p'}, {"cert", required_argument, NULL, 'c'},
      {"key", required_argument, NULL, 'k'},  {"limits", required_argument, NULL, 'l'},
      {"url", required_argument, NULL, 'u'},  {"case", required_argument, NULL, 'n'},
      {"hash", required_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
  };
  struct options options = {0};
  bool hashed = false;
  int found;
  if (argc < 2) return usage();
  while ((found = getopt_long(argc - 1, argv + 1, "", known, NULL)) != -1) {
    switch (found) {
      case 'p': options.port = optarg; break;
      case 'c': options.cert = optarg; break;
      case 'k': options.key = optarg; break;
      case 'l': options.tiny = strcmp(optarg, "tiny") == 0; break;
      case 'u': options.url = optarg; break;
      case 'n': options.case_name = optarg; break;
      case 'h': hashed = hash_read(optarg, options.hash); break;
      default: return usage();
    }
  }
  if (strcmp(argv[1], "server") == 0 && options.port && options.cert && options.key) return server_main(&options);
  if (strcmp(argv[1], "client") == 0 && options.url && options.case_name && hashed) return client_main(&options);
  return usage();
}
