/* SPDX-License-Identifier: MIT */
/* "ADDR:PORT" as --listen and --http have it: its parts, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/host_port.h"

static void check(const char *text, const char *host, unsigned port) {
  struct host_port parsed;
  assert_null(host_port_parse(text, &parsed));
  assert_string_equal(parsed.host, host);
  assert_int_equal(parsed.port, port);
}

static void check_refused(const char *text, const char *why) {
  struct host_port parsed;
  const char *message = host_port_parse(text, &parsed);
  assert_non_null(message);
  assert_non_null(strstr(message, why));
}

static void test_host_and_port_are_parted(void **state) {
  (void)state;
  check("127.0.0.1:80", "127.0.0.1", 80);
  check("[::1]:4433", "::1", 4433);
  check("localhost:0", "localhost", 0);
  check("a:65535", "a", 65535);
}

static void test_malformed_addresses_are_refused(void **state) {
  (void)state;
  check_refused("localhost", "expected ADDR:PORT");
  check_refused("::1:80", "brackets");
  check_refused("[::1:80", "bracket is not closed");
  check_refused(":80", "address is missing");
  check_refused("a:", "port is missing");
  check_refused("a:8o", "not a number");
  check_refused("a:-1", "not a number");
  check_refused("a:65536", "larger than 65535");
}

static void test_a_host_has_a_greatest_length(void **state) {
  char text[HOST_PORT_HOST_SIZE + 4];
  (void)state;
  memset(text, 'a', sizeof text);
  memcpy(text + HOST_PORT_HOST_SIZE, ":1", 3);
  check_refused(text, "too long");
  memcpy(text + HOST_PORT_HOST_SIZE - 1, ":1", 3);
  struct host_port parsed;
  assert_null(host_port_parse(text, &parsed));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_host_and_port_are_parted),
      cmocka_unit_test(test_malformed_addresses_are_refused),
      cmocka_unit_test(test_a_host_has_a_greatest_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
