/* SPDX-License-Identifier: MIT */

/*
 * TLS to a broker by GnuTLS: see tls_gnutls.h. The certificate is verified during the handshake, its name too.
 */

#include "tls_gnutls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <webtransport/error.h>

#include "base/mem.h"

struct wt__redis_tls_credentials {
  gnutls_certificate_credentials_t gnutls;
};

struct wt__redis_tls {
  gnutls_session_t session;
  const struct wt__redis_tls_calls *calls;
  void *owner;
  const uint8_t *in; /* what the network brought and GnuTLS has not taken */
  size_t in_len;
  bool opened;
  char why[256];
};

static int files_load(gnutls_certificate_credentials_t credentials, const char *ca_file, const char *certificate_file,
                      const char *key_file, char *why, size_t size) {
  int n = ca_file ? gnutls_certificate_set_x509_trust_file(credentials, ca_file, GNUTLS_X509_FMT_PEM)
                  : gnutls_certificate_set_x509_system_trust(credentials);
  if (n < 0 || (ca_file && n == 0)) {
    snprintf(why, size, "%s: no authorities can be read: %s", ca_file ? ca_file : "the system's authorities",
             n < 0 ? gnutls_strerror(n) : "there are none");
    return WT_ERR_FILE;
  }
  if (!certificate_file) return 0;
  n = gnutls_certificate_set_x509_key_file(credentials, certificate_file, key_file, GNUTLS_X509_FMT_PEM);
  if (n >= 0) return 0;
  snprintf(why, size, "%s, %s: %s", certificate_file, key_file, gnutls_strerror(n));
  return WT_ERR_FILE;
}

int wt__redis_tls_credentials_new(struct wt__redis_tls_credentials **credentials, const char *ca_file,
                                  const char *certificate_file, const char *key_file, char *why, size_t why_size) {
  struct wt__redis_tls_credentials *made = wt__calloc(1, sizeof(*made));
  *credentials = NULL;
  snprintf(why, why_size, "out of memory");
  if (!made) return WT_ERR_NOMEM;
  int n = gnutls_certificate_allocate_credentials(&made->gnutls);
  if (n < 0) {
    snprintf(why, why_size, "GnuTLS: %s", gnutls_strerror(n));
    wt__free(made);
    return WT_ERR_TLS;
  }
  int error = files_load(made->gnutls, ca_file, certificate_file, key_file, why, why_size);
  if (error) {
    wt__redis_tls_credentials_free(made);
  } else {
    *credentials = made;
  }
  return error;
}

void wt__redis_tls_credentials_free(struct wt__redis_tls_credentials *credentials) {
  if (!credentials) return;
  gnutls_certificate_free_credentials(credentials->gnutls);
  wt__free(credentials);
}

/* --- What GnuTLS reads and writes. --- */

static ssize_t on_push(gnutls_transport_ptr_t transport, const void *bytes, size_t len) {
  struct wt__redis_tls *tls = transport;
  if (tls->calls->send(tls->owner, bytes, len)) return (ssize_t)len;
  gnutls_transport_set_errno(tls->session, ENOMEM);
  return -1;
}

static ssize_t on_pull(gnutls_transport_ptr_t transport, void *bytes, size_t len) {
  struct wt__redis_tls *tls = transport;
  if (tls->in_len == 0) {
    gnutls_transport_set_errno(tls->session, EAGAIN);
    return -1;
  }
  if (len > tls->in_len) len = tls->in_len;
  memcpy(bytes, tls->in, len);
  tls->in += len;
  tls->in_len -= len;
  return (ssize_t)len;
}

static bool is_address(const char *host) {
  unsigned char address[16];
  return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int session_set_up(struct wt__redis_tls *tls, const struct wt__redis_tls_credentials *credentials,
                          const char *host) {
  int n = gnutls_set_default_priority(tls->session);
  if (n == 0) n = gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, credentials->gnutls);
  if (n == 0 && !is_address(host)) n = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, host, strlen(host));
  gnutls_session_set_verify_cert(tls->session, host, 0); /* GnuTLS copies no name: it lives in the URL's record */
  gnutls_transport_set_ptr(tls->session, tls);
  gnutls_transport_set_push_function(tls->session, on_push);
  gnutls_transport_set_pull_function(tls->session, on_pull);
  return n;
}

struct wt__redis_tls *wt__redis_tls_new(const struct wt__redis_tls_credentials *credentials, const char *host,
                                        const struct wt__redis_tls_calls *calls, void *owner) {
  struct wt__redis_tls *tls = wt__calloc(1, sizeof(*tls));
  if (!tls) return NULL;
  tls->calls = calls;
  tls->owner = owner;
  if (gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
    wt__free(tls);
    return NULL;
  }
  if (session_set_up(tls, credentials, host) != 0) {
    wt__redis_tls_free(tls);
    return NULL;
  }
  return tls;
}

void wt__redis_tls_free(struct wt__redis_tls *tls) {
  if (!tls) return;
  gnutls_deinit(tls->session);
  wt__free(tls);
}

/* A sentence about a failed handshake. */
static const char *handshake_failed(struct wt__redis_tls *tls, int n) {
  gnutls_datum_t text = {0};
  unsigned status = gnutls_session_get_verify_cert_status(tls->session);
  if (n == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
      gnutls_certificate_verification_status_print(status, gnutls_certificate_type_get(tls->session), &text, 0) == 0) {
    snprintf(tls->why, sizeof(tls->why), "TLS: %s", text.data);
    gnutls_free(text.data);
  } else if (n == GNUTLS_E_FATAL_ALERT_RECEIVED) {
    const char *alert = gnutls_alert_get_name(gnutls_alert_get(tls->session));
    snprintf(tls->why, sizeof(tls->why), "TLS: the broker sent the alert: %s", alert ? alert : "unknown");
  } else {
    snprintf(tls->why, sizeof(tls->why), "TLS: %s", gnutls_strerror(n));
  }
  return tls->why;
}

static bool is_fatal(int n) { return n < 0 && gnutls_error_is_fatal(n); }

const char *wt__redis_tls_input(struct wt__redis_tls *tls, const void *bytes, size_t len) {
  uint8_t buffer[16384];
  tls->in = bytes;
  tls->in_len = len;
  if (!tls->opened) {
    int n = gnutls_handshake(tls->session);
    if (is_fatal(n)) return handshake_failed(tls, n);
    if (n != 0) return NULL;
    tls->opened = true;
    tls->calls->opened(tls->owner);
  }
  while (!tls->calls->is_closed(tls->owner)) {
    ssize_t n = gnutls_record_recv(tls->session, buffer, sizeof(buffer));
    if (n == 0) return "the broker ended the TLS session";
    if (is_fatal((int)n)) return handshake_failed(tls, (int)n);
    if (n < 0 && tls->in_len == 0) return NULL;
    if (n > 0) tls->calls->received(tls->owner, buffer, (size_t)n);
  }
  return NULL;
}

bool wt__redis_tls_write(struct wt__redis_tls *tls, const void *bytes, size_t len) {
  const uint8_t *at = bytes;
  while (len > 0) {
    ssize_t n = gnutls_record_send(tls->session, at, len);
    if (n <= 0) return false; /* `send` never asks to try again */
    at += n;
    len -= (size_t)n;
  }
  return true;
}
