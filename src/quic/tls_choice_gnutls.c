/* SPDX-License-Identifier: MIT */

/*
 * The names of RFC 8446 (appendix B.4, section 4.2.7) in the language of GnuTLS, which has a string of its own for it.
 *
 * TLS 1.3 alone, without the middlebox dance that QUIC forbids. By default AES-128-GCM comes first: it is the fastest.
 * AES-CCM is left out: nobody uses it, and our packet protection (packet_keys.c) does not know it. All three suites are good
 * for packets; libIPSec_MB takes those of AES-GCM, and the third costs GnuTLS's time.
 *
 * Initial packets are protected by AES-128-GCM, whatever is chosen here: RFC 9001, section 5.2, leaves no choice.
 */

#include "quic/tls_choice.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#define PRIORITY_MAX 1024
#define BASE "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:-GROUP-ALL"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct name {
  const char *iana, *gnutls;
};

static const struct name cipher_suites[] = {
    {"TLS_AES_128_GCM_SHA256", ":+AES-128-GCM"},
    {"TLS_AES_256_GCM_SHA384", ":+AES-256-GCM"},
    {"TLS_CHACHA20_POLY1305_SHA256", ":+CHACHA20-POLY1305"},
};
static const struct name groups[] = {
    {"x25519", ":+GROUP-X25519"},       {"secp256r1", ":+GROUP-SECP256R1"}, {"secp384r1", ":+GROUP-SECP384R1"},
    {"secp521r1", ":+GROUP-SECP521R1"}, {"x448", ":+GROUP-X448"},
};
static const char *const default_suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                             "TLS_CHACHA20_POLY1305_SHA256"};
static const char *const default_groups[] = {"x25519", "secp256r1", "secp384r1"};

const char wt__tls_cipher_suites_known[] =
    "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256";
const char wt__tls_groups_known[] = "x25519, secp256r1, secp384r1, secp521r1, x448";

/* NULL: it is not known. */
static const char *find(const struct name *list, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (!strcasecmp(list[i].iana, name)) return list[i].gnutls;
  }
  return NULL;
}

bool wt__tls_cipher_suite_is_known(const char *name) { return find(cipher_suites, COUNT(cipher_suites), name); }

bool wt__tls_group_is_known(const char *name) { return find(groups, COUNT(groups), name); }

/* A list of words for GnuTLS; `good`: all fitted. */
struct words {
  char text[PRIORITY_MAX];
  size_t len;
  bool good;
};

static void words_add(struct words *words, const char *word) {
  size_t len = word ? strlen(word) : 0;
  words->good = words->good && word && len < sizeof(words->text) - words->len;
  if (!words->good || !word) return;
  memcpy(words->text + words->len, word, len + 1);
  words->len += len;
}

/* A name that is not known makes it no good. */
static void words_add_names(struct words *words, const struct name *list, size_t list_count, const char *const *names,
                            size_t count) {
  for (size_t i = 0; i < count; i++) words_add(words, find(list, list_count, names[i]));
}

int wt__tls_choice_apply(const struct wt__tls_choice *choice, bool server, struct gnutls_priority_st **priorities) {
  struct wt__tls_choice chosen = {default_suites, COUNT(default_suites), default_groups, COUNT(default_groups)};
  struct words words = {.good = true};
  bool suites = choice && choice->cipher_suite_count, own_groups = choice && choice->group_count;
  if (suites) chosen.cipher_suites = choice->cipher_suites, chosen.cipher_suite_count = choice->cipher_suite_count;
  if (own_groups) chosen.groups = choice->groups, chosen.group_count = choice->group_count;
  words_add(&words, BASE);
  words_add_names(&words, cipher_suites, COUNT(cipher_suites), chosen.cipher_suites, chosen.cipher_suite_count);
  words_add_names(&words, groups, COUNT(groups), chosen.groups, chosen.group_count);
  if (server && (suites || own_groups)) words_add(&words, ":%SERVER_PRECEDENCE");
  return words.good ? gnutls_priority_init(priorities, words.text, NULL) : GNUTLS_E_INVALID_REQUEST;
}
