/* SPDX-License-Identifier: MIT */
/*
 * Has a field section the form of its part of a message? A request has pseudo-header fields, each once and before all
 * others; these are the ones that its method asks for, with characters that belong there. A response has a status, trailers
 * have no pseudo-header field at all. And no field belongs to a connection of HTTP/1.1 (RFC 9114, sections 4.2 to 4.4).
 *
 * nghttp3 has the same rules. But from version 1.11 on it ends the connection with a malformed message, and with it sessions
 * of others, where a proxy shares one connection between its clients. So a malformed section is refused before nghttp3 sees
 * it, and its stream alone ends.
 */

#include "h3/message_form.h"

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
  STATUS,
  HOST,
  CONTENT_LENGTH,
  SINGLE_COUNT
};
static const char *const single_names[SINGLE_COUNT] = {
    [METHOD] = ":method",     [SCHEME] = ":scheme", [AUTHORITY] = ":authority", [PATH] = ":path",
    [PROTOCOL] = ":protocol", [STATUS] = ":status", [HOST] = "host",            [CONTENT_LENGTH] = "content-length",
};

#define BIT(single) (1U << (single))
#define OF_REQUESTS \
  (BIT(METHOD) | BIT(SCHEME) | BIT(AUTHORITY) | BIT(PATH) | BIT(PROTOCOL) | BIT(HOST) | BIT(CONTENT_LENGTH))
#define OF_RESPONSES (BIT(STATUS) | BIT(CONTENT_LENGTH))

struct reading {
  unsigned singles; /* those that the section may have; the other ones that are no pseudo-header fields are like any field */
  enum wt__response_to to;
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

/* A number that 63 bits hold (RFC 9110, section 8.6); -1: it is none. */
static int64_t number_read(const char *text) {
  int64_t number = 0;
  if (*text == '\0') return -1;
  for (; *text; text++) {
    if (!is_digit(*text) || number > (INT64_MAX - (*text - '0')) / 10) return -1;
    number = number * 10 + (*text - '0');
  }
  return number;
}

/* HTTP/3 has no 101 (RFC 9114, section 4.5). */
static bool status_valid(const char *text) {
  int64_t status = strlen(text) == 3 ? number_read(text) : -1;
  return status >= 100 && status != 101;
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
    case STATUS: return status_valid(value);
    case CONTENT_LENGTH: return number_read(value) >= 0;
    default: return true;
  }
}

/* --- Fields --- */

static int single_find(const char *name) {
  int single = 0;
  while (single < SINGLE_COUNT && strcmp(name, single_names[single]) != 0) single++;
  return single;
}

/* 0: there is none, or not yet. */
static int status_of(const struct reading *reading) {
  return reading->values[STATUS] ? (int)number_read(reading->values[STATUS]) : 0;
}

/* An interim response has no content, and what is behind a 2xx to CONNECT is none (RFC 9110, sections 8.6 and 9.3.6). */
static bool length_is_ignored(const struct reading *reading) {
  int class = status_of(reading) / 100;
  return class == 1 || (class == 2 && reading->to == WT__RESPONSE_TO_CONNECT);
}

static bool field_take(struct reading *reading, const struct wt_header *field) {
  int single = single_find(field->name);
  bool pseudo = field->name[0] == ':', known = single < SINGLE_COUNT && (reading->singles & BIT(single));
  if (pseudo && (reading->regular_seen || !known)) return false;
  if (!pseudo) reading->regular_seen = true;
  if (!known) {
    if (strcmp(field->name, "te") == 0) return strcasecmp(field->value, "trailers") == 0;
    return !wt__header_name_forbidden(field->name);
  }
  if (single == CONTENT_LENGTH && length_is_ignored(reading)) return true;
  if (reading->values[single] || !value_valid(single, field->value)) return false;
  reading->values[single] = field->value;
  return true;
}

static bool fields_take(struct reading *reading, const struct wt__fields *fields) {
  struct wt_header field;
  for (size_t i = 0; wt__fields_at(fields, i, true, &field) == 0; i++) {
    if (!field_take(reading, &field)) return false;
  }
  return true;
}

static int64_t length_of(const struct reading *reading) {
  return reading->values[CONTENT_LENGTH] ? number_read(reading->values[CONTENT_LENGTH]) : -1;
}

/* --- Requests --- */

/* An http URI has a path that begins with '/'; OPTIONS may ask for "*". */
static bool path_fits(const char *const *values) {
  const char *scheme = values[SCHEME], *path = values[PATH];
  if (strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0) return true;
  return *path == '/' || (strcmp(path, "*") == 0 && strcmp(values[METHOD], "OPTIONS") == 0);
}

/* CONNECT without a protocol names a host alone (section 4.4); with one it is like other requests (RFC 9220). */
static bool request_complete(const char *const *values) {
  if (!values[METHOD]) return false;
  bool connect = strcmp(values[METHOD], "CONNECT") == 0;
  if (connect && !values[PROTOCOL]) return values[AUTHORITY] && !values[SCHEME] && !values[PATH];
  if (!values[SCHEME] || !values[PATH] || (!values[AUTHORITY] && !values[HOST])) return false;
  if (values[PROTOCOL] && (!connect || !values[AUTHORITY])) return false;
  return path_fits(values);
}

bool wt__request_form(const struct wt__fields *fields, struct wt__message_form *form) {
  struct reading reading = {.singles = OF_REQUESTS};
  if (!fields_take(&reading, fields) || !request_complete(reading.values)) return false;
  form->status = 0;
  form->content_length = length_of(&reading);
  if (!reading.values[PATH]) form->content_length = -1; /* a tunnel to a host */
  return true;
}

/* --- Responses --- */

/* Some servers send "content-length: 0" with 204, which has no content and no such field. */
static bool response_content(const struct reading *reading, int status, int64_t *length) {
  *length = length_of(reading);
  if (status == 204 && *length > 0) return false;
  if (status == 204 || status == 304 || reading->to == WT__RESPONSE_TO_HEAD) {
    *length = 0;
  } else if (reading->to == WT__RESPONSE_TO_CONNECT) {
    *length = -1;
  }
  return true;
}

bool wt__response_form(const struct wt__fields *fields, enum wt__response_to to, struct wt__message_form *form) {
  struct reading reading = {.singles = OF_RESPONSES, .to = to};
  if (!fields_take(&reading, fields) || !reading.values[STATUS]) return false;
  form->status = status_of(&reading);
  return response_content(&reading, form->status, &form->content_length);
}

/* --- Trailers --- */

/* What a message is for, and where it ends, is known before its content (RFC 9110, section 6.5.1). */
bool wt__trailer_form(const struct wt__fields *fields) {
  struct reading reading = {.singles = 0};
  return fields_take(&reading, fields) && !wt__fields_find(fields, "host", NULL);
}
