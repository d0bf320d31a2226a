/* SPDX-License-Identifier: MIT */
/*
 * Has a header section the form of a request? It has pseudo-header fields, each once and before all others; these are the
 * ones that its method asks for, with characters that belong there; and none of its fields belongs to a connection of HTTP/1.1
 * (RFC 9114, sections 4.2 to 4.4).
 *
 * nghttp3 has the same rules. But from version 1.11 on it ends the connection with a malformed request, and with it sessions
 * of others, where a proxy shares one connection between its clients. So a malformed request is refused before nghttp3 sees
 * it, and its stream alone ends. Trailers, and a content that is longer or shorter than content-length says, are left to
 * nghttp3.
 */

#include "h3/request_form.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "h3/header_check.h"

/* The fields that come once at most, and have a value. Pseudo-header fields are first. */
enum {
  METHOD,
  SCHEME,
  AUTHORITY,
  PATH,
  PROTOCOL,
  HOST,
  CONTENT_LENGTH,
  SINGLE_COUNT
};
static const char *const single_names[SINGLE_COUNT] = {
    [METHOD] = ":method",     [SCHEME] = ":scheme", [AUTHORITY] = ":authority",          [PATH] = ":path",
    [PROTOCOL] = ":protocol", [HOST] = "host",      [CONTENT_LENGTH] = "content-length",
};

struct form {
  const char *values[SINGLE_COUNT]; /* NULL: absent */
  bool regular_seen;                /* a field that is no pseudo-header field */
};

/* --- Values --- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Letters, digits and `marks`. */
static bool consists_of(const char *text, const char *marks) {
  for (; *text; text++) {
    if (!is_letter(*text) && !is_digit(*text) && !strchr(marks, *text)) return false;
  }
  return true;
}

/* A number that 63 bits hold (RFC 9110, section 8.6). */
static bool length_valid(const char *text) {
  int64_t length = 0;
  for (; *text; text++) {
    if (!is_digit(*text) || length > (INT64_MAX - (*text - '0')) / 10) return false;
    length = length * 10 + (*text - '0');
  }
  return true;
}

/* What may be in them, by RFC 3986; spaces and HTAB are what is left to look for in a path. */
static bool value_valid(int single, const char *value) {
  if (*value == '\0') return false;
  switch (single) {
    case METHOD: return wt__token_valid(value, true);
    case SCHEME: return is_letter(*value) && consists_of(value, "+-.");
    case AUTHORITY:
    case HOST: return consists_of(value, "-._~!$&'()*+,;=:@%[]");
    case PATH: return !strpbrk(value, " \t");
    case CONTENT_LENGTH: return length_valid(value);
    default: return true;
  }
}

/* --- Fields --- */

static int single_find(const char *name) {
  int single = 0;
  while (single < SINGLE_COUNT && strcmp(name, single_names[single]) != 0) single++;
  return single;
}

static bool field_take(struct form *form, const struct wt_header *field) {
  int single = single_find(field->name);
  bool pseudo = field->name[0] == ':';
  if (pseudo && (form->regular_seen || single == SINGLE_COUNT)) return false;
  if (!pseudo) form->regular_seen = true;
  if (single == SINGLE_COUNT) {
    if (strcmp(field->name, "te") == 0) return strcasecmp(field->value, "trailers") == 0;
    return !wt__header_name_forbidden(field->name);
  }
  if (form->values[single] || !value_valid(single, field->value)) return false;
  form->values[single] = field->value;
  return true;
}

/* --- The whole --- */

/* An http URI has a path that begins with '/'; OPTIONS may ask for "*". */
static bool path_fits(const struct form *form) {
  const char *scheme = form->values[SCHEME], *path = form->values[PATH];
  if (strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0) return true;
  return *path == '/' || (strcmp(path, "*") == 0 && strcmp(form->values[METHOD], "OPTIONS") == 0);
}

/* CONNECT without a protocol names a host alone (section 4.4); with one it is like other requests (RFC 9220). */
static bool form_complete(const struct form *form) {
  const char *const *values = form->values;
  if (!values[METHOD]) return false;
  bool connect = strcmp(values[METHOD], "CONNECT") == 0;
  if (connect && !values[PROTOCOL]) return values[AUTHORITY] && !values[SCHEME] && !values[PATH];
  if (!values[SCHEME] || !values[PATH] || (!values[AUTHORITY] && !values[HOST])) return false;
  if (values[PROTOCOL] && (!connect || !values[AUTHORITY])) return false;
  return path_fits(form);
}

bool wt__request_form_valid(const struct wt__fields *fields) {
  struct form form = {0};
  struct wt_header field;
  for (size_t i = 0; wt__fields_at(fields, i, true, &field) == 0; i++) {
    if (!field_take(&form, &field)) return false;
  }
  return form_complete(&form);
}
