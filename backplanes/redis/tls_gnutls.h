/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_TLS_GNUTLS_H
#define WT_BACKPLANES_TLS_GNUTLS_H

/*
 * TLS to a broker, without I/O: bytes in, bytes out. This is the one place of the backplanes that knows GnuTLS.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__redis_tls_credentials;
struct wt__redis_tls;

/* What authorities are trusted, and our certificate. Files may be NULL, those of certificate and key both. 0, WT_ERR_FILE or WT_ERR_TLS; then `why` has a
 * sentence. */
int wt__redis_tls_credentials_new(struct wt__redis_tls_credentials **credentials, const char *ca_file,
                                  const char *certificate_file, const char *key_file, char *why, size_t why_size);
void wt__redis_tls_credentials_free(struct wt__redis_tls_credentials *credentials);

/* How a session reports. `send` gets bytes for the network. */
struct wt__redis_tls_calls {
  bool (*send)(void *owner, const void *bytes, size_t len); /* false: out of memory */
  void (*opened)(void *owner);                              /* the peer is who it should be */
  void (*received)(void *owner, const void *bytes, size_t len);
  bool (*is_closed)(void *owner); /* after a call above: nothing more is wanted */
};

/* A client's session with `host`, a name or an address. NULL: it could not be made. */
struct wt__redis_tls *wt__redis_tls_new(const struct wt__redis_tls_credentials *credentials, const char *host,
                                        const struct wt__redis_tls_calls *calls, void *owner);
void wt__redis_tls_free(struct wt__redis_tls *tls);

/* Begins the handshake, or goes on with `len` bytes from the network. NULL, or what is wrong, in a string that lives as
 * long as `tls`. */
const char *wt__redis_tls_input(struct wt__redis_tls *tls, const void *bytes, size_t len);
/* Sends bytes of the application. False: it failed. */
bool wt__redis_tls_write(struct wt__redis_tls *tls, const void *bytes, size_t len);

#endif
