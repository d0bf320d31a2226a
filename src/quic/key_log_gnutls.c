/* SPDX-License-Identifier: MIT */

/*
 * GnuTLS tells each secret of a handshake once, for the key log. Three parties listen:
 *
 *   GnuTLS's own function   writes to the file that SSLKEYLOGFILE names, if the environment has it
 *   the application         gets the same line: LABEL, the client's random, the secret; both in hexadecimal
 *   a server's connection   keeps the exporter's secret: its session of TLS is freed after the handshake (tls_gnutls.c)
 *
 * Such a line is enough to decrypt the connection. So the text is wiped after the application has got it.
 */

#include "quic/key_log.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "quic/derive.h"
#include "quic/tls_session.h"

#define LABEL_MAX 64
#define RANDOM_MAX 32
#define LINE_MAX (LABEL_MAX + 1 + 2 * RANDOM_MAX + 1 + 2 * WT__DERIVE_SECRET_MAX + 1)

static void hex_write(char *dst, const gnutls_datum_t *bytes) {
  for (unsigned i = 0; i < bytes->size; i++) (void)snprintf(dst + 2 * i, 3, "%02x", bytes->data[i]);
}

static void tell(gnutls_session_t session, const struct wt__key_log *log, const char *label,
                 const gnutls_datum_t *secret) {
  char line[LINE_MAX], random_hex[2 * RANDOM_MAX + 1] = "", secret_hex[2 * WT__DERIVE_SECRET_MAX + 1] = "";
  gnutls_datum_t client, server;
  gnutls_session_get_random(session, &client, &server);
  if (strlen(label) > LABEL_MAX || client.size > RANDOM_MAX || secret->size > WT__DERIVE_SECRET_MAX) return;
  hex_write(random_hex, &client);
  hex_write(secret_hex, secret);
  (void)snprintf(line, sizeof(line), "%s %s %s", label, random_hex, secret_hex);
  log->function(line, log->user_data);
  wt__wipe(line, sizeof(line));
  wt__wipe(secret_hex, sizeof(secret_hex));
}

static void keep_exporter(struct wt__tls *tls, gnutls_session_t session, const gnutls_datum_t *secret) {
  if (secret->size > sizeof(tls->exporter.data)) return;
  memcpy(tls->exporter.data, secret->data, secret->size);
  tls->exporter.len = secret->size;
  tls->exporter.hash = (int)gnutls_prf_hash_get(session);
}

/* GnuTLS's own function comes first, if there is one. */
static int session_on_secret_log(gnutls_session_t session, const char *label, const gnutls_datum_t *secret) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  int error = tls->key_log ? ((gnutls_keylog_func)tls->key_log)(session, label, secret) : 0;
  if (error) return error;
  if (tls->log && tls->log->function) tell(session, tls->log, label, secret);
  if (!tls->client && strcmp(label, "EXPORTER_SECRET") == 0) keep_exporter(tls, session, secret);
  return 0;
}

void wt__key_log_watch(struct wt__tls *tls) {
  tls->key_log = (void (*)(void))gnutls_session_get_keylog_function(tls->session);
  gnutls_session_set_keylog_function(tls->session, session_on_secret_log);
}
