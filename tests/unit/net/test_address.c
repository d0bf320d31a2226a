/* SPDX-License-Identifier: MIT */

/* Socket addresses as text, and back (net/address.c). No test here asks a name server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include <webtransport/error.h>

#include "net/address.h"

static const struct sockaddr *plain(const struct wt__address *address) {
  return (const struct sockaddr *)&address->storage;
}

/* `text` stands for exactly `count` addresses, printed as given. */
static void check_parse(const char *text, size_t count, const char *first, const char *second) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  char printed[WT__ADDRESS_TEXT_MAX];
  size_t found;
  const char *why = NULL;
  assert_int_equal(wt__address_parse(text, addresses, &found, &why), 0);
  assert_int_equal(found, count);
  assert_int_equal(wt__address_format(plain(&addresses[0]), printed, sizeof(printed)), 0);
  assert_string_equal(printed, first);
  if (count < 2) return;
  assert_int_equal(wt__address_format(plain(&addresses[1]), printed, sizeof(printed)), 0);
  assert_string_equal(printed, second);
}

static void test_address_numeric(void **state) {
  (void)state;
  check_parse("127.0.0.1:4433", 1, "127.0.0.1:4433", NULL);
  check_parse("0.0.0.0:0", 1, "0.0.0.0:0", NULL);
  check_parse("192.0.2.7:65535", 1, "192.0.2.7:65535", NULL);
  check_parse("[::1]:4433", 1, "[::1]:4433", NULL);
  check_parse("[2001:DB8:0:0::1]:1", 1, "[2001:db8::1]:1", NULL);
}

static void test_address_wildcard_means_both_families(void **state) {
  (void)state;
  check_parse("[::]:443", 2, "[::]:443", "0.0.0.0:443");
  check_parse(":443", 2, "[::]:443", "0.0.0.0:443");
}

static void test_address_localhost_means_both_families(void **state) {
  (void)state;
  check_parse("localhost:4433", 2, "[::1]:4433", "127.0.0.1:4433");
}

static void check_rejected(const char *text, const char *reason) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t found;
  const char *why = NULL;
  assert_int_equal(wt__address_parse(text, addresses, &found, &why), WT_ERR_ADDRESS);
  assert_int_equal(found, 0);
  assert_string_equal(why, reason);
}

static void test_address_rejects_and_says_why(void **state) {
  (void)state;
  check_rejected("", "a port is missing");
  check_rejected("127.0.0.1", "a port is missing");
  check_rejected("127.0.0.1:", "the port is not a number from 0 to 65535");
  check_rejected("127.0.0.1:65536", "the port is not a number from 0 to 65535");
  check_rejected("127.0.0.1:-1", "the port is not a number from 0 to 65535");
  check_rejected("127.0.0.1:443x", "the port is not a number from 0 to 65535");
  check_rejected("127.0.0.1:99999999999999999999", "the port is not a number from 0 to 65535");
  check_rejected("::1:443", "an IPv6 address needs brackets");
  check_rejected("[::1:443", "brackets do not match");
  check_rejected("[]:443", "brackets do not match");
  check_rejected("[127.0.0.1]:443", "brackets are for IPv6 addresses");
}

static void test_address_rejects_a_long_host(void **state) {
  (void)state;
  char text[600];
  memset(text, 'a', sizeof(text));
  memcpy(text + sizeof(text) - 5, ":443", 5);
  check_rejected(text, "the host is too long");
}

static void test_address_format_bounds(void **state) {
  (void)state;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t found;
  const char *why;
  char text[WT__ADDRESS_TEXT_MAX];
  assert_int_equal(wt__address_parse("127.0.0.1:443", addresses, &found, &why), 0);
  assert_int_equal(wt__address_format(plain(&addresses[0]), text, 14), 0);
  assert_int_equal(wt__address_format(plain(&addresses[0]), text, 13), WT_ERR_TOO_LARGE);
  struct sockaddr_storage other = {.ss_family = AF_UNIX};
  assert_int_equal(wt__address_format((struct sockaddr *)&other, text, sizeof(text)), WT_ERR_ADDRESS);
}

/* What a resolver gives is not believed: name services are modules that anyone may install. */
static void test_address_take_checks_kind_and_length(void **state) {
  (void)state;
  struct wt__address address;
  struct sockaddr_storage given = {.ss_family = AF_INET};
  const struct sockaddr *any = (const struct sockaddr *)&given;
  assert_true(wt__address_take(&address, any, sizeof(struct sockaddr_in)));
  assert_int_equal(address.len, sizeof(struct sockaddr_in));
  assert_false(wt__address_take(&address, any, sizeof(struct sockaddr_in6)));
  assert_false(wt__address_take(&address, any, 0));
  assert_false(wt__address_take(&address, any, sizeof(given) + 1000));
  assert_false(wt__address_take(&address, NULL, sizeof(struct sockaddr_in)));
  given.ss_family = AF_INET6;
  assert_true(wt__address_take(&address, any, sizeof(struct sockaddr_in6)));
  assert_false(wt__address_take(&address, any, sizeof(struct sockaddr_in)));
  given.ss_family = AF_UNIX;
  assert_false(wt__address_take(&address, any, sizeof(given)));
}

static void test_address_port_and_equality(void **state) {
  (void)state;
  struct wt__address a[WT__ADDRESSES_MAX], b[WT__ADDRESSES_MAX];
  size_t found;
  const char *why;
  assert_int_equal(wt__address_parse("[::1]:443", a, &found, &why), 0);
  assert_int_equal(wt__address_parse("[::1]:444", b, &found, &why), 0);
  assert_int_equal(wt__address_port(plain(&a[0])), 443);
  assert_false(wt__address_equal(plain(&a[0]), plain(&b[0])));
  wt__address_set_port(&b[0], 443);
  assert_true(wt__address_equal(plain(&a[0]), plain(&b[0])));
  assert_int_equal(wt__address_parse("127.0.0.1:443", b, &found, &why), 0);
  assert_false(wt__address_equal(plain(&a[0]), plain(&b[0])));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_address_numeric),
      cmocka_unit_test(test_address_wildcard_means_both_families),
      cmocka_unit_test(test_address_localhost_means_both_families),
      cmocka_unit_test(test_address_rejects_and_says_why),
      cmocka_unit_test(test_address_rejects_a_long_host),
      cmocka_unit_test(test_address_format_bounds),
      cmocka_unit_test(test_address_port_and_equality),
      cmocka_unit_test(test_address_take_checks_kind_and_length),
  };
  return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
