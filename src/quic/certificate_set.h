/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CERTIFICATE_SET_H
#define WT_QUIC_CERTIFICATE_SET_H

/* A server's certificates at one time, and the key of the session tickets that go with them. */

#include <stdatomic.h>
#include <stddef.h>

#include <webtransport/certificate.h>

struct gnutls_certificate_credentials_st;

/* GnuTLS allocates it. */
struct wt__ticket_key {
  unsigned char *data; /* NULL: no tickets */
  unsigned size;
};

/* Who may choose another one than the set. */
struct wt__cert_select {
  wt_select_certificate_callback function; /* NULL: nobody */
  void *user_data;
};

struct wt__cert_set {
  atomic_size_t refs;
  struct wt__ticket_key ticket_key;
  struct gnutls_certificate_credentials_st *credentials;
  size_t count;
  wt_certificate *certificates[];
};

/* Each certificate is referenced. The set is the caller's reference. NULL: out of memory. */
struct wt__cert_set *wt__cert_set_new(wt_certificate *const *certificates, size_t count);
/* NULL is allowed. */
struct wt__cert_set *wt__cert_set_ref(struct wt__cert_set *set);
void wt__cert_set_unref(struct wt__cert_set *set);

/* The key for tickets while the set is served, as long as `secret`; without one there are no tickets. 0 or an error of
 * GnuTLS. */
int wt__cert_set_derive_ticket_key(struct wt__cert_set *set, const struct wt__ticket_key *secret);

/* A new one. 0 or an error of GnuTLS. */
int wt__ticket_key_generate(struct wt__ticket_key *key);
/* Wipes and frees it. */
void wt__ticket_key_free(struct wt__ticket_key *key);

#endif
