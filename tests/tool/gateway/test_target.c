/* SPDX-License-Identifier: MIT */
/* Addresses of back ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/backend.h"
#include "gateway/target.h"

static struct target target;
static char message[200];

static bool parse(const char *text) { return target_parse(text, &target, message, sizeof message); }

static void test_hosts_and_ports(void **state) {
  (void)state;
  assert_true(parse("tcp://127.0.0.1:22"));
  assert_ptr_equal(target.kind, &tcp_backend);
  assert_string_equal(target.address.host, "127.0.0.1");
  assert_int_equal(target.address.port, 22);
  assert_string_equal(target.text, "tcp://127.0.0.1:22");
  assert_true(parse("udp://[2001:db8::1]:7777"));
  assert_ptr_equal(target.kind, &udp_backend);
  assert_string_equal(target.address.host, "2001:db8::1");
  assert_true(parse("tcp://db.internal:5432"));
}

static void test_paths(void **state) {
  (void)state;
  assert_true(parse("unix:/run/app.sock"));
  assert_ptr_equal(target.kind, &unix_backend);
  assert_string_equal(target.path, "/run/app.sock");
  assert_true(parse("unix:///run/app.sock"));
  assert_string_equal(target.path, "/run/app.sock");
  assert_true(parse("unixgram:/run/log"));
  assert_ptr_equal(target.kind, &unixgram_backend);
}

static void test_urls(void **state) {
  (void)state;
  assert_true(parse("https://app.internal"));
  assert_ptr_equal(target.kind, &https_backend);
  assert_string_equal(target.address.host, "app.internal");
  assert_int_equal(target.address.port, 443);
  assert_int_equal(target.url_path, 0);
  assert_true(parse("https://[2001:db8::1]:8443/base/"));
  assert_string_equal(target.address.host, "2001:db8::1");
  assert_int_equal(target.address.port, 8443);
  assert_string_equal(target.text + target.url_path, "/base/");
  assert_true(parse("https://[2001:db8::1]"));
  assert_int_equal(target.address.port, 443);
}

static void test_others_are_refused(void **state) {
  static const char *const wrong[] = {"",
                                      "tcp",
                                      "tcp:",
                                      "tcp:127.0.0.1:22",
                                      "tcp://",
                                      "tcp://:22",
                                      "tcp://a",
                                      "tcp://a:0",
                                      "tcp://a:22/",
                                      "tcp://a:x",
                                      "TCP://a:22",
                                      "http:a",
                                      "unix:",
                                      "unix:run/x",
                                      "udp://2001:db8::1:7777",
                                      "tcp://a:70000",
                                      "https:a",
                                      "https://",
                                      "https://a:0",
                                      "https://a:x/",
                                      "https://user@a",
                                      "https://a/?q",
                                      "https://a/#f",
                                      "https://a b/",
                                      "fd://3"};
  char text[200];
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    message[0] = 0;
    assert_false(parse(wrong[i]));
    assert_true(message[0]);
  }
  snprintf(text, sizeof text, "unix:/%0107d", 0);
  assert_false(parse(text));
  snprintf(text, sizeof text, "unix:/%0106d", 0);
  assert_true(parse(text));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hosts_and_ports),
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_urls),
      cmocka_unit_test(test_others_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
