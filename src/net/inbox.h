/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_INBOX_H
#define WT_NET_INBOX_H

/* Packets that another worker's socket received. */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

#define WT__INBOX_MAX (4 * 1024 * 1024) /* bytes that wait, with what is kept beside each packet */

struct wt__inbox_packet;

struct wt__inbox {
  pthread_mutex_t lock;
  struct wt__inbox_packet *first, **end;
  size_t bytes;
  uint64_t taken, dropped; /* since the beginning */
};

void wt__inbox_init(struct wt__inbox *inbox);
void wt__inbox_free(struct wt__inbox *inbox);

/* Any thread. `socket`: the number of the socket it came in on, in place of `path->socket`. `origin`: the process it comes
 * from. Copied; dropped and counted where there is no room. Returns whether the inbox was empty, so that its owner has to be
 * told. */
bool wt__inbox_put(struct wt__inbox *inbox, size_t socket, const struct wt__origin *origin, const struct wt__path *path,
                   unsigned ecn, const uint8_t *data, size_t len);

/* Gives what there is now to `receive`, oldest first. */
typedef void (*wt__inbox_receive)(void *ctx, size_t socket, const struct wt__origin *origin, struct wt__path *path,
                                  unsigned ecn, const uint8_t *data, size_t len);
void wt__inbox_run(struct wt__inbox *inbox, wt__inbox_receive receive, void *ctx);

/* Any thread. */
void wt__inbox_get_stats(struct wt__inbox *inbox, uint64_t *taken, uint64_t *dropped);

#endif
