/* SPDX-License-Identifier: MIT */

/*
 * Certificates come as a set that handshakes hold on to, so that the set can be replaced at any time. A server's workers
 * take it from the context each on its own thread, and one of them replaces it (tls_server_gnutls.c has the lock for that).
 *
 * The server's handshake asks the set for the certificate that fits the name which the client asks for, else it gets the first.
 *
 * The application may choose first (`wt_select_certificate_callback`), on the worker's thread. What it gives is the handshake's own
 * reference. Such a connection gets no ticket: the key of tickets knows the certificates of the set alone.
 *
 * A resumed session shows no certificate, so a ticket must not outlive the one that was shown. The key of tickets is
 * derived from a secret of the context and all certificates of the set: with others there is another key, and old
 * tickets lead to a full handshake; with the same ones, read again, it is the same. What clients have to show is part of it
 * as well: with the secrets of a fleet, a ticket may come from a machine that is told something else, or was.
 */

#include "quic/certificate_set.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/mem.h"
#include "quic/certificate.h"
#include "quic/client_certificate.h"
#include "quic/tls.h"
#include "quic/tls_session.h"

#define SET_HASH_LEN WT__CLIENT_AUTH_HASH_LEN

struct wt__cert_set *wt__cert_set_ref(struct wt__cert_set *set) {
  if (set) atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
  return set;
}

void wt__cert_set_unref(struct wt__cert_set *set) {
  if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1) return;
  gnutls_certificate_free_credentials(set->credentials);
  wt__wipe(&set->ticket_keys, sizeof(set->ticket_keys));
  for (size_t i = 0; i < set->count; i++) wt_certificate_free(set->certificates[i]);
  wt__free(set);
}

/* The certificate for `name`, else the first. */
static const wt_certificate *set_find(const struct wt__cert_set *set, const char *name) {
  for (size_t i = 0; i < set->count; i++) {
    if (wt__certificate_matches(set->certificates[i], name)) return set->certificates[i];
  }
  return set->certificates[0];
}

/* The name that the client asks for, in `name`; NULL: none, or none that is one. */
static const char *set_client_name(gnutls_session_t session, char *name, size_t size) {
  const struct wt__tls *tls = gnutls_session_get_ptr(session);
  const char *hidden = tls->server_name;
  size_t len = size - 1;
  unsigned type = 0;
  if (hidden) return hidden;
  if (gnutls_server_name_get(session, name, &len, &type, 0) || type != GNUTLS_NAME_DNS || len >= size) return NULL;
  name[len] = '\0';
  return strlen(name) == len ? name : NULL; /* a name in front of a NUL is not the one that was asked for */
}

/* What the application chooses for the name, once a handshake: GnuTLS may ask more often. NULL: nothing. */
static const wt_certificate *set_select(struct wt__tls *tls, const char *name) {
  const struct wt__cert_select *select = tls->select;
  if (!tls->select_asked && select->function) tls->selected = select->function(name, select->user_data);
  tls->select_asked = true;
  return tls->selected;
}

/* The one that the application chooses, else the one for the name that the client asks for, else the first. */
static const wt_certificate *set_choose(gnutls_session_t session) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  char text[256];
  const char *name = set_client_name(session, text, sizeof(text));
  const wt_certificate *selected = set_select(tls, name);
  return selected ? selected : name ? set_find(tls->set, name) : tls->set->certificates[0];
}

/* GnuTLS borrows what this gives; the session's set, or its reference, keeps it alive. */
static int set_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
                        unsigned *chain_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key,
                        unsigned *flags) {
  (void)info;
  const wt_certificate *certificate = set_choose(session);
  *chain = certificate->chain;
  *chain_len = certificate->chain_len;
  *key = certificate->signer ? certificate->signer : certificate->key;
  const gnutls_ocsp_data_st *staple = wt__certificate_staple(certificate);
  *ocsp = (gnutls_ocsp_data_st *)(uintptr_t)staple;
  *ocsp_len = staple ? 1 : 0;
  *flags = 0;
  return 0;
}

struct wt__cert_set *wt__cert_set_new(wt_certificate *const *certificates, size_t count) {
  struct wt__cert_set *set = wt__calloc(1, sizeof(*set) + count * sizeof(wt_certificate *));
  if (!set) return NULL;
  if (gnutls_certificate_allocate_credentials(&set->credentials)) {
    wt__free(set);
    return NULL;
  }
  gnutls_certificate_set_retrieve_function3(set->credentials, set_retrieve);
  atomic_init(&set->refs, 1);
  set->count = count;
  for (size_t i = 0; i < count; i++) set->certificates[i] = wt__certificate_ref(certificates[i]);
  return set;
}

/* What the set shows to clients, all of it. 0 or an error of GnuTLS. */
static int hash_set(gnutls_hash_hd_t state, const struct wt__cert_set *set) {
  int error = 0;
  for (size_t i = 0; i < set->count; i++) {
    const wt_certificate *certificate = set->certificates[i];
    for (unsigned j = 0; !error && j < certificate->chain_len; j++) {
      uint8_t one[SET_HASH_LEN]; /* of a fixed length, so that no two sets look the same */
      const gnutls_datum_t *der = &certificate->chain[j].cert;
      error = gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, one);
      if (!error) error = gnutls_hash(state, one, sizeof(one));
    }
  }
  return error;
}

/* Set and rules for clients as one hash. 0 or an error of GnuTLS. */
static int set_fingerprint(const struct wt__cert_set *set, const struct wt__client_auth *auth,
                           uint8_t hash[static SET_HASH_LEN]) {
  gnutls_hash_hd_t state;
  uint8_t rules[SET_HASH_LEN];
  bool has_rules = auth->mode != WT_CLIENT_CERTIFICATES_NONE;
  int error = has_rules ? wt__client_auth_hash(auth, rules) : 0;
  if (!error) error = gnutls_hash_init(&state, GNUTLS_DIG_SHA256);
  if (error) return error;
  error = hash_set(state, set);
  if (!error && has_rules) error = gnutls_hash(state, rules, sizeof(rules));
  gnutls_hash_deinit(state, hash);
  return error;
}

int wt__cert_set_derive_ticket_keys(struct wt__cert_set *set, const struct wt__ticket_secrets *secrets,
                                    const struct wt__client_auth *auth) {
  uint8_t hash[SET_HASH_LEN];
  const gnutls_datum_t info = {hash, sizeof(hash)};
  int error = secrets->count ? set_fingerprint(set, auth, hash) : 0;
  for (size_t i = 0; !error && i < secrets->count; i++) {
    const gnutls_datum_t from = {(unsigned char *)(uintptr_t)secrets->secret[i], WT__TICKET_SECRET_LEN};
    error = gnutls_hkdf_expand(GNUTLS_MAC_SHA512, &from, &info, set->ticket_keys.secret[i], WT__TICKET_SECRET_LEN);
  }
  set->ticket_keys.count = secrets->count;
  return error;
}
