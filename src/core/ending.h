/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_ENDING_H
#define WT_CORE_ENDING_H

/* How a connection ended, for all that ends with it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/error.h>

struct wt__ending {
  enum wt_cause cause;
  bool is_h3;          /* `wire_code` is the application's; else one of QUIC */
  uint64_t wire_code;  /* what the wire said, or would have */
  const char *message; /* for people; "": nothing is known. Borrowed until all have heard of it */
};

/* The longest reason that a CONNECTION_CLOSE carries, in bytes: more might not fit into a packet. */
#define WT__LEAVE_REASON_MAX 256

/* An application's close of a connection: whether code and reason can be sent; `text` gets the reason, cut at a character
 * boundary. WT_ERR_INVALID. */
int wt__leave_check(uint64_t wire_code, const char *reason, size_t reason_len, char text[WT__LEAVE_REASON_MAX + 1]);

/* The one place where causes and parties are told apart. */
static inline enum wt_party wt__cause_party(enum wt_cause cause) {
  return cause == WT_CAUSE_LOCAL ? WT_LOCAL : cause == WT_CAUSE_PEER ? WT_PEER : WT_TRANSPORT;
}

/* The cause of what ends alone, while the connection goes on: timeouts and the network end connections. */
static inline enum wt_cause wt__party_cause(enum wt_party party) {
  return party == WT_LOCAL ? WT_CAUSE_LOCAL : party == WT_PEER ? WT_CAUSE_PEER : WT_CAUSE_ERROR;
}

#endif
