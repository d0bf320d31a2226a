/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_COUNTS_H
#define WT_NET_COUNTS_H

/* The counts of a worker that other threads may read. See counts.c. */

#include <stdatomic.h>
#include <stdint.h>

struct wt__worker;

/* What `wt_server_get_stats` adds up over the workers. */
#define WT__COUNTS(X)           \
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
  X(memory_used)                \
  X(memory_refused_connections) \
  X(memory_refused_requests)    \
  X(memory_closed_connections)  \
  X(memory_refused_packets)     \
  X(streams_given_up)           \
  X(datagrams_sent)             \
  X(datagrams_dropped)          \
  X(datagrams_expired)          \
  X(long_turns)                 \
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

/* And of which it gives the largest. */
#define WT__MAXIMA(X) \
  X(longest_turn_us)  \
  X(longest_visit_us) \
  X(longest_datagram_delay_us)

struct wt__counts {
#define WT__COUNT_MEMBER(name) _Atomic uint64_t name;
  WT__COUNTS(WT__COUNT_MEMBER)
  WT__MAXIMA(WT__COUNT_MEMBER)
#undef WT__COUNT_MEMBER
};

/* Makes the worker's counts known to other threads. */
void wt__counts_publish(struct wt__worker *worker);

#endif
