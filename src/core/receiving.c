/* SPDX-License-Identifier: MIT */
/*
 * The transitions of a stream's receiving part. The drawing is in receiving.h.
 *
 * `on_data` runs between `wt__receiving_deliver_begin` and `wt__receiving_deliver_end`. Meanwhile the application may
 * give bytes back, or stop reading. The FIN counts as read before `on_data` runs: to stop reading is then too late, and
 * the peer is not asked to.
 *
 * A stream that was stopped inside `on_data` keeps nothing, also if bytes were given back before.
 */

#include "core/receiving.h"

#include <webtransport/error.h>

void wt__receiving_init(struct wt__receiving *receiving, bool exists) {
  *receiving = (struct wt__receiving){.state = exists ? WT__RECEIVING_RECV : WT__RECEIVING_NONE};
  wt__buf_init(&receiving->kept, SIZE_MAX / 2); /* QUIC's window is the bound */
}

uint64_t wt__receiving_missing(const struct wt__receiving *receiving, uint64_t final_size) {
  uint64_t known = receiving->received + receiving->header_len;
  return final_size > known ? final_size - known : 0;
}

void wt__receiving_fin(struct wt__receiving *receiving) {
  if (receiving->state == WT__RECEIVING_RECV) receiving->state = WT__RECEIVING_DATA_RECVD;
}

/* --- on_data --- */

void wt__receiving_deliver_begin(struct wt__receiving *receiving, size_t len, bool fin) {
  if (fin) receiving->state = WT__RECEIVING_DATA_READ;
  receiving->delivering = len;
  receiving->unread = 0;
  receiving->delivery = WT__DELIVERY_RUNS;
}

int wt__receiving_unread(struct wt__receiving *receiving, size_t len) {
  if (receiving->delivery == WT__DELIVERY_NONE) return WT_ERR_STATE;
  if (len > receiving->delivering) return WT_ERR_INVALID;
  receiving->unread = len;
  receiving->delivery = WT__DELIVERY_GAVE_BACK;
  return 0;
}

size_t wt__receiving_deliver_end(struct wt__receiving *receiving, bool fin) {
  bool gave_back = receiving->delivery == WT__DELIVERY_GAVE_BACK;
  receiving->delivery = WT__DELIVERY_NONE;
  if (gave_back && fin) receiving->state = WT__RECEIVING_DATA_RECVD;
  if (!wt__receiving_is_open(receiving)) receiving->unread = 0; /* it stopped reading after that */
  return receiving->delivering - receiving->unread;
}

/* --- Reset --- */

void wt__receiving_promise(struct wt__receiving *receiving, uint64_t reliable_size) {
  receiving->promised = reliable_size > receiving->header_len ? reliable_size - receiving->header_len : 0;
}

size_t wt__receiving_reset(struct wt__receiving *receiving, uint64_t received) {
  struct wt__buf *kept = &receiving->kept;
  uint64_t read = received - kept->len;
  if (!wt__receiving_is_open(receiving)) return 0;
  if (kept->len == 0 || read >= receiving->promised) {
    receiving->state = WT__RECEIVING_RESET_RECVD;
    return wt__receiving_drop(receiving);
  }
  receiving->state = WT__RECEIVING_SIZE_KNOWN;
  uint64_t promised = receiving->promised - read;
  size_t dropped = promised < kept->len ? kept->len - (size_t)promised : 0;
  kept->len -= dropped;
  return dropped;
}

bool wt__receiving_emptied(struct wt__receiving *receiving) {
  if (receiving->state != WT__RECEIVING_SIZE_KNOWN) return false;
  receiving->state = WT__RECEIVING_RESET_RECVD;
  return true;
}

void wt__receiving_reset_read(struct wt__receiving *receiving) {
  if (receiving->state == WT__RECEIVING_RESET_RECVD) receiving->state = WT__RECEIVING_RESET_READ;
}

/* --- Stop --- */

bool wt__receiving_stop(struct wt__receiving *receiving) {
  bool ask = receiving->state == WT__RECEIVING_RECV || receiving->state == WT__RECEIVING_SIZE_KNOWN;
  if (wt__receiving_is_open(receiving)) receiving->state = WT__RECEIVING_STOPPED;
  return ask;
}

size_t wt__receiving_drop(struct wt__receiving *receiving) {
  size_t len = receiving->kept.len;
  wt__buf_free(&receiving->kept);
  return len;
}
