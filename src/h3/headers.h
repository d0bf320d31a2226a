/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_HEADERS_H
#define WT_H3_HEADERS_H

/* The way of a request stream's bytes to nghttp3, past the check of their HEADERS frames. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"

struct wt__h3_conn;
struct wt__h3_stream;

/* What we keep of a stream: a section that is not whole, or one that waits for QPACK and everything behind it. */
struct wt__headers_held {
  struct wt__h3_stream *record;
  struct wt__link link; /* in `blocked_sections` of the connection, while it waits for QPACK */
  struct wt__buf section;
  struct wt__buf behind; /* not counted as read */
  bool fin;              /* of the stream, behind it */
};

/* Takes bytes of a request stream, from either role's peer. */
void wt__headers_recv(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                      bool fin);

/* Takes bytes of the peer's QPACK encoder stream; sections that waited for them go on. */
void wt__headers_recv_encoder(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                              bool fin);

/* Forgets what is kept of the stream: it was reset, or is closed. */
void wt__headers_drop(struct wt__h3_conn *conn, struct wt__h3_stream *record);

#endif
