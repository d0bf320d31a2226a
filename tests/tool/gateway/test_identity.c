/* SPDX-License-Identifier: MIT */
/* What a client says about itself, and what the authorization server says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/identity.h"

static void test_the_server_counts_not_the_client(void **state) {
  (void)state;
  struct identity identity = {.user = "alice"}, moved;
  static struct text_list reserved;
  struct header_list fields = {.count = 0};
  char message[80];
  assert_true(text_list_add(&reserved, "remote-user", message, sizeof message));
  assert_true(text_list_add(&reserved, "x-role", message, sizeof message));
  assert_true(field_list_add(&identity.fields, "remote-user", 11, "alice", 5));
  assert_true(header_list_add(&fields, "remote-user", "root") && header_list_add(&fields, "remote_user", "root") &&
              header_list_add(&fields, "a", "b") && header_list_add(&fields, "remote_user", "again") &&
              header_list_add(&fields, "x_role", "admin") && header_list_add(&fields, "remote-users", "c"));
  identity_move(&moved, &identity);
  assert_int_equal(identity.fields.count, 0);
  assert_true(identity_apply(&moved, &reserved, &fields));
  assert_int_equal(fields.count, 3);
  assert_string_equal(header_list_get(&fields, "a"), "b");
  assert_string_equal(header_list_get(&fields, "remote-users"), "c");
  assert_string_equal(header_list_get(&fields, "remote-user"), "alice");
  while (header_list_add(&fields, "x", "y")) continue;
  assert_false(identity_apply(&moved, &reserved, &fields) && fields.count > HEADER_LIST_MAX);
  header_list_free(&fields);
  identity_free(&moved);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_server_counts_not_the_client),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
