/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests (RFC 9110, section 13).
 *
 * The entity tag is strong: it is made of the size and the time of the last change in nanoseconds, which
 * together change with every write that a file system can tell apart. The date is weaker (whole seconds),
 * so it is asked only where the request has no tag.
 *
 * Dates are written and read here, without the C library's calendar formats, because those speak the
 * language of the process's locale. Only the preferred form of a date is read; the two forms that are
 * obsolete since 1997 count as no date, which costs a transfer and nothing else.
 */

#include "h3/conditional.h"

#include <stdio.h>
#include <string.h>

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void wt__validators_init(struct wt__validators *validators, uint64_t size, time_t seconds, long nanoseconds) {
  snprintf(validators->etag, sizeof(validators->etag), "\"%llx-%llx-%lx\"", (unsigned long long)size,
           (unsigned long long)seconds, (unsigned long)nanoseconds);
  validators->modified = seconds;
}

/* --- Dates --- */

void wt__http_date_write(char *dst, time_t seconds) {
  struct tm tm;
  if (!gmtime_r(&seconds, &tm) || tm.tm_year < 0 || tm.tm_year > 8099) {
    seconds = 0;
    gmtime_r(&seconds, &tm);
  }
  snprintf(dst, WT__HTTP_DATE_MAX, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", day_names + 3 * tm.tm_wday,
           (unsigned)tm.tm_mday % 100u, month_names + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000u,
           (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

/* `count` digits at `s`, or -1. */
static int digits_read(const char *s, int count) {
  int value = 0;
  for (int i = 0; i < count; i++) {
    if (s[i] < '0' || s[i] > '9') return -1;
    value = value * 10 + (s[i] - '0');
  }
  return value;
}

bool wt__http_date_read(const char *s, time_t *seconds) {
  static const char form[] = "???, ?? ??? ???? ??:??:?? GMT";
  struct tm tm = {0};
  if (strlen(s) != sizeof(form) - 1) return false;
  for (size_t i = 0; i < sizeof(form) - 1; i++) {
    if (form[i] != '?' && form[i] != s[i]) return false;
  }
  tm.tm_mon = -1;
  for (int i = 0; i < 12; i++) {
    if (memcmp(s + 8, month_names + 3 * i, 3) == 0) tm.tm_mon = i;
  }
  tm.tm_mday = digits_read(s + 5, 2);
  tm.tm_year = digits_read(s + 12, 4) - 1900;
  tm.tm_hour = digits_read(s + 17, 2);
  tm.tm_min = digits_read(s + 20, 2);
  tm.tm_sec = digits_read(s + 23, 2);
  if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 0 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
      tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60) {
    return false;
  }
  *seconds = timegm(&tm);
  return true;
}

/* --- Tags --- */

/* Whether `list`, "*" or tags with commas between, has `etag`. `weak`: a W/ before a tag does not matter. */
static bool tags_have(const char *list, const char *etag, bool weak) {
  size_t len = strlen(etag);
  while (*list == ' ' || *list == '\t') list++;
  if (strcmp(list, "*") == 0) return true;
  while (*list) {
    bool is_weak = strncmp(list, "W/\"", 3) == 0;
    const char *end;
    if (is_weak) list += 2;
    if (*list != '"') {
      list++; /* a comma, a space, or nonsense */
      continue;
    }
    end = strchr(list + 1, '"');
    if (!end) return false;
    if ((weak || !is_weak) && (size_t)(end + 1 - list) == len && memcmp(list, etag, len) == 0) return true;
    list = end + 1;
  }
  return false;
}

/* --- Conditions --- */

/* In the order of RFC 9110, section 13.2.2. */
int wt__conditions_check(const struct wt__conditions *conditions, const struct wt__validators *validators) {
  time_t date;
  if (conditions->if_match) {
    if (!tags_have(conditions->if_match, validators->etag, false)) return 412;
  } else if (conditions->if_unmodified_since && wt__http_date_read(conditions->if_unmodified_since, &date)) {
    if (validators->modified > date) return 412;
  }
  if (conditions->if_none_match) {
    if (tags_have(conditions->if_none_match, validators->etag, true)) return 304;
  } else if (conditions->if_modified_since && wt__http_date_read(conditions->if_modified_since, &date)) {
    if (validators->modified <= date) return 304;
  }
  return 200;
}

bool wt__conditions_allow_range(const struct wt__conditions *conditions, const struct wt__validators *validators) {
  time_t date;
  if (!conditions->if_range) return true;
  if (conditions->if_range[0] == '"') return strcmp(conditions->if_range, validators->etag) == 0;
  return wt__http_date_read(conditions->if_range, &date) && date == validators->modified;
}
