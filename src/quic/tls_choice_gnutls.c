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

#define PRIORITY_MAX 1024 /* with room for one more word */
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

/* Appends each name; false: one is not known, or there is no room. */
static bool append(char *text, const struct name *list, size_t count, const char *const *names, size_t name_count) {
  for (size_t i = 0; i < name_count; i++) {
    const char *part = find(list, count, names[i]);
    if (!part || strlen(text) + strlen(part) + sizeof(":%SERVER_PRECEDENCE") > PRIORITY_MAX) return false;
    strcat(text, part);
  }
  return true;
}

int wt__tls_choice_apply(const struct wt__tls_choice *choice, bool server, struct gnutls_priority_st **priorities) {
  char text[PRIORITY_MAX] = BASE;
  bool suites = choice && choice->cipher_suite_count, own_groups = choice && choice->group_count;
  if (!append(text, cipher_suites, COUNT(cipher_suites), suites ? choice->cipher_suites : default_suites,
              suites ? choice->cipher_suite_count : COUNT(default_suites)) ||
      !append(text, groups, COUNT(groups), own_groups ? choice->groups : default_groups,
              own_groups ? choice->group_count : COUNT(default_groups)))
    return GNUTLS_E_INVALID_REQUEST;
  if (server && (suites || own_groups)) strcat(text, ":%SERVER_PRECEDENCE");
  return gnutls_priority_init(priorities, text, NULL);
}
