/* SPDX-License-Identifier: MIT */

/* The URL of a broker. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "broker_url.h"

static const struct wt__broker_schemes schemes = {.plain = "redis", .tls = "rediss", .port = 6379};

static struct wt__broker_url read_url(const char *text) {
  struct wt__broker_url url;
  const char *why = NULL;
  if (wt__broker_url_read(&url, &schemes, text, strlen(text), &why) != 0) fail_msg("%s: %s", text, why);
  return url;
}

static void refused(const char *text, const char *word) {
  struct wt__broker_url url;
  const char *why = NULL;
  assert_int_equal(wt__broker_url_read(&url, &schemes, text, strlen(text), &why), WT_ERR_ADDRESS);
  if (!strstr(why, word)) fail_msg("%s: %s", text, why);
}

static void test_broker_url_parts(void **state) {
  struct wt__broker_url url = read_url("redis://localhost");
  (void)state;
  assert_false(url.tls);
  assert_string_equal(url.host, "localhost");
  assert_int_equal(url.port, 6379);
  assert_string_equal(url.user, "");
  assert_string_equal(url.password, "");
  assert_string_equal(url.path, "");
  url = read_url("rediss://us%40er:p%3a%2F%25@[::1]:65535/12");
  assert_true(url.tls);
  assert_string_equal(url.host, "::1");
  assert_int_equal(url.port, 65535);
  assert_string_equal(url.user, "us@er");
  assert_string_equal(url.password, "p:/%");
  assert_string_equal(url.path, "12");
  url = read_url("redis://:secret@h:1/");
  assert_string_equal(url.user, "");
  assert_string_equal(url.password, "secret");
  url = read_url("redis://a@b:c@h"); /* the last '@' ends it */
  assert_string_equal(url.user, "a@b");
  assert_string_equal(url.password, "c");
  url = read_url("redis://[::1]");
  assert_int_equal(url.port, 6379);
}

static void test_broker_url_refused(void **state) {
  char text[2000];
  (void)state;
  refused("", "scheme");
  refused("redis:/h", "scheme");
  refused("nats://h", "scheme");
  refused("redis://", "host");
  refused("redis://:1", "host");
  refused("redis://h:", "host");
  refused("redis://h:0", "host");
  refused("redis://h:65536", "host");
  refused("redis://h:123456", "host");
  refused("redis://h:1a", "host");
  refused("redis://[::1", "host");
  refused("redis://[]", "host");
  refused("redis://[::1]x", "host");
  refused("redis://h h", "space");
  refused("redis://h\xc3\xa4", "ASCII");
  refused("redis://%@h", "percent");
  refused("redis://%4@h", "percent");
  refused("redis://%4g@h", "percent");
  refused("redis://%00@h", "percent");
  memset(text, 'a', sizeof(text));
  memcpy(text, "redis://", 8);
  text[600] = 0;
  refused(text, "host");
  strcpy(text + 1100, "@h");
  memset(text + 600, 'a', 1);
  refused(text, "percent");
  memcpy(text, "redis://h/", 10);
  text[100] = 0;
  refused(text, "path");
}

static void test_broker_word_set(void **state) {
  char word[WT__BROKER_WORD_MAX] = "old", text[WT__BROKER_WORD_MAX + 1];
  (void)state;
  assert_true(wt__broker_word_set(word, NULL));
  assert_string_equal(word, "old");
  assert_true(wt__broker_word_set(word, ""));
  assert_string_equal(word, "");
  memset(text, 'a', sizeof(text));
  text[WT__BROKER_WORD_MAX - 1] = 0;
  assert_true(wt__broker_word_set(word, text));
  assert_string_equal(word, text);
  text[WT__BROKER_WORD_MAX - 1] = 'a';
  text[WT__BROKER_WORD_MAX] = 0;
  assert_false(wt__broker_word_set(word, text));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_broker_url_parts),
      cmocka_unit_test(test_broker_url_refused),
      cmocka_unit_test(test_broker_word_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
