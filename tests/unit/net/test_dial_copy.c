/* SPDX-License-Identifier: MIT */

/* src/net/dial_copy.c: a dial's options live on when the application's strings are gone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/dial_copy.h"

static const struct wt_session_callbacks callbacks = {.size = sizeof(callbacks)};

static void test_dial_copy_has_strings_of_its_own(void **state) {
  char origin[] = "https://a.example", authority[] = "b.example", name[] = "cookie", value[] = "a=b", empty[] = "",
       chat[] = "chat", echo[] = "echo";
  struct wt_header headers[] = {{.name = name, .value = value}, {.name = "x-empty", .value = empty}};
  const char *protocols[] = {chat, echo};
  int data;
  struct wt_dial_options options = {.session_callbacks = &callbacks,
                                    .session_user_data = &data,
                                    .origin = origin,
                                    .headers = headers,
                                    .header_count = 2,
                                    .protocols = protocols,
                                    .protocol_count = 2,
                                    .require_protocol = true,
                                    .optimistic = true,
                                    .authority = authority};
  struct wt__dial_copy *copy = wt__dial_copy_new(&options);
  (void)state;
  assert_non_null(copy);
  memset(origin, 'x', sizeof(origin));
  memset(authority, 'x', sizeof(authority));
  memset(name, 'x', sizeof(name));
  memset(value, 'x', sizeof(value));
  memset(chat, 'x', sizeof(chat));
  memset(echo, 'x', sizeof(echo));
  memset(headers, 0, sizeof(headers));
  memset(protocols, 0, sizeof(protocols));
  assert_string_equal(copy->options.origin, "https://a.example");
  assert_string_equal(copy->options.authority, "b.example");
  assert_int_equal(copy->options.header_count, 2);
  assert_string_equal(copy->options.headers[0].name, "cookie");
  assert_string_equal(copy->options.headers[0].value, "a=b");
  assert_string_equal(copy->options.headers[1].name, "x-empty");
  assert_string_equal(copy->options.headers[1].value, "");
  assert_int_equal(copy->options.protocol_count, 2);
  assert_string_equal(copy->options.protocols[0], "chat");
  assert_string_equal(copy->options.protocols[1], "echo");
  assert_true(copy->options.require_protocol);
  assert_true(copy->options.optimistic);
  assert_int_equal(copy->options.callbacks.size, sizeof(callbacks));
  assert_ptr_equal(copy->options.user_data, &data);
  wt__dial_copy_free(copy);
}

static void test_dial_copy_of_few_options(void **state) {
  struct wt_header header = {.name = "x-none"}; /* no value is an empty one */
  struct wt_dial_options options = {.session_callbacks = &callbacks, .headers = &header, .header_count = 1};
  struct wt__dial_copy *copy = wt__dial_copy_new(&options);
  (void)state;
  assert_non_null(copy);
  assert_null(copy->options.origin);
  assert_null(copy->options.authority);
  assert_string_equal(copy->options.headers[0].value, "");
  assert_int_equal(copy->options.protocol_count, 0);
  assert_false(copy->options.require_protocol);
  assert_false(copy->options.optimistic);
  wt__dial_copy_free(copy);
}

static void test_dial_copy_without_memory(void **state) {
  struct wt_dial_options options = {.session_callbacks = &callbacks};
  (void)state;
  wt__mem_fail_after(0);
  assert_null(wt__dial_copy_new(&options));
  wt__mem_fail_after(SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dial_copy_has_strings_of_its_own),
      cmocka_unit_test(test_dial_copy_of_few_options),
      cmocka_unit_test(test_dial_copy_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
