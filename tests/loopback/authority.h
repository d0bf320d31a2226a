/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_AUTHORITY_H
#define LOOPBACK_AUTHORITY_H

/* Authorities of certificates, and what they sign, each with one thing that is right or wrong. */

#include <gnutls/x509.h>

#include <webtransport/certificate.h>

#define DAYS(n) ((time_t)(n)*24 * 3600)

struct authority {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t cert;
};

/* An authority called `name` that lives for `life` seconds; signed by `by`, or by itself if that is NULL. */
struct authority authority_issue(const char *name, const struct authority *by, time_t life);
/* One that may sign nothing, from and until so many seconds from now, for `purpose` (GNUTLS_KP_...; NULL: any). */
struct authority authority_leaf(const char *name, const struct authority *by, time_t from, time_t until,
                                const char *purpose);
void authority_free(struct authority *authority);
/* `leaf`, and `by` behind it unless it is NULL, with the leaf's key. */
wt_certificate *authority_chain(const struct authority *leaf, const struct authority *by);
/* `leaf`, and behind it `count` others as they come. */
wt_certificate *authority_chain_of(const struct authority *leaf, const struct authority *others, size_t count);
/* Writes the certificate as PEM; `path` is as mkstemp wants it. */
void authority_file(const struct authority *authority, char *path);

#endif
