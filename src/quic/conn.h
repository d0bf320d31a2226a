/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CONN_H
#define WT_QUIC_CONN_H

/*
 * What the files of this folder share: an endpoint and its connections.
 *
 *   endpoint.c    which connection is run when
 *   accept.c      packets that belong to no connection
 *   answers.c     answers to them
 *   path.c        paths and addresses
 *   admit.c       who may begin a connection, and who gives way
 *   half_open.c   connections whose handshake is not done, by age and address
 *   shared.c      what the endpoints of a server share
 *   client.c      connections that begin here
 *   client_keep.c what they keep for the next one
 *   client_end.c  why there is none
 *   conn.c        a connection's life: made, fed, timed, closed
 *   wake.c        what other files ask of it
 *   callbacks.c   what ngtcp2 reports, for h3
 *   transport.c   what h3 asks for (wt_transport)
 *   datagram_len.c  how long datagrams may be
 *   ending.c      why a connection ended
 *   info.c        what is known of a connection, for diagnosis
 *   idle.c        the idle timeout, and what keeps a connection from it
 *   memory.c      a client's tickets and tokens for the next connection
 *   write.c       packets of one connection
 *   probe.c       a full window that nothing would open again
 *   path_mtu.c    how large packets may be on a path that has changed
 *   path_watch.c  what packets and silence tell about the path
 *   handshake_path.c  a client whose address changes inside the handshake
 *   rebinding.c   a client whose NAT gives it one port after another
 *   blocks.c      the memory that ngtcp2 has
 *   read_limit.c  how much of it a peer's packets may take
 *   budget.c      the memory that all connections have, and what follows from it
 *   evict.c       who has to go when memory stays full
 *   window.c      how much the peer may send
 *   packet_keys.c keys of 1-RTT packets, and what encrypts with them
 *   crypto_in.c   gaps in the handshake's bytes
 *   reset_at_*.c  RESET_STREAM_AT, which ngtcp2 does not know
 *   batch.c       packets on their way to the socket
 *   turn.c        how long one connection may keep the others waiting
 */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/pool.h"
#include "base/rate.h"
#include "core/ending.h"
#include "quic/batch.h"
#include "quic/blocks.h"
#include "quic/budget.h"
#include "quic/cid.h"
#include "quic/crypto_in.h"
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/packet_keys.h"
#include "quic/path_mtu.h"
#include "quic/peer_address.h"
#include "quic/read_limit.h"
#include "quic/reset_at.h"
#include "quic/shared.h"
#include "quic/token.h"
#include "quic/turn.h"
#include "quic/window.h"
#include "wire/quic_frame.h"

#define WT__CONN_REASON_MAX 256  /* bytes of a CONNECTION_CLOSE's reason */
#define WT__MAX_PAYLOAD 1472     /* of a UDP datagram that we send */
#define WT__MAX_STOPS 512        /* STOP_SENDING frames of one UDP datagram that are looked at */
#define WT__MS UINT64_C(1000000) /* nanoseconds */
#define WT__RESETS_BURST 64      /* stateless resets at once */
#define WT__RESETS_RATE 128      /* and a second */
#define WT__ADMIT_LINES_BURST 10 /* lines in the log about who is not admitted, and who gives way; about ends as many */
#define WT__ADMIT_LINES_RATE 1   /* and a second */
#define WT__SESSION_LINES_BURST 100 /* the same about sessions that begin: an ordinary server's log is complete */
#define WT__SESSION_LINES_RATE 100
#define WT__ADDRESS_TEXT_MAX 64

/*
 *   OPEN ---- CONNECTION_CLOSE sent ------> CLOSING --+
 *     |                                               +-- 3 PTO --> freed
 *     +------ CONNECTION_CLOSE received --> DRAINING -+
 *     +------ idle, refused, dropped ---------------------------> freed
 */
enum wt__conn_state {
  WT__CONN_OPEN,
  WT__CONN_CLOSING,
  WT__CONN_DRAINING
};

struct wt__stop {
  int64_t id;
  uint64_t code;
};

/* What answers packets of a peer that has missed our CONNECTION_CLOSE. */
struct wt__conn_answer {
  struct wt__path path;
  uint64_t seen, due; /* packets; the count at which the next answer is due */
  size_t len;
  uint8_t packet[];
};

/* For `wt__conn_get_info`. */
struct wt__conn_texts {
  char peer[WT__ADDRESS_TEXT_MAX], local[WT__ADDRESS_TEXT_MAX];
};

/* Of a server, until the handshake is done and ngtcp2 has left the client's first address: see handshake_path.c. */
struct wt__handshake_path {
  struct wt__peer_address known_at,
      now_at;              /* the address that ngtcp2 knows, and the one that stands in for it; none: itself */
  uint64_t received, sent; /* bytes from and to the latter */
  bool opened;             /* a packet of the datagram being read could be decrypted */
};

struct wt__conn {
  struct wt__endpoint *endpoint;
  enum wt__conn_state state;
  struct wt__link link;  /* in `conns`, later in `ended` */
  struct wt__link queue; /* in `ready`, `round` or `waiting` */
  bool waiting;          /* in the latter */
  struct wt__lane lane;
  struct wt__heap_node timer;
  struct wt__list cids;

  /* NULL once the connection is no longer open. `h3` is made when the keys for its first bytes are there. */
  ngtcp2_conn *quic;
  struct wt__blocks blocks; /* memory of `quic` */
  struct wt__gauge gauge;   /* what the connection holds */
  size_t most_streams;      /* of the peer and ours, that could be read at a time */
  size_t uncounted;         /* in it: an estimate of what is not counted block by block */
  struct wt__window window;
  uint64_t admitted_at; /* the last small packet taken from a connection that holds more than its share */
  struct wt__packet_keys keys;
  struct wt__tls *tls;
  struct wt__h3_conn *h3;
  bool client;         /* this end began it; `h3` is there from the beginning */
  bool can_start;      /* 1-RTT packets can be written */
  bool handshake_done; /* the handshake is done */
  bool counted;        /* among the established ones of its address, under `peer_key` */
  bool withheld;       /* what was read is not given back for want of memory */
  bool probe_wanted;   /* see probe.c */
  bool challenged;     /* likewise, of a client */
  bool settled;        /* the last pass has left nothing to send */
  int64_t acked_id; /* of the stream whose bytes below `acked` are acknowledged, which h3 was not told yet; -1: none */
  uint64_t acked;
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received; /* UDP payloads, for statistics */
  uint64_t peer_key;
  struct wt__half_open_entry half_open; /* of a server, until the handshake is done */
  uint64_t born_at, handshake_done_at;  /* beginning; end of the handshake */
  bool keep_alive;                      /* PINGs are wanted, this often: */
  uint64_t keep_alive_interval;         /* UINT64_MAX: never */
  uint64_t pto;                         /* the probe timeout when it was run last; 0: it was not */
  uint64_t idle_announced;              /* the lower idle timeout of both ends, UINT64_MAX: none */
  uint64_t resting_at;                  /* when it gives back what only packets need; UINT64_MAX: it has */

  /* Of a client: what it keeps for its next connection, and under which name; NULL: nothing. */
  struct wt__memory *memory;
  char *memory_key;
  unsigned tokens; /* that were kept */
  /* The token that was sent, until the server answers. */
  struct wt__memory_item *token;

  /* Set by `close_connection`, acted upon outside of all callbacks. */
  bool close_wanted;
  enum wt_party close_party;
  uint64_t close_code;
  char *close_reason; /* NULL: none; at last, the peer's reason phrase */

  /* Why it ends, for `wt__conn_free`; `has_ending`: known better than from its arguments. */
  bool has_ending, stateless_reset;
  struct wt__ending ending;

  struct wt__conn_answer *answer; /* while CLOSING */

  /* STOP_SENDING frames of the datagram being read. */
  struct wt__stop *stops;
  size_t stops_len;

  struct wt__handshake_path handshake_path;
  bool stifled; /* by it: what is due may have to wait for packets of the client */

  /* Of a server: the peer's address has changed and is not validated; the last one that was. */
  bool unproven;
  struct wt__peer_address proven, alias; /* the latter: what ngtcp2 takes for the present one; none: that itself */
  struct wt__rebinding *rebinding;       /* of the packet that is being read; NULL: none, or none that matters */

  /* See path_watch.c. Times are 0 where there is nothing. */
  struct wt__path_mtu mtu;
  uint64_t last_sent, highest_acked; /* packet numbers of 1-RTT packets */
  size_t number_len;                 /* bytes of the last one's packet number */
  size_t max_datagram_len;           /* payload of a DATAGRAM frame; what h3 was told */
  size_t packet_len, cid_len;        /* what it follows from; 0: not known yet */
  uint64_t watch_due;                /* the next time that something is due */
  uint64_t unheard_since;            /* packets wait for an acknowledgement, and none came since */
  uint64_t quiet_since;              /* the last packet of the handshake came */
  bool unmarked;                     /* packets bear no ECN mark */
  bool unheard_for_good;             /* for the idle timeout: the connection is closed for that */
  /* Of a client: */
  uint64_t heard_at;    /* when the last bytes came, and more are to come */
  uint64_t padded_at;   /* the last one that was padded */
  uint64_t pinged_at;   /* when it asked whether the other side is there */
  unsigned heard_count; /* packets with bytes that came without a pause */
  bool ping_wanted;

  struct wt__crypto_in crypto_in;
  struct wt__reset_at_recv reset_in;
  struct wt__reset_at_send reset_out;

  struct wt__conn_texts *texts;       /* NULL before they were asked for */
  char name[2 * WT__CID_MAX_LEN + 1]; /* the client's first id in hex, for the log */
};

struct wt__endpoint {
  struct wt__endpoint_config config;
  struct wt__cid_map cids;
  struct wt__shared own, *shared; /* the latter: `own`, or that of the server */
  struct wt__list conns, ended;   /* open ones; closing and draining ones, oldest first */
  size_t ended_len;
  struct wt__half_open half_open; /* of a server */
  size_t debt;                    /* connections let in for which other workers end one: admit.c */
  struct wt__list ready;          /* touched or woken: run by the next pass */
  struct wt__list round;   /* those of which this pass runs as many as there is time for, and the next one the others */
  struct wt__list waiting; /* would write, but the socket is full */
  struct wt__heap timers;
  struct wt__endpoint_stats stats;
  struct wt__gauge_sum gauge; /* of connections' gauges */
  size_t told;                /* of it, in `shared->budget` */
  size_t withheld;            /* connections */
  size_t told_over;           /* in `shared->budget.over` */
  uint64_t evict_at;          /* the next look at who has to go; UINT64_MAX: memory is not full */
  uint64_t now;
  bool busy;                          /* a callback may be on the stack: nothing is freed */
  bool shutdown_wanted, close_wanted; /* asked for while busy */
  bool shutting_down;
  struct wt__rate resets; /* stateless ones */
  /* In the log: who is not admitted, ends of connections, paths that carry less, sessions that begin. */
  struct wt__log_limit admit_lines, ending_lines, path_lines, session_lines;
  struct wt__pool pool; /* of all its connections */
  struct wt__batch batch;
  struct wt__turn turn;
  struct wt__lane strangers; /* of packets that belong to no connection */
  struct wt__gauge strangers_gauge;
};

/* --- wake.c --- */
/* Runs it in the next pass. */
void wt__conn_wake(struct wt__conn *conn);
/* Notes that the connection is to end with an HTTP/3 code; the first call counts. */
void wt__conn_want_close(struct wt__conn *conn, enum wt_party party, uint64_t code, const char *reason);
/* A packet came or goes: it does not rest. */
void wt__conn_touch(struct wt__conn *conn);
/* The handshake is done, or given up: it is no longer among the half-open ones. */
void wt__conn_leave_half_open(struct wt__conn *conn);
/* The address of the peer, as the connection's path has it now; "?" if there is no path any more. */
const char *wt__conn_peer_text(struct wt__conn *conn, char *text, size_t size);
/* The connection whose packets ngtcp2 reads or writes on this thread, for callbacks without user data; NULL: none. */
void wt__conn_set_current(struct wt__conn *conn);
extern _Thread_local struct wt__conn *wt__conn_current;

/* --- path.c --- */
void wt__path_to_quic(ngtcp2_path *dst, const struct wt__path *src);
void wt__path_from_quic(struct wt__path *dst, const ngtcp2_path *src);
/* "192.0.2.1:4433", "[2001:db8::1]:4433"; an IPv4 address on an IPv6 socket is shown as what it is. Returns `text`. */
const char *wt__conn_address_text(const struct sockaddr_storage *address, char *text, size_t size);
/* One packet that no connection's congestion control knows of. Lost if the socket is full. */
void wt__endpoint_send_packet(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                              size_t len);

/* --- conn.c --- */

/* What an acceptable first packet said. */
struct wt__accept {
  const ngtcp2_pkt_hd *hd;
  const struct wt__path *path;
  enum wt__token_verdict verdict;
  ngtcp2_cid odcid; /* the id that the client chose first */
  size_t turnover;  /* unfinished handshakes of an address that may give way at once */
};

/* A new connection, not yet fed. WT_ERR_NOMEM, WT_ERR_TLS, WT_ERR_STATE (no certificate), WT_ERR_INVALID. */
int wt__conn_new(struct wt__conn **conn, struct wt__endpoint *endpoint, const struct wt__accept *accept);
/* Frees it, whatever its state. h3 is told `party` and `code` if it was open. */
void wt__conn_free(struct wt__conn *conn, enum wt_party party, uint64_t code);

void wt__conn_recv(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len);
/* Its timer is due. False: that was its end, and it may be gone. */
bool wt__conn_expire(struct wt__conn *conn);
/* Put-off work and packets. It may be gone afterwards. */
void wt__conn_run(struct wt__conn *conn);
/* Sends the CONNECTION_CLOSE that was asked for. It may be gone afterwards. */
void wt__conn_close_now(struct wt__conn *conn);
/* Ends a half-open connection of a server in favour of another, and frees it. */
void wt__conn_give_way(struct wt__conn *conn);
/* Frees the oldest remains of closed connections until they have given back `bytes`. False: there was less. */
bool wt__endpoint_drop_ended(struct wt__endpoint *endpoint, size_t bytes);

/* Of both roles. An empty connection, whose state is such that `wt__conn_free` may be called; one that is complete
 * joins the endpoint's. */
struct wt__conn *wt__conn_alloc(struct wt__endpoint *endpoint);
void wt__conn_add(struct wt__conn *conn);
void wt__conn_set_name(struct wt__conn *conn, const ngtcp2_cid *cid);
void wt__conn_settings(ngtcp2_settings *settings, const struct wt__endpoint *endpoint);
void wt__conn_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint);

/* --- client.c --- */
/* A packet of no known connection, at a client: it may be a stateless reset. */
void wt__endpoint_recv_client_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                                      size_t len);

/* --- client_keep.c, client_end.c --- */
/* The server sent a token in a NEW_TOKEN frame. */
void wt__conn_client_keep_token(struct wt__conn *conn, const uint8_t *token, size_t len);
/* Ticket and token are used up, if the server has answered; else they go back, for the next attempt. */
void wt__conn_client_settle(struct wt__conn *conn);
/* One that was kept for the server; NULL: there is none. It is the caller's. */
struct wt__memory_item *wt__conn_client_take_token(struct wt__conn *conn, uint32_t version);
/* Tells h3 why the connection ends: `rc` is an error of ngtcp2, or 0 where `conn->close_code` says it. */
void wt__conn_client_explain(struct wt__conn *conn, int rc);

/* --- ending.c --- */
#define WT__STATELESS_RESET_TEXT "the peer has lost the connection (stateless reset)"
/* Of one that `close_wanted` ends. */
void wt__conn_ending_of_close(const struct wt__conn *conn, struct wt__ending *ending);
/* Of one that the error `rc` of ngtcp2 ends; `sent`: the CONNECTION_CLOSE, NULL: there is none. `ending` is good until the
 * connection is freed. */
void wt__conn_ending_of(struct wt__conn *conn, int rc, const ngtcp2_ccerr *sent, struct wt__ending *ending);
/* Tells the log: at `info` what was not in order, with a bound on lines, the rest at `debug`. */
void wt__conn_log_ending(struct wt__conn *conn, const struct wt__ending *ending);

/* --- info.c --- */
/* Of the transport; `ctx`: a wt__conn of any state. */
void wt__conn_get_info(void *ctx, struct wt_connection_info *info);

/* --- idle.c --- */
/* Takes down what both ends have announced, as far as it is known. */
void wt__conn_learn_idle(struct wt__conn *conn);
/* The idle timeout that counts for both ends, in nanoseconds; UINT64_MAX: there is none. */
uint64_t wt__conn_idle_timeout(const struct wt__conn *conn);
/* Makes ngtcp2 send PINGs as `keep_alive` has it now. */
void wt__conn_update_keep_alive(struct wt__conn *conn);

/* --- path_watch.c --- */
/* Numbers of DATAGRAM frames that stand for probes of a larger size, which is in the low bits. */
#define WT__MTU_PROBE_NUMBER (UINT64_C(1) << 62)
void wt__path_watch_init(struct wt__conn *conn);
/* A 1-RTT packet of `size` bytes with this header is about to be encrypted. */
#define WT__WATCHES_IN_PTO 4
static inline void wt__path_watch_sent(struct wt__conn *conn, const uint8_t *header, size_t header_len, size_t size) {
  conn->number_len = (header[0] & 3u) + 1;
  /* Each number is the one before plus one, or little more: the last byte tells it. */
  conn->last_sent += (uint8_t)(header[header_len - 1] - conn->last_sent);
  wt__path_mtu_sent(&conn->mtu, conn->last_sent, size, conn->pto / WT__WATCHES_IN_PTO, conn->endpoint->now);
}
/* The peer has sent this ACK frame for 1-RTT packets. */
void wt__path_watch_acked(struct wt__conn *conn, const struct wt__quic_frame *ack);
/* Bytes for the application came. `more`: they are not a stream's last. */
void wt__path_watch_heard(struct wt__conn *conn, bool more);
/* The DATAGRAM frame with this number has arrived. */
void wt__path_watch_passed(struct wt__conn *conn, uint64_t number);
/* Before and behind the packets of a pass, `written` bytes of them. */
void wt__path_watch_begin(struct wt__conn *conn);
void wt__path_watch_end(struct wt__conn *conn, size_t written);
/* Whether there may be a probe. */
static inline bool wt__path_watch_wants(const struct wt__conn *conn) { return conn->mtu.limit || conn->ping_wanted; }
/* The payload of the DATAGRAM frame that makes a packet the probe, or padded PING, which is due, with its number.
 * Returns its length; 0: none is due. `*size`: that of the packet. `probed`: it was sent, in `len` bytes, or could not.
 */
#define WT__MTU_PROBE_MAX 1500
size_t wt__path_watch_probe(const struct wt__conn *conn, uint8_t payload[static WT__MTU_PROBE_MAX], size_t *size,
                            uint64_t *number);
void wt__path_watch_probed(struct wt__conn *conn, size_t len, bool sent);
/* The congestion window has too little room for a probe that is due: streams are to leave it some. */
bool wt__path_watch_saves(const struct wt__conn *conn);
/* Whether the packets of this pass may bear an ECN mark. */
bool wt__path_watch_marks(struct wt__conn *conn);
/* The next time that something is due, if nothing happens before. */
uint64_t wt__path_watch_expiry(struct wt__conn *conn);
/* Does what is due. */
void wt__path_watch_expire(struct wt__conn *conn);

/* --- handshake_path.c --- */
struct wt__handshake_read {
  bool watched, first,
      handshake_done; /* `first`: it comes from where ngtcp2 has it; `handshake_done`: the handshake was done before */
  size_t len;
  struct wt__peer_address from;
  struct sockaddr_in6 shown;
};
/* Around the reading of `len` bytes that have come on `*path`, which may become what ngtcp2 is to believe. */
void wt__handshake_path_begin(struct wt__conn *conn, struct wt__handshake_read *read, ngtcp2_path *path, size_t len);
void wt__handshake_path_end(struct wt__conn *conn, const struct wt__handshake_read *read);
/* How much of `room` may be sent now. */
size_t wt__handshake_path_room(const struct wt__conn *conn, size_t room);
/* Where `len` bytes to `*remote` of ngtcp2's are to go; they count as sent. */
void wt__handshake_path_resolve(struct wt__conn *conn, ngtcp2_addr *remote, size_t len);

/* --- rebinding.c --- */
struct wt__rebinding {
  bool watched, aliased;
  struct wt__peer_address before;
  struct sockaddr_in6 remote;
};
/* Around the reading of a packet that has come on `*path`, which may become what ngtcp2 is to believe. */
void wt__rebinding_begin(struct wt__conn *conn, struct wt__rebinding *read, ngtcp2_path *path, const uint8_t *data,
                         size_t len);
void wt__rebinding_end(struct wt__conn *conn, const struct wt__rebinding *read);
/* The peer's new address is validated, or ngtcp2 has gone back to the last one that was. */
void wt__rebinding_judged(struct wt__conn *conn);
/* Where packets to `*remote` of ngtcp2's are to go. */
void wt__rebinding_resolve(const struct wt__conn *conn, ngtcp2_addr *remote);
/* The path that is in use. */
void wt__conn_path(const struct wt__conn *conn, struct wt__path *path);

/* --- probe.c --- */
#define WT__PROBE_NUMBER UINT64_C(1) /* of its DATAGRAM frame; those of datagrams have 0 */
/* A timer of ngtcp2 has fired. */
void wt__probe_expired(struct wt__conn *conn);
/* The probe that is to lead the next packet, as the payload of a DATAGRAM frame with the number `*number`. Returns its
 * length; 0: there is none. `sent`: ngtcp2 took it. */
size_t wt__probe_next(struct wt__conn *conn, uint8_t *carrier, uint64_t *number);
void wt__probe_sent(struct wt__conn *conn);

/* --- datagram_len.c --- */
size_t wt__conn_max_datagram_len(const struct wt__conn *conn);
/* The same, reckoned anew. */
size_t wt__conn_find_max_datagram_len(const struct wt__conn *conn);
/* The payload of a DATAGRAM frame that fills a packet of `packet` bytes, whose number has `number_len`; 0: there is no
 * room. */
size_t wt__conn_datagram_room(const struct wt__conn *conn, size_t packet, size_t number_len);

/* --- callbacks.c, transport.c, write.c --- */
extern const struct wt_transport wt__quic_transport; /* ctx: a wt__conn */
void wt__conn_set_callbacks(ngtcp2_callbacks *callbacks);
/* Tells h3 of acknowledgements that were kept until ngtcp2 has read the packet. */
void wt__conn_tell_acked(struct wt__conn *conn);
/* Writes what may be written now; 0 or an error of ngtcp2. `*more`: stopped by the quantum of a pass. */
int wt__conn_write(struct wt__conn *conn, bool *more);

/* --- budget.c --- */
/* Tells other workers what this one holds, if that has changed much, and takes over what follows from what all hold. */
void wt__endpoint_update_budget(struct wt__endpoint *endpoint);
/* What its connections hold, with what is lost between their blocks. */
size_t wt__endpoint_holds(const struct wt__endpoint *endpoint);
/* Only tells, however little it is. */
void wt__endpoint_tell_memory(struct wt__endpoint *endpoint);
/* Whether a packet of `len` bytes is to be treated as lost, because memory is full and the connection holds more than
 * its share. */
bool wt__conn_is_over(struct wt__conn *conn, size_t len);
/* Extends the peer's limit by what was read, if it is enough to be worth a frame and there is memory. */
void wt__conn_extend(struct wt__conn *conn);

/* Renews the verdict in the gauge, and returns it. */
enum wt__pressure wt__endpoint_update_pressure(struct wt__endpoint *endpoint);

/* How much a connection may hold without being closed when memory stays full. */
size_t wt__endpoint_evict_share(const struct wt__endpoint *endpoint);

/* --- read_limit.c --- */
/* Asks for the connection to be closed if its peer's packets take too much memory. */
void wt__conn_check_read(struct wt__conn *conn);

/* --- evict.c --- */
/* Closes connections that hold most, if memory has been full for long and that helps. Not inside callbacks. */
void wt__endpoint_evict(struct wt__endpoint *endpoint);
/* Tells other workers what this one's connections over their share hold. */
void wt__endpoint_tell_over(struct wt__endpoint *endpoint, size_t over);
/* When it is to be looked at next; UINT64_MAX: when something happens. */
uint64_t wt__endpoint_evict_expiry(const struct wt__endpoint *endpoint);

/* --- answers.c --- */
void wt__endpoint_send_version_negotiation(struct wt__endpoint *endpoint, const struct wt__path *path,
                                           const ngtcp2_version_cid *ids);
void wt__endpoint_send_retry(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd);
void wt__endpoint_send_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd,
                               uint64_t code);
/* Shorter than the packet it answers, so that resets that answer resets die out. */
void wt__endpoint_send_reset(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                             size_t len);

/* --- accept.c --- */
/* A packet whose id is unknown. */
void wt__endpoint_recv_unknown(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn,
                               const uint8_t *data, size_t len);

#endif
