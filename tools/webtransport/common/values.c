/* SPDX-License-Identifier: MIT */
/*
 * Values as users type them: numbers, times, sizes, hashes, header fields. They are read strictly: no sign, no space,
 * nothing after the unit, no overflow. "10x" is a typing mistake and never 10. The message says what was expected; the
 * option and the value are printed before it.
 *
 * Decimal fractions are read digit by digit and not as floating point, so that "0.1s" is exactly 100,000,000 ns in
 * every locale.
 */
#include "common/values.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/clock.h"

struct unit {
  const char *name;
  uint64_t factor;
};

/* Each list begins with the units that messages use, the largest first. */
static const struct unit time_units[] = {
    {"h", NS_PER_HOUR}, {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},    {"ms", NS_PER_MS},
    {"us", NS_PER_US},  {"ns", 1},
    {"", NS_PER_S},     {0},
};

static const struct unit size_units[] = {
    {"T", UINT64_C(1) << 40},
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
    {"", 1},
    {"k", UINT64_C(1) << 10},
    {0},
};

bool value_refuse(char *message, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, size, format, args);
  va_end(args);
  return false;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads the digits at `*at`; false if there are none, or too many for 64 bits. */
static bool digits_read(const char **at, uint64_t *number) {
  const char *from = *at;
  *number = 0;
  for (; is_digit(**at); (*at)++) {
    uint64_t digit = (uint64_t)(**at - '0');
    if (*number > (UINT64_MAX - digit) / 10) return false;
    *number = *number * 10 + digit;
  }
  return *at > from;
}

bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *number, char *message, size_t size) {
  const char *at = text;
  if (digits_read(&at, number) && !*at && *number >= min && *number <= max) return true;
  return value_refuse(message, size, "expected a number from %" PRIu64 " to %" PRIu64, min, max);
}

static const struct unit *unit_find(const struct unit *units, const char *name) {
  for (; units->name; units++)
    if (!strcmp(units->name, name)) return units;
  return NULL;
}

/* Reads ".25" at `*at`, if it is there, as numerator and denominator; up to nine digits. */
static bool fraction_read(const char **at, uint64_t *numerator, uint64_t *denominator) {
  *numerator = 0;
  *denominator = 1;
  if (**at != '.') return true;
  const char *from = ++*at;
  for (; is_digit(**at); (*at)++) {
    *numerator = *numerator * 10 + (uint64_t)(**at - '0');
    *denominator *= 10;
    if (*at - from == 9) return false;
  }
  return *at > from;
}

/* Reads "12.5ms" by `units` and rounds down to a whole number. False: it is malformed, overflows, or becomes 0 although
 * it is more: 0 means "no limit" to many options. */
static bool scaled_read(const char *text, const struct unit *units, uint64_t *value) {
  uint64_t whole, numerator, denominator;
  const char *at = text;
  if (!digits_read(&at, &whole) || !fraction_read(&at, &numerator, &denominator)) return false;
  const struct unit *unit = unit_find(units, at);
  if (!unit || whole > UINT64_MAX / unit->factor) return false;
  /* factor * numerator / denominator, in two parts that both fit. */
  uint64_t part = unit->factor / denominator * numerator + unit->factor % denominator * numerator / denominator;
  *value = whole * unit->factor;
  if (part > UINT64_MAX - *value) return false;
  *value += part;
  return *value > 0 || (!whole && !numerator);
}

/* Writes `value` in the largest of `units` that leaves no fraction. */
static void scaled_print(uint64_t value, const struct unit *units, char text[32]) {
  while (units->factor > 1 && (!value || value % units->factor)) units++;
  snprintf(text, 32, "%" PRIu64 "%s", value / units->factor, value ? units->name : "");
}

static bool scaled_value(const char *text, const struct unit *units, uint64_t min, uint64_t max, uint64_t *value,
                         const char *what, char *message, size_t size) {
  char least[32], most[32];
  if (scaled_read(text, units, value) && *value >= min && *value <= max) return true;
  scaled_print(min, units, least);
  scaled_print(max, units, most);
  return value_refuse(message, size, "expected %s, from %s to %s", what, least, most);
}

bool value_time(const char *text, uint64_t min_ns, uint64_t max_ns, uint64_t *ns, char *message, size_t size) {
  return scaled_value(text, time_units, min_ns, max_ns, ns, "a time such as 1.5s, 500ms or 2m", message, size);
}

bool value_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes, char *message, size_t size) {
  return scaled_value(text, size_units, min, max, bytes, "a number of bytes such as 1000, 64K or 1M", message, size);
}

static int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex_read(const char *text, uint8_t hash[32]) {
  bool colons = text[0] && text[1] && text[2] == ':';
  for (size_t i = 0; i < 32; i++) {
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);
    if (low < 0) return false;
    hash[i] = (uint8_t)(high << 4 | low);
    text += 2;
    if (colons && i < 31 && *text++ != ':') return false;
  }
  return !*text;
}

static int base64_digit(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* 32 bytes are 43 digits, whose last 2 bits are 0, and a '='. */
static bool base64_read(const char *text, uint8_t hash[32]) {
  uint32_t bits = 0;
  size_t len = 0;
  if (strlen(text) != 44 || text[43] != '=') return false;
  for (size_t i = 0; i < 43; i++) {
    int digit = base64_digit(text[i]);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t)digit;
    /* Digits 2, 3 and 4 of each group of four complete a byte. */
    if (i % 4) hash[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  return len == 32 && !(bits & 3);
}

bool value_hash(const char *text, uint8_t hash[32], char *message, size_t size) {
  if (hex_read(text, hash) || base64_read(text, hash)) return true;
  return value_refuse(message, size, "expected a SHA-256: 64 hexadecimal digits, or 44 characters of base64");
}

/* The characters of a token (RFC 9110, section 5.6.2). */
static bool is_token(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool value_is_token(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (!is_token(text[i])) return false;
  return len > 0;
}

bool value_header(const char *text, char **name, const char **value, char *message, size_t size) {
  size_t len = 0;
  while (is_token(text[len])) len++;
  if (!len || text[len] != ':') return value_refuse(message, size, "expected a header field such as 'name: value'");
  const char *from = text + len + 1;
  from += strspn(from, " \t");
  size_t value_len = strlen(from);
  while (value_len && (from[value_len - 1] == ' ' || from[value_len - 1] == '\t')) value_len--;
  for (size_t i = 0; i < value_len; i++)
    if ((unsigned char)from[i] < 0x20 ? from[i] != '\t' : from[i] == 0x7f)
      return value_refuse(message, size, "the value has a control character");
  char *copy = malloc(len + 1 + value_len + 1);
  if (!copy) return value_refuse(message, size, "out of memory");
  for (size_t i = 0; i < len; i++) copy[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 'a' - 'A' : text[i]);
  copy[len] = 0;
  memcpy(copy + len + 1, from, value_len);
  copy[len + 1 + value_len] = 0;
  *name = copy;
  *value = copy + len + 1;
  return true;
}

/* The library reads the URL. This function reports common mistakes before the command begins. */
bool value_url(const char *text, char *message, size_t size) {
  static const char scheme[] = "https://";
  if (strncasecmp(text, scheme, sizeof scheme - 1)) /* RFC 3986, section 3.1 */
    return value_refuse(message, size, "the URL has to begin with https://");
  text += sizeof scheme - 1;
  if (!*text || strchr("/:?#", *text)) return value_refuse(message, size, "the URL has no host");
  for (; *text; text++)
    if ((unsigned char)*text <= 0x20 || *text == 0x7f)
      return value_refuse(message, size, "the URL has a space or a control character");
  return true;
}

bool value_file(const char *text, char *message, size_t size) {
  return *text ? true : value_refuse(message, size, "the file's name is empty");
}

bool value_folder(const char *text, char *message, size_t size) {
  struct stat info;
  if (stat(text, &info)) return value_refuse(message, size, "there is no such folder");
  return S_ISDIR(info.st_mode) ? true : value_refuse(message, size, "this is not a folder");
}

bool value_protocol(const char *text, char *message, size_t size) {
  if (!*text) return value_refuse(message, size, "the name is empty");
  for (; *text; text++)
    if (*text < 0x20 || *text > 0x7e)
      return value_refuse(message, size, "only printable ASCII can be sent in a header field");
  return true;
}

bool value_word(const char *text, const char *words, size_t *index, char *message, size_t size) {
  char expected[256];
  size_t used = 0, len;
  *index = 0;
  expected[0] = 0;
  for (const char *at = words; *at; at += len + strspn(at + len, " "), (*index)++) {
    len = strcspn(at, " ");
    if (strlen(text) == len && !strncmp(text, at, len)) return true;
    const char *before = used == 0 ? "" : at[len] ? ", " : " or ";
    int written = snprintf(expected + used, sizeof expected - used, "%s%.*s", before, (int)len, at);
    used += written > 0 ? (size_t)written : 0;
    if (used >= sizeof expected) used = sizeof expected - 1;
  }
  return value_refuse(message, size, "expected %s", expected);
}
