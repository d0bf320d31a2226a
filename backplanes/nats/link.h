/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_LINK_H
#define WT_BACKPLANES_LINK_H

/*
 * One connection of nats.c, from the first try to its end. nats.c does not connect again by itself here, because during
 * that it would hold the lock that publishing needs; so each connection is a new one.
 *
 * Threads: nats.c connects on a thread of libuv's pool, by a call that waits. From then on the loop's thread watches the
 * socket and calls nats.c, which has no thread for the connection. Messages come on a thread of nats.c, into the inbox.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include <nats/nats.h>

#include "broker_url.h"
#include "inbox.h"

struct wt__nats_link;

struct wt__nats_link_calls {
  void (*opened)(struct wt__nats_link *link);
  void (*received)(struct wt__nats_link *link, const char *subject, const char *data, size_t len);
  void (*failed)(struct wt__nats_link *link, const char *reason); /* at most once; then call wt__nats_link_close */
  void (*closed)(struct wt__nats_link *link);                     /* the last call: `link` is freed after it */
};

/* What all links of a backplane share. Borrowed. */
struct wt__nats_link_config {
  const char *credentials_file, *ca_file, *certificate_file, *key_file; /* NULL: none */
  uint64_t timeout_ms;
  size_t max_inbox_bytes;
};

struct wt__nats_link {
  const struct wt__nats_link_calls *calls;
  void *owner;
  uv_loop_t *loop;
  natsOptions *options;
  natsConnection *connection;
  struct wt__nats_inbox *inbox;

  uv_work_t work;
  natsStatus status; /* of connecting */
  char reason[256];

  uv_poll_t poll;
  uv_async_t wake;
  int fd, events;
  int handles; /* not closed yet */
  bool is_connecting, is_closing, is_watched, is_gone, has_failed;
};

/* Options for a URL; NULL with a sentence in `why` if files cannot be read or memory is out. `*error` is WT_ERR_... */
natsOptions *wt__nats_link_options(const struct wt__nats_link_config *config, const struct wt__broker_url *url,
                                   char *why, size_t why_size, int *error);

/* Begins to connect. NULL: out of memory. */
struct wt__nats_link *wt__nats_link_open(uv_loop_t *loop, const struct wt__nats_link_config *config,
                                         const struct wt__broker_url *url, const struct wt__nats_link_calls *calls,
                                         void *owner, char *why, size_t why_size);

/* NULL: it failed. `must`: its messages are kept beyond the bound. */
natsSubscription *wt__nats_link_subscribe(struct wt__nats_link *link, const char *subject, bool must);
void wt__nats_link_unsubscribe(natsSubscription *subscription);

/* Queues a message. NATS_MAX_PAYLOAD: the server takes none of this size; other errors: the link will report a failure. */
natsStatus wt__nats_link_publish(struct wt__nats_link *link, const char *subject, const void *data, size_t len);

/* Ends it without waiting; `closed` comes later. */
void wt__nats_link_close(struct wt__nats_link *link);

#endif
