/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_QLOG_RECORD_H
#define WT_WIRE_QLOG_RECORD_H

/* One event of a qlog, as JSON-SEQ (RFC 7464). See qlog_record.c. */

#include <stddef.h>
#include <stdint.h>

#define WT__QLOG_TEXT_MAX 512    /* bytes of a text that are kept */
#define WT__QLOG_RECORD_MAX 4096 /* of a record: two texts of which each byte is escaped, and all else */

struct wt__qlog_record {
  size_t len;
  char text[WT__QLOG_RECORD_MAX];
};

/* Begins an event `name`, of the time `ms`, in milliseconds since the connection began. */
void wt__qlog_record_begin(struct wt__qlog_record *record, uint64_t ms, const char *name);
/* Adds a member to its data. `key` is one of ours: it is not escaped. */
void wt__qlog_record_number(struct wt__qlog_record *record, const char *key, uint64_t value);
/* `len` bytes that a stranger may have written: cut, and without what is no text. */
void wt__qlog_record_text(struct wt__qlog_record *record, const char *key, const char *text, size_t len);
/* Ends it: `text` has `len` bytes to write. */
void wt__qlog_record_end(struct wt__qlog_record *record);

#endif
