/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_INTERNAL_H
#define WT_H3_INTERNAL_H

/*
 * The inside of an HTTP/3 connection, for the files of h3.
 *
 *   conn.c      its life, time, and the transport instance that core gets
 *   conn_state.c what the other files ask of it, and tell QUIC
 *   side.h      what differs between servers and clients
 *   server.c    the former: requests that come
 *   streams.c   records of streams
 *   demux.c     whose stream is it; arrivals on streams
 *   role.c      what it is for
 *   send.c      which stream is next; what QUIC reports about sent bytes
 *   frames.c    the frames of a stream
 *   control_reader.c, peer_control.c   the peer's control stream
 *   priority.c  PRIORITY_UPDATE for sessions
 *   settings.c  our SETTINGS in place of nghttp3's, and the peer's
 *   info.c      what is known of the connection, for diagnosis
 *   http.c      what nghttp3 tells
 *   headers.c   HEADERS frames, looked at before nghttp3 has them
 *   section.c   their field sections, decoded
 *   fields.c    the fields of a message
 *   body.c      bodies that arrive and leave
 *   request_run.c   the life of a request
 *   request.c   its end, and what the application reads from it
 *   request_check.c   whether its fields make sense together
 *   answer.c    its answer
 *   file_body.c a file behind it
 *   stalls.c    requests that the client does not move
 *   upgrade.c   from a request to a session
 *   connect.c   the CONNECT stream of a session
 *   session_fields.c what a session keeps of it
 *   client.c    the other role: its connection
 *   dial.c      its requests for sessions
 *   exchange.c  its plain requests
 *
 * Who frees what: a stream's record goes when QUIC has closed the stream. A request may end earlier (the
 * client gave up) and a session ends later (core keeps it until its streams are closed), so both have
 * lives of their own, and point to each other only while both live.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include <webtransport/request.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rate.h"
#include "core/mux.h"
#include "core/sendq.h"
#include "core/transport.h"
#include "h3/body.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "h3/control_reader.h"
#include "h3/exchange.h"
#include "h3/fields.h"
#include "h3/frames.h"
#include "h3/headers.h"
#include "h3/interim.h"
#include "h3/peer_control.h"
#include "h3/request_check.h"
#include "h3/role.h"
#include "h3/section.h"
#include "h3/side.h"
#include "h3/session_fields.h"
#include "h3/file_body.h"
#include "wire/settings.h"
#include "wire/stream_header.h"

/* --- Our control stream --- */

struct wt__control {
  int64_t id, encoder_id, decoder_id; /* -1 before the start */
  uint8_t *own;                       /* stream type and SETTINGS */
  size_t own_len, own_sent;
  size_t theirs_len; /* how much nghttp3 believes to have sent instead */
  bool blocked;
};

/* --- Streams --- */

enum wt__h3_kind {
  WT__H3_UNDECIDED = 0,
  WT__H3_HTTP,         /* nghttp3's */
  WT__H3_WEBTRANSPORT, /* core's */
  WT__H3_REFUSED,      /* nobody's: bytes are dropped */
};

struct wt__h3_stream {
  struct wt__h3_conn *conn;
  int64_t id;
  enum wt__h3_kind kind;
  uint8_t head[WT__STREAM_HEADER_MAX]; /* UNDECIDED: what came so far */
  size_t head_len;
  struct wt__link incomplete; /* while `deadline` is set for its beginning */
  uint64_t deadline;
  uint64_t acked;                /* HTTP: offset below which all is acknowledged */
  struct wt__frames frames;      /* HTTP: those of a request; of the encoder stream the rest of its type */
  bool in_headers;               /* HTTP: the frame that goes by is HEADERS */
  bool may_tunnel;               /* HTTP: a session was asked for: `tunnel` may be set by the next section */
  bool tunnel, in_data;          /* HTTP: nghttp3 gets no more frames of it; the one that goes by is DATA */
  bool deaf;                     /* HTTP: nghttp3 gets nothing more of it, what comes is dropped */
  struct wt__headers_held *held; /* HTTP: what is kept of it; NULL: nothing */
  bool stop_seen;                /* UNDECIDED: STOP_SENDING came, with `stop_code` */
  uint64_t stop_code;
  wt_stream *stream;           /* WEBTRANSPORT; of ours: NULL until it first sends, and core ends none before that */
  const struct wt__role *role; /* HTTP: what it is for */
  void *owner;                 /* whose it is: what `role` says */
};

/* The CONNECT stream of an accepted session. */
struct wt__h3_connect {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream;
  struct wt__h3_connect **holder; /* of a dial without an answer, which has the stream; NULL: the connect has it */
  int64_t id;
  wt_session *session;
  struct wt__link link, todo;
  void *fields;         /* of the peer's message, until the session has them */
  struct wt__buf early; /* capsule bytes from before the upgrade */
  bool early_pending, fin_pending, reset_pending;
  bool ended; /* core was told of a reset, or ended it abruptly: nothing is passed on any more */
  bool fin_sent;
  uint64_t reset_code;
  uint64_t sent; /* bytes of the stream */
};

/* --- Requests --- */

struct wt_request {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream; /* NULL once QUIC has closed it */
  int64_t id;
  struct wt__link link, todo, waiting;
  uint64_t settings_deadline;

  struct wt__fields fields;
  const char *method, *target, *path, *query, *authority, *protocol, *origin;
  char *path_copy; /* holds path and query; `target` is both as sent */

  struct wt_request_callbacks callbacks;
  void *user_data;

  struct wt__body_in in;
  struct wt__body_out out;
  struct wt__file_body *file; /* what is still to be read of the file that is the body; NULL: nothing */
  uint64_t unsent;            /* what was read of it and QUIC has not taken */
  struct wt__link starved;    /* the file waits for the connection's window */
  struct wt__progress answer_progress, body_progress;

  bool headers_done, over_limit, no_memory;
  enum wt__request_fault fault; /* of the header section */
  enum wt__expect expect;       /* what the client waits for before it sends the body */
  uint8_t interims;             /* interim answers that the application has sent */
  bool dispatched;              /* the handler was called */
  bool gave_up_settings;        /* dispatched without the SETTINGS */
  bool is_webtransport, is_head;
  bool has_callbacks;
  bool answered, no_body, fin_sent;
  bool fail_pending;
  bool timed_out; /* we gave up, because the client did not move it */
  bool gone;      /* the client gave up, or we did */
  bool over;      /* QUIC closed the stream */
  bool dead;      /* no handle any more: to be freed without a word */

  const char *error;
  char error_text[128];
};

/* --- The client's role (client.c) --- */

struct wt__h3_client {
  struct wt__h3_client_callbacks callbacks;
  void *user_data;
  struct wt__list dials;         /* all */
  struct wt__list waiting_dials; /* for the SETTINGS or a stream, oldest first */
  struct wt__list todo_dials;    /* whose `on_reply` is due */
  size_t asked;                  /* dials without an answer and without a session */
  struct wt__list exchanges;     /* all that are attached */
  struct wt__list waiting_exchanges, todo_exchanges;
  uint64_t settings_deadline; /* 0: not set */
  uint64_t farewell_until;    /* how long the last closes may be on their way; 0: there are none */
  uint64_t farewell_heard;    /* packets of the server, when that was set */
  struct wt__h3_end end;
  const char *missing; /* why there can be no sessions; NULL: no reason, or not known yet */
  bool connected, connected_pending;
  bool ready, ready_pending;
  bool unfit_pending;
  const char *unfit; /* as `missing`, but not looked at before `on_connected` */
  bool try_waiting;  /* something has changed for the waiting dials and exchanges */
  bool goaway;
  bool has_exchanges; /* it was given exchanges: it goes on without WebTransport */
  bool used;          /* by dials, exchanges or sessions, as of the last pass */
};

/* --- The connection --- */

struct wt__h3_conn {
  const struct wt__h3_config *config;
  const struct wt__side *side;
  struct wt__h3_client *client; /* NULL: a server */
  const struct wt_transport *below;
  void *ctx;
  struct wt__mux mux;
  nghttp3_mem http_mem; /* counts in the gauge of `mux` */
  nghttp3_conn *http;
  /* The highest of the peer's bidirectional streams, and of those of them that were core's; -1: none. */
  int64_t highest_id, diverted_id;
  bool http_has_hints; /* nghttp3 was given a priority for a stream that had not come yet */
  bool http_quiet;     /* nghttp3 had nothing to send when it was last asked, and nobody has called it since */
  char *peer_address;
  uint64_t now;

  struct wt__map streams;
  struct wt__h3_stream *found;             /* the last one that was looked for: most likely the next one too */
  struct wt__list requests, todo, waiting; /* waiting: for the SETTINGS, oldest first */
  struct wt__list connects, todo_connects;
  struct wt__released released;
  struct wt__list incomplete; /* streams of the peer whose header is not whole, by `deadline` */
  struct wt__progress_list answers, bodies;
  uint64_t bodies_total;      /* bytes of all requests' bodies that came */
  struct wt__list starved;    /* requests whose files wait for the connection's window */
  uint64_t unsent;            /* bytes of files that were read and QUIC has not taken */
  struct wt__list open_files; /* the least recently read first */
  size_t open_files_len;
  size_t requests_open;    /* whose header is complete */
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
  bool webtransport_turn; /* who is asked first for bytes to send */
  bool read_blocked;      /* nghttp3 asked for a body and there was none */
  int64_t lone_fin_id;    /* nghttp3 gave out a FIN without bytes, not yet taken; -1: none */
};

/* conn.c */
/* Makes a connection of either role; `client` is NULL or becomes its own. */
int wt__h3_conn_init(struct wt__h3_conn **out, const struct wt__h3_config *config, const struct wt__side *side,
                     struct wt__h3_client *client, const struct wt_transport *transport, void *ctx,
                     const char *peer_address, uint64_t now);

/* conn_state.c */
void wt__h3_fail(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason);
void wt__h3_fail_http(struct wt__h3_conn *conn, int error); /* an error of nghttp3 */
/* The application closes the connection. */
void wt__h3_leave(struct wt__h3_conn *conn, uint64_t wire_code, const char *reason);
void wt__h3_wake(struct wt__h3_conn *conn);
/* The limit of lines in the log about what peers do wrong; NULL: there is none. */
struct wt__log_limit *wt__h3_lines(const struct wt__h3_conn *conn);
#define WT__REQUEST_TOO_LARGE "the request's header fields are larger than the server's SETTINGS allow"
/* Whether the peer's SETTINGS_MAX_FIELD_SECTION_SIZE, if it has sent one, has room for these fields. */
bool wt__h3_peer_takes(const struct wt__h3_conn *conn, const nghttp3_nv *nv, size_t count);
/* Whether there is time for another piece of work in this pass. */
bool wt__h3_has_time(const struct wt__h3_conn *conn);
/* How many bytes the window of stream `id` lets us send now; that of the connection: -1. */
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

/* streams.c */
struct wt__h3_stream *wt__streams_find(struct wt__h3_conn *conn, int64_t id);
/* One that has no role yet. NULL: out of memory. */
struct wt__h3_stream *wt__streams_add(struct wt__h3_conn *conn, int64_t id, enum wt__h3_kind kind);
void wt__streams_remove(struct wt__h3_stream *record);
void wt__streams_free(struct wt__h3_conn *conn);
/* A stream that has not said what it is will not be looked at any more; what the peer sends on it is dropped. */
void wt__streams_refuse(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t wire_code);

/* demux.c */
/* Shows nghttp3 how far the peer's ids are used up, before it sends a GOAWAY: that names the first one that was not seen
 * yet, and streams that were diverted to core count as seen. */
void wt__demux_tell_diverted(struct wt__h3_conn *conn);

/* info.c */
/* Keeps the peer's SETTINGS for `wt__h3_conn_get_info`. WT_ERR_NOMEM. */
int wt__info_keep_settings(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);

/* settings.c */
/* The payload of the peer's SETTINGS, at most WT__SETTINGS_PAYLOAD_MAX bytes. */
void wt__settings_recv(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);
/* Forgets what the peer said of drafts that are not among `drafts`. */
void wt__settings_keep_drafts(struct wt__settings *peer, unsigned drafts);
int wt__control_start(struct wt__h3_conn *conn);
bool wt__control_owns(const struct wt__h3_conn *conn, int64_t id);
void wt__control_acked(struct wt__h3_conn *conn, uint64_t offset);
/* What the peer's SETTINGS allow each session. False, with `*limits` unset: there is no session flow control,
 * because one of the sides announced none (draft section 5.1). */
bool wt__control_flow(const struct wt__h3_conn *conn, struct wt__flow_limits *limits);
/* How many sessions at once a client may have. */
size_t wt__settings_max_sessions(const struct wt__h3_conn *conn);

/* connect.c; a session is told of what arrives on the stream of its CONNECT. */
extern const struct wt__role wt__role_connect;
/* NULL: out of memory. `early_max`: the most bytes of capsules that wait. */
struct wt__h3_connect *wt__connect_new(struct wt__h3_conn *conn, struct wt__h3_stream *stream, size_t early_max);
/* That of the session on stream `id`; NULL: there is none. */
struct wt__h3_connect *wt__connect_find(struct wt__h3_conn *conn, int64_t id);
void wt__connect_recv(struct wt__h3_connect *connect, const uint8_t *data, size_t len);
nghttp3_ssize wt__connect_read(struct wt__h3_connect *connect, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
void wt__connect_sent(struct wt__h3_connect *connect, size_t len, bool fin);
void wt__connect_closed(struct wt__h3_connect *connect);
void wt__connect_reset(struct wt__h3_connect *connect, uint64_t wire_code);
/* What came before the upgrade goes to the session. */
void wt__connect_run(struct wt__h3_connect *connect);
void wt__connect_free(struct wt__h3_connect *connect);
/* The fields are all there: they are the session's now. */
void wt__connect_give_fields(struct wt__h3_connect *connect);

/* http.c */
int wt__http_new(struct wt__h3_conn *conn);
/* Gives bytes of a stream to nghttp3. */
void wt__http_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin);
/* The same for a part of a field section that was reported as read when it came. */
void wt__http_recv_counted(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len);
/* What the peer still sends on the stream is dropped from now on. */
void wt__http_stop_reading(struct wt__h3_conn *conn, int64_t id);
/* Gives nghttp3 something to ask for: a body, or bytes of a CONNECT stream. */
void wt__http_resume(struct wt__h3_conn *conn, int64_t id);
extern const nghttp3_data_reader wt__http_body_reader;

/* request_run.c */
/* The stream is the request's. NULL: out of memory. */
wt_request *wt__request_new(struct wt__h3_conn *conn, struct wt__h3_stream *stream);
/* A pass: what arrived is acted on, and the application is called. It may free the request. */
void wt__request_run(wt_request *request);

/* request.c */
void wt__request_todo(wt_request *request);
/* Ends it in both directions with `wire_code`. */
void wt__request_abort(wt_request *request, uint64_t wire_code);
/* The connection is over. */
void wt__request_end(wt_request *request);
void wt__request_free(wt_request *request);
/* Streams and datagrams that came early for a session of this request are dropped: there will be none. */
void wt__request_refuse_session(wt_request *request);
/* QUIC took `len` more bytes of the stream, perhaps of the file; SIZE_MAX: nothing is waited for any more. */
void wt__request_file_sent(wt_request *request, size_t len);
/* Notes `text` (static) for `wt_request_error` and returns `error`. */
int wt__request_error(wt_request *request, int error, const char *text);
/* The rest of the request's body is not wanted: STOP_SENDING with H3_NO_ERROR (RFC 9114, section 4.1). */
void wt__request_refuse_body(wt_request *request);

/* answer.c */
/* A token (RFC 9110, section 5.6.2); names of fields have no upper-case letters. */
bool wt__token_valid(const char *token, bool upper);
/* Likewise in a request, which names its host in `:authority` (RFC 9114, section 4.3.1). */
bool wt__request_header_valid(const struct wt_header *header);
/* Whether a field of the application may be sent. */
bool wt__header_valid(const struct wt_header *header);
/* Whether `request` can be answered: 0, WT_ERR_STATE, WT_ERR_CLOSED. */
int wt__answer_check(wt_request *request);
/* Sends the header section. `length`: content-length to add, or NULL. `with_body`: the send queue or a
 * file follows. WT_ERR_INVALID, WT_ERR_CLOSED, WT_ERR_NOMEM. */
int wt__answer_submit(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                      const uint64_t *length, bool with_body);
/* A short answer of the library's own: "404 Not Found" and the like. `headers` may be NULL. */
/* An interim one (1xx): its header section alone. The same errors; whoever calls wakes the connection. */
int wt__answer_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count);
int wt__answer_status(wt_request *request, int status, const struct wt_header *headers, size_t header_count);
/* Bytes for nghttp3's `read_data`; as `nghttp3_read_data_callback` returns. */
nghttp3_ssize wt__answer_read(wt_request *request, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
void wt__answer_acked(wt_request *request, uint64_t len);
/* The body is what `file` has left; it is the request's from now on. */
void wt__answer_set_file(wt_request *request, struct wt__file_body *file);
/* The connection's window may have grown: files that waited for it go on. */
void wt__answers_resume_files(struct wt__h3_conn *conn);

/* stalls.c */
void wt__stalls_init(struct wt__h3_conn *conn);
/* It is known what the stream is, and if it is a request, its header section is there. */
static inline bool wt__stalls_header_is_whole(const struct wt__h3_stream *record) {
  return record->kind != WT__H3_UNDECIDED && !(record->kind == WT__H3_HTTP && record->role->awaits_headers(record));
}
/* Bytes of `record` came, and its header is not whole: it has a deadline from its first byte on. */
void wt__stalls_watch_header(struct wt__h3_conn *conn, struct wt__h3_stream *record);
/* There is something of an answer to send. */
void wt__stalls_watch_answer(wt_request *request);
/* The application may have begun to wait for the body. */
void wt__stalls_watch_body(wt_request *request);
/* Gives up what is due. */
void wt__stalls_run(struct wt__h3_conn *conn);
static inline uint64_t wt__stalls_expiry(const struct wt__h3_conn *conn) {
  const struct wt__link *first = wt__list_first(&conn->incomplete);
  uint64_t expiry = first ? WT__CONTAINER_OF(first, struct wt__h3_stream, incomplete)->deadline : UINT64_MAX;
  uint64_t answers = wt__progress_expiry(&conn->answers), bodies = wt__progress_expiry(&conn->bodies);
  if (answers < expiry) expiry = answers;
  return bodies < expiry ? bodies : expiry;
}

/* priority.c */
/* The payload of a client's PRIORITY_UPDATE. True: nghttp3 has to get it, too. */
bool wt__priority_recv_update(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);
/* Of the request on stream `id`: what its `priority` field said, or a PRIORITY_UPDATE before or after it. */
unsigned wt__priority_of_request(const struct wt__h3_conn *conn, int64_t id);

/* dial.c */
/* Asks for as many of the waiting as may be. */
void wt__dials_ask(struct wt__h3_conn *conn);
void wt__dials_run(struct wt__h3_conn *conn);
/* The server will not look at streams from `id` on. */
void wt__dials_goaway(struct wt__h3_conn *conn, int64_t id);
/* The connection is over: all are told. */
void wt__dials_end(struct wt__h3_conn *conn);

/* exchange.c */
void wt__exchanges_ask(struct wt__h3_conn *conn);
void wt__exchanges_run(struct wt__h3_conn *conn);
void wt__exchanges_goaway(struct wt__h3_conn *conn, int64_t id);
void wt__exchanges_end(struct wt__h3_conn *conn);

/* client.c */
/* Why the connection ended, for people; never "". */
const char *wt__client_end_reason(const struct wt__h3_client *client);

#endif
