/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_HUB_H
#define WT_TESTS_HUB_H

/*
 * What a server is to its backplane, without a server: it notes what is delivered and told. Several hubs run on one loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include <webtransport/backplane.h>

struct hub_message {
  char *topic;
  size_t topic_len, len;
  uint8_t *data;
};

struct hub {
  struct wt_backplane_host host;
  struct wt_backplane *backplane;
  struct hub_message *messages;
  size_t count, cap;
  unsigned ups, downs, gaps, drops; /* events; gaps without a topic */
  uint64_t missed, dropped;         /* sums of their counts */
  char reason[256];                 /* of the latest event */
  char log[8192];
  unsigned stopped;
};

/* The event callback that a backplane of this hub needs, with the hub as its user data. */
void hub_on_event(const struct wt_backplane_event *event, void *user_data);

/* Takes over the backplane and starts it. */
void hub_start(struct hub *hub, struct wt_backplane *backplane, uv_loop_t *loop);
/* Stops and frees it. */
void hub_stop(struct hub *hub);

void hub_subscribe(struct hub *hub, const char *topic);
void hub_unsubscribe(struct hub *hub, const char *topic);
/* Publishes "NUMBER", filled with blanks to `len` bytes. Returns what publish returned. */
int hub_publish(struct hub *hub, const char *topic, unsigned number, size_t len);

/* How many messages of a topic came, and whether their numbers only grow. */
size_t hub_received(const struct hub *hub, const char *topic);
struct wt_backplane_stats hub_stats(const struct hub *hub);

/* Runs the loop until the condition holds; fails after two minutes. */
#define HUB_RUN_UNTIL(loop, condition)                             \
  do {                                                             \
    uint64_t hub_deadline = uv_hrtime() + 120000000000u;           \
    while (!(condition)) hub_turn(loop, hub_deadline, #condition); \
  } while (0)
void hub_turn(uv_loop_t *loop, uint64_t deadline, const char *what);

#endif
