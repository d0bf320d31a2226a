/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_STREAMS_H
#define WT_H3_STREAMS_H

/*
 * The record of a stream: its kind, and what the files on its way remember about it. It exists from the first byte of a
 * peer's stream, or from the opening of one of ours, until QUIC has closed the stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "base/list.h"
#include "core/mux.h"
#include "h3/frames.h"
#include "h3/message_form.h"
#include "wire/stream_header.h"

struct wt__h3_conn;
struct wt__headers_held;
struct wt__role;

enum wt__h3_kind {
  WT__H3_UNDECIDED = 0,
  WT__H3_HTTP,         /* nghttp3's */
  WT__H3_WEBTRANSPORT, /* core's */
  WT__H3_REFUSED,      /* nobody's: bytes are dropped */
};

/* What happens to bytes that arrive on a stream of HTTP/3 (headers.c):
 *
 *    MESSAGE --- a request for a session ---> MAY_TUNNEL --- answered with 204 ---> TUNNEL
 *       |                                         |                                    |
 *       +--- a section was refused, or nobody ----+------- reads it any more ----------+---> DISCARD
 */
enum wt__h3_reading {
  WT__H3_MESSAGE = 0, /* it goes to nghttp3, HEADERS after a check */
  WT__H3_MAY_TUNNEL,  /* likewise, up to the end of the next section: the answer may make it a tunnel */
  WT__H3_TUNNEL,      /* nghttp3 gets no more frames of it; the payload of DATA is the session's */
  WT__H3_DISCARD,     /* nghttp3 gets nothing more of it; what comes is dropped */
};

enum wt__h3_frame {
  WT__H3_FRAME_OTHER = 0,
  WT__H3_FRAME_HEADERS,
  WT__H3_FRAME_DATA, /* told apart in a tunnel only */
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
  enum wt__h3_frame frame;       /* HTTP: the one that goes by */
  enum wt__h3_reading reading;   /* HTTP */
  enum wt__response_to response_to; /* HTTP, of a client */
  bool message_begun;               /* HTTP: the header section was whole, not only one of an interim response */
  int64_t content_left;             /* HTTP, of a message that has begun: how much content is due; -1: any */
  struct wt__headers_held *held;    /* HTTP: what is kept of it; NULL: nothing */
  bool stop_seen;                /* UNDECIDED: STOP_SENDING came, with `stop_code` */
  uint64_t stop_code;
  wt_stream *stream;           /* WEBTRANSPORT; of ours: NULL until it first sends, and core ends none before that */
  const struct wt__role *role; /* HTTP: what it is for */
  void *owner;                 /* a request, dial, ...: `role` says which */
};

struct wt__h3_stream *wt__streams_find(struct wt__h3_conn *conn, int64_t id);
/* One that has no role yet. NULL: out of memory. */
struct wt__h3_stream *wt__streams_add(struct wt__h3_conn *conn, int64_t id, enum wt__h3_kind kind);
void wt__streams_remove(struct wt__h3_stream *record);
void wt__streams_free(struct wt__h3_conn *conn);
/* A stream that has not said what it is will not be looked at any more; what the peer sends on it is dropped. */
void wt__streams_refuse(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t wire_code);

#endif
