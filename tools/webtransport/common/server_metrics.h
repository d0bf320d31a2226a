/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVER_METRICS_H
#define WEBTRANSPORT_TOOL_SERVER_METRICS_H

#include <stdio.h>

#include <webtransport/server.h>

/* The counts of a server, with their types and what they mean. This list makes the names in every format. */
#define SERVER_STATS(X)                                                                                 \
  X(connections_open, "gauge", "Connections that are open")                                             \
  X(connections_total, "counter", "Connections since the start")                                        \
  X(connections_refused, "counter", "Connections refused because others were open")                     \
  X(sessions_open, "gauge", "WebTransport sessions that are open")                                      \
  X(sessions_total, "counter", "WebTransport sessions since the start")                                 \
  X(requests_total, "counter", "HTTP/3 requests since the start")                                       \
  X(handshakes_open, "gauge", "Handshakes that are not finished")                                       \
  X(handshakes_evicted, "counter", "Unfinished handshakes that gave way to new ones")                   \
  X(handshakes_dropped, "counter", "Handshakes dropped because those of an address gave way too often") \
  X(packets_received, "counter", "UDP datagrams received")                                              \
  X(packets_sent, "counter", "UDP datagrams sent")                                                      \
  X(bytes_received, "counter", "Bytes of UDP payload received")                                         \
  X(bytes_sent, "counter", "Bytes of UDP payload sent")                                                 \
  X(memory_used, "gauge", "Bytes that connections hold")                                                \
  X(memory_refused_connections, "counter", "Connections refused because memory was full")               \
  X(memory_refused_requests, "counter", "Requests refused because memory was full")                     \
  X(memory_refused_packets, "counter", "Packets refused because memory was full")                       \
  X(memory_closed_connections, "counter", "Connections closed because of their memory")                 \
  X(streams_given_up, "counter", "Streams given up because the client did not move them")               \
  X(datagrams_sent, "counter", "Datagrams of sessions sent")                                            \
  X(datagrams_dropped, "counter", "Datagrams of sessions dropped because too many waited")              \
  X(datagrams_expired, "counter", "Datagrams of sessions dropped because they waited too long")         \
  X(longest_datagram_delay_us, "gauge", "Microseconds that a datagram waited to be sent at most")       \
  X(longest_turn_us, "gauge", "Microseconds of the longest turn of the loop")                           \
  X(long_turns, "counter", "Turns of the loop of more than 10 ms")                                      \
  X(longest_visit_us, "gauge", "Microseconds that one connection took in a turn at most")               \
  X(packets_put_off, "counter", "Packets put off because their connection took long")                   \
  X(packets_cut_off, "counter", "Packets dropped because too many were put off")                        \
  X(turns, "counter", "Turns of the loop")                                                              \
  X(turns_idle, "counter", "Turns of the loop in which no packet came or went")                         \
  X(timers_set, "counter", "Times that the timer of the kernel was set")                                \
  X(timers_fired, "counter", "Turns of the loop that a timer began")                                    \
  X(takeover_packets_out, "counter", "Packets handed to an older process")                              \
  X(takeover_packets_in, "counter", "Packets that a newer process handed over")                         \
  X(takeover_packets_dropped, "counter", "Packets lost on the way between processes")                   \
  X(packets_sent_ack, "counter", "UDP datagrams sent with nothing but an acknowledgement")              \
  X(packets_sent_probe, "counter", "UDP datagrams sent only to be acknowledged")

/* Writes the counts of a server in Prometheus' format. */
void server_metrics_print(FILE *out, const struct wt_server_stats *stats);

/* Writes one number. `type` is "gauge" or "counter"; in Prometheus, names of counters end in _total, which is added. */
void metric_print(FILE *out, const char *name, const char *type, const char *help, uint64_t value);

#endif
