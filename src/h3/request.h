/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_REQUEST_H
#define WT_H3_REQUEST_H

/*
 * A client's request, on a server. Its life is in request_run.c.
 *
 * A request may end before its stream does (the client gave up), and a session ends after it (core keeps it until its
 * streams are closed). So each has a life of its own, and they point to each other only while both live.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/request.h>

#include "base/list.h"
#include "core/progress.h"
#include "h3/body.h"
#include "h3/fields.h"
#include "h3/interim.h"
#include "h3/request_check.h"

struct wt__h3_conn;
struct wt__h3_stream;
struct wt__file_body;

/* How far the request has come:
 *
 *    READING --- end of the header section ---> WHOLE --- [the SETTINGS are in] ---> DISPATCHED
 */
enum wt__request_stage {
  WT__REQUEST_READING = 0,
  WT__REQUEST_WHOLE,
  WT__REQUEST_DISPATCHED, /* the handler was called, or the library has answered in its place */
};

/* How it ended. Only a CLOSED one can have been answered to its end:
 *
 *            +--- the client gave up, or we did ---> ABORTED
 *    OPEN ---+--- QUIC closed the stream ----------> CLOSED
 *            +--- a session has the stream --------> UPGRADED: freed without another word
 */
enum wt__request_end {
  WT__REQUEST_OPEN = 0,
  WT__REQUEST_ABORTED,
  WT__REQUEST_CLOSED,
  WT__REQUEST_UPGRADED,
};

struct wt_request {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream; /* NULL once QUIC has closed it */
  int64_t id;
  struct wt__link link, due, waiting;
  uint64_t settings_deadline;
  struct wt__route_counts *route_counts; /* NULL: it has come to no route */
  const char *route;                     /* its pattern; NULL likewise. Lives as long as the server */
  uint64_t came_at;                      /* when its header section was whole */

  struct wt__fields fields;
  const char *method, *target, *path, *query, *authority, *protocol, *origin;
  char *path_copy; /* holds path and query; `target` is both as sent */

  struct wt_request_callbacks callbacks;
  void *user_data;

  struct wt__body_in in;
  struct wt__body_out out;
  struct wt__file_body *file; /* what is still to be read of the file that is the body; NULL: nothing */
  uint64_t unsent;            /* what was read of it and QUIC has not taken */
  struct wt__link blocked;    /* the file waits for the connection's window */
  struct wt__progress answer_progress, body_progress;

  enum wt__request_stage stage;
  enum wt__request_fault fault; /* of the header section */
  enum wt__request_end ended;
  enum wt__expect expect; /* what the client waits for before it sends the body */
  uint16_t status;        /* of the answer; 0: none yet */
  uint8_t interims;       /* interim answers that the application has sent */
  bool gave_up_settings;  /* dispatched without the SETTINGS */
  bool is_webtransport, is_head;
  bool has_callbacks;
  bool answered, no_body, fin_sent;
  bool measured;     /* the answer to a request for a session was */
  bool fail_pending; /* its file cannot be read: the next pass aborts it */
  bool timed_out;    /* ABORTED by us, because the client did not move it */

  uint64_t reset_code;               /* what the stream was reset with; 0: it was not */
  uint64_t body_received, body_sent; /* bytes */

  const char *error;
  char error_text[128];
};

/* --- Its life (request_run.c) --- */

/* The stream is the request's. NULL: out of memory. */
wt_request *wt__request_new(struct wt__h3_conn *conn, struct wt__h3_stream *stream);
/* A pass: what arrived is acted on, and the application is called. It may free the request. */
void wt__request_run(wt_request *request);

/* --- Its end, and its error (request.c) --- */

void wt__request_set_due(wt_request *request);
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

#endif
