/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_RECEIVING_H
#define WT_CORE_RECEIVING_H

/*
 * The receiving part of a stream (RFC 9000, section 3.2): the bytes it keeps for the application, and its state.
 *
 *     Recv ------- FIN -------> Data Recvd ------- on_data with fin -------> Data Read
 *      |                           |
 *      +--------- reset -----------+
 *      |                           |
 *      |                           v
 *      |  the reset leaves     Size Known
 *      |  no kept bytes            |
 *      |                           |  the application has read the bytes that the reset leaves
 *      v                           v
 *      +-------------------> Reset Recvd ------- on_reset -------> Reset Read
 *
 *     Recv, Data Recvd, Size Known ------- stop -------> Stopped
 *
 * Two states differ from the RFC's. The transport gives us bytes in order, so the FIN comes with the last byte: Size
 * Known is needed for a RESET_STREAM_AT only, whose first bytes have to be read before it. Stopped is ours: the
 * application reads no more, and what still comes is dropped.
 *
 * This file knows neither the session nor the transport. stream_recv.c tells it what happened, and gives flow-control
 * credit back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum wt__receiving_state {
  WT__RECEIVING_NONE, /* the stream is ours and unidirectional: it has no receiving part */
  WT__RECEIVING_RECV,
  WT__RECEIVING_SIZE_KNOWN,
  WT__RECEIVING_DATA_RECVD, /* the FIN is behind the bytes in `kept`, of which there may be none */
  WT__RECEIVING_DATA_READ,
  WT__RECEIVING_RESET_RECVD, /* `on_reset` was not called yet */
  WT__RECEIVING_RESET_READ,
  WT__RECEIVING_STOPPED,
};

/* What `on_data` does with its bytes. */
enum wt__delivery {
  WT__DELIVERY_NONE,      /* it does not run */
  WT__DELIVERY_RUNS,      /* it runs, and takes all bytes */
  WT__DELIVERY_GAVE_BACK, /* it runs, and gave `unread` bytes back; 0: the FIN alone */
};

struct wt__receiving {
  struct wt__buf kept; /* bytes that the application has not read yet */
  uint64_t received;   /* bytes of the peer, without the stream header */
  uint64_t promised;   /* bytes without the stream header that a reset leaves to be read */
  size_t header_len;   /* the stream header of the peer's streams; 0 for ours */
  size_t delivering;   /* bytes that `on_data` was given; valid while it runs */
  size_t unread;       /* bytes that it gave back */
  enum wt__receiving_state state;
  enum wt__delivery delivery;
};

/* `exists`: false for a unidirectional stream of ours. */
void wt__receiving_init(struct wt__receiving *receiving, bool exists);

/* --- What it can do --- */

/* Whether the application may still get bytes or the FIN. */
static inline bool wt__receiving_is_open(const struct wt__receiving *receiving) {
  return receiving->state == WT__RECEIVING_RECV || receiving->state == WT__RECEIVING_DATA_RECVD ||
         receiving->state == WT__RECEIVING_SIZE_KNOWN;
}
/* Whether bytes or a FIN wait for the application. */
static inline bool wt__receiving_has_input(const struct wt__receiving *receiving) {
  return receiving->kept.len > 0 || receiving->state == WT__RECEIVING_DATA_RECVD;
}
/* How many bytes up to `final_size`, which counts the stream header, have not come. */
uint64_t wt__receiving_missing(const struct wt__receiving *receiving, uint64_t final_size);

/* --- Transitions --- */

/* Recv -> Data Recvd. */
void wt__receiving_fin(struct wt__receiving *receiving);

/* `on_data` is about to get `len` bytes. `fin`: with the FIN; -> Data Read. */
void wt__receiving_deliver_begin(struct wt__receiving *receiving, size_t len, bool fin);
/* `on_data` gives the last `len` of its bytes back, and the FIN if it got one. WT_ERR_STATE if `on_data` does not run,
 * WT_ERR_INVALID if it was given fewer bytes. */
int wt__receiving_unread(struct wt__receiving *receiving, size_t len);
/* `on_data` has returned. Returns how many bytes it took. `fin` as before; if it was given back: -> Data Recvd. */
size_t wt__receiving_deliver_end(struct wt__receiving *receiving, bool fin);

/* The reset that follows leaves the first `reliable_size` bytes, which count the stream header, to be read. */
void wt__receiving_promise(struct wt__receiving *receiving, uint64_t reliable_size);
/* A reset came; `received` is how many bytes without the stream header had come before it. -> Size Known if some of the
 * kept bytes are promised, otherwise -> Reset Recvd. Returns how many kept bytes were dropped. */
size_t wt__receiving_reset(struct wt__receiving *receiving, uint64_t received);
/* The application has read all kept bytes. Returns true for Size Known -> Reset Recvd. */
bool wt__receiving_emptied(struct wt__receiving *receiving);
/* Reset Recvd -> Reset Read. */
void wt__receiving_reset_read(struct wt__receiving *receiving);

/* The application reads no more: any open state -> Stopped. Returns whether the peer has to be asked to stop: not if
 * the FIN has come. */
bool wt__receiving_stop(struct wt__receiving *receiving);
/* Drops the kept bytes, and returns how many they were. */
size_t wt__receiving_drop(struct wt__receiving *receiving);

#endif
