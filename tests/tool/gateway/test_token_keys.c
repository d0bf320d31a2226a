/* SPDX-License-Identifier: MIT */
/* Keys of tokens: which content fits which algorithm, and files that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/token_keys.h"
#include "tokens.h"

static char message[400];
static size_t len;

static bool fits(const char *text, enum token_algorithm algorithm) {
  message[0] = 0;
  bool good = token_key_check(text, strlen(text), algorithm, &len, message, sizeof message);
  assert_true(good || message[0]);
  return good;
}

static void test_a_key_fits_its_algorithm(void **state) {
  (void)state;
  assert_true(fits(TOKENS_SECRET "\n", TOKEN_HS256));
  assert_int_equal(len, strlen(TOKENS_SECRET));
  assert_false(fits("0123456789012345678901234567890\n", TOKEN_HS256)); /* 31 bytes */
  assert_false(fits(TOKENS_RSA_KEY, TOKEN_HS256));                      /* what everybody knows is no secret */
  assert_false(fits(TOKENS_EC_KEY, TOKEN_HS256));
  assert_true(fits(TOKENS_RSA_KEY, TOKEN_RS256));
  assert_false(fits(TOKENS_RSA_SMALL_KEY, TOKEN_RS256));
  assert_false(fits(TOKENS_EC_KEY, TOKEN_RS256));
  assert_true(fits(TOKENS_EC_KEY, TOKEN_ES256));
  assert_false(fits(TOKENS_RSA_KEY, TOKEN_ES256));
  assert_false(fits(TOKENS_EC384_KEY, TOKEN_ES256));
  assert_false(fits(TOKENS_SECRET, TOKEN_RS256));
  assert_false(fits("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", TOKEN_RS256));
  assert_false(fits("-----BEGIN PUBLIC KEY-----\n", TOKEN_ES256));
}

static void file_write(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* The first key as text: its bytes are followed by a zero. */
static const char *key_text(const struct token_keys *keys) { return (const char *)keys->keys[0].bytes; }

static void test_files_change(void **state) {
  (void)state;
  static struct text_list paths;
  char folder[] = "/tmp/token_keys.XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/key", folder);
  file_write(path, TOKENS_SECRET "\n");
  assert_true(text_list_add(&paths, path, message, sizeof message));
  struct token_keys *keys = token_keys_new(TOKEN_HS256, &paths);
  assert_int_equal(keys->keys[0].len, strlen(TOKENS_SECRET));
  file_write(path, "another secret, which is longer than the old one is\n");
  token_keys_refresh(keys, 500); /* too soon */
  assert_string_equal(key_text(keys), TOKENS_SECRET);
  token_keys_refresh(keys, 1000);
  assert_string_equal(key_text(keys), "another secret, which is longer than the old one is");
  file_write(path, "short\n");
  token_keys_refresh(keys, 2000); /* the old one stays */
  assert_string_equal(key_text(keys), "another secret, which is longer than the old one is");
  unlink(path);
  token_keys_refresh(keys, 3000);
  assert_string_equal(key_text(keys), "another secret, which is longer than the old one is");
  file_write(path, TOKENS_SECRET);
  token_keys_refresh(keys, 4000);
  assert_string_equal(key_text(keys), TOKENS_SECRET);
  token_keys_free(keys);
  unlink(path);
  keys = token_keys_new(TOKEN_HS256, &paths); /* not there: no key, and so no token is good */
  assert_int_equal(keys->keys[0].len, 0);
  token_keys_free(keys);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_key_fits_its_algorithm),
      cmocka_unit_test(test_files_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
