/* SPDX-License-Identifier: MIT */
/*
 * The plain form of a path (RFC 3986, section 6.2.2, and beyond). Back ends differ in what they decode and merge; a path
 * in front of which an authorization stands must not be reached by a spelling that only the back end understands.
 */
#include "gateway/path_plain.h"

#include <stdio.h>
#include <string.h>

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The octet at `path`, and how many characters stand for it. False: a broken encoding, or an encoded NUL. */
static bool octet_read(const char *path, unsigned *octet, size_t *taken) {
  *octet = (unsigned char)path[0];
  *taken = 1;
  if (path[0] != '%') return true;
  int high = hex_value(path[1]), low = high < 0 ? -1 : hex_value(path[2]);
  if (low < 0) return false;
  *octet = (unsigned)(high * 16 + low);
  *taken = 3;
  return *octet != 0;
}

static bool needs_encoding(unsigned octet) { return octet <= ' ' || octet > '~' || strchr("%?#", (int)octet); }

static bool segment_is_dots(const char *segment, size_t len) {
  return (len == 1 && segment[0] == '.') || (len == 2 && segment[0] == '.' && segment[1] == '.');
}

bool path_plain(const char *path, char *out, size_t size) {
  size_t used = 0, segment = 0, taken; /* `segment`: where it begins in `out` */
  if (path[0] != '/' || size < 2) return false;
  for (; *path; path += taken) {
    unsigned octet;
    if (used + 4 > size || !octet_read(path, &octet, &taken)) return false;
    if (octet == '\\') octet = '/';
    if (octet == '/') {
      if (segment_is_dots(out + segment, used - segment)) return false;
      if (!used || out[used - 1] != '/') out[used++] = '/';
      segment = used;
    } else if (needs_encoding(octet)) {
      used += (size_t)snprintf(out + used, 4, "%%%02X", octet);
    } else {
      out[used++] = (char)octet;
    }
  }
  out[used] = 0;
  return !segment_is_dots(out + segment, used - segment);
}
