/* SPDX-License-Identifier: MIT */
/*
 * Lists of names for TLS, separated by commas or, as in OpenSSL's lists, by colons. The library checks whether it knows
 * a name, and its message lists the names that it knows.
 */
#include "common/tls_names.h"

#include <stdio.h>
#include <string.h>

#include "common/values.h"

bool tls_names_set(struct tls_names *names, const char *value, char *message, size_t size) {
  names->count = 0;
  if ((size_t)snprintf(names->text, sizeof names->text, "%s", value) >= sizeof names->text)
    return value_refuse(message, size, "the list is too long");
  for (char *at = names->text;;) {
    size_t len = strcspn(at, ",:");
    bool last = !at[len];
    if (len == 0) return value_refuse(message, size, "a name is empty");
    if (names->count == TLS_NAMES_MAX) return value_refuse(message, size, "too many names");
    names->names[names->count++] = at;
    at[len] = '\0';
    if (last) return true;
    at += len + 1;
  }
}
