/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CONNECT_H
#define WT_H3_CONNECT_H

/* The CONNECT stream of a session: its capsules, and its end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "base/buf.h"
#include "base/list.h"
#include "core/mux.h"
#include "h3/role.h"

struct wt__h3_conn;
struct wt__h3_stream;

/* The CONNECT stream of an accepted session. */
struct wt__h3_connect {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream;
  struct wt__h3_connect **holder; /* of a dial without an answer, which has the stream; NULL: the connect has it */
  int64_t id;
  wt_session *session;
  struct wt__link link, due;
  void *fields;         /* of the peer's message, until the session has them */
  struct wt__buf early; /* capsule bytes from before the upgrade */
  bool early_pending, fin_pending, reset_pending;
  bool ended; /* core was told of a reset, or ended it abruptly: nothing is passed on any more */
  bool fin_sent;
  uint64_t reset_code;
  uint64_t sent; /* bytes of the stream */
};

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

#endif
