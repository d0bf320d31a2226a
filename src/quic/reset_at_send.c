/* SPDX-License-Identifier: MIT */

/*
 * Our RESET_STREAM_AT: a reset that does not take the stream's first bytes with it. The session id stands in
 * those, and without it the peer could not tell whose stream was reset (draft-ietf-webtrans-http3-16, section
 * 4.4). Waiting with RESET_STREAM until they are acknowledged is not enough: an acknowledgement says that
 * they are in the peer's QUIC stack, which may drop them again when the reset comes.
 *
 * ngtcp2 sends frames that it knows. A DATAGRAM frame of ours carries the frame into a packet, and when the
 * packet is encrypted it becomes what it carries:
 *
 *   0x31 len ffffffffffffffff 0x24 id code final reliable   -->   0x24 id code final reliable 0 0 0 ...
 *
 * ngtcp2 tells whether the DATAGRAM was acknowledged or lost, and so do we know of the reset:
 *
 *   QUEUED --sent--> FLYING --acked--> ARRIVED --empty FIN--> ENDED --stream closed--> forgotten
 *     ^                |
 *     +-- lost, late --+        an acknowledgement may still come: then the queued one is not sent
 *
 * "Late" is a timer of our own, since ngtcp2 (1.11) does not tell of every loss: when it has sent a probe with a
 * copy of what was in a packet, and the packet turns out to be lost, it says nothing of its DATAGRAM frames. So a
 * reset without news for some probe timeouts (PTO) is sent again; twice is as good as once.
 *
 * The FIN is for ngtcp2, which closes the stream once all its bytes and the FIN are acknowledged; to the
 * peer, which has the reset by then, it says nothing new. All bytes that were sent must remain readable until
 * they are acknowledged: ngtcp2 repeats lost ones, as it must up to the Reliable Size.
 *
 * A STOP_SENDING of the peer for such a stream is hidden from ngtcp2 (callbacks.c), which would answer with
 * a RESET_STREAM of another code: the code must not change (section 4.2 of the frame's draft).
 *
 * Nothing of this happens unless the peer has announced the frame: those that do not know it, Chromium among
 * them, close the connection.
 */

#include "quic/reset_at.h"

#include <string.h>

#include "base/gauge.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "quic/conn.h"
#include "quic/datagram_len.h"
#include "quic/endpoint_state.h"
#include "quic/tls.h"
#include "wire/quic_frame.h"

#define CARRIER_NUMBER (UINT64_C(1) << 63) /* numbers of our DATAGRAM frames: this and the stream's id */
#define SILENT_PTOS 4                      /* without news of a reset it is sent again */

enum reset_state {
  QUEUED,
  FLYING,
  ARRIVED,
  ENDED,
};

struct reset {
  int64_t id;
  uint64_t code, reliable_size, final_size;
  enum reset_state state;
  struct wt__link link; /* in `queue`, `flying` or `fins` */
  uint64_t sent_at;
};

/* What it counts in the connection's gauge, with its place in the map. */
#define RESET_SIZE (sizeof(struct reset) + 32)

static struct reset *reset_find(const struct wt__conn *conn, int64_t id) {
  return wt__map_get(&conn->reset_out.resets, (uint64_t)id);
}

static struct reset *reset_first(const struct wt__list *list) {
  struct wt__link *link = wt__list_first(list);
  return link ? WT__CONTAINER_OF(link, struct reset, link) : NULL;
}

static void reset_move(struct reset *reset, enum reset_state state, struct wt__list *list) {
  reset->state = state;
  wt__list_remove(&reset->link);
  if (list) wt__list_push_back(list, &reset->link);
}

static void reset_free(uint64_t key, void *value, void *arg) {
  struct wt__conn *conn = arg;
  (void)key;
  wt__gauge_remove(&conn->gauge, RESET_SIZE);
  wt__free(value);
}

void wt__reset_at_send_init(struct wt__conn *conn) {
  struct wt__reset_at_send *out = &conn->reset_out;
  memset(out, 0, sizeof(*out));
  wt__map_init(&out->resets);
  wt__list_init(&out->queue);
  wt__list_init(&out->flying);
  wt__list_init(&out->fins);
}

void wt__reset_at_send_free(struct wt__conn *conn) {
  wt__map_each(&conn->reset_out.resets, reset_free, conn);
  wt__map_free(&conn->reset_out.resets);
  wt__list_init(&conn->reset_out.queue);
  wt__list_init(&conn->reset_out.flying);
  wt__list_init(&conn->reset_out.fins);
}

/* --- What is asked for --- */

bool wt__reset_at_send_possible(const struct wt__conn *conn) {
  return wt__tls_peer_has_reset_at(conn->tls) && wt__conn_may_carry(conn, WT__CARRIER_MAX);
}

bool wt__reset_at_send_has(const struct wt__conn *conn, int64_t id) { return reset_find(conn, id) != NULL; }

int wt__reset_at_send_reset(struct wt__conn *conn, int64_t id, uint64_t code, uint64_t reliable_size,
                            uint64_t final_size) {
  struct wt__reset_at_send *out = &conn->reset_out;
  if (reset_find(conn, id)) return 0;
  struct reset *reset = wt__calloc(1, sizeof(*reset));
  if (!reset) return WT_ERR_NOMEM;
  *reset = (struct reset){.id = id, .code = code, .reliable_size = reliable_size, .final_size = final_size};
  wt__link_init(&reset->link);
  if (wt__map_set(&out->resets, (uint64_t)id, reset)) {
    wt__free(reset);
    return WT_ERR_NOMEM;
  }
  wt__gauge_add(&conn->gauge, RESET_SIZE);
  reset_move(reset, QUEUED, &out->queue);
  return 0;
}

void wt__reset_at_send_closed(struct wt__conn *conn, int64_t id) {
  struct reset *reset = wt__map_remove(&conn->reset_out.resets, (uint64_t)id);
  if (!reset) return;
  wt__list_remove(&reset->link);
  wt__gauge_remove(&conn->gauge, RESET_SIZE);
  wt__free(reset);
}

/* --- Into packets --- */

size_t wt__reset_at_send_next(struct wt__conn *conn, uint8_t *carrier, uint64_t *number) {
  const struct reset *reset = reset_first(&conn->reset_out.queue);
  if (!reset) return 0;
  struct wt__quic_frame frame = {.type = WT__FRAME_RESET_STREAM_AT,
                                 .id = (uint64_t)reset->id,
                                 .code = reset->code,
                                 .final_size = reset->final_size,
                                 .reliable_size = reset->reliable_size};
  *number = CARRIER_NUMBER | (uint64_t)reset->id;
  return wt__quic_carrier_write(carrier, &frame);
}

void wt__reset_at_send_expect(struct wt__conn *conn) { conn->reset_out.carriers = true; }

void wt__reset_at_send_sent(struct wt__conn *conn) {
  struct reset *reset = reset_first(&conn->reset_out.queue);
  reset->sent_at = conn->endpoint->now;
  reset_move(reset, FLYING, &conn->reset_out.flying);
}

void wt__reset_at_send_encrypt(struct wt__conn *conn, uint8_t *payload, size_t len) {
  if (!conn->reset_out.carriers) return;
  wt__quic_carriers_unwrap(payload, len);
  conn->reset_out.carriers = false;
}

static struct reset *reset_of_number(const struct wt__conn *conn, uint64_t number) {
  return number & CARRIER_NUMBER ? reset_find(conn, (int64_t)(number & ~CARRIER_NUMBER)) : NULL;
}

void wt__reset_at_send_acked(struct wt__conn *conn, uint64_t number) {
  struct reset *reset = reset_of_number(conn, number);
  if (reset && (reset->state == QUEUED || reset->state == FLYING)) reset_move(reset, ARRIVED, &conn->reset_out.fins);
}

void wt__reset_at_send_lost(struct wt__conn *conn, uint64_t number) {
  struct reset *reset = reset_of_number(conn, number);
  if (reset && reset->state == FLYING) reset_move(reset, QUEUED, &conn->reset_out.queue);
}

uint64_t wt__reset_at_send_expiry(const struct wt__conn *conn) {
  const struct reset *reset = reset_first(&conn->reset_out.flying);
  return reset ? reset->sent_at + SILENT_PTOS * conn->pto : UINT64_MAX;
}

void wt__reset_at_send_expire(struct wt__conn *conn) {
  while (wt__reset_at_send_expiry(conn) <= conn->endpoint->now)
    reset_move(reset_first(&conn->reset_out.flying), QUEUED, &conn->reset_out.queue);
}

int64_t wt__reset_at_send_next_fin(const struct wt__conn *conn) {
  const struct reset *reset = reset_first(&conn->reset_out.fins);
  return reset ? reset->id : -1;
}

void wt__reset_at_send_ended(struct wt__conn *conn) { reset_move(reset_first(&conn->reset_out.fins), ENDED, NULL); }
