/* SPDX-License-Identifier: MIT */

/*
 * A configuration may hold lists of names: addresses, cipher suites, groups. A name that TLS does not know is an error with a
 * sentence that lists those it knows. To leave it out silently would make a server weaker, or stricter, than its owner thinks.
 */

#include "net/names.h"

#include <strings.h>

#include "base/mem.h"

int wt__names_copy(const char *const **copy, const char *const *names, size_t count) {
  *copy = NULL;
  if (count == 0) return 0;
  char **texts = wt__calloc(count, sizeof(*texts));
  if (!texts) return WT_ERR_NOMEM;
  *copy = (const char *const *)texts;
  for (size_t i = 0; i < count; i++) {
    texts[i] = wt__strdup(names[i]);
    if (!texts[i]) return WT_ERR_NOMEM;
  }
  return 0;
}

void wt__names_free(const char *const *names, size_t count) {
  for (size_t i = 0; names && i < count; i++) wt__free((void *)(uintptr_t)names[i]);
  wt__free((void *)(uintptr_t)names);
}

int wt__names_copy_choice(const char *const **cipher_suites, size_t cipher_suite_count, const char *const **groups,
                          size_t group_count) {
  const char *const *given_groups = *groups;
  *groups = NULL;
  int error = wt__names_copy(cipher_suites, *cipher_suites, cipher_suite_count);
  return error ? error : wt__names_copy(groups, given_groups, group_count);
}

static void check_one(struct wt__check *check, const char *member, const char *const *names, size_t at,
                      const char *known) {
  if (known) {
    wt__check_fail(check, "%s[%zu] is \"%.40s\", must be one of %s", member, at, names[at], known);
    return;
  }
  for (size_t i = 0; i < at; i++) {
    if (!strcasecmp(names[i], names[at])) wt__check_fail(check, "%s[%zu] is named twice", member, at);
  }
}

static void check_list(struct wt__check *check, const char *member, const char *const *names, size_t count,
                       bool (*is_known)(const char *name), const char *known) {
  if (check->failed || count == 0) return;
  if (!names) wt__check_fail(check, "%s is NULL", member);
  if (count > WT__TLS_CHOICE_MAX)
    wt__check_fail(check, "%s has %zu names, must be at most %d", member, count, WT__TLS_CHOICE_MAX);
  for (size_t i = 0; !check->failed && i < count; i++) {
    if (names[i])
      check_one(check, member, names, i, is_known(names[i]) ? NULL : known);
    else
      wt__check_fail(check, "%s[%zu] is NULL", member, i);
  }
}

void wt__names_check_choice(const struct wt__tls_choice *choice, struct wt__check *check) {
  check_list(check, "cipher_suites", choice->cipher_suites, choice->cipher_suite_count, wt__tls_cipher_suite_is_known,
             wt__tls_cipher_suites_known);
  check_list(check, "groups", choice->groups, choice->group_count, wt__tls_group_is_known, wt__tls_groups_known);
}
