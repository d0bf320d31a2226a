/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_BOUNDS_H
#define WT_NET_BOUNDS_H

/* The part of a configuration that a server's and a client's have in common: checked, and handed to the endpoint. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

#define WT__BOUNDS_MAX_MS UINT64_C(0xffffffff) /* 49 days; in nanoseconds far from overflow */

/* Members that both configurations have, under the same names. */
#define WT__BOUNDS_LIST(X)       \
  X(idle_timeout_ms)             \
  X(keep_alive_ms)               \
  X(settings_timeout_ms)         \
  X(early_timeout_ms)            \
  X(initial_max_data)            \
  X(max_data)                    \
  X(initial_max_stream_data)     \
  X(max_stream_data)             \
  X(max_streams_bidi)            \
  X(max_streams_uni)             \
  X(wt_initial_max_data)         \
  X(wt_max_data)                 \
  X(wt_max_streams_bidi)         \
  X(wt_max_streams_uni)          \
  X(drafts)                      \
  X(max_connections)             \
  X(max_sessions_per_connection) \
  X(max_header_bytes)            \
  X(max_stream_send_buffer)      \
  X(max_datagrams_queued)        \
  X(max_early_streams)           \
  X(max_early_datagrams)         \
  X(congestion_control)          \
  X(max_stream_send_buffer_grown)

struct wt__bounds {
#define WT__BOUNDS_MEMBER(name) uint64_t name;
  WT__BOUNDS_LIST(WT__BOUNDS_MEMBER)
#undef WT__BOUNDS_MEMBER
};

#define WT__KIB UINT64_C(1024)
#define WT__MIB (1024 * WT__KIB)

/* Their defaults, for an initializer of either configuration. */
#define WT__BOUNDS_DEFAULTS                                                                                           \
  .idle_timeout_ms = 30000, .keep_alive_ms = 15000, .settings_timeout_ms = 5000, .early_timeout_ms = 5000,            \
  .drafts = WT_DRAFT_ALL, .max_connections = 65536, .initial_max_data = WT__MIB, .max_data = 16 * WT__MIB,            \
  .initial_max_stream_data = 256 * WT__KIB, .max_stream_data = 6 * WT__MIB, .max_streams_bidi = 256,                  \
  .max_streams_uni = 256, .wt_initial_max_data = WT__MIB, .wt_max_data = 16 * WT__MIB, .wt_max_streams_bidi = 100,    \
  .wt_max_streams_uni = 100, .max_sessions_per_connection = 16, .max_header_bytes = 16 * WT__KIB,                     \
  .max_stream_send_buffer = WT__MIB, .max_datagrams_queued = 256, .max_early_streams = 64, .max_early_datagrams = 64, \
  .congestion_control = WT_CONGESTION_CONTROL_CUBIC, .max_stream_send_buffer_grown = 16 * WT__MIB

/* Copies the members of `config`, of either type, to `bounds`. */
#define WT__BOUNDS_COPY(name) wt__bounds_to->name = wt__bounds_from->name;
#define WT__BOUNDS_OF(bounds, type, config)      \
  do {                                           \
    struct wt__bounds *wt__bounds_to = (bounds); \
    const type *wt__bounds_from = (config);      \
    WT__BOUNDS_LIST(WT__BOUNDS_COPY)             \
  } while (0)

/* The first thing found wrong is the one that is told. */
struct wt__check {
  char *why;
  size_t size;
  bool failed;
};

void wt__check_fail(struct wt__check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wt__check_range(struct wt__check *check, const char *name, uint64_t value, uint64_t min, uint64_t max);
#define WT__CHECK_RANGE(check, config, member, min, max) wt__check_range(check, #member, (config)->member, min, max)

void wt__bounds_check(const struct wt__bounds *bounds, struct wt__check *check);
/* Fills the members of `endpoint` and of its `h3` that are about these. */
void wt__bounds_apply(const struct wt__bounds *bounds, struct wt__endpoint_config *endpoint);

#endif
