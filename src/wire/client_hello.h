/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_CLIENT_HELLO_H
#define WT_WIRE_CLIENT_HELLO_H

/* The server name and the tickets in a ClientHello (RFC 8446, sections 4.1.2 and 4.2.11; RFC 6066, section 3). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

#define WT__TLS_SERVER_NAME 0       /* the extension's type */
#define WT__TLS_PRE_SHARED_KEY 41   /* likewise */
#define WT__TLS_SERVER_NAME_MAX 255 /* bytes of a name with an underscore */

/*
 * Looks for an extension in a ClientHello without its header of four bytes. True: `*body` is the body of the first one of
 * that type, inside `hello`. False: there is none, or `hello` is malformed before it.
 */
bool wt__client_hello_find(struct wt__vec hello, uint16_t type, struct wt__vec *body);

/*
 * Looks for the DNS name in the body of a server_name extension. True: `*name` is that name, inside `body`, and not empty.
 * The byte with the name's type stands three bytes before it. False: there is none, or `body` is malformed before it.
 */
bool wt__server_name_find(struct wt__vec body, struct wt__vec *name);

/*
 * Takes the next identity, which is a ticket, from `*list`; that is the body of a pre_shared_key extension at first, with
 * `*begun` false. False: there are no more, or the rest is malformed. `*identity` lies inside the body.
 */
bool wt__psk_identity_next(struct wt__vec *list, bool *begun, struct wt__vec *identity);

/* What characters a server name has. */
enum wt__server_name_kind {
  WT__SERVER_NAME_PLAIN,      /* letters, digits, '-' and '.' */
  WT__SERVER_NAME_UNDERSCORE, /* '_' too: DNS and hosts files know such names, the rules of host names do not */
  WT__SERVER_NAME_ODD         /* others; or an underscore, and it is too long */
};
enum wt__server_name_kind wt__server_name_kind(struct wt__vec name);

#endif
