/* SPDX-License-Identifier: MIT */

/*
 * The key for the tickets of one handshake.
 *
 * GnuTLS takes one key for each session, opens the client's ticket with it, and seals a new one. With the secrets of a fleet
 * there are up to three. So we look at the ClientHello first, and give GnuTLS the key that has sealed the ticket in it; else
 * the current one:
 *
 *   ticket:  key name 16 | IV 16 | length 2 | state, encrypted | MAC 20
 *
 *   of a master key, GnuTLS makes a key for each period:  SHA3-512(period, master key) = key name 16 | cipher 32 | MAC 16
 *   period = seconds since 1970 / (3 * lifetime of tickets), in 8 bytes; tickets of this period and of the last one are taken
 *
 * That is how GnuTLS 3.6.4 and later do it, and not something that they document. If another version does it differently,
 * no name fits: tickets under the current secret still resume, others lead to a full handshake, and the tests tell us.
 *
 * Periods are why machines with the same secret must agree on the time, and on the lifetime of tickets.
 *
 * GnuTLS does not change the key of a session once it is used. So a client that resumes with a ticket under the previous
 * secret gets its new ticket under that secret, too. When the secret is gone, it does a full handshake once.
 */

#include "quic/tickets.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/certificate_set.h"
#include "quic/tls_session.h"
#include "wire/client_hello.h"

#define PERIOD_LIFETIMES 3
#define PERIODS_TAKEN 2 /* this one and the last one */
#define SHA3_512_LEN 64

int wt__ticket_name(const uint8_t *key, unsigned lifetime_s, time_t now, unsigned steps,
                    uint8_t name[static WT__TICKET_NAME_LEN]) {
  uint8_t input[8 + WT__TICKET_SECRET_LEN], output[SHA3_512_LEN];
  uint64_t period = (uint64_t)now / ((uint64_t)lifetime_s * PERIOD_LIFETIMES) - steps;
  for (size_t i = 0; i < 8; i++) input[i] = (uint8_t)(period >> (56 - 8 * i));
  memcpy(input + 8, key, WT__TICKET_SECRET_LEN);
  int error = gnutls_hash_fast(GNUTLS_DIG_SHA3_512, input, sizeof(input), output);
  memcpy(name, output, WT__TICKET_NAME_LEN);
  wt__wipe(input, sizeof(input));
  wt__wipe(output, sizeof(output));
  return error ? WT_ERR_TLS : 0;
}

/* Whether one of the tickets in the body of a pre_shared_key extension begins with `name`. */
static bool hello_has_name(struct wt__vec list, const uint8_t name[static WT__TICKET_NAME_LEN]) {
  struct wt__vec ticket;
  bool begun = false;
  while (wt__psk_identity_next(&list, &begun, &ticket)) {
    if (ticket.len > WT__TICKET_NAME_LEN && memcmp(ticket.data, name, WT__TICKET_NAME_LEN) == 0) return true;
  }
  return false;
}

/* Whether a ticket of the client is sealed with this key. */
static bool key_fits(const struct wt__tls *tls, const uint8_t *key, struct wt__vec list) {
  time_t now = time(NULL);
  for (unsigned steps = 0; steps < PERIODS_TAKEN; steps++) {
    uint8_t name[WT__TICKET_NAME_LEN];
    if (wt__ticket_name(key, tls->ticket_lifetime_s, now, steps, name) == 0 && hello_has_name(list, name)) return true;
  }
  return false;
}

static const uint8_t *key_choose(const struct wt__tls *tls, struct wt__vec hello) {
  const struct wt__ticket_secrets *keys = &tls->set->ticket_keys;
  struct wt__vec list;
  if (keys->count == 1 || !wt__client_hello_find(hello, WT__TLS_PRE_SHARED_KEY, &list)) return keys->secret[0];
  for (size_t i = 0; i < keys->count; i++) {
    if (key_fits(tls, keys->secret[i], list)) return keys->secret[i];
  }
  return keys->secret[0];
}

/* Without a key there are no tickets, and the handshake goes on. The key stays for a second ClientHello. */
void wt__tickets_on_hello(struct wt__tls *tls, struct wt__vec hello) {
  if (tls->has_ticket_key || tls->set->ticket_keys.count == 0) return;
  const gnutls_datum_t key = {(unsigned char *)(uintptr_t)key_choose(tls, hello), WT__TICKET_SECRET_LEN};
  tls->has_ticket_key = gnutls_session_ticket_enable_server(tls->session, &key) == 0;
}
