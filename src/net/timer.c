/* SPDX-License-Identifier: MIT */

/* Timers of a client. All are in one heap, so the next one that is due is found without a search. */

#include "net/timer.h"

#include "base/heap.h"
#include "base/list.h"
#include "net/client_state.h"

int wt__timer_init(wt_client *client, struct wt__timer *timer, void (*due)(struct wt__timer *timer, uint64_t now)) {
  wt__heap_node_init(&timer->node);
  timer->due = due;
  return wt__heap_set(&client->timers, &timer->node, UINT64_MAX);
}

/* It is in the heap, so this cannot fail. */
void wt__timer_set(wt_client *client, struct wt__timer *timer, uint64_t at) {
  (void)wt__heap_set(&client->timers, &timer->node, at);
}

void wt__timer_free(wt_client *client, struct wt__timer *timer) { wt__heap_remove(&client->timers, &timer->node); }

void wt__timers_run(wt_client *client, uint64_t now) {
  struct wt__heap_node *node;
  while ((node = wt__heap_min(&client->timers)) && node->key <= now) {
    struct wt__timer *timer = WT__CONTAINER_OF(node, struct wt__timer, node);
    wt__timer_set(client, timer, UINT64_MAX);
    timer->due(timer, now);
  }
}
