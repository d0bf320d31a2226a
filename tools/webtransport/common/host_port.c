/* SPDX-License-Identifier: MIT */
/*
 * "ADDR:PORT" as users type it. Only the form is checked here, so that a typing mistake is reported as such; whether
 * the machine has the address shows later. An IPv6 address needs brackets, as in a URL, because its last group could be
 * taken for a port.
 */
#include "common/host_port.h"

#include <stddef.h>
#include <string.h>

static const char *port_parse(const char *text, uint16_t *port) {
  uint32_t value = 0;
  if (!*text) return "the port is missing after ':'";
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return "the port is not a number";
    value = value * 10 + (uint32_t)(*text - '0');
    if (value > 65535) return "the port is larger than 65535";
  }
  *port = (uint16_t)value;
  return NULL;
}

const char *host_port_parse(const char *text, struct host_port *address) {
  const char *colon = strrchr(text, ':');
  const char *host = text;
  if (!colon) return "expected ADDR:PORT, such as 127.0.0.1:4433 or [::]:4433";
  size_t len = (size_t)(colon - text);
  if (text[0] == '[') {
    if (len < 2 || text[len - 1] != ']') return "the bracket is not closed; expected [ADDR]:PORT";
    host++;
    len -= 2;
  } else if (memchr(text, ':', len)) {
    return "an IPv6 address needs brackets, such as [::1]:4433";
  }
  if (!len) return "the address is missing before ':'";
  if (len >= sizeof address->host) return "the address is too long";
  memcpy(address->host, host, len);
  address->host[len] = 0;
  return port_parse(colon + 1, &address->port);
}
