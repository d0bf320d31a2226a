/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_QLOG_H
#define WT_CORE_QLOG_H

/* Where the qlog of a connection goes. A connection that is not logged has none: its pointer is NULL, and each layer asks
 * only that before it makes an event. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/qlog.h>

#include "wire/qlog_record.h"

/* Of a server or client. */
struct wt__qlog_sink {
  wt_qlog_callback function; /* NULL: nothing is logged */
  void *user_data;
};

struct wt__qlog {
  struct wt__qlog_sink sink;
  const char *connection; /* its name; outlives this */
  void *log;              /* what `sink` keeps there */
  const uint64_t *now;    /* the time of the endpoint, in nanoseconds */
  uint64_t began;         /* when the connection began */
  bool open;              /* the first record was written, the last was not */
};

/* Passes on what ngtcp2 or `wt__qlog_end` has written. */
void wt__qlog_write(struct wt__qlog *qlog, const void *data, size_t len, bool last);

/* An event of ours: between these two, wt__qlog_record_... add members. An event before the first record of ngtcp2, or after
 * the last one, is not written. */
void wt__qlog_begin(const struct wt__qlog *qlog, struct wt__qlog_record *record, const char *name);
void wt__qlog_end(struct wt__qlog *qlog, struct wt__qlog_record *record);

#endif
