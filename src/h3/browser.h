/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_BROWSER_H
#define WT_H3_BROWSER_H

/* Which family of browsers a client is likely of, for statistics. See browser.c. */

#include <stddef.h>

#include <webtransport/connection.h>

#include "core/measures.h"

/* What a client shows of itself. */
struct wt__browser_signs {
  const char *origin, *user_agent;   /* fields of its request; NULL: it has none */
  const struct wt_setting *settings; /* all that it sent, in their order */
  size_t setting_count;
};

/* A guess. Whoever writes a client decides what it says, so nothing may depend on it. */
enum wt__browser wt__browser_guess(const struct wt__browser_signs *signs);

#endif
