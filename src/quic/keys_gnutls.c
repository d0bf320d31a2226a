/* SPDX-License-Identifier: MIT */

/*
 * Keys of one process, or of a fleet of machines.
 *
 * A client brings things back that a server has given it: a token for its address, a session ticket, the id of a
 * connection. A server that is alone makes random keys for them when it starts. Machines of a fleet have one secret in
 * common, from which each derives the same keys:
 *
 *   secret --HKDF-Extract, SHA-256--> pseudorandom key --HKDF-Expand, a label for each purpose--> token, reset, ticket
 *
 * So a token that leaks tells nothing about tickets, and no key is used for two purposes. The secret itself is not kept.
 *
 * Secrets are replaced while the machines run, and not on all of them at the same moment. So a machine knows up to three:
 *
 *   machine 1    current A  next B                  current B  previous A  next C
 *   machine 2    current A  next B                                   current B  previous A  next C
 *                                   ---- time ---->
 *
 * What is made uses the current secret. What comes in is tried with all: machine 2 takes what machine 1 has made with B
 * before it has heard that B is the current one.
 */

#include "quic/keys.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/tls.h"

#define PRK_LEN 32 /* SHA-256 */

int wt__keys_random(struct wt__keys *keys) {
  *keys = (struct wt__keys){.token_count = 1, .reset_count = 1};
  int error = wt__token_key_init(&keys->token[0]);
  return error ? error : wt__tls_random(keys->reset[0], sizeof(keys->reset[0]));
}

int wt__ticket_secrets_random(struct wt__ticket_secrets *tickets) {
  *tickets = (struct wt__ticket_secrets){.count = 1};
  return gnutls_rnd(GNUTLS_RND_KEY, tickets->secret[0], sizeof(tickets->secret[0])) ? WT_ERR_TLS : 0;
}

static int key_extract(struct wt__vec secret, uint8_t prk[static PRK_LEN]) {
  static const char salt[] = "libwebtransport fleet 1";
  const gnutls_datum_t from = {(unsigned char *)(uintptr_t)secret.data, (unsigned)secret.len};
  const gnutls_datum_t with = {(unsigned char *)(uintptr_t)salt, sizeof(salt) - 1};
  return gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &from, &with, prk) ? WT_ERR_TLS : 0;
}

static int key_expand(const uint8_t prk[static PRK_LEN], const char *label, uint8_t *key, size_t len) {
  const gnutls_datum_t from = {(unsigned char *)(uintptr_t)prk, PRK_LEN};
  const gnutls_datum_t info = {(unsigned char *)(uintptr_t)label, (unsigned)strlen(label)};
  return gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &from, &info, key, len) ? WT_ERR_TLS : 0;
}

static int keys_add(struct wt__keys *keys, struct wt__ticket_secrets *tickets, struct wt__vec secret) {
  uint8_t prk[PRK_LEN];
  size_t at = keys->token_count;
  int error = key_extract(secret, prk);
  if (!error) error = key_expand(prk, "address token", keys->token[at].secret, sizeof(keys->token[at].secret));
  if (!error) error = key_expand(prk, "stateless reset", keys->reset[at], sizeof(keys->reset[at]));
  if (!error) error = key_expand(prk, "session ticket", tickets->secret[at], sizeof(tickets->secret[at]));
  wt__wipe(prk, sizeof(prk));
  keys->token_count = keys->reset_count = tickets->count = at + 1;
  return error;
}

/* Whether a secret before `index` is the same. */
static bool secret_is_repeated(const struct wt__vec *secrets, size_t index) {
  for (size_t i = 0; i < index; i++) {
    if (secrets[i].len == secrets[index].len &&
        gnutls_memcmp(secrets[i].data, secrets[index].data, secrets[i].len) == 0)
      return true;
  }
  return false;
}

static int secrets_check(const struct wt__vec *secrets, size_t count) {
  if (count == 0 || count > WT__KEYS_MAX || secrets[0].len == 0) return WT_ERR_INVALID;
  for (size_t i = 0; i < count; i++) {
    size_t len = secrets[i].len;
    if (len && (len < WT__KEYS_SECRET_MIN || len > WT__KEYS_SECRET_MAX)) return WT_ERR_INVALID;
  }
  return 0;
}

int wt__keys_derive(struct wt__keys *keys, struct wt__ticket_secrets *tickets, const struct wt__vec *secrets,
                    size_t count) {
  *keys = (struct wt__keys){.of_fleet = true};
  *tickets = (struct wt__ticket_secrets){.count = 0};
  int error = secrets_check(secrets, count);
  for (size_t i = 0; !error && i < count; i++) {
    if (secrets[i].len && !secret_is_repeated(secrets, i)) error = keys_add(keys, tickets, secrets[i]);
  }
  if (error) {
    wt__wipe(keys, sizeof(*keys));
    wt__wipe(tickets, sizeof(*tickets));
  }
  return error;
}

void wt__keys_fix_reset(struct wt__keys *keys, const uint8_t key[static WT__RESET_KEY_LEN]) {
  memcpy(keys->reset[0], key, WT__RESET_KEY_LEN);
  keys->reset_count = 1;
}
