/* SPDX-License-Identifier: MIT */

/* Commands that wait for replies, without a server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "command.h"

static char told[1024];

static void on_reply(const struct wt_redis_reply *reply, void *user_data) {
  size_t at = strlen(told);
  at += (size_t)snprintf(told + at, sizeof(told) - at, "%s:", (const char *)user_data);
  if (reply->error) at += (size_t)snprintf(told + at, sizeof(told) - at, " !%s", reply->error);
  for (size_t i = 0; i < reply->count; i++) {
    const struct wt_redis_value *value = &reply->values[i];
    assert_int_equal(value->len, value->bytes ? strlen(value->bytes) : 0);
    at += (size_t)snprintf(told + at, sizeof(told) - at, " %s", value->bytes ? value->bytes : "nil");
  }
  snprintf(told + at, sizeof(told) - at, "; ");
}

static void expect(const char *text) {
  assert_string_equal(told, text);
  told[0] = 0;
}

/* Whether the reply, as it is on the wire, was for a command. */
static bool replied(struct wt__redis_commands *commands, uint64_t number, const char *wire) {
  redisReader *reader = redisReaderCreate();
  void *reply = NULL;
  assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
  assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
  assert_non_null(reply);
  bool mine = wt__redis_commands_replied(commands, number, reply);
  freeReplyObject(reply);
  redisReaderFree(reader);
  return mine;
}

static void test_command_replies_in_order(void **state) {
  struct wt__redis_commands commands;
  (void)state;
  wt__redis_commands_init(&commands);
  assert_false(replied(&commands, 1, ":1\r\n")); /* of a message */
  assert_true(wt__redis_commands_add(&commands, 3, 10, on_reply, (void *)"a"));
  assert_true(wt__redis_commands_add(&commands, 4, 10, NULL, NULL)); /* nobody minds */
  assert_true(wt__redis_commands_add(&commands, 6, 10, on_reply, (void *)"b"));
  assert_false(replied(&commands, 2, ":1\r\n"));
  expect("");
  assert_true(replied(&commands, 3, ":-7\r\n"));
  expect("a: -7; ");
  assert_true(replied(&commands, 4, "+OK\r\n"));
  assert_false(replied(&commands, 5, ":1\r\n"));
  assert_true(replied(&commands, 6, "-ERR no\r\n"));
  expect("b: !ERR no; ");
  assert_int_equal(commands.count, 0);
  assert_int_equal(commands.bytes, 0);
}

static void test_command_values_of_replies(void **state) {
  static const struct {
    const char *wire, *expected;
  } cases[] = {
      {"+OK\r\n", "x: OK; "},
      {"$3\r\none\r\n", "x: one; "},
      {"$0\r\n\r\n", "x: ; "},
      {"$-1\r\n", "x: nil; "},
      {"*0\r\n", "x:; "},
      {"*-1\r\n", "x: nil; "},
      {"*3\r\n:1\r\n$-1\r\n$1\r\na\r\n", "x: 1 nil a; "},
      {"*3\r\n*2\r\n:1\r\n:2\r\n*0\r\n*1\r\n$1\r\nz\r\n", "x: 1 2 z; "},
  };
  struct wt__redis_commands commands;
  (void)state;
  wt__redis_commands_init(&commands);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_true(wt__redis_commands_add(&commands, i, 1, on_reply, (void *)"x"));
    assert_true(replied(&commands, i, cases[i].wire));
    expect(cases[i].expected);
  }
}

static void test_command_bounds(void **state) {
  struct wt__redis_commands commands;
  size_t count = 0;
  (void)state;
  wt__redis_commands_init(&commands);
  assert_true(wt__redis_commands_have_room(&commands, 5000000)); /* alone */
  for (; wt__redis_commands_have_room(&commands, 10); count++) {
    assert_true(wt__redis_commands_add(&commands, count, 10, NULL, NULL));
  }
  assert_int_equal(count, 1024);
  wt__redis_commands_fail(&commands, "");
  assert_true(wt__redis_commands_add(&commands, 1, 5000000, on_reply, (void *)"large"));
  assert_false(wt__redis_commands_have_room(&commands, 1));
  wt__redis_commands_fail(&commands, "lost");
  expect("large: !lost; ");
  assert_int_equal(commands.bytes, 0);
}

static void test_command_without_memory(void **state) {
  struct wt__redis_commands commands;
  (void)state;
  wt__redis_commands_init(&commands);
  wt__mem_fail_after(0);
  assert_false(wt__redis_commands_add(&commands, 1, 10, on_reply, (void *)"a"));
  for (size_t i = 0; i < 2; i++) {
    wt__mem_fail_after(SIZE_MAX);
    assert_true(wt__redis_commands_add(&commands, 1, 10, on_reply, (void *)"a"));
    wt__mem_fail_after(i);
    assert_true(replied(&commands, 1, "*1\r\n:1\r\n"));
    expect("a: !out of memory; ");
  }
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(commands.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_command_replies_in_order),
      cmocka_unit_test(test_command_values_of_replies),
      cmocka_unit_test(test_command_bounds),
      cmocka_unit_test(test_command_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
