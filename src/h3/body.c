/* SPDX-License-Identifier: MIT */
/*
 * Bodies of HTTP messages (RFC 9114, section 4.1). A server reads the bodies of requests and writes those of answers; a
 * client does the opposite. The rules are the same.
 *
 * Arriving: the application gets the bytes directly from the packet if nothing is in the way, which saves a copy. Otherwise
 * they are kept and not counted as read, so that the stream's window bounds them. The next pass delivers them.
 *
 * Leaving: bytes wait in a queue. nghttp3 takes them when QUIC has room, and they stay in the queue until the peer has
 * acknowledged them, because neither nghttp3 nor QUIC copies them.
 *
 * The request or exchange decides when a message ends, and what becomes of bytes that come too late.
 */

#include "h3/body.h"

#include "h3/conn_state.h"

/* --- Arriving --- */

void wt__body_in_init(struct wt__body_in *in, size_t max, wt__body_tell tell, void *message) {
  *in = (struct wt__body_in){.id = -1, .tell = tell, .message = message};
  wt__buf_init(&in->kept, max);
}

void wt__body_in_consume(const struct wt__body_in *in, uint64_t len) {
  if (len > 0 && in->conn && !in->conn->closing) in->conn->transport->consume(in->conn->ctx, in->id, len);
}

void wt__body_in_drop(struct wt__body_in *in) {
  wt__body_in_consume(in, in->kept.len);
  wt__buf_free(&in->kept);
}

int wt__body_in_recv(struct wt__body_in *in, const uint8_t *data, size_t len, bool wanted, bool now) {
  in->received += len;
  if (!wanted || in->discard) {
    wt__body_in_consume(in, len);
  } else if (now && in->kept.len == 0) {
    in->tell(in->message, data, len, false);
    wt__body_in_consume(in, len);
  } else if (wt__buf_append(&in->kept, data, len) != 0) {
    wt__body_in_consume(in, len);
    return WT_ERR_NOMEM;
  }
  return 0;
}

void wt__body_in_deliver(struct wt__body_in *in) {
  if (in->told) return;
  if (in->kept.len > 0) {
    struct wt__buf taken = wt__buf_move(&in->kept);
    in->told = in->fin;
    in->tell(in->message, wt__buf_head(&taken), taken.len, in->fin);
    wt__body_in_consume(in, taken.len);
    wt__buf_free(&taken);
  } else if (in->fin) {
    in->told = true;
    in->tell(in->message, (const uint8_t *)"", 0, true);
  }
}

/* --- Leaving --- */

nghttp3_ssize wt__body_read(struct wt__sendq *queue, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  struct wt__vec found[WT__SEND_VECS];
  size_t count, total = 0;
  bool fin = false;
  count = wt__sendq_peek(queue, found, max_vecs < WT__SEND_VECS ? max_vecs : WT__SEND_VECS, SIZE_MAX, &fin);
  if (count == 0 && !fin) return NGHTTP3_ERR_WOULDBLOCK;
  for (size_t i = 0; i < count; i++) {
    vecs[i] = (nghttp3_vec){(uint8_t *)found[i].data, found[i].len};
    total += found[i].len;
  }
  wt__sendq_sent(queue, total, false);
  if (fin) *flags |= NGHTTP3_DATA_FLAG_EOF;
  return (nghttp3_ssize)count;
}

bool wt__body_out_acked(struct wt__body_out *out, uint64_t len, struct wt__released *released) {
  out->acked += len;
  if (!wt__sendq_acked(&out->queue, out->acked, released)) return false;
  out->writable_pending = true;
  return true;
}

int wt__body_out_put(struct wt__body_out *out, const void *data, size_t len, struct wt__released *released) {
  size_t taken = 0;
  if (wt__sendq_append(&out->queue, data, len, true, &taken) == 0 && taken == len) return 0;
  wt__sendq_drop(&out->queue, released);
  wt__sendq_reset(&out->queue);
  return WT_ERR_NOMEM;
}
