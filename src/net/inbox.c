/* SPDX-License-Identifier: MIT */

/*
 * Where a worker finds the packets of its connections that came to another worker's socket.
 *
 * That is the exception (net/steer.c has most packets come to the right socket), so it is kept simple: a list behind
 * a lock that is held for a few instructions, and a copy of each packet in memory of its own. The owner takes the whole
 * list at once and reads it without the lock.
 *
 * Anybody can send packets that name any worker, so the list has a maximum in bytes. What comes beyond it is dropped,
 * as a socket drops what it has no room for, and QUIC repairs it if it was real. Packets that are being read count until
 * the last of them is.
 */

#include "net/inbox.h"

#include <string.h>

#include "base/mem.h"

struct wt__inbox_packet {
  struct wt__inbox_packet *next;
  struct wt__path path;
  struct wt__origin origin;
  size_t socket, len;
  unsigned ecn;
  uint8_t data[];
};

void wt__inbox_init(struct wt__inbox *inbox) {
  memset(inbox, 0, sizeof(*inbox));
  pthread_mutex_init(&inbox->lock, NULL);
  inbox->end = &inbox->first;
}

static struct wt__inbox_packet *inbox_take(struct wt__inbox *inbox) {
  pthread_mutex_lock(&inbox->lock);
  struct wt__inbox_packet *first = inbox->first;
  inbox->first = NULL;
  inbox->end = &inbox->first;
  pthread_mutex_unlock(&inbox->lock);
  return first;
}

/* So many bytes that were taken are freed. */
static void inbox_give_back(struct wt__inbox *inbox, size_t bytes) {
  pthread_mutex_lock(&inbox->lock);
  inbox->bytes -= bytes;
  pthread_mutex_unlock(&inbox->lock);
}

/* Whether a packet of `size` bytes is to be dropped; it is counted then. Asked before it costs a copy: a flood of them
 * is what the bound is for. */
static bool inbox_is_full(struct wt__inbox *inbox, size_t size) {
  pthread_mutex_lock(&inbox->lock);
  bool full = inbox->bytes + size > WT__INBOX_MAX;
  if (full) inbox->dropped++;
  pthread_mutex_unlock(&inbox->lock);
  return full;
}

static size_t packet_size(size_t len) { return sizeof(struct wt__inbox_packet) + len; }

void wt__inbox_free(struct wt__inbox *inbox) {
  wt__inbox_run(inbox, NULL, NULL);
  pthread_mutex_destroy(&inbox->lock);
}

bool wt__inbox_put(struct wt__inbox *inbox, size_t socket, const struct wt__origin *origin, const struct wt__path *path,
                   unsigned ecn, const uint8_t *data, size_t len) {
  size_t size = packet_size(len);
  if (inbox_is_full(inbox, size)) return false;
  struct wt__inbox_packet *packet = wt__malloc(size);
  if (packet) {
    *packet = (struct wt__inbox_packet){.path = *path, .origin = *origin, .socket = socket, .len = len, .ecn = ecn};
    memcpy(packet->data, data, len);
  }
  pthread_mutex_lock(&inbox->lock);
  bool was_empty = !inbox->first, taken = packet && inbox->bytes + size <= WT__INBOX_MAX;
  if (taken) {
    *inbox->end = packet;
    inbox->end = &packet->next;
    inbox->bytes += size;
    inbox->taken++;
  } else {
    inbox->dropped++;
  }
  pthread_mutex_unlock(&inbox->lock);
  if (!taken) wt__free(packet);
  return taken && was_empty;
}

void wt__inbox_run(struct wt__inbox *inbox, wt__inbox_receive receive, void *ctx) {
  struct wt__inbox_packet *packet = inbox_take(inbox);
  size_t bytes = 0;
  while (packet) {
    struct wt__inbox_packet *next = packet->next;
    bytes += packet_size(packet->len);
    if (receive) receive(ctx, packet->socket, &packet->origin, &packet->path, packet->ecn, packet->data, packet->len);
    wt__free(packet);
    packet = next;
  }
  if (bytes) inbox_give_back(inbox, bytes);
}

void wt__inbox_get_stats(struct wt__inbox *inbox, uint64_t *taken, uint64_t *dropped) {
  pthread_mutex_lock(&inbox->lock);
  *taken = inbox->taken;
  *dropped = inbox->dropped;
  pthread_mutex_unlock(&inbox->lock);
}
