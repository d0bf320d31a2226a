/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ADMIT_H
#define WT_QUIC_ADMIT_H

/* Whether a first packet may begin a connection, and which half-open connection gives way for it. */

#include <stdbool.h>
#include <stddef.h>

struct wt__conn;
struct wt__endpoint;
struct wt__path;

enum wt__admit {
  WT__ADMIT_NOW,
  WT__ADMIT_RETRY, /* the client has to validate its address first */
  WT__ADMIT_NOT,   /* CONNECTION_REFUSED */
};

/* Who makes room for an admitted connection. */
struct wt__admission {
  struct wt__conn *gives_way; /* NULL: nobody of this worker */
  bool owes;                  /* one of another worker */
};

/* Whether a first packet is passed over, because its address has as many handshakes as it may have, and none gives way
 * now: the client may try again a little later. Asked before anything is spent on the packet. Counts and logs it. */
bool wt__endpoint_drops_initial(struct wt__endpoint *endpoint, const struct wt__path *path, bool has_token);
/* Otherwise: `validated`: the packet has a token that proves its address. Counts and logs what is not admitted. */
enum wt__admit wt__endpoint_admit(struct wt__endpoint *endpoint, const struct wt__path *path, bool validated,
                                  struct wt__admission *admission);
/* The new connection has read its first packet, and lives: it takes the place of another, if need be. */
void wt__endpoint_make_room(struct wt__endpoint *endpoint, const struct wt__admission *admission);
/* Ends half-open connections in whose place other workers have let in new ones. */
void wt__endpoint_pay_debt(struct wt__endpoint *endpoint);
/* How often the oldest handshakes of an address may give way, at once and in a second. */
size_t wt__endpoint_turnover(const struct wt__endpoint *endpoint);

#endif
