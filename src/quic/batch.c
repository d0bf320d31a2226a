/* SPDX-License-Identifier: MIT */

/*
 * Packets are written straight into the buffer that the socket gets, one behind the other:
 *
 *   data  [ 1452 ][ 1452 ][ 310 ] [ 88 ] [ 91 ][ 91 ]
 *         '---- run of A -------' '- B-' '--- C ----'      one call of sendmmsg, with a message for each run,
 *                                                          which the kernel cuts every `segment` bytes (GSO)
 *
 * A run ends with a packet that is shorter than the first, since the kernel wants equal ones except for the last. A packet
 * that is longer (a probe of the path's MTU), goes elsewhere (a path being validated), is another connection's or bears
 * another ECN mark begins the next run.
 *
 * Where many connections have a packet or two (a game's tick, a message to all), a call for each would cost more than the
 * rest of it. So what a connection writes waits until the end of the pass, or until there are WT__MAX_RUNS runs: the
 * packets of the first connection wait no longer than the others take to write theirs. A connection that has written
 * much sends it at once, together with what waits, since a system call more is nothing to so many bytes.
 *
 * The call for several runs stops at the first that does not pass, and does not say why. That one is sent by itself, which
 * tells: it is too large (its connection hears of it), lost, or the socket is full. Then the others go on.
 *
 * When the socket is full, what has not left stays: for QUIC it is sent already, and to lose it would look like
 * congestion. Nothing is added until it has left.
 */

#include "quic/batch.h"

#include <webtransport/error.h>

#include "base/usdt.h"

void wt__batch_set_path(struct wt__batch *batch, struct wt__conn *conn, const struct wt__path *path) {
  batch->conn = conn;
  batch->path = path;
  batch->closed = true;
}

uint8_t *wt__batch_room(struct wt__batch *batch) { return batch->data + batch->len; }

static bool run_takes(const struct wt__batch *batch, unsigned ecn, size_t len) {
  if (batch->closed || batch->count == 0) return false;
  const struct wt__packet_run *run = &batch->runs[batch->count - 1];
  return run->count < WT__BATCH_MAX_PACKETS && len <= run->segment && run->len + len <= WT__MAX_BATCH &&
         run->ecn == ecn;
}

static void run_begin(struct wt__batch *batch, unsigned ecn, size_t len) {
  batch->closed = false;
  batch->runs[batch->count++] = (struct wt__packet_run){
      .path = *batch->path,
      .ecn = ecn,
      .data = wt__batch_room(batch),
      .len = len,
      .segment = len,
      .count = 1,
      .conn = batch->conn,
  };
}

static void run_append(struct wt__batch *batch, size_t len) {
  struct wt__packet_run *run = &batch->runs[batch->count - 1];
  if (len < run->segment) batch->closed = true;
  run->len += len;
  run->count++;
}

int wt__batch_add(struct wt__batch *batch, unsigned ecn, size_t len) {
  if (run_takes(batch, ecn, len)) {
    run_append(batch, len);
  } else {
    run_begin(batch, ecn, len);
  }
  batch->len += len;
  bool full = batch->count == WT__MAX_RUNS || batch->len > WT__BATCH_SHARED_MAX + WT__MAX_BATCH;
  return full ? wt__batch_flush(batch) : 0;
}

int wt__batch_end(struct wt__batch *batch) { return batch->len > WT__BATCH_SHARED_MAX ? wt__batch_flush(batch) : 0; }

/* --- Sending --- */

/* The first so many runs have left. */
static void runs_leave(struct wt__batch *batch, size_t count) {
  for (; count > 0; count--) {
    const struct wt__packet_run *run = &batch->runs[batch->first++];
    batch->stats->packets_sent += run->count;
    batch->stats->bytes_sent += run->len;
    WT__USDT(batch_sent, run->count, run->len);
  }
}

static int run_send(struct wt__batch *batch) {
  const struct wt__packet_run *run = &batch->runs[batch->first];
  int error = batch->send(batch->send_ctx, &run->path, run->ecn, run->data, run->len, run->segment);
  if (error == WT_ERR_AGAIN) return error;
  runs_leave(batch, 1);
  if (error == WT_ERR_TOO_LARGE && run->conn && batch->on_refused) batch->on_refused(run->conn, run->segment);
  return 0;
}

/* How many runs leave by one socket, from the first on. */
static size_t runs_of_socket(const struct wt__batch *batch) {
  size_t at = batch->first + 1;
  while (at < batch->count && batch->runs[at].path.socket == batch->runs[batch->first].path.socket) at++;
  return at - batch->first;
}

int wt__batch_flush(struct wt__batch *batch) {
  bool together = batch->send_runs; /* until it is of no use */
  batch->blocked = false;
  while (batch->first < batch->count) {
    size_t want = together ? runs_of_socket(batch) : 1;
    size_t sent = want > 1 ? batch->send_runs(batch->send_ctx, &batch->runs[batch->first], want) : 0;
    together = together && (want == 1 || sent > 0);
    runs_leave(batch, sent);
    if (sent < want && run_send(batch)) {
      batch->blocked = true;
      return WT_ERR_AGAIN;
    }
  }
  batch->first = batch->count = batch->len = 0;
  batch->closed = true;
  return 0;
}

void wt__batch_forget(struct wt__batch *batch, const struct wt__conn *conn) {
  for (size_t i = batch->first; i < batch->count; i++) {
    if (batch->runs[i].conn == conn) batch->runs[i].conn = NULL;
  }
}
