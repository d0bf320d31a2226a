/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TICKETS_H
#define WT_QUIC_TICKETS_H

/* Which key seals and opens the session tickets of a handshake. See tickets_gnutls.c. */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/vec.h"

#define WT__TICKET_NAME_LEN 16 /* bytes at the start of a ticket, which tell the key */

struct wt__tls;

/* A ClientHello of a server's session has arrived, and GnuTLS has not looked at it yet. */
void wt__tickets_on_hello(struct wt__tls *tls, struct wt__vec hello);

/* The start of the tickets that GnuTLS seals at that time with this key, `steps` periods before. WT_ERR_TLS. */
int wt__ticket_name(const uint8_t *key, unsigned lifetime_s, time_t now, unsigned steps,
                    uint8_t name[static WT__TICKET_NAME_LEN]);

#endif
