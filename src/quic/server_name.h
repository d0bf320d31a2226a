/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SERVER_NAME_H
#define WT_QUIC_SERVER_NAME_H

/* A server's handshakes with clients that ask for a name which GnuTLS does not take, such as "my_service". */

#include <stdint.h>

#include "base/vec.h"

struct wt__tls;

/* Puts right, once GnuTLS has read a ClientHello, what `wt__server_name_hide` has changed in it. For each new session. */
void wt__server_name_watch(struct wt__tls *tls);

/* A ClientHello has arrived, and GnuTLS has not looked at it yet. What is found: `tls->server_name`, or `tls->error`. */
void wt__server_name_on_hello(struct wt__tls *tls, struct wt__vec hello);

/* GnuTLS has handed out the transport parameters in the ClientHello, which begin at `params`. */
void wt__server_name_hide(struct wt__tls *tls, const uint8_t *params);

#endif
