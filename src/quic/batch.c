/* SPDX-License-Identifier: MIT */

/*
 * Packets are written straight into the buffer that the socket gets, one behind the other:
 *
 *   data  [ 1452 ][ 1452 ][ 1452 ][ 310 ]      one call: the kernel cuts it every 1452 bytes (GSO)
 *         '------------ run ------------'
 *
 * A run ends with a packet that is shorter than the first, since the kernel wants equal ones except for
 * the last. A packet that is longer (a probe of the path's MTU), goes elsewhere (a path being validated)
 * or bears another ECN mark begins the next run: what is there is sent, and it moves to the front.
 *
 * When the socket is full, the run stays, with the packet behind it if there is one: for QUIC they are
 * sent already, and to lose them would look like congestion. Nothing is added until they have left.
 */

#include "quic/batch.h"

#include <string.h>

#include <webtransport/error.h>

uint8_t *wt__batch_room(struct wt__batch *batch) { return batch->data + batch->run.len; }

static bool path_equal(const struct wt__path *a, const struct wt__path *b) {
  return a->socket == b->socket && a->local_len == b->local_len && a->remote_len == b->remote_len &&
         !memcmp(&a->local, &b->local, a->local_len) && !memcmp(&a->remote, &b->remote, a->remote_len);
}

static bool run_takes(const struct wt__batch *batch, const struct wt__path *path, unsigned ecn, size_t len) {
  const struct wt__batch_run *run = &batch->run;
  if (run->count == 0) return true;
  return !batch->closed && run->count < WT__BATCH_MAX_PACKETS && len <= run->segment &&
         run->len + len <= WT__MAX_BATCH && run->ecn == ecn && (!path || path_equal(&run->path, path));
}

static void run_append(struct wt__batch *batch, size_t len) {
  struct wt__batch_run *run = &batch->run;
  if (len < run->segment) batch->closed = true;
  run->len += len;
  run->count++;
}

/* Sends the first run and lets the next take its place. */
static int run_send(struct wt__batch *batch) {
  struct wt__batch_run *run = &batch->run;
  if (run->count) {
    int error = batch->send(batch->send_ctx, &run->path, run->ecn, batch->data, run->len, run->segment);
    batch->blocked = error == WT_ERR_AGAIN;
    if (batch->blocked) return error;
    if (error == WT_ERR_TOO_LARGE && (!batch->refused || run->segment < batch->refused)) batch->refused = run->segment;
    batch->stats->packets_sent += run->count;
    batch->stats->bytes_sent += run->len;
  }
  if (batch->next.len) memmove(batch->data, batch->data + run->len, batch->next.len);
  *run = batch->next;
  batch->next = (struct wt__batch_run){.len = 0};
  batch->closed = false;
  return 0;
}

int wt__batch_add(struct wt__batch *batch, const struct wt__path *path, unsigned ecn, size_t len) {
  if (batch->run.count == 0) {
    batch->run = (struct wt__batch_run){*path, ecn, len, len, 1};
    return 0;
  }
  if (run_takes(batch, path, ecn, len)) {
    run_append(batch, len);
    return 0;
  }
  batch->next = (struct wt__batch_run){path ? *path : batch->run.path, ecn, len, len, 1};
  return run_send(batch);
}

int wt__batch_flush(struct wt__batch *batch) {
  while (batch->run.count) {
    int error = run_send(batch);
    if (error) return error;
  }
  return 0;
}
