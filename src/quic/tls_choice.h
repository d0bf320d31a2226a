/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TLS_CHOICE_H
#define WT_QUIC_TLS_CHOICE_H

/* Which cipher suites and groups of TLS 1.3 are spoken, by their names in IANA's registries, the best first. */

#include <stdbool.h>
#include <stddef.h>

#define WT__TLS_CHOICE_MAX 16 /* names in a list */

struct gnutls_priority_st;

/* Without names in a list, it is ours. */
struct wt__tls_choice {
  const char *const *cipher_suites;
  size_t cipher_suite_count;
  const char *const *groups;
  size_t group_count;
};

bool wt__tls_cipher_suite_is_known(const char *name);
bool wt__tls_group_is_known(const char *name);
/* What is known, for a sentence: "TLS_AES_128_GCM_SHA256, ...". Static strings. */
extern const char wt__tls_cipher_suites_known[], wt__tls_groups_known[];

/* What GnuTLS wants to have of it; NULL: the defaults. Of a server, the order of `choice` counts more than the client's.
 * 0 or an error of GnuTLS. */
int wt__tls_choice_apply(const struct wt__tls_choice *choice, bool server, struct gnutls_priority_st **priorities);

#endif
