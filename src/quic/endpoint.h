/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ENDPOINT_H
#define WT_QUIC_ENDPOINT_H

/*
 * The QUIC side of a server or client without its sockets: packets in, packets out, time as an argument. It
 * finds the connection of each packet, makes new ones, and answers what belongs to none: version negotiation,
 * Retry, stateless reset, refusal. The net layer puts sockets and a timer around it; the loopback tests
 * put memory and a virtual clock. Without a server's TLS it accepts no connection and answers nothing: a
 * client's endpoint, whose connections are those of `wt__endpoint_connect`.
 *
 * Times are nanoseconds of one monotonic clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <webtransport/server.h>

#include "base/log.h"
#include "core/qlog.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "quic/tls.h"

#define WT__MAX_BATCH 65000 /* bytes in one call of `send` */
#define WT__MAX_RUNS 32     /* runs of packets in one call of `send_runs` */

struct wt__conn;
struct wt__thread_time;

/* The two addresses of a packet, and the socket it came in on or leaves by. */
struct wt__path {
  struct sockaddr_storage local, remote;
  socklen_t local_len, remote_len;
  void *socket;
};

/*
 * Sends `len` bytes: packets of `segment` bytes each, the last one possibly shorter. Returns 0, also for
 * what the network may do with packets anyway (lose them), or WT_ERR_AGAIN if the socket is full: the
 * endpoint then keeps them and waits for `wt__endpoint_writable`. WT_ERR_TOO_LARGE: packets of `segment` bytes were
 * lost because the interface takes none of this size.
 */
typedef int (*wt__endpoint_send)(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                                 size_t segment);

/* Packets that one call sends: to one peer, with the same ECN mark, all of `segment` bytes but the last. */
struct wt__packet_run {
  struct wt__path path;
  unsigned ecn;
  const uint8_t *data;
  size_t len, segment, count;
  struct wt__conn *conn; /* whose packets they are; NULL: it is gone */
};

/*
 * Sends `count` runs, of one socket and for different peers, as far as one system call takes them. Returns how many of
 * them it took, which may be none. Why it did not take the next one is not told: the endpoint gives that one to
 * `wt__endpoint_send`.
 */
typedef size_t (*wt__endpoint_send_runs)(void *ctx, const struct wt__packet_run *runs, size_t count);

/* Forwards a packet that came here and belongs to a connection of `worker`. It is copied, or lost. */
typedef void (*wt__endpoint_forward)(void *ctx, unsigned worker, const struct wt__path *path, unsigned ecn,
                                     const uint8_t *data, size_t len);

/* How a packet came here. */
enum wt__origin_from {
  WT__FROM_SOCKET,
  WT__FROM_SUCCESSOR,   /* the process that has taken over handed it over: it may be for a connection of ours */
  WT__FROM_PREDECESSOR, /* we asked an older process about it, and it is not its own */
};

struct wt__origin {
  enum wt__origin_from from;
  uint8_t slot;    /* which older process was asked */
  uint16_t worker; /* whose worker asked */
};

/* Gives a packet of no connection of this server to another process, which may know it; see net/neighbours.c. `first`: a
 * client's first packet, whose id is the client's. `wt__endpoint_origin` says how it came. False: it is ours. */
typedef bool (*wt__endpoint_hand_over)(void *ctx, bool first, const struct wt__path *path, unsigned ecn,
                                       const uint8_t *data, size_t len);

struct wt__endpoint_config {
  struct wt__tls_context *tls; /* NULL: a client's endpoint */
  struct wt__h3_config h3;
  wt__endpoint_send send;
  wt__endpoint_send_runs send_runs; /* NULL: there is only `send` */
  void *send_ctx;
  const struct wt__log *log;
  struct wt__qlog_sink qlog;
  uint64_t (*clock)(void *ctx); /* what time it is now, for budgets (quic/turn.h); NULL: there are none */
  /* What the thread has had of a processor (quic/lost_time.h); false: not known. NULL: all time was the thread's. */
  bool (*thread_time)(void *ctx, struct wt__thread_time *time);
  void *clock_ctx;                    /* of both */
  uint64_t (*time_of_day)(void *ctx); /* nanoseconds since 1970, for tokens of a fleet; NULL: the `now` of a call */
  void *time_of_day_ctx;

  uint64_t idle_timeout_ms, keep_alive_ms, handshake_timeout_ms;
  enum wt_retry retry;
  size_t retry_threshold, max_connections, max_connections_per_address;
  size_t max_handshakes_per_address; /* 0: as many as connections */
  size_t max_memory;                 /* of the server, for what its connections hold; 0: no limit */

  /* A server with several workers has an endpoint for each, on a thread of its own. All NULL and 0: there is one. */
  unsigned worker, workers;
  struct wt__shared *shared;  /* quic/shared.h */
  struct wt__cid_shared *ids; /* quic/cid_maker.h; NULL: random connection ids */
  wt__endpoint_forward forward;
  void *forward_ctx;
  wt__endpoint_hand_over hand_over; /* with `forward_ctx`; NULL: there is never another process */
  bool steered;                     /* a client's first packet, too, belongs to the worker that its id names */

  uint64_t initial_max_data, max_data, initial_max_stream_data, max_stream_data;
  uint64_t max_streams_bidi, max_streams_uni;
  enum wt_congestion_control congestion_control; /* of connections that clients begin */
  size_t max_stream_send_buffer_grown;           /* see congestion.c; 0: queues do not grow */
};

struct wt__endpoint_stats {
  uint64_t connections_open, connections_total, connections_refused;
  uint64_t handshakes_open, handshakes_evicted, handshakes_dropped;
  uint64_t packets_received, packets_sent, bytes_received, bytes_sent;
  uint64_t acks_sent, probes_sent; /* of the packets: for nothing but an acknowledgement, to give one or to get one */
  uint64_t memory_used;            /* by this endpoint's connections, in bytes */
  uint64_t memory_refused_connections, memory_refused_packets, memory_closed_connections;
  uint64_t longest_visit; /* of one connection in one turn, in nanoseconds */
  uint64_t packets_put_off,
      packets_cut_off; /* packets that waited behind other connections' packets; packets dropped because too many waited */
};

struct wt__endpoint;

/* `config` is copied; what it points to outlives the endpoint. WT_ERR_NOMEM. */
int wt__endpoint_new(struct wt__endpoint **endpoint, const struct wt__endpoint_config *config);

/* Closes what is left without sending anything, and frees it all. */
void wt__endpoint_free(struct wt__endpoint *endpoint);

/* One UDP datagram arrived. Connections it touched are run by the next `wt__endpoint_run`. */
void wt__endpoint_recv(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                       size_t len, uint64_t now);

/* The same for one that did not come from a socket of this worker. */
void wt__endpoint_recv_from(struct wt__endpoint *endpoint, const struct wt__origin *origin, const struct wt__path *path,
                            unsigned ecn, const uint8_t *data, size_t len, uint64_t now);
/* Of the packet that is being received, for `forward` and `hand_over`. */
struct wt__origin wt__endpoint_origin(const struct wt__endpoint *endpoint);

/* Whether another batch of packets may be read in this turn. */
bool wt__endpoint_may_receive(struct wt__endpoint *endpoint);

/* One pass, which ends a turn: timers that are due, put-off work, and packets of every connection that was touched or
 * woken. Work that takes too long for one turn is left for the next; `wt__endpoint_expiry` then says "at once". */
void wt__endpoint_run(struct wt__endpoint *endpoint, uint64_t now);

/* Runs each connection that is ready once, however long all of them take: before an end, after which nothing is run. */
void wt__endpoint_flush(struct wt__endpoint *endpoint, uint64_t now);

/* What a connection of a client needs to know. */
struct wt__connect_options {
  struct wt__tls_client *tls; /* outlives the connection */
  const char *server_name;    /* a DNS name or an IP address without brackets; copied */
  uint32_t version;           /* QUIC version of the first packet: 1, or that of version 2; 0: version 1 */
  /* "host:port" under which session tickets and tokens are kept in `tls`, and taken from it; NULL: neither. Copied. */
  const char *resumption_key;
  enum wt_congestion_control congestion_control;
  struct wt__h3_client_callbacks callbacks;
  void *user_data;
};

/* Begins a connection to `path->remote`. `*h3` can be asked for sessions at once (h3/client.h); they wait for the
 * handshake and the server's SETTINGS. It lives until its `on_end`, which is called exactly once. WT_ERR_NOMEM,
 * WT_ERR_TLS, WT_ERR_INVALID; no callback follows an error. */
int wt__endpoint_connect(struct wt__endpoint *endpoint, const struct wt__path *path,
                         const struct wt__connect_options *options, uint64_t now, struct wt__h3_conn **h3);

/* When the next pass is due; 0: at once (a connection was woken); UINT64_MAX: never. */
uint64_t wt__endpoint_expiry(const struct wt__endpoint *endpoint);

/* The socket of `path` takes packets again. */
void wt__endpoint_writable(struct wt__endpoint *endpoint, uint64_t now);

/* Orderly: no new connections, GOAWAY on those that are. */
void wt__endpoint_shutdown(struct wt__endpoint *endpoint, uint64_t now);
/* Whether new connections are refused, while those that are there go on. Not any more: also not for a shutdown. */
void wt__endpoint_refuse(struct wt__endpoint *endpoint, bool on);
/* Called about once a second, it rids the endpoint of connections without a request or session: GOAWAY first, for the
 * client to make another connection, and a close some calls later. Not inside callbacks. */
void wt__endpoint_retire(struct wt__endpoint *endpoint, uint64_t now);
/* No connection has a request or session (connections may still be open). */
bool wt__endpoint_is_idle(const struct wt__endpoint *endpoint);
/* A close capsule for every session, with code 0 and that reason; the next pass sends it. Not inside callbacks. */
void wt__endpoint_close_sessions(struct wt__endpoint *endpoint, const char *reason, uint64_t now);
/* CONNECTION_CLOSE (H3_NO_ERROR) on every connection, which end at once. */
void wt__endpoint_close(struct wt__endpoint *endpoint, uint64_t now);

/* When the last turn ended, by the clock; 0 without one. */
uint64_t wt__endpoint_ended_at(const struct wt__endpoint *endpoint);

/* Packets received and sent. */
uint64_t wt__endpoint_packets(const struct wt__endpoint *endpoint);
void wt__endpoint_get_stats(const struct wt__endpoint *endpoint, struct wt__endpoint_stats *stats);

#endif
