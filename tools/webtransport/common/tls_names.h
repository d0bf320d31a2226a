/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TLS_NAMES_H
#define WEBTRANSPORT_TOOL_TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum {
  TLS_NAMES_MAX = 16 /* as the library's */
};

/* Names of cipher suites or groups, as on a command line: "x25519,secp256r1". */
struct tls_names {
  char text[512]; /* what `names` points into */
  const char *names[TLS_NAMES_MAX];
  size_t count; /* 0: the library's choice */
};

/* Splits a list into names. Whether a name exists is checked by the library. */
bool tls_names_set(struct tls_names *names, const char *value, char *message, size_t size);

#endif
