/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CONN_STATE_H
#define WT_H3_CONN_STATE_H

/*
 * The record of a connection, and what the files of h3 ask of it or tell QUIC through it. What QUIC calls is in conn.h.
 *
 * Who knows what:
 *
 *   connection   conn.c (its life, time, and the transport that core gets), side.h with server.c and client.c, info.c
 *   bytes in     demux.c (whose stream is it), headers.c with section.c (field sections), http.c (nghttp3's callbacks),
 *                peer_control.c with control_reader.c, settings.c and priority.c; frames.c for all of them
 *   bytes out    send.c (which stream is next, and what became of its bytes), settings.c (our SETTINGS)
 *   streams      streams.c (their records), role.c (what they are for)
 *   requests     request_run.c (their life), request.c, request_check.c, answer.c, interim.c, stalls.c, upgrade.c;
 *                files.c, file_body.c, file_open.c, conditional.c
 *   sessions     connect.c (the CONNECT stream), session_fields.c, dial.c and dial_*.c (those of a client)
 *   both         fields.c, header_check.c, message_form.c, body.c, access.c; exchange.c and exchange_*.c (plain requests of a client)
 *
 * Who frees what: a stream's record goes when QUIC has closed the stream. Requests, sessions, dials and exchanges have
 * lives of their own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "base/list.h"
#include "base/map.h"
#include "base/rate.h"
#include "core/mux.h"
#include "core/progress.h"
#include "core/sendq.h"
#include "core/transport.h"
#include "h3/conn.h"
#include "h3/control_reader.h"
#include "h3/section.h"
#include "h3/settings.h"
#include "h3/side.h"
#include "wire/settings.h"

struct wt__h3_client;
struct wt__h3_stream;

struct wt__h3_conn {
  const struct wt__h3_config *config;
  const struct wt__side *side;
  struct wt__h3_client *client; /* NULL: a server */
  const struct wt_transport *transport;
  void *ctx;
  struct wt__mux mux;
  nghttp3_mem http_mem; /* counts in the gauge of `mux` */
  nghttp3_conn *http;   /* see wt__h3_http */
  /* The highest id of the peer's bidirectional streams, and the highest that went to core; -1: none. */
  int64_t highest_id, diverted_id;
  bool http_has_hints; /* nghttp3 was given a priority for a stream that had not come yet */
  bool http_quiet;     /* nghttp3 had nothing to send when it was last asked, and nobody has called it since */
  char *peer_address;
  uint64_t now;

  struct wt__map streams;
  struct wt__h3_stream *found; /* the last one that was looked for: most likely the next one too */
  struct wt__list requests, due_requests, waiting_requests; /* waiting: for the SETTINGS, oldest first */
  struct wt__list connects, due_connects;
  struct wt__released released;
  struct wt__list incomplete; /* streams of the peer whose header is not whole, by `deadline` */
  struct wt__progress_list answers, bodies;
  uint64_t bodies_total;         /* bytes of all requests' bodies that came */
  struct wt__list blocked_files; /* requests whose files wait for the connection's window */
  uint64_t unsent;               /* bytes of files that were read and QUIC has not taken */
  struct wt__list open_files;    /* the least recently read first */
  size_t open_files_len;
  size_t requests_open;    /* requests whose header section is complete */
  size_t sessions_counted; /* our part in the counters */

  struct wt__control control;
  int64_t peer_control_id, peer_encoder_id; /* -1: not opened yet */
  struct wt__sections sections;
  struct wt__list blocked_sections; /* that wait for the encoder stream, oldest first */
  size_t blocked_section_count;
  struct wt__rate bad_section_rate;
  struct wt__control_reader control_reader; /* of the peer's control stream */
  bool has_settings;                        /* `peer` is what the peer's SETTINGS say */
  struct wt__settings peer;
  struct wt_setting *peer_settings; /* as received, unknown ones too; NULL before that */
  size_t peer_setting_count;
  uint64_t born_at, settings_at; /* 0: not yet */
  uint64_t peer_max_datagram;
  uint64_t max_remote_bidi;
  struct wt__rate session_rate;

  bool started, closing, shutting_down;
  bool left; /* closing, because the application wants it */
  bool idle;
  uint64_t idle_since;
  bool webtransport_turn; /* core is asked for bytes before nghttp3 */
  bool read_blocked;      /* nghttp3 asked for a body and there was none */
  int64_t lone_fin_id;    /* nghttp3 gave out a FIN without bytes, not yet taken; -1: none */
};

/* nghttp3's connection, for a call after which it may have something to send. */
static inline nghttp3_conn *wt__h3_http(struct wt__h3_conn *conn) {
  conn->http_quiet = false;
  return conn->http;
}

/* Makes a connection of either role; `client` is NULL or becomes its own. */
int wt__h3_conn_init(struct wt__h3_conn **out, const struct wt__h3_config *config, const struct wt__side *side,
                     struct wt__h3_client *client, const struct wt_transport *transport, void *ctx,
                     const char *peer_address, uint64_t now);

void wt__h3_fail(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason);
void wt__h3_fail_http(struct wt__h3_conn *conn, int error); /* an error of nghttp3 */
/* The application closes the connection. */
void wt__h3_leave(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason);
void wt__h3_wake(struct wt__h3_conn *conn);
/* The connection's name in the log; NULL: it has none. */
const char *wt__h3_name(const struct wt__h3_conn *conn);
/* The fields that each line about the connection has. */
#define WT__H3_CONNECTION(conn) WT__TEXT("connection", wt__h3_name(conn)), WT__TEXT("peer", (conn)->peer_address)
/* The limit of lines in the log about what peers do wrong; NULL: there is none. */
struct wt__log_limit *wt__h3_log_limit(const struct wt__h3_conn *conn);
/* Whether the peer's SETTINGS_MAX_FIELD_SECTION_SIZE, if it has sent one, has room for these fields. */
bool wt__h3_peer_takes(const struct wt__h3_conn *conn, const nghttp3_nv *nv, size_t count);
/* Whether there is time for another piece of work in this pass. */
bool wt__h3_has_time(const struct wt__h3_conn *conn);
/* How many bytes the window of stream `id` lets us send now; `id` -1: the connection's window. */
uint64_t wt__h3_stream_room(const struct wt__h3_conn *conn, int64_t id);
void wt__h3_stop_sending(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code);
void wt__h3_reset_stream(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code);
/* Whether the peer takes RESET_STREAM_AT. */
bool wt__h3_peer_has_reset_at(const struct wt__h3_conn *conn);
/* Whether it did, or need not have. Without it resets are RESET_STREAM, as with peers of older drafts. */
bool wt__h3_reset_at_suffices(const struct wt__h3_conn *conn);
/* Whether there are requests, sessions, dials or exchanges. */
bool wt__h3_is_used(const struct wt__h3_conn *conn);
/* Brings the sessions' count in `config->counters` up to date. */
void wt__h3_count_sessions(struct wt__h3_conn *conn);

#endif
