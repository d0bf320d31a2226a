/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CERTIFICATE_SET_H
#define WT_QUIC_CERTIFICATE_SET_H

/* A server's certificates at one time, and the keys of the session tickets that go with them. */

#include <stdatomic.h>
#include <stddef.h>

#include <webtransport/certificate.h>

#include "quic/keys.h"

struct gnutls_certificate_credentials_st;
struct wt__client_auth;

/* Who may choose another one than the set. */
struct wt__cert_select {
  wt_select_certificate_callback function; /* NULL: nobody */
  void *user_data;
};

struct wt__cert_set {
  atomic_size_t refs;
  struct wt__ticket_secrets ticket_keys; /* in the order of the secrets that they follow from */
  struct gnutls_certificate_credentials_st *credentials;
  size_t count;
  wt_certificate *certificates[];
};

/* Each certificate is referenced. The set is the caller's reference. NULL: out of memory. */
struct wt__cert_set *wt__cert_set_new(wt_certificate *const *certificates, size_t count);
/* NULL is allowed. */
struct wt__cert_set *wt__cert_set_ref(struct wt__cert_set *set);
void wt__cert_set_unref(struct wt__cert_set *set);

/* The keys for tickets while the set is served and clients are judged by `auth`; without secrets there are no tickets. 0 or
 * an error of GnuTLS. */
int wt__cert_set_derive_ticket_keys(struct wt__cert_set *set, const struct wt__ticket_secrets *secrets,
                                    const struct wt__client_auth *auth);

#endif
