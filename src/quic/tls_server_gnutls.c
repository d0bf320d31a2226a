/* SPDX-License-Identifier: MIT */

/*
 * TLS 1.3 of a server: what its handshakes share (certificates, the secrets behind session tickets), and how a handshake
 * begins and ends. The handshake itself is in tls_handshake_gnutls.c, for both roles.
 *
 * Early data (0-RTT) is off: a server would have to ask GnuTLS for it. A client gets one ticket, when its handshake is
 * done: GnuTLS would make two, and before it is done.
 *
 * Certificates and secrets may be replaced at any time, by any thread. Either makes a new set, for the handshakes that begin
 * from then on.
 *
 * client_certificate_gnutls.c judges the certificates of clients; certificate_set_gnutls.c has the server's own ones.
 */

#include "quic/tls.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <pthread.h>

#include "base/mem.h"
#include "quic/certificate_set.h"
#include "quic/client_certificate.h"
#include "quic/key_log.h"
#include "quic/server_name.h"
#include "quic/tls_choice.h"
#include "quic/tickets.h"
#include "quic/tls_session.h"

struct wt__tls_context {
  gnutls_priority_t priorities;
  struct wt__client_auth auth;
  struct wt__key_log key_log;
  struct wt__cert_select select;
  unsigned ticket_lifetime_s;
  pthread_mutex_t change;                   /* held by who makes another set */
  struct wt__ticket_secrets ticket_secrets; /* each set's keys are derived from them; none: no tickets */
  pthread_mutex_t lock;                     /* of `set` */
  struct wt__cert_set *set;
};

/* --- Context --- */

int wt__tls_context_new(struct wt__tls_context **context, bool session_tickets) {
  struct wt__tls_context *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  pthread_mutex_init(&made->lock, NULL);
  pthread_mutex_init(&made->change, NULL);
  made->ticket_lifetime_s = WT__TICKET_LIFETIME_S;
  int error = wt__tls_choice_apply(NULL, true, &made->priorities);
  if (error) error = error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  if (!error && session_tickets) error = wt__ticket_secrets_random(&made->ticket_secrets);
  if (error) {
    wt__tls_context_free(made);
    return error;
  }
  *context = made;
  return 0;
}

int wt__tls_context_configure(struct wt__tls_context *context, const struct wt__tls_server_options *options) {
  if (options->ticket_lifetime_s) context->ticket_lifetime_s = options->ticket_lifetime_s;
  context->key_log = options->key_log;
  context->select = (struct wt__cert_select){options->select, options->select_user_data};
  if (context->priorities) gnutls_priority_deinit(context->priorities);
  context->priorities = NULL;
  int error = wt__tls_choice_apply(&options->choice, true, &context->priorities);
  if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  wt__client_auth_free(&context->auth);
  return wt__client_auth_init(&context->auth, options->client_certificates, options->client_ca_file);
}

void wt__tls_context_free(struct wt__tls_context *context) {
  if (!context) return;
  wt__cert_set_unref(context->set);
  wt__client_auth_free(&context->auth);
  pthread_mutex_destroy(&context->lock);
  pthread_mutex_destroy(&context->change);
  if (context->priorities) gnutls_priority_deinit(context->priorities);
  wt__wipe(&context->ticket_secrets, sizeof(context->ticket_secrets));
  wt__free(context);
}

/* Makes a set of these certificates, and serves it from now on. With `change` held. */
static int context_change(struct wt__tls_context *context, wt_certificate *const *certificates, size_t count,
                          const struct wt__ticket_secrets *secrets) {
  struct wt__cert_set *set = wt__cert_set_new(certificates, count);
  if (!set) return WT_ERR_NOMEM;
  int error = wt__cert_set_derive_ticket_keys(set, secrets, &context->auth);
  if (!error) error = wt__client_auth_trust(&context->auth, set->credentials);
  if (error) {
    wt__cert_set_unref(set);
    return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  pthread_mutex_lock(&context->lock);
  struct wt__cert_set *old = context->set;
  context->set = set;
  pthread_mutex_unlock(&context->lock);
  wt__cert_set_unref(old);
  return 0;
}

int wt__tls_context_set_certificates(struct wt__tls_context *context, wt_certificate *const *certificates,
                                     size_t count) {
  if (!count || !certificates) return WT_ERR_INVALID;
  pthread_mutex_lock(&context->change);
  int error = context_change(context, certificates, count, &context->ticket_secrets);
  pthread_mutex_unlock(&context->change);
  return error;
}

int wt__tls_context_set_ticket_secrets(struct wt__tls_context *context, const struct wt__ticket_secrets *secrets) {
  int error = 0;
  pthread_mutex_lock(&context->change);
  if (context->ticket_secrets.count) { /* else the server gives no tickets */
    if (context->set) error = context_change(context, context->set->certificates, context->set->count, secrets);
    if (!error) context->ticket_secrets = *secrets;
  }
  pthread_mutex_unlock(&context->change);
  return error;
}

/* A reference to the set of now; NULL: there is none. */
static struct wt__cert_set *context_set(struct wt__tls_context *context) {
  pthread_mutex_lock(&context->lock);
  struct wt__cert_set *set = wt__cert_set_ref(context->set);
  pthread_mutex_unlock(&context->lock);
  return set;
}

/* --- One handshake --- */

/* A ClientHello has arrived; a second one comes after a HelloRetryRequest. */
static int session_on_hello(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                            const gnutls_datum_t *message) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  const struct wt__vec hello = {message->data, message->size};
  (void)type, (void)when;
  if (!incoming) return 0;
  wt__server_name_on_hello(tls, hello);
  wt__tickets_on_hello(tls, hello);
  return 0;
}

int wt__tls_new_server(struct wt__tls **tls, struct wt__tls_context *context, struct ngtcp2_conn *conn) {
  struct wt__cert_set *set = context_set(context);
  if (!set) return WT_ERR_STATE;
  struct wt__tls *made = wt__calloc(1, sizeof(*made));
  if (!made) {
    wt__cert_set_unref(set);
    return WT_ERR_NOMEM;
  }
  made->conn = conn;
  made->set = set;
  made->auth = &context->auth;
  made->log = &context->key_log;
  made->select = &context->select;
  made->ticket_lifetime_s = context->ticket_lifetime_s;
  int error = gnutls_init(&made->session, GNUTLS_SERVER | GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_AUTO_SEND_TICKET);
  if (error) {
    made->session = NULL;
    wt__tls_free(made);
    return WT_ERR_NOMEM;
  }
  wt__key_log_watch(made);
  gnutls_handshake_set_hook_function(made->session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, session_on_hello);
  wt__server_name_watch(made);
  wt__client_auth_ask(made);
  gnutls_db_set_cache_expiration(made->session, (int)context->ticket_lifetime_s);
  error = wt__tls_handshake_configure(made, context->priorities, made->set->credentials);
  if (error) {
    wt__tls_free(made);
    return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  ngtcp2_conn_set_tls_native_handle(conn, made->session);
  *tls = made;
  return 0;
}

int wt__tls_server_handshake_done(struct wt__tls *tls) {
  int error = wt__client_auth_keep(tls);
  if (error) return error;
  /* A certificate that the application chose may be another one next time, and a ticket leads past it. */
  if (!tls->selected && wt__client_auth_allows_ticket(tls, tls->ticket_lifetime_s))
    (void)gnutls_session_ticket_send(tls->session, 1, 0);
  return 0;
}
