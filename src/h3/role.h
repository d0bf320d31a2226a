/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_ROLE_H
#define WT_H3_ROLE_H

/*
 * What an HTTP/3 stream is used for. Each stream has a role and an owner. The connection passes on to the owner what
 * happens on the stream:
 *
 *   role        owner                             of              file
 *   request     wt_request                        a server        request_run.c
 *   connect     struct wt__h3_connect: a session  both            connect.c
 *   dial        struct wt__h3_dial                a client        dial_answer.c
 *   exchange    wt_exchange                       a client        exchange_stream.c
 *   none        NULL                              both            role.c
 *
 * A stream may change its role: a request becomes a connect when it is upgraded, a dial when it is accepted, and each
 * becomes none when its owner ends before the stream. demux.c, headers.c, http.c and send.c, where things happen, know no
 * role by its name. So a new one is a new file with a table.
 *
 * Every member of a table is set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

struct wt__fields;
struct wt__h3_connect;
struct wt__h3_stream;

struct wt__role {
  /* --- Header sections (headers.c) --- */
  /* Whether the header section of the message has not been whole yet, so that the stream has a deadline for it. */
  bool (*awaits_headers)(const struct wt__h3_stream *stream);
  /* Where to put the fields of the section that is being read; NULL: drop them (trailers, for example). */
  struct wt__fields *(*fields)(struct wt__h3_stream *stream);
  void (*headers_done)(struct wt__h3_stream *stream);
  /* A section is too large, or there is no memory for it: WT_ERR_TOO_LARGE, WT_ERR_NOMEM. */
  void (*unreadable)(struct wt__h3_stream *stream, int error);
  /* The message is malformed (RFC 9114, section 4.1.2): the stream has to end with `wire_code`. */
  void (*malformed)(struct wt__h3_stream *stream, uint64_t wire_code);

  /* --- Arrivals --- */
  /* Bytes of the content. Whoever takes them reports them as read. */
  void (*recv)(struct wt__h3_stream *stream, const uint8_t *data, size_t len);
  void (*recv_fin)(struct wt__h3_stream *stream);
  void (*recv_reset)(struct wt__h3_stream *stream, uint64_t wire_code);
  void (*recv_stop_sending)(struct wt__h3_stream *stream, uint64_t wire_code);

  /* --- Departures --- */
  /* Bytes of the content to send; as `nghttp3_read_data_callback` returns. */
  nghttp3_ssize (*read)(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
  /* QUIC took `len` bytes of the stream, and its end. */
  void (*sent)(struct wt__h3_stream *stream, size_t len, bool fin);
  /* `len` more bytes of the content were acknowledged. */
  void (*acked)(struct wt__h3_stream *stream, uint64_t len);
  /* The stream's window has grown. */
  void (*unblocked)(struct wt__h3_stream *stream);
  /* Whether nothing more is to be sent, because the stream was reset. */
  bool (*is_reset)(const struct wt__h3_stream *stream);

  /* --- The end --- */
  /* QUIC has closed the stream, which goes when this returns. */
  void (*closed)(struct wt__h3_stream *stream);

  /* The session of the stream; NULL: none. */
  struct wt__h3_connect *(*connect)(const struct wt__h3_stream *stream);
};

extern const struct wt__role wt__role_none;

/* For members that do not matter to a role. */
bool wt__role_no(const struct wt__h3_stream *stream);
void wt__role_ignore(struct wt__h3_stream *stream);
void wt__role_ignore_number(struct wt__h3_stream *stream, uint64_t number);
void wt__role_ignore_sent(struct wt__h3_stream *stream, size_t len, bool fin);
struct wt__fields *wt__role_no_fields(struct wt__h3_stream *stream);
nghttp3_ssize wt__role_no_bytes(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
struct wt__h3_connect *wt__role_no_connect(const struct wt__h3_stream *stream);
/* Content is dropped, and counts as read. */
void wt__role_drop(struct wt__h3_stream *stream, const uint8_t *data, size_t len);
/* Treats an unreadable section as malformed. */
void wt__role_unreadable_is_malformed(struct wt__h3_stream *stream, int error);

/* From now on the stream belongs to `owner`. */
void wt__role_set(struct wt__h3_stream *stream, const struct wt__role *role, void *owner);
/* The stream belongs to nobody any more. */
void wt__role_leave(struct wt__h3_stream *stream);

#endif
