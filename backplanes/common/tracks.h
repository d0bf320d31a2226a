/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_TRACKS_H
#define WT_BACKPLANES_TRACKS_H

/*
 * Where each publisher of a subscribed topic is: the number of its latest message. By this a server notices what is
 * missing and what comes twice, for example because the publisher lost the broker and sent again what the broker had not
 * confirmed. The number of publishers is bounded: the one that was silent for the longest time is forgotten.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

#define WT__TRACKS_MAX 1024

struct wt__track {
  uint8_t publisher[WT__PUBLISHER_LEN];
  uint64_t epoch, number;
  uint64_t used; /* the value of `clock` at its latest message */
};

struct wt__tracks {
  struct wt__track *items;
  size_t len, cap;
  uint64_t clock;
};

enum wt__track_verdict {
  WT__TRACK_NEXT,     /* deliver it */
  WT__TRACK_REPEATED, /* it was there already, or later ones were */
  WT__TRACK_NOMEM,    /* deliver it; what follows cannot be judged */
};

void wt__tracks_free(struct wt__tracks *tracks);

/* Judges a message. `*missed` gets how many of the same publisher are missing before it. */
enum wt__track_verdict wt__tracks_take(struct wt__tracks *tracks, const struct wt__envelope *envelope,
                                       uint64_t *missed);

#endif
