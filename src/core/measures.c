/* SPDX-License-Identifier: MIT */

/*
 * The ranges of durations. What a network and a handler decide takes from less than a millisecond to some seconds; a
 * session lives from a moment to days.
 */

#include "core/measures.h"

#include <string.h>

#include "base/clock.h"

#define US WT__NS_PER_US
#define MS WT__NS_PER_MS
#define S WT__NS_PER_S

static const uint64_t waits[WT__HISTOGRAM_BOUNDS] = {500 * US, 1 * MS,   2500 * US, 5 * MS, 10 * MS,   25 * MS, 50 * MS,
                                                     100 * MS, 250 * MS, 500 * MS,  1 * S,  2500 * MS, 5 * S,   10 * S};
static const uint64_t lives[WT__HISTOGRAM_BOUNDS] = {100 * MS, 1 * S,     5 * S,     15 * S,   30 * S,
                                                     60 * S,   300 * S,   900 * S,   1800 * S, 3600 * S,
                                                     7200 * S, 14400 * S, 43200 * S, 86400 * S};

void wt__measures_init(struct wt__measures *measures) {
  memset(measures, 0, sizeof(*measures));
  measures->handshake.bounds = measures->round_trip.bounds = measures->accept.bounds = waits;
  measures->session.bounds = lives;
}

static int draft_place(int draft) { return draft < WT__MEASURES_DRAFTS ? draft : WT__MEASURES_DRAFTS - 1; }

void wt__measures_accepted(struct wt__measures *measures, int draft, enum wt__browser browser) {
  wt__count_add(&measures->accepted[draft_place(draft)][browser], 1);
}

void wt__measures_session(struct wt__measures *measures, int draft, enum wt_cause cause, uint64_t ns) {
  wt__count_add(&measures->ended[draft_place(draft)][cause], 1);
  wt__histogram_record(&measures->session, ns);
}

void wt__measures_answer(struct wt__measures *measures, int status) {
  int place = status / 100;
  if (place > 0 && place < WT__MEASURES_CLASSES) wt__count_add(&measures->answers[place], 1);
}
