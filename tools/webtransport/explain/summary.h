/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SUMMARY_H
#define WEBTRANSPORT_TOOL_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
  SUMMARY_SESSIONS = 64, /* that are shown; others are counted */
  SUMMARY_TEXT = 256,    /* bytes of a text that are shown */
};

struct summary_session {
  int64_t id, opened_at, closed_at; /* -1: it was not seen */
  char path[SUMMARY_TEXT], protocol[SUMMARY_TEXT], end[4 * SUMMARY_TEXT];
  int64_t draft, streams, bytes_sent, bytes_received, datagrams_sent, datagrams_received;
};

struct summary_packets {
  int64_t packets, bytes;
};

/* What is known of a connection. Its size does not depend on the log. */
struct summary {
  char connection[SUMMARY_TEXT], role[SUMMARY_TEXT], local[SUMMARY_TEXT], remote[SUMMARY_TEXT], end[4 * SUMMARY_TEXT];
  bool ours;                                        /* a log of this library */
  int64_t last_at, handshake_at, ended_at, version; /* -1: it was not seen */
  struct summary_packets sent, received;
  int64_t lost, paths, min_rtt, smoothed_rtt, window, cut_at;
  int64_t idle_timeout, max_datagram, max_data, max_streams_bidi, max_streams_uni; /* the peer's; -1: unknown */
  int64_t streams_opened, streams_reset, streams_stopped, streams_refused;
  int64_t datagrams_dropped, blocked, capsules_sent, capsules_received;
  struct summary_session sessions[SUMMARY_SESSIONS];
  size_t session_count, sessions_more;
};

/* Whether `record` begins a log. */
bool summary_is_first(const json_t *record);

/* From the first record. False: this is no qlog. */
bool summary_begin(struct summary *summary, const json_t *first);
/* Any other record. */
void summary_add(struct summary *summary, const json_t *record);
void summary_print(const struct summary *summary, FILE *out);

#endif
