/* SPDX-License-Identifier: MIT */

static void test_good_works(void **state) {}

static void test_good_sleeps(void **state) {}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_good_works)};
}
