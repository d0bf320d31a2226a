/* SPDX-License-Identifier: MIT */

/*
 * A queue of bytes with a ceiling.
 *
 *      data           data+off            data+off+len        data+cap
 *       |  taken          |  held             |   room            |
 *
 * Bytes come in at the back and leave at the front. Taking only moves `off`; the taken part is
 * reclaimed when room is short, by moving what is held to the front if that frees at least half of the
 * array, else by growing twofold: each byte is moved a bounded number of times on average. Only an
 * array that has reached the maximum is moved whatever it frees, since it cannot grow.
 *
 * It is not for what a transport has to keep until it is acknowledged while addresses stay valid: an
 * append may move all bytes. An empty buffer holds no memory: most streams, most of the time, have
 * nothing queued.
 */

#include "base/buf.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

#define BUF_CAP_MIN 256

void wt__buf_init(struct wt__buf *buf, size_t max) {
  *buf = (struct wt__buf){0};
  buf->max = max;
}

struct wt__buf wt__buf_move(struct wt__buf *buf) {
  struct wt__buf moved = *buf;
  buf->data = NULL;
  buf->off = buf->len = buf->cap = 0;
  return moved;
}

void wt__buf_free(struct wt__buf *buf) {
  struct wt__buf moved = wt__buf_move(buf);
  wt__gauge_remove(moved.gauge, moved.cap);
  wt__free(moved.data);
}

/* Moves what is held to the front of the array. */
static void buf_compact(struct wt__buf *buf) {
  if (buf->off == 0) return;
  memmove(buf->data, buf->data + buf->off, buf->len);
  buf->off = 0;
}

/* Makes room for `need` bytes in all, with nothing taken in front of them; `need` is at most `max`. */
static int buf_grow(struct wt__buf *buf, size_t need) {
  size_t cap = buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;
  if (cap < BUF_CAP_MIN) cap = BUF_CAP_MIN < buf->max ? BUF_CAP_MIN : buf->max;
  if (cap < need) cap = need;
  uint8_t *data = wt__malloc(cap);
  if (!data) return WT_ERR_NOMEM;
  if (buf->len) memcpy(data, buf->data + buf->off, buf->len);
  wt__free(buf->data);
  wt__gauge_remove(buf->gauge, buf->cap);
  wt__gauge_add(buf->gauge, cap);
  buf->data = data;
  buf->cap = cap;
  buf->off = 0;
  return 0;
}

int wt__buf_append(struct wt__buf *buf, const void *data, size_t len) {
  if (len == 0) return 0;
  if (len > buf->max - buf->len) return WT_ERR_AGAIN;
  if (len > buf->cap - buf->off - buf->len) {
    size_t need = buf->len + len;
    if (need <= buf->cap && (buf->off >= buf->cap / 2 || buf->cap == buf->max)) {
      buf_compact(buf);
    } else {
      int error = buf_grow(buf, need);
      if (error) return error;
    }
  }
  memcpy(buf->data + buf->off + buf->len, data, len);
  buf->len += len;
  return 0;
}

void wt__buf_take(struct wt__buf *buf, size_t len) {
  if (len >= buf->len) {
    wt__buf_free(buf);
    return;
  }
  buf->off += len;
  buf->len -= len;
}
