/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_PEER_H
#define LOOPBACK_PEER_H

/*
 * A QUIC client that does exactly what a test tells it: raw bytes on raw streams. It knows no HTTP/3 and no
 * WebTransport of its own, so it can also do what no decent client does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "net.h"

struct peer_options {
  const char *server_name;
  const char *alpn;         /* the one protocol that it offers; NULL: it has no such extension */
  bool send_settings;       /* opens a control stream with `settings` once the handshake is done */
  const uint64_t *settings; /* pairs of id and value */
  size_t settings_count;    /* pairs */
  uint64_t max_datagram_frame_size;
  uint64_t max_streams_bidi, max_streams_uni; /* that the server may open */
  uint64_t max_data, max_stream_data;         /* windows, opened further as bytes arrive unless `hold` */
  uint64_t idle_timeout_ms;
  uint32_t version;     /* the version of the first packet */
  size_t hello_padding; /* bytes of an unknown extension in the ClientHello */
  bool hold;            /* does not open windows: the server is held back */
  bool deaf_to_stops;   /* goes on with streams that the server stops */
  bool frugal;          /* counts received bytes without keeping them, forgets closed streams */
  unsigned address;     /* index of `net_address` */
  /* Changes what is in a packet before it is encrypted; `first` is its first byte. NULL: nobody does. */
  void (*rewrite)(void *ctx, uint8_t first, uint8_t *payload, size_t len);
  void *rewrite_ctx;
  unsigned reset_at;                   /* PEER_RESET_AT...: the transport parameters to announce */
  uint64_t active_connection_id_limit; /* connection ids of the server that it keeps: 2 to 8 */
};

#define PEER_RESET_AT 1u        /* 0x1d */
#define PEER_RESET_AT_DRAFT 2u  /* the number of the drafts */
#define PEER_RESET_AT_FILLED 4u /* 0x1d, not empty */

struct peer_chunk {
  struct peer_chunk *next;
  size_t len;
  uint8_t data[];
};

/* One stream as this end sees it. Sequence numbers come from one counter, so that they tell an order. */
struct peer_stream {
  int64_t id;
  uint8_t *rx;
  size_t rx_len, rx_cap;
  uint64_t rx_total;  /* also what `frugal` did not keep */
  size_t rx_consumed; /* of them, how many extended the windows */
  bool fin, reset, stopped, closed;
  uint64_t reset_code, stop_code;
  bool got_reset_at; /* RESET_STREAM_AT came, with these */
  uint64_t reset_at_code, reset_at_final_size, reset_at_reliable_size;
  uint64_t fin_at, reset_at, stop_at, closed_at; /* sequence numbers; 0: not yet */
  struct peer_chunk *tx, *tx_tail;               /* all that was ever to be sent: ngtcp2 may read it again */
  struct peer_chunk *tx_next;                    /* the first with unsent bytes */
  size_t tx_next_at;
  size_t tx_len, tx_sent, tx_acked;
  bool tx_fin, tx_fin_sent, tx_dead, tx_blocked, queued;
  struct peer_stream *queue_next;
};

struct peer_datagram {
  struct peer_datagram *next;
  size_t len;
  uint8_t data[];
};

struct peer_streams {
  struct peer_stream **items; /* by ordinal */
  size_t len, cap;
};

struct peer {
  struct net *net;
  struct net_node node;
  struct sockaddr_in server;
  struct peer_options options;
  ngtcp2_conn *conn;
  ngtcp2_crypto_conn_ref conn_ref;
  void *tls;
  struct peer_streams streams[4]; /* by the two low bits of the id */
  struct peer_stream *queue, *queue_tail;
  struct peer_datagram *tx_datagrams, *tx_datagrams_tail;
  struct peer_datagram *rx_datagrams, *rx_datagrams_tail;
  uint64_t rx_datagram_count;
  struct peer_raw *raws; /* RESET_STREAM_AT frames that were not acknowledged yet */
  uint64_t raw_count, raws_acked;
  uint64_t reset_at_frames, reset_at_streams; /* received */
  uint64_t stops_unheard;                     /* STOP_SENDING frames, of a peer deaf to them */
  unsigned server_reset_at;                   /* PEER_RESET_AT...: what the server announced */
  uint64_t sequence;
  int64_t control; /* the control stream; -1: none */

  bool handshake_done, handshake_confirmed;
  bool ended;    /* no packet is sent or read any more */
  int end_error; /* ngtcp2's reason */
  bool close_received, close_is_app;
  uint64_t close_code;
  char close_reason[256];
  bool stateless_reset, retry_received, version_negotiated;
  uint32_t server_versions[16];
  size_t server_version_count;
  bool silent; /* neither reads nor writes: the machine is gone */
  bool deaf;   /* acknowledges what comes, and takes note of acknowledgements alone */
};

/* WebTransport as drafts 15 and 16 have it; the SETTINGS that browsers send. */
extern const uint64_t peer_settings_draft15[];
extern const size_t peer_settings_draft15_count;
extern const uint64_t peer_settings_chromium[];
extern const size_t peer_settings_chromium_count;

/* Draft 02 with datagrams, as browsers speak it, and generous windows. */
void peer_options_default(struct peer_options *options);

struct peer *peer_new(struct net *net, const struct sockaddr_in *server, const struct peer_options *options);
void peer_free(struct peer *peer);
/* Opens the control stream with the SETTINGS of the options now, where they were held back. */
void peer_send_settings(struct peer *peer);
/* Sends what waits: called by the functions below, but useful after a change of windows. */
void peer_flush(struct peer *peer);

/* --- Streams. Ids are -1 when the server allows no more. --- */
int64_t peer_open_bidi(struct peer *peer);
int64_t peer_open_uni(struct peer *peer);
void peer_send(struct peer *peer, int64_t id, const void *data, size_t len, bool fin);
/* As `peer_send`, but nothing leaves before the next flush: several streams share packets. */
void peer_queue(struct peer *peer, int64_t id, const void *data, size_t len, bool fin);
void peer_reset(struct peer *peer, int64_t id, uint64_t code);
void peer_stop_sending(struct peer *peer, int64_t id, uint64_t code);
/* RESET_STREAM_AT, or a RESET_STREAM if `plain`, with whatever values; sent again until it is acknowledged. The
 * streams' bytes go on as if nothing had happened. `behind` them in the packet, else before them. */
struct peer_reset_at {
  int64_t id;
  uint64_t code, final_size, reliable_size;
  bool plain;
};
void peer_queue_reset_at(struct peer *peer, const struct peer_reset_at *reset, bool behind);
void peer_reset_at(struct peer *peer, int64_t id, uint64_t code, uint64_t final_size, uint64_t reliable_size);
/* Frames of any kind, one behind the other, of which the peer's own QUIC stack knows nothing. Behind them comes PADDING.
 * They leave in one packet by the next flush, and are sent again until it is acknowledged. */
#define PEER_FRAMES_MAX 1100 /* bytes */
void peer_queue_frames(struct peer *peer, const void *frames, size_t len);
void peer_datagram(struct peer *peer, const void *data, size_t len);
void peer_queue_datagram(struct peer *peer, const void *data, size_t len);
/* The stream, also one that the server opened; NULL if there is none. */
struct peer_stream *peer_stream(struct peer *peer, int64_t id);
/* The `ordinal`th unidirectional or bidirectional stream of the server; NULL if it is not there yet. */
struct peer_stream *peer_server_stream(struct peer *peer, bool uni, size_t ordinal);
/* Opens both windows for what `hold` kept. */
void peer_consume(struct peer *peer, int64_t id);
/* Takes the oldest datagram received, to be freed with `free`; NULL: none. */
struct peer_datagram *peer_take_datagram(struct peer *peer);

/* --- The connection. --- */
void peer_close(struct peer *peer, uint64_t app_code);
/* A CONNECTION_CLOSE of the application, or else of QUIC. */
void peer_close_with(struct peer *peer, bool app, uint64_t code, const void *reason, size_t reason_len);
void peer_migrate(struct peer *peer, unsigned address);
void peer_update_key(struct peer *peer);
void peer_ping(struct peer *peer);

#endif
