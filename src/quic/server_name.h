/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SERVER_NAME_H
#define WT_QUIC_SERVER_NAME_H

/* A server's handshakes with clients that ask for a name which GnuTLS does not take, such as "my_service". */

#include <stdint.h>

struct wt__tls;

/* Looks at each ClientHello of `tls` from now on. What is found: `tls->server_name`, or `tls->error`. */
void wt__server_name_watch(struct wt__tls *tls);

/* GnuTLS has handed out the transport parameters in the ClientHello, which begin at `params`. */
void wt__server_name_hide(struct wt__tls *tls, const uint8_t *params);

#endif
