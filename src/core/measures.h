/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_MEASURES_H
#define WT_CORE_MEASURES_H

/*
 * What a worker of a server measures for its metrics. Each is recorded when something begins or ends, and never for a packet.
 * The layers find it in `struct wt__mux_config`; NULL there: nothing is measured. One thread writes, any thread may read.
 */

#include <webtransport/error.h>

#include "base/histogram.h"

enum {
  WT__MEASURES_CAUSES = WT_CAUSE_NETWORK + 1,
  WT__MEASURES_DRAFTS = 16, /* by their number; a later one counts as the last */
  WT__MEASURES_CLASSES = 6, /* statuses of answers: 2xx has place 2 */
};

/* What a client is likely to be: h3/browser.h. */
enum wt__browser {
  WT__BROWSER_NONE, /* no browser */
  WT__BROWSER_CHROMIUM,
  WT__BROWSER_FIREFOX,
  WT__BROWSER_SAFARI,
  WT__BROWSER_OTHER, /* a page, it seems, and it is not known whose */
  WT__BROWSER_COUNT
};

struct wt__measures {
  struct wt__histogram handshake;  /* from a client's first packet that got a connection to the end of the handshake */
  struct wt__histogram round_trip; /* smoothed, at the end of a connection */
  struct wt__histogram accept;     /* from the header of a CONNECT to the answer to it */
  struct wt__histogram session;    /* from the answer to the end */
  _Atomic uint64_t ended[WT__MEASURES_DRAFTS][WT__MEASURES_CAUSES];  /* sessions */
  _Atomic uint64_t accepted[WT__MEASURES_DRAFTS][WT__BROWSER_COUNT]; /* sessions, when they begin */
  _Atomic uint64_t answers[WT__MEASURES_CLASSES];
};

void wt__measures_init(struct wt__measures *measures);
/* A session of `draft` was accepted. */
void wt__measures_accepted(struct wt__measures *measures, int draft, enum wt__browser browser);
/* A session of `draft` has ended, `ns` after it began. */
void wt__measures_session(struct wt__measures *measures, int draft, enum wt_cause cause, uint64_t ns);
/* A request gets a final answer. */
void wt__measures_answer(struct wt__measures *measures, int status);

#endif
