/* SPDX-License-Identifier: MIT */

/*
 * What is missing, and what comes twice: see tracks.h. A list that is searched from its front is enough, because a topic
 * has as many publishers as there are servers.
 */

#include "tracks.h"

#include <string.h>

#include "base/mem.h"

void wt__tracks_free(struct wt__tracks *tracks) {
  wt__free(tracks->items);
  *tracks = (struct wt__tracks){0};
}

static struct wt__track *track_find(struct wt__tracks *tracks, const uint8_t *publisher) {
  for (size_t i = 0; i < tracks->len; i++) {
    if (memcmp(tracks->items[i].publisher, publisher, WT__PUBLISHER_LEN) == 0) return &tracks->items[i];
  }
  return NULL;
}

static struct wt__track *track_oldest(struct wt__tracks *tracks) {
  struct wt__track *oldest = tracks->items;
  for (size_t i = 1; i < tracks->len; i++) {
    if (tracks->items[i].used < oldest->used) oldest = &tracks->items[i];
  }
  return oldest;
}

/* A place for one more, or NULL. */
static struct wt__track *track_new(struct wt__tracks *tracks) {
  if (tracks->len == WT__TRACKS_MAX) return track_oldest(tracks);
  if (tracks->len == tracks->cap) {
    size_t cap = tracks->cap ? tracks->cap * 2 : 2;
    struct wt__track *items = wt__realloc(tracks->items, cap * sizeof(*items));
    if (!items) return NULL;
    tracks->items = items;
    tracks->cap = cap;
  }
  return &tracks->items[tracks->len++];
}

static void track_set(struct wt__track *track, const struct wt__envelope *envelope, uint64_t used) {
  memcpy(track->publisher, envelope->publisher, WT__PUBLISHER_LEN);
  track->epoch = envelope->epoch;
  track->number = envelope->number;
  track->used = used;
}

enum wt__track_verdict wt__tracks_take(struct wt__tracks *tracks, const struct wt__envelope *envelope,
                                       uint64_t *missed) {
  struct wt__track *track = track_find(tracks, envelope->publisher);
  *missed = 0;
  if (!track) {
    track = track_new(tracks);
    if (!track) return WT__TRACK_NOMEM;
  } else if (envelope->epoch < track->epoch || (envelope->epoch == track->epoch && envelope->number <= track->number)) {
    return WT__TRACK_REPEATED;
  } else if (envelope->epoch == track->epoch) {
    *missed = envelope->number - track->number - 1;
  }
  track_set(track, envelope, ++tracks->clock);
  return WT__TRACK_NEXT;
}
