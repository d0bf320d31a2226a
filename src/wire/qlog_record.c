/* SPDX-License-Identifier: MIT */

/*
 * Our own records in the qlog of a connection stand between those of ngtcp2, so they look the same:
 *
 *   0x1e {"time":12,"name":"webtransport:session_opened","data":{"session_id":0,"path":"/chat"}} newline
 *
 * Texts come from the peer. Control characters and bytes that are not UTF-8 become '?' (utf8.h), so only quotes and
 * backslashes are left to escape. A text has a bound, so has a record: it needs no allocation. What does not fit is left out
 * as a whole member, and the record is valid JSON all the same.
 */

#include "wire/qlog_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/utf8.h"

#define END "}}\n"

/* Adds a formatted member, or nothing if it does not fit before the end. */
static void record_add(struct wt__qlog_record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void record_add(struct wt__qlog_record *record, const char *format, ...) {
  size_t room = sizeof(record->text) - sizeof(END) - record->len;
  va_list args;
  va_start(args, format);
  int len = vsnprintf(record->text + record->len, room, format, args);
  va_end(args);
  if (len > 0 && (size_t)len < room) record->len += (size_t)len;
}

/* The comma before a member that is not the first. */
static const char *record_comma(const struct wt__qlog_record *record) {
  return record->text[record->len - 1] == '{' ? "" : ",";
}

void wt__qlog_record_begin(struct wt__qlog_record *record, uint64_t ms, const char *name) {
  record->len = 0;
  record_add(record, "\x1e{\"time\":%" PRIu64 ",\"name\":\"%s\",\"data\":{", ms, name);
}

void wt__qlog_record_number(struct wt__qlog_record *record, const char *key, uint64_t value) {
  record_add(record, "%s\"%s\":%" PRIu64, record_comma(record), key, value);
}

void wt__qlog_record_text(struct wt__qlog_record *record, const char *key, const char *text, size_t len) {
  char shown[WT__QLOG_TEXT_MAX + 1], escaped[2 * WT__QLOG_TEXT_MAX + 1];
  size_t at = 0;
  (void)wt__utf8_show(shown, sizeof(shown), text, len);
  for (const char *c = shown; *c; c++) {
    if (*c == '"' || *c == '\\') escaped[at++] = '\\';
    escaped[at++] = *c;
  }
  escaped[at] = '\0';
  record_add(record, "%s\"%s\":\"%s\"", record_comma(record), key, escaped);
}

void wt__qlog_record_end(struct wt__qlog_record *record) {
  memcpy(record->text + record->len, END, sizeof(END) - 1);
  record->len += sizeof(END) - 1;
}
