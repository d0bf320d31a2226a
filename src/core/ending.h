/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_ENDING_H
#define WT_CORE_ENDING_H

/* How a connection ended, for all that ends with it. */

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/error.h>

struct wt__ending {
  enum wt_cause cause;
  bool is_h3;          /* `wire_code` is the application's; else one of QUIC */
  uint64_t wire_code;  /* what the wire said, or would have */
  const char *message; /* for people; "": nothing is known. Borrowed until all have heard of it */
};

/* The one place where causes and parties are told apart. */
static inline enum wt_party wt__cause_party(enum wt_cause cause) {
  return cause == WT_CAUSE_LOCAL ? WT_LOCAL : cause == WT_CAUSE_PEER ? WT_PEER : WT_TRANSPORT;
}

/* The cause of what ends alone, while the connection goes on: timeouts and the network end connections. */
static inline enum wt_cause wt__party_cause(enum wt_party party) {
  return party == WT_LOCAL ? WT_CAUSE_LOCAL : party == WT_PEER ? WT_CAUSE_PEER : WT_CAUSE_ERROR;
}

#endif
