/* SPDX-License-Identifier: MIT */

/*
 * Server names with an underscore.
 *
 * Programs in containers call each other "my_service", and browsers and curl send such names. GnuTLS knows letters,
 * digits, '-' and '.'. For any other character it ends the handshake with illegal_parameter. It has no option for that, and
 * does not let its handler of the extension be replaced (3.7.9 and 3.8.9 alike). The client's bytes cannot be changed on
 * their way in, since both sides hash them. So one byte is changed for the moment in which GnuTLS looks at the name:
 *
 *   ClientHello is whole   our hook: the name is found and kept, if it has an underscore
 *   it is hashed           by GnuTLS, as the client sent it, and copied for the check of tickets
 *   first pass             our handler of the transport parameters: the name's type becomes one that nobody knows
 *   second pass            GnuTLS looks for a DNS name, and finds none
 *   hello is read          our function: the name's type is as before
 *
 * The bytes lie in a buffer of GnuTLS's. The hook may have seen another one than the handler: nothing is changed unless the
 * transport parameters are at the very address that the hook saw. Where they are not, with a GnuTLS that we do not know,
 * the handshake fails as it would without us.
 *
 * For GnuTLS the client has sent no name then. We keep it, and choose the certificate by it.
 *
 * Names with other characters stay refused. Why, stands in `tls->error`.
 */

#include "quic/server_name.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "quic/tls_session.h"
#include "wire/client_hello.h"
#include "wire/utf8.h"

#define NAME_TYPE_BEFORE 3 /* bytes before the name stands its type */
#define NAME_TYPE_DNS 0
#define NAME_TYPE_UNKNOWN 255

static void name_refuse(struct wt__tls *tls, struct wt__vec name) {
  char shown[120];
  if (!tls->error) tls->error = wt__calloc(1, WT__TLS_ERROR_MAX);
  if (!tls->error) return;
  (void)wt__utf8_show(shown, sizeof(shown), (const char *)name.data, name.len);
  (void)snprintf(tls->error, WT__TLS_ERROR_MAX,
                 "the client asks for the server name \"%s\", which GnuTLS does not take", shown);
}

/* Without memory the name is not kept, and GnuTLS refuses it. */
static void name_keep(struct wt__tls *tls, struct wt__vec name, struct wt__vec params) {
  tls->server_name = wt__strndup((const char *)name.data, name.len);
  if (!tls->server_name) return;
  tls->hello_params = params.data;
  tls->hello_name = name.data;
}

void wt__server_name_on_hello(struct wt__tls *tls, struct wt__vec hello) {
  struct wt__vec body, name, params;
  wt__free(tls->server_name);
  tls->server_name = NULL;
  tls->hello_params = tls->hello_name = NULL;
  if (!wt__client_hello_find(hello, WT__TLS_SERVER_NAME, &body) || !wt__server_name_find(body, &name)) return;
  switch (wt__server_name_kind(name)) {
    case WT__SERVER_NAME_PLAIN: break;
    case WT__SERVER_NAME_ODD: name_refuse(tls, name); break;
    case WT__SERVER_NAME_UNDERSCORE:
      if (wt__client_hello_find(hello, NGTCP2_TLSEXT_QUIC_TRANSPORT_PARAMETERS_V1, &params))
        name_keep(tls, name, params);
      break;
  }
}

static void name_set_type(const struct wt__tls *tls, uint8_t type) {
  ((uint8_t *)(uintptr_t)tls->hello_name)[-NAME_TYPE_BEFORE] = type;
}

void wt__server_name_hide(struct wt__tls *tls, const uint8_t *params) {
  if (!tls->hello_name) return;
  if (tls->hello_params == params) {
    name_set_type(tls, NAME_TYPE_UNKNOWN);
  } else {
    name_refuse(tls, (struct wt__vec){(const uint8_t *)tls->server_name, strlen(tls->server_name)});
    tls->hello_name = NULL;
  }
}

/* GnuTLS has read the name, and next looks at tickets. */
static int session_on_hello_read(gnutls_session_t session) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  if (tls->hello_name) name_set_type(tls, NAME_TYPE_DNS);
  tls->hello_name = tls->hello_params = NULL;
  return 0;
}

void wt__server_name_watch(struct wt__tls *tls) {
  gnutls_handshake_set_post_client_hello_function(tls->session, session_on_hello_read);
}
