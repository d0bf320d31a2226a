/* SPDX-License-Identifier: MIT */

/*
 * The numbers of a publisher's messages: see numbers.h.
 */

#include "numbers.h"

#include <string.h>

#include "base/mem.h"

struct topic {
  struct wt__name name; /* first: names.h */
  struct wt__link link;
  uint64_t epoch, number;
  char bytes[];
};

void wt__numbers_init(struct wt__numbers *numbers, size_t max) {
  *numbers = (struct wt__numbers){.max = max, .epoch = 1};
  wt__list_init(&numbers->recent);
}

static void topic_free(struct wt__numbers *numbers, struct topic *topic) {
  wt__names_remove(&numbers->topics, &topic->name);
  wt__list_remove(&topic->link);
  numbers->count--;
  wt__free(topic);
}

void wt__numbers_free(struct wt__numbers *numbers) {
  WT__LIST_FOREACH(it, next, &numbers->recent) { topic_free(numbers, WT__CONTAINER_OF(it, struct topic, link)); }
}

static struct topic *topic_new(struct wt__numbers *numbers, const char *bytes, size_t len) {
  struct topic *topic = wt__malloc(sizeof(*topic) + len);
  if (!topic) return NULL;
  memcpy(topic->bytes, bytes, len);
  topic->name = (struct wt__name){.bytes = topic->bytes, .len = len};
  topic->epoch = numbers->epoch++;
  topic->number = 0;
  wt__link_init(&topic->link);
  if (!wt__names_add(&numbers->topics, &topic->name)) {
    wt__free(topic);
    return NULL;
  }
  numbers->count++;
  return topic;
}

bool wt__numbers_next(struct wt__numbers *numbers, const char *bytes, size_t len, uint64_t *epoch, uint64_t *number) {
  struct topic *topic = wt__names_find(&numbers->topics, bytes, len);
  if (!topic) {
    if (numbers->count >= numbers->max) {
      topic_free(numbers, WT__CONTAINER_OF(wt__list_first(&numbers->recent), struct topic, link));
    }
    topic = topic_new(numbers, bytes, len);
    if (!topic) return false;
  }
  wt__list_remove(&topic->link);
  wt__list_push_back(&numbers->recent, &topic->link);
  *epoch = topic->epoch;
  *number = ++topic->number;
  return true;
}
