/* SPDX-License-Identifier: MIT */

/*
 * Bounds that mean the same on both ends: time-outs, windows, and how much is kept for a peer.
 *
 * A bound of zero means zero and never "the default": the defaults come from `wt_server_config_default` and
 * `wt_client_config_default` alone. So a zero is an error where nothing could work with it (no unidirectional
 * streams: HTTP/3 needs three), and fine where it only switches something off (no early datagrams).
 *
 * Each message names the member and what it may be, since a program that sets twenty of them and hears
 * "invalid" is left guessing. docs/limits.md explains the defaults.
 */

#include "net/bounds.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_VARINT ((UINT64_C(1) << 62) - 1) /* RFC 9000, section 16 */
#define MAX_STREAMS (UINT64_C(1) << 60)      /* RFC 9000, section 4.6 */
#define MIN_WINDOW 1024                      /* RFC 9114, section 6.2: for each HTTP/3 stream */
#define MIN_STREAMS_UNI 3                    /* RFC 9114, section 6.2: control, two of QPACK */

void wt__check_fail(struct wt__check *check, const char *format, ...) {
  if (check->failed) return;
  check->failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(check->why, check->size, format, args);
  va_end(args);
}

void wt__check_range(struct wt__check *check, const char *name, uint64_t value, uint64_t min, uint64_t max) {
  if (value < min) {
    wt__check_fail(check, "%s is %llu, must be at least %llu", name, (unsigned long long)value,
                   (unsigned long long)min);
  } else if (value > max) {
    wt__check_fail(check, "%s is %llu, must be at most %llu", name, (unsigned long long)value, (unsigned long long)max);
  }
}

static void check_windows(struct wt__check *check, const struct wt__bounds *bounds) {
  WT__CHECK_RANGE(check, bounds, initial_max_data, MIN_WINDOW, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, initial_max_stream_data, MIN_WINDOW, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, max_data, bounds->initial_max_data, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, max_stream_data, bounds->initial_max_stream_data, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, max_streams_bidi, 1, MAX_STREAMS);
  WT__CHECK_RANGE(check, bounds, max_streams_uni, MIN_STREAMS_UNI, MAX_STREAMS);
  WT__CHECK_RANGE(check, bounds, wt_initial_max_data, 0, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, wt_max_data, 0, MAX_VARINT);
  WT__CHECK_RANGE(check, bounds, wt_max_streams_bidi, 0, MAX_STREAMS);
  WT__CHECK_RANGE(check, bounds, wt_max_streams_uni, 0, MAX_STREAMS);
}

void wt__bounds_check(const struct wt__bounds *bounds, struct wt__check *check) {
  WT__CHECK_RANGE(check, bounds, drafts, 1, WT_DRAFT_ALL);
  WT__CHECK_RANGE(check, bounds, idle_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, bounds, keep_alive_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, bounds, settings_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, bounds, early_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  check_windows(check, bounds);
  WT__CHECK_RANGE(check, bounds, max_connections, 1, SIZE_MAX);
  WT__CHECK_RANGE(check, bounds, max_header_bytes, 1, MAX_VARINT); /* a setting */
  WT__CHECK_RANGE(check, bounds, max_stream_send_buffer, 1, SIZE_MAX);
  WT__CHECK_RANGE(check, bounds, max_datagrams_queued, 1, SIZE_MAX);
  if (bounds->congestion_control > WT_CONGESTION_CONTROL_RENO) {
    wt__check_fail(check, "congestion_control is %llu, must be one of enum wt_congestion_control",
                   (unsigned long long)bounds->congestion_control);
  }
}

void wt__bounds_apply(const struct wt__bounds *bounds, struct wt__endpoint_config *endpoint) {
  struct wt__h3_config *h3 = &endpoint->h3;
  endpoint->idle_timeout_ms = bounds->idle_timeout_ms;
  endpoint->keep_alive_ms = bounds->keep_alive_ms;
  endpoint->max_connections = bounds->max_connections;
  endpoint->initial_max_data = bounds->initial_max_data;
  endpoint->max_data = bounds->max_data;
  endpoint->initial_max_stream_data = bounds->initial_max_stream_data;
  endpoint->max_stream_data = bounds->max_stream_data;
  endpoint->max_streams_bidi = bounds->max_streams_bidi;
  endpoint->max_streams_uni = bounds->max_streams_uni;
  endpoint->max_stream_send_buffer_grown = bounds->max_stream_send_buffer_grown;
  endpoint->congestion_control = (enum wt_congestion_control)bounds->congestion_control;
  h3->settings_timeout_ms = bounds->settings_timeout_ms;
  h3->max_sessions_per_connection = bounds->max_sessions_per_connection;
  h3->max_header_bytes = bounds->max_header_bytes;
  h3->drafts = (unsigned)bounds->drafts;
  h3->max_streams_bidi = bounds->max_streams_bidi;
  h3->max_stream_data = bounds->max_stream_data;
  h3->mux.max_stream_send_buffer = bounds->max_stream_send_buffer;
  h3->mux.max_datagrams_queued = bounds->max_datagrams_queued;
  h3->mux.max_early_streams = bounds->max_early_streams;
  h3->mux.max_early_datagrams = bounds->max_early_datagrams;
  h3->mux.early_timeout_ms = bounds->early_timeout_ms;
  h3->mux.flow.initial.data = bounds->wt_initial_max_data;
  h3->mux.flow.initial.streams[WT_BIDIRECTIONAL] = bounds->wt_max_streams_bidi;
  h3->mux.flow.initial.streams[WT_UNIDIRECTIONAL] = bounds->wt_max_streams_uni;
  h3->mux.flow.max_data = bounds->wt_max_data;
}
