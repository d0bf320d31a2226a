/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_ENDING_H
#define WT_CORE_ENDING_H

/* How a connection ended. Its sessions, streams and requests end in the same way. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/error.h>

struct wt__ending {
  enum wt_cause cause;
  bool is_h3;          /* `wire_code` is a code of HTTP/3 or the application; otherwise one of QUIC */
  uint64_t wire_code;  /* the code of the CONNECTION_CLOSE that was sent or received, or would have been */
  const char *message; /* for people; may be "". Valid until all callbacks about the end have returned */
};

/* The longest reason in a CONNECTION_CLOSE, in bytes. A longer one might not fit into a packet. */
#define WT__LEAVE_REASON_MAX 256

/* The application closes a connection: checks code and reason, and copies the reason to `text`, cut at a character
 * boundary if it is too long. WT_ERR_INVALID. */
int wt__leave_check(uint64_t wire_code, const char *reason, size_t reason_len, char text[WT__LEAVE_REASON_MAX + 1]);

/* The party that a cause belongs to. */
static inline enum wt_party wt__cause_party(enum wt_cause cause) {
  return cause == WT_CAUSE_LOCAL ? WT_LOCAL : cause == WT_CAUSE_PEER ? WT_PEER : WT_TRANSPORT;
}

/* The cause when a session or a stream ends and the connection goes on. Timeouts and the network are none, because they
 * end whole connections. */
static inline enum wt_cause wt__party_cause(enum wt_party party) {
  return party == WT_LOCAL ? WT_CAUSE_LOCAL : party == WT_PEER ? WT_CAUSE_PEER : WT_CAUSE_ERROR;
}

#endif
