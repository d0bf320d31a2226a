/* SPDX-License-Identifier: MIT */
/* Tokens, good ones and bad ones (tokens.h has them; another program signed them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/token.h"
#include "gateway/token_signature.h"
#include "tokens.h"

static struct token_keys keys[TOKEN_ES256 + 1];
static struct token_rules rules;
static struct token_claims claims;
static const char *why;

static void key_set(enum token_algorithm algorithm, const char *text) {
  struct token_key *key = &keys[algorithm].keys[0];
  keys[algorithm].algorithm = algorithm;
  keys[algorithm].count = 1;
  key->len = strlen(text);
  memcpy(key->bytes, text, key->len + 1);
}

static int setup(void **state) {
  char message[80];
  (void)state;
  key_set(TOKEN_HS256, TOKENS_SECRET);
  key_set(TOKEN_RS256, TOKENS_RSA_KEY);
  key_set(TOKEN_ES256, TOKENS_EC_KEY);
  memset(&rules, 0, sizeof rules);
  rules.leeway_s = 30;
  snprintf(rules.issuer, sizeof rules.issuer, "https://id.example");
  snprintf(rules.user_claim, sizeof rules.user_claim, "sub");
  return text_list_add(&rules.audiences, "gateway", message, sizeof message) ? 0 : -1;
}

static int check_at(const struct token_sample *sample, const char *path, int64_t now_s) {
  why = "";
  return token_check(sample->token, &keys[sample->algorithm], &rules, path, now_s, &claims, &why);
}

static int check(const struct token_sample *sample) { return check_at(sample, "/x", TOKENS_NOW); }

static void test_good_tokens(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good_tokens / sizeof good_tokens[0]; i++) {
    if (check(&good_tokens[i])) fail_msg("%s: %s", good_tokens[i].name, why);
    assert_string_equal(claims.user, "alice");
    assert_true(claims.expires_s > TOKENS_NOW);
  }
}

static void test_bad_tokens(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_tokens / sizeof bad_tokens[0]; i++) {
    int status = check(&bad_tokens[i]);
    if (status != 401 || !why[0] || claims.user[0]) fail_msg("%s: %d", bad_tokens[i].name, status);
  }
}

/* Whatever a route asks for, a token with another algorithm is not for it. */
static void test_algorithms_do_not_mix(void **state) {
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    for (unsigned other = TOKEN_HS256; other <= TOKEN_ES256; other++) {
      struct token_sample sample = {good_tokens[i].name, (enum token_algorithm)other, good_tokens[i].token};
      assert_int_equal(check(&sample), other == (unsigned)good_tokens[i].algorithm ? 0 : 401);
    }
  }
}

static void test_each_character_counts(void **state) {
  (void)state;
  char token[TOKEN_MAX];
  for (size_t i = 0; i < 3; i++) {
    size_t len = (size_t)snprintf(token, sizeof token, "%s", good_tokens[i].token);
    struct token_sample sample = {good_tokens[i].name, good_tokens[i].algorithm, token};
    for (size_t at = 0; at < len; at += 7) {
      char was = token[at];
      token[at] = was == 'A' ? 'B' : 'A';
      assert_int_not_equal(check(&sample), 0);
      token[at] = was;
    }
    for (size_t cut = 0; cut < len; cut += 5) {
      char was = token[cut];
      token[cut] = 0;
      assert_int_equal(check(&sample), 401);
      token[cut] = was;
    }
    assert_int_equal(check(&sample), 0);
  }
}

static void test_lengths(void **state) {
  (void)state;
  char token[2 * TOKEN_MAX];
  struct token_sample sample = {"long", TOKEN_HS256, token};
  memset(token, 'a', sizeof token);
  token[10] = token[20] = '.';
  token[sizeof token - 1] = 0;
  assert_int_equal(check(&sample), 401);
  token[TOKEN_MAX] = 0;
  assert_int_equal(check(&sample), 401);
  token[0] = 0;
  assert_int_equal(check(&sample), 401);
}

static void test_times(void **state) {
  (void)state;
  assert_int_equal(check_at(&good_tokens[0], "/", TOKENS_NOW + 3600 + 29), 0);
  assert_int_equal(claims.expires_s, TOKENS_NOW + 3600 + 30);
  assert_int_equal(check_at(&good_tokens[0], "/", TOKENS_NOW + 3600 + 30), 401);
  rules.leeway_s = 0;
  assert_int_equal(check_at(&good_tokens[0], "/", TOKENS_NOW + 3600), 401);
  assert_int_equal(check_at(&good_tokens[0], "/", TOKENS_NOW + 3599), 0);
}

/* A token that names whom it is for is not for a route that says nothing. */
static void test_audience_has_to_be_named(void **state) {
  (void)state;
  rules.audiences.count = 0;
  assert_int_equal(check(&good_tokens[0]), 401);
  assert_string_equal(why, "the token is for another audience");
}

static void test_several_keys(void **state) {
  (void)state;
  keys[TOKEN_HS256].keys[1] = keys[TOKEN_HS256].keys[0];
  keys[TOKEN_HS256].keys[0].bytes[0] ^= 1;
  assert_int_equal(check(&good_tokens[0]), 401);
  keys[TOKEN_HS256].count = 2;
  assert_int_equal(check(&good_tokens[0]), 0);
  keys[TOKEN_HS256].keys[1].len = 0; /* never read */
  assert_int_equal(check(&good_tokens[0]), 401);
  keys[TOKEN_HS256].count = 0;
  assert_int_equal(check(&good_tokens[0]), 401);
}

static void test_paths(void **state) {
  (void)state;
  assert_true(token_path_matches("/x", "/x"));
  assert_false(token_path_matches("/x", "/x/"));
  assert_false(token_path_matches("/x", "/xy"));
  assert_true(token_path_matches("/x/", "/x/y"));
  assert_true(token_path_matches("/", "/x"));
  assert_false(token_path_matches("", "/x"));
  assert_false(token_path_matches("x", "x"));
  /* "sub" is "alice", which is no path, and there is no "paths". */
  snprintf(rules.path_claim, sizeof rules.path_claim, "sub");
  assert_int_equal(check(&good_tokens[0]), 403);
  snprintf(rules.path_claim, sizeof rules.path_claim, "paths");
  assert_int_equal(check(&good_tokens[0]), 403);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_good_tokens, setup),
      cmocka_unit_test_setup(test_bad_tokens, setup),
      cmocka_unit_test_setup(test_algorithms_do_not_mix, setup),
      cmocka_unit_test_setup(test_each_character_counts, setup),
      cmocka_unit_test_setup(test_lengths, setup),
      cmocka_unit_test_setup(test_times, setup),
      cmocka_unit_test_setup(test_audience_has_to_be_named, setup),
      cmocka_unit_test_setup(test_several_keys, setup),
      cmocka_unit_test_setup(test_paths, setup),
  };
  if (!token_signature_available()) return 0; /* the program was built without libjwt */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
