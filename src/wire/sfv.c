/* SPDX-License-Identifier: MIT */

/*
 * Structured Fields (RFC 9651), as far as subprotocol negotiation needs them (draft section 3.3).
 *
 *     wt-available-protocols: "chat-2";q=1, "chat-1"      a List of Strings
 *     wt-protocol: "chat-2"                               an Item that is a String
 *
 * One wrong member spoils the whole field, which is then as good as absent. To know that a field is
 * right all of it must be parsed, including parameters, which nobody reads but which may hold a value
 * of any of the eight types. Members other than Strings are an error wherever they stand, so Inner
 * Lists and bare items of other types are refused at their first character and are parsed as values of
 * parameters only.
 *
 * Each parser below takes the text between `*at` and `end`, moves `*at` behind what it read, and says
 * false if that was malformed; the order follows section 4.2 of the RFC.
 */

#include "wire/sfv.h"

#include <stdint.h>
#include <string.h>

#include "wire/utf8.h"

static bool sfv_is_digit(char c) { return c >= '0' && c <= '9'; }
static bool sfv_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool sfv_is_alpha(char c) { return sfv_is_lower(c) || (c >= 'A' && c <= 'Z'); }

/* RFC 9110, section 5.6.2; never true for NUL. */
static bool sfv_is_tchar(char c) {
  return sfv_is_digit(c) || sfv_is_alpha(c) || (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool sfv_take(const char **at, const char *end, char c) {
  if (*at == end || **at != c) return false;
  (*at)++;
  return true;
}

static void sfv_skip_spaces(const char **at, const char *end) {
  while (*at < end && **at == ' ') (*at)++;
}

static void sfv_skip_ows(const char **at, const char *end) {
  while (*at < end && (**at == ' ' || **at == '\t')) (*at)++;
}

/* Section 4.2.4: up to 15 digits, or up to 12, a point and up to 3. */
static bool sfv_number(const char **at, const char *end, bool *decimal) {
  size_t whole = 0, fraction = 0;
  sfv_take(at, end, '-');
  for (; *at < end && sfv_is_digit(**at); (*at)++) whole++;
  *decimal = whole > 0 && sfv_take(at, end, '.');
  if (!*decimal) return whole >= 1 && whole <= 15;
  for (; *at < end && sfv_is_digit(**at); (*at)++) fraction++;
  return whole <= 12 && fraction >= 1 && fraction <= 3;
}

/* Section 4.2.5. Unescaped into `dst` unless that is NULL; false, too, if more than `max` bytes come. */
static bool sfv_string(const char **at, const char *end, char *dst, size_t max, size_t *len) {
  size_t n = 0;
  if (!sfv_take(at, end, '"')) return false;
  while (*at < end) {
    char c = *(*at)++;
    if (c == '"') {
      *len = n;
      return true;
    }
    if (c == '\\') {
      if (*at == end || (**at != '"' && **at != '\\')) return false;
      c = *(*at)++;
    } else if (c < 0x20 || c > 0x7e) {
      return false;
    }
    if (n == max) return false;
    if (dst) dst[n] = c;
    n++;
  }
  return false;
}

/* Section 4.2.6; the first character has been looked at. */
static bool sfv_token(const char **at, const char *end) {
  while (*at < end && (sfv_is_tchar(**at) || **at == ':' || **at == '/')) (*at)++;
  return true;
}

/* Section 4.2.7. Padding may be missing, but not be wrong. */
static bool sfv_bytes(const char **at, const char *end) {
  size_t chars = 0, padding = 0;
  (*at)++;
  while (*at < end) {
    char c = *(*at)++;
    if (c == ':') return chars % 4 ? chars % 4 != 1 && chars % 4 + padding <= 4 : padding == 0;
    if (c == '=') {
      padding++;
    } else if (padding || !(sfv_is_alpha(c) || sfv_is_digit(c) || c == '+' || c == '/')) {
      return false;
    } else {
      chars++;
    }
  }
  return false;
}

/* Section 4.2.8. */
static bool sfv_boolean(const char **at, const char *end) {
  (*at)++;
  return sfv_take(at, end, '0') || sfv_take(at, end, '1');
}

/* Section 4.2.9: '@' and an Integer. */
static bool sfv_date(const char **at, const char *end) {
  bool decimal;
  (*at)++;
  return sfv_number(at, end, &decimal) && !decimal;
}

static int sfv_hex(char c) { return sfv_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* One byte of a Display String, "%c3" decoded; -1 if malformed. */
static int sfv_display_byte(const char **at, const char *end) {
  char c = *(*at)++;
  if (c < 0x20 || c > 0x7e) return -1;
  if (c != '%') return c;
  if (end - *at < 2) return -1;
  int high = sfv_hex((*at)[0]), low = sfv_hex((*at)[1]);
  *at += 2;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Section 4.2.10: %"..." whose bytes, decoded, are UTF-8. Checked one character at a time, so that none is stored. */
static bool sfv_display_string(const char **at, const char *end) {
  char character[4];
  size_t held = 0;
  (*at)++;
  if (!sfv_take(at, end, '"')) return false;
  while (*at < end) {
    if (**at == '"') {
      (*at)++;
      return held == 0;
    }
    int byte = sfv_display_byte(at, end);
    if (byte < 0 || held == sizeof(character)) return false;
    character[held++] = (char)(unsigned char)byte;
    if (wt__utf8_valid(character, held)) held = 0; /* no prefix of a character is valid by itself */
  }
  return false;
}

/* Section 4.2.3.1: a value of any type, passed over. */
static bool sfv_bare_item(const char **at, const char *end) {
  size_t len;
  bool decimal;
  if (*at == end) return false;
  switch (**at) {
    case '"': return sfv_string(at, end, NULL, SIZE_MAX, &len);
    case ':': return sfv_bytes(at, end);
    case '?': return sfv_boolean(at, end);
    case '@': return sfv_date(at, end);
    case '%': return sfv_display_string(at, end);
    default: break;
  }
  if (**at == '-' || sfv_is_digit(**at)) return sfv_number(at, end, &decimal);
  return (**at == '*' || sfv_is_alpha(**at)) && sfv_token(at, end);
}

/* Section 4.2.3.3. */
static bool sfv_key(const char **at, const char *end) {
  if (*at == end || !(sfv_is_lower(**at) || **at == '*')) return false;
  for (; *at < end; (*at)++) {
    char c = **at;
    if (!sfv_is_lower(c) && !sfv_is_digit(c) && c != '_' && c != '-' && c != '.' && c != '*') break;
  }
  return true;
}

/* Section 4.2.3.2: ";key" or ";key=value", any number. */
static bool sfv_parameters(const char **at, const char *end) {
  while (sfv_take(at, end, ';')) {
    sfv_skip_spaces(at, end);
    if (!sfv_key(at, end)) return false;
    if (sfv_take(at, end, '=') && !sfv_bare_item(at, end)) return false;
  }
  return true;
}

/* Section 4.2.1, one step: 1, 0 or -1 as `wt__sfv_list_next`; `dst` may be NULL. */
static int sfv_list_step(struct wt__sfv_list *list, char *dst, size_t max, size_t *len) {
  if (list->first) {
    list->first = false;
    sfv_skip_spaces(&list->at, list->end);
    if (list->at == list->end) return 0;
  } else {
    sfv_skip_ows(&list->at, list->end);
    if (list->at == list->end) return 0;
    if (!sfv_take(&list->at, list->end, ',')) return -1;
    sfv_skip_ows(&list->at, list->end); /* what comes now is a member: a comma at the end is an error */
  }
  bool good = sfv_string(&list->at, list->end, dst, max, len) && sfv_parameters(&list->at, list->end);
  return good ? 1 : -1;
}

int wt__sfv_list_next(struct wt__sfv_list *list, char *dst, size_t size, size_t *len) {
  if (size == 0) return -1;
  int error = sfv_list_step(list, dst, size - 1, len);
  dst[error == 1 ? *len : 0] = '\0';
  return error;
}

bool wt__sfv_list_valid(const char *value, size_t len, size_t max_member) {
  struct wt__sfv_list list = {value, value + len, true};
  size_t member_len;
  int error;
  while ((error = sfv_list_step(&list, NULL, max_member, &member_len)) == 1) continue;
  return error == 0;
}

int wt__sfv_string_read(const char *value, size_t len, char *dst, size_t size) {
  const char *at = value, *end = value + len;
  size_t n;
  if (size == 0) return -1;
  dst[0] = '\0';
  sfv_skip_spaces(&at, end);
  if (!sfv_string(&at, end, dst, size - 1, &n) || !sfv_parameters(&at, end)) return -1;
  dst[n] = '\0';
  sfv_skip_spaces(&at, end);
  return at == end ? 0 : -1;
}

size_t wt__sfv_string_write(char *dst, size_t size, const char *s) {
  size_t len = 2; /* the quotes */
  for (const char *c = s; *c; c++) {
    if (*c < 0x20 || *c > 0x7e) return 0;
    len += *c == '"' || *c == '\\' ? 2 : 1;
  }
  if (len >= size) return 0;
  char *out = dst;
  *out++ = '"';
  for (const char *c = s; *c; c++) {
    if (*c == '"' || *c == '\\') *out++ = '\\';
    *out++ = *c;
  }
  *out++ = '"';
  *out = '\0';
  return len;
}
