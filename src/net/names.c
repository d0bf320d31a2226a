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

static bool is_among(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (names[i] && !strcasecmp(names[i], name)) return true;
  }
  return false;
}

/* A list of the member `member`: what it may hold, and how it is asked. */
struct vocabulary {
  const char *member;
  bool (*is_known)(const char *name);
  const char *known;
};

static void check_list(struct wt__check *check, const struct vocabulary *words, const char *const *names,
                       size_t count) {
  if (check->failed || count == 0) return;
  if (!names) {
    wt__check_fail(check, "%s is NULL", words->member);
    return;
  }
  if (count > WT__TLS_CHOICE_MAX)
    wt__check_fail(check, "%s has %zu names, must be at most %d", words->member, count, WT__TLS_CHOICE_MAX);
  for (size_t i = 0; !check->failed && i < count; i++) {
    const char *name = names[i];
    if (!name)
      wt__check_fail(check, "%s[%zu] is NULL", words->member, i);
    else if (!words->is_known(name))
      wt__check_fail(check, "%s[%zu] is \"%.40s\", must be one of %s", words->member, i, name, words->known);
    else if (is_among(name, names, i))
      wt__check_fail(check, "%s[%zu] is named twice", words->member, i);
  }
}

void wt__names_check_choice(const struct wt__tls_choice *choice, struct wt__check *check) {
  const struct vocabulary suites = {"cipher_suites", wt__tls_cipher_suite_is_known, wt__tls_cipher_suites_known};
  const struct vocabulary groups = {"groups", wt__tls_group_is_known, wt__tls_groups_known};
  check_list(check, &suites, choice->cipher_suites, choice->cipher_suite_count);
  check_list(check, &groups, choice->groups, choice->group_count);
}
