/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVER_METRICS_H
#define WEBTRANSPORT_TOOL_SERVER_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include <webtransport/metrics.h>

/* The counts of a server, for JSON. For metrics the library has its own names. */
#define SERVER_STATS(X)         \
  X(connections_open)           \
  X(connections_total)          \
  X(connections_refused)        \
  X(sessions_open)              \
  X(sessions_total)             \
  X(requests_total)             \
  X(handshakes_open)            \
  X(handshakes_evicted)         \
  X(handshakes_dropped)         \
  X(packets_received)           \
  X(packets_sent)               \
  X(bytes_received)             \
  X(bytes_sent)                 \
  X(packets_handed_over)        \
  X(packets_dropped)            \
  X(memory_used)                \
  X(memory_refused_connections) \
  X(memory_refused_requests)    \
  X(memory_refused_packets)     \
  X(memory_closed_connections)  \
  X(streams_given_up)           \
  X(datagrams_sent)             \
  X(datagrams_dropped)          \
  X(datagrams_expired)          \
  X(longest_datagram_delay_us)  \
  X(longest_turn_us)            \
  X(current_turn_us)            \
  X(long_turns)                 \
  X(longest_visit_us)           \
  X(packets_put_off)            \
  X(packets_cut_off)            \
  X(turns)                      \
  X(turns_idle)                 \
  X(timers_set)                 \
  X(timers_fired)               \
  X(takeover_packets_out)       \
  X(takeover_packets_in)        \
  X(takeover_packets_dropped)   \
  X(packets_sent_ack)           \
  X(packets_sent_probe)

/* The format that a request with this Accept field gets; NULL: it has none. */
enum wt_metrics_format metrics_format_of(const char *accept);

/* Writes one number in Prometheus' older format. `type` is "gauge" or "counter"; names of counters end in _total, which is
 * added. */
void metric_print(FILE *out, const char *name, const char *type, const char *help, uint64_t value);

/* Writes the value of a label, without its quotes: with '\\', '"' and line ends escaped. If it is not UTF-8, for which readers
 * refuse the whole text, all bytes beyond ASCII are %-encoded. */
void metric_label_print(FILE *out, const char *value);

/* Returns the metrics of a server, to be freed by the caller. NULL: out of memory. Where `wt_server_write_metrics` may be
 * called. */
char *server_metrics_text(const wt_server *server, enum wt_metrics_format format);

/* Puts the tool's own metrics, in Prometheus' older format, before those of the server, which are in `format`. Takes over
 * both texts. NULL: out of memory, or one of them was NULL. */
char *metrics_join(char *own, char *server, enum wt_metrics_format format);

#endif
