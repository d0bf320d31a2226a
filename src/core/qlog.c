/* SPDX-License-Identifier: MIT */

/*
 * The qlog of a connection has two writers: ngtcp2, which writes the first record and all about packets, and this library's
 * layers. Both use the same clock, whole milliseconds since the connection began, so times never go back within the log.
 */

#include "core/qlog.h"

#include "base/clock.h"

void wt__qlog_write(struct wt__qlog *qlog, const void *data, size_t len, bool last) {
  qlog->open = !last;
  qlog->sink.function(qlog->connection, &qlog->log, data, len, last, qlog->sink.user_data);
}

void wt__qlog_begin(const struct wt__qlog *qlog, struct wt__qlog_record *record, const char *name) {
  uint64_t now = *qlog->now;
  wt__qlog_record_begin(record, now > qlog->began ? (now - qlog->began) / WT__NS_PER_MS : 0, name);
}

void wt__qlog_end(struct wt__qlog *qlog, struct wt__qlog_record *record) {
  wt__qlog_record_end(record);
  if (qlog->open) wt__qlog_write(qlog, record->text, record->len, false);
}
