/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CONN_H
#define WT_QUIC_CONN_H

/*
 * The record of a QUIC connection.
 *
 * What one file does with a connection is declared in the header of that name:
 *
 *   its beginning   conn.c, transport_params.c, server.c, client.c and client_keep.c
 *   its ids         cid_issue.c
 *   its turns       run.c, wake.c (marks for its next run), idle.c
 *   its end         connection_close.c, closing.c, ending.c (why it ended), client_end.c
 *   packets in      recv.c, callbacks.c (what ngtcp2 reports, for h3), crypto_in.c, stops.c, read_limit.c,
 *                   reset_at_recv.c
 *   packets out     write.c, congestion.c, transport.c (what h3 asks for), window.c, datagram_len.c, probe.c,
 *                   reset_at_send.c
 *   its path        path.c, path_mtu.c, path_watch.c, handshake_path.c, rebinding.c
 *   its memory      blocks.c, pressure.c, evict.c
 *   diagnosis       info.c, qlog.c
 */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "core/ending.h"
#include "quic/ack_wait.h"
#include "quic/blocks.h"
#include "quic/cid.h"
#include "quic/cid_issue.h"
#include "quic/crypto_in.h"
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/handshake_path.h"
#include "quic/pacing.h"
#include "quic/packet_keys.h"
#include "quic/path.h"
#include "quic/path_mtu.h"
#include "quic/peer_address.h"
#include "quic/reset_at.h"
#include "quic/token.h"
#include "quic/turn.h"
#include "quic/window.h"

struct wt__h3_conn;
struct wt__qlog;
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

/*
 * Each packet of a connection with few messages finds its record in no cache, so what ordinary packets need comes first
 * and lies together. What only the handshake, the end, other paths and clients need is at the end.
 */
struct wt__conn {
  struct wt__endpoint *endpoint;
  enum wt__conn_state state;
  bool waiting;   /* it is in `waiting` */
  bool client;    /* this end began it; `h3` is there from the beginning */
  bool can_start; /* 1-RTT packets can be written */
  bool handshake_done;
  bool tls_settled;           /* at a server: `tls` has done all it does for packets */
  bool withheld;              /* MAX_DATA is not extended, because memory is full */
  bool probe_wanted;          /* see probe.c */
  bool challenged;            /* the same, at a client that has answered a PATH_CHALLENGE */
  bool settled;               /* the last pass has left nothing to send */
  bool keep_alive;            /* PINGs are wanted */
  bool close_wanted;          /* set by `close_connection`, acted upon outside of all callbacks */
  bool amplification_limited; /* set by `handshake_path`: what is due may have to wait for packets of the client */
  bool path_unvalidated; /* at a server, see rebinding.c: the peer's address has changed and is not validated yet */
  bool ecn_disabled;     /* packets bear no ECN mark */
  bool ping_wanted;      /* at a client */
  /* NULL once the connection is no longer open. `h3` is made when the keys for its first bytes are there. */
  ngtcp2_conn *quic;
  struct wt__h3_conn *h3;
  struct wt__link queue; /* in `ready`, `round` or `waiting` */
  struct wt__lane lane;
  struct wt__heap_node timer;
  struct wt__gauge gauge; /* what the connection holds */
  uint64_t small_at;      /* while it holds more than its share: when the next small packet is due, at an even rate */
  struct wt__packet_keys keys;
  struct wt__ack_wait ack_wait;
  struct wt__pacing pacing;
  struct wt__window window;
  int64_t acked_id; /* the stream whose bytes below `acked` are acknowledged, which h3 does not know yet; -1: none */
  uint64_t acked;
  size_t datagram_lead; /* bytes that datagrams were sent ahead of streams: see write.c */
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received; /* UDP payloads, for statistics */
  uint64_t flight;                                                     /* bytes in flight, the most of late */
  size_t burst;                 /* the most to send at once, by congestion.c; 0: not known */
  uint64_t keep_alive_interval; /* how often; UINT64_MAX: never */
  unsigned idle_rounds;         /* see retire.c */
  uint64_t pto;                 /* the probe timeout at its last run; 0: it was not run yet */
  uint64_t idle_announced;      /* the lower idle timeout of both ends, UINT64_MAX: none */
  uint64_t release_at;          /* when it frees what only packets need; UINT64_MAX: that is freed */
  size_t stops_len;
  struct wt__rebinding *rebinding; /* about the packet that is being read; NULL: nothing that matters */

  /* See path_watch.c. Times are 0 where there is nothing. */
  uint64_t last_sent, highest_acked; /* packet numbers of 1-RTT packets */
  size_t number_len;                 /* bytes that the last packet number took */
  size_t max_datagram_len;           /* payload of a DATAGRAM frame, as h3 knows it */
  size_t packet_len, cid_len;        /* from which it was computed; 0: not known yet */
  uint64_t watch_due;                /* the next time that something is due */
  uint64_t unacked_since;            /* since when packets wait for an acknowledgement that does not come */
  struct wt__reset_at_recv reset_in;
  struct wt__reset_at_send reset_out;
  struct wt__blocks blocks;      /* memory of `quic` */
  struct wt__peer_address alias; /* what ngtcp2 takes for the peer's address, see rebinding.c; none: that itself */
  struct wt__handshake_path handshake_path;
  struct wt__path_mtu mtu;

  struct wt__link link; /* in `conns`, later in `ended` */
  struct wt__list cids;
  struct wt__cid_issue cid_issue;
  struct wt__tls *tls;
  bool counted;        /* it counts as an established connection of its address, under `peer_key` */
  size_t most_streams; /* the most streams, of either side, that were open for reading at a time */
  size_t uncounted;    /* part of `gauge`: an estimate of what is not counted block by block */
  enum wt_congestion_control congestion_control; /* that it begins with */
  uint64_t peer_key;
  struct wt__half_open_entry half_open; /* used by a server until the handshake is done */
  uint64_t born_at, handshake_done_at;  /* when the connection began; when its handshake ended */
  uint64_t handshake_quiet_since;       /* when the last packet of the handshake came */
  struct wt__crypto_in crypto_in;

  struct wt__peer_address validated_address; /* the peer's last one, see rebinding.c */

  /* STOP_SENDING frames of the datagram being read. */
  struct wt__stop *stops;

  /* At a client: where it keeps tickets and tokens, and under which key; NULL: it keeps none. */
  struct wt__resumption *resumption;
  char *resumption_key;
  unsigned tokens; /* how many of this connection were kept */
  /* The token that was sent, until the server answers. */
  struct wt__resumption_item *token;
  uint64_t data_received_at; /* when the last bytes of a stream came that has not ended */
  uint64_t padded_at;        /* when it sent the last padded PING */
  uint64_t pinged_at;        /* when it sent the last PING */
  unsigned data_packets;     /* packets with such bytes that came without a pause */
  unsigned data_pauses;      /* the last packets with such bytes came each after a pause: so many in a row */

  /* What `close_wanted` asks for. */
  enum wt_party close_party;
  uint64_t close_code;
  char *close_reason; /* NULL: none; in the end, the peer's reason phrase */

  /* Why it ends, for `wt__conn_free`; `has_ending`: known better than from its arguments. */
  bool has_ending, stateless_reset;
  bool path_dead; /* nothing was acknowledged for the idle timeout: the connection is closed for that */
  struct wt__ending ending;

  struct wt__conn_answer *answer; /* while CLOSING */

  struct wt__qlog *qlog;              /* NULL: it is not logged */
  struct wt__conn_texts *texts;       /* NULL before they were asked for */
  char name[2 * WT__CID_MAX_LEN + 1]; /* the client's first id in hex, for the log */
};

/* Makes an empty connection, which `wt__conn_free` can free. Once it is complete, `add` puts it among the endpoint's
 * open ones. */
struct wt__conn *wt__conn_alloc(struct wt__endpoint *endpoint);
void wt__conn_add(struct wt__conn *conn);
void wt__conn_set_name(struct wt__conn *conn, const ngtcp2_cid *cid);
/* Estimates what is not counted block by block: so many bytes from now on. */
void wt__conn_set_uncounted(struct wt__conn *conn, size_t bytes);

#endif
