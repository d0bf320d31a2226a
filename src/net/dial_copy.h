/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_DIAL_COPY_H
#define WT_NET_DIAL_COPY_H

/* What an application asks for in a dial, copied. */

#include <webtransport/client.h>

#include "h3/client.h"

struct wt__dial_copy {
  struct wt__h3_dial_options
      options; /* but for the path and `on_...`; `authority` NULL: the URL's; strings in the same block */
};

/* NULL: out of memory. */
struct wt__dial_copy *wt__dial_copy_new(const struct wt_dial_options *options);
void wt__dial_copy_free(struct wt__dial_copy *copy);

#endif
