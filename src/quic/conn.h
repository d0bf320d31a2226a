/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CONN_H
#define WT_QUIC_CONN_H

/*
 * A QUIC connection: what it consists of, and its life (made, fed, timed, closed).
 *
 * What one file does with a connection is declared in the header of that name:
 *
 *   its life        conn.c, wake.c (marks for its next run), idle.c, ending.c (why it ended), client.c and client_*.c
 *   packets in      callbacks.c (what ngtcp2 reports, for h3), crypto_in.c, read_limit.c, reset_at_recv.c
 *   packets out     write.c, transport.c (what h3 asks for), window.c, datagram_len.c, probe.c, reset_at_send.c
 *   its path        path.c, path_mtu.c, path_watch.c, handshake_path.c, rebinding.c
 *   its memory      blocks.c, pressure.c, evict.c
 *   diagnosis       info.c
 */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "core/ending.h"
#include "quic/blocks.h"
#include "quic/cid.h"
#include "quic/crypto_in.h"
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/handshake_path.h"
#include "quic/packet_keys.h"
#include "quic/path.h"
#include "quic/path_mtu.h"
#include "quic/peer_address.h"
#include "quic/reset_at.h"
#include "quic/token.h"
#include "quic/turn.h"
#include "quic/window.h"

struct wt__h3_conn;
struct wt__resumption;
struct wt__resumption_item;
struct wt__rebinding;
struct wt__tls;

#define WT__CONN_REASON_MAX 256 /* bytes of a CONNECTION_CLOSE's reason */
#define WT__MAX_PAYLOAD 1472    /* of a UDP datagram that we send */

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
  char peer[WT__PEER_TEXT_MAX], local[WT__PEER_TEXT_MAX];
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
  struct wt__resumption *resumption;
  char *resumption_key;
  unsigned tokens; /* that were kept */
  /* The token that was sent, until the server answers. */
  struct wt__resumption_item *token;

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

#endif
