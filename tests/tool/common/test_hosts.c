/* SPDX-License-Identifier: MIT */
/* Which hosts are ours: how a host is read, and what a server of this machine answers for. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/hosts.h"

static struct hosts hosts;

static int setup(void **state) {
  (void)state;
  hosts_init(&hosts);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  hosts_free(&hosts);
  return 0;
}

static void check(enum host_verdict expected, const char *const *authorities) {
  for (; *authorities; authorities++)
    if (hosts_check(&hosts, *authorities) != expected) fail_msg("'%s': %d", *authorities, expected);
}

static void test_loopback_is_ours_in_every_spelling(void **state) {
  static const char *const ours[] = {"localhost",         "LocalHost:1",        "localhost.",  "localhost.:65535",
                                     "127.0.0.1",         "127.0.0.1.",         "127.1.2.3:9", "[::1]",
                                     "[0:0:0::0:1]:4433", "[::FFFF:127.0.0.1]", NULL};
  (void)state;
  check(HOST_OURS, ours);
}

static void test_other_hosts_are_foreign(void **state) {
  static const char *const foreign[] = {"evil.example",
                                        "evil.example:4433",
                                        "localhost.evil.example",
                                        "127.0.0.1.evil.example",
                                        "evillocalhost",
                                        "203.0.113.1",
                                        "[2001:db8::1]:4433",
                                        "128.0.0.1",
                                        "0.0.0.0",
                                        "[::]",
                                        "[::ffff:0.0.0.0]",
                                        "127.1",
                                        "2130706433",
                                        "0x7f000001",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        NULL};
  (void)state;
  check(HOST_FOREIGN, foreign);
}

static void test_what_is_no_host_is_malformed(void **state) {
  static const char *const malformed[] = {"",
                                          " ",
                                          ".",
                                          "..",
                                          "a..b",
                                          ".localhost",
                                          "localhost..",
                                          "localhost:",
                                          "localhost:x",
                                          "localhost:0",
                                          "a:65536",
                                          "localhost:-1",
                                          "a:1:2",
                                          "::1",
                                          "[::1",
                                          "::1]",
                                          "[]",
                                          "[::1]x",
                                          "[::1]:",
                                          "[::1]:1:2",
                                          "[127.0.0.1]",
                                          "[fe80::1%25eth0]",
                                          "[localhost]",
                                          "user@localhost",
                                          "localhost/",
                                          "localhost?x",
                                          "localhost ",
                                          " localhost",
                                          "a b",
                                          "a,b",
                                          "a\tb",
                                          "a\x01",
                                          "\xc3\xa4.example",
                                          "%6cocalhost",
                                          "*.example.com",
                                          "http://localhost",
                                          NULL};
  char label[80], name[300];
  (void)state;
  check(HOST_MALFORMED, malformed);
  assert_int_equal(hosts_check(&hosts, NULL), HOST_MALFORMED);
  memset(label, 'a', 64);
  label[64] = 0;
  assert_int_equal(hosts_check(&hosts, label), HOST_MALFORMED);
  label[63] = 0;
  assert_int_equal(hosts_check(&hosts, label), HOST_FOREIGN);
  for (size_t i = 0; i < sizeof name; i++) name[i] = i % 50 == 49 ? '.' : 'a';
  name[254] = 0;
  assert_int_equal(hosts_check(&hosts, name), HOST_MALFORMED);
  name[253] = 0;
  assert_int_equal(hosts_check(&hosts, name), HOST_FOREIGN);
}

static void test_the_machine_is_ours(void **state) {
  char name[256], text[INET6_ADDRSTRLEN], authority[300];
  struct ifaddrs *list;
  (void)state;
  assert_int_equal(gethostname(name, sizeof name), 0);
  assert_int_equal(hosts_check(&hosts, name), HOST_OURS);
  assert_int_equal(getifaddrs(&list), 0);
  for (struct ifaddrs *at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6)) continue;
    bool v6 = at->ifa_addr->sa_family == AF_INET6;
    const void *address = v6 ? (const void *)&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr
                             : (const void *)&((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr;
    assert_non_null(inet_ntop(v6 ? AF_INET6 : AF_INET, address, text, sizeof text));
    snprintf(authority, sizeof authority, v6 ? "[%s]:4433" : "%s:4433", text);
    if (hosts_check(&hosts, authority) != HOST_OURS) fail_msg("'%s' is ours", authority);
  }
  freeifaddrs(list);
}

static void test_options_add_hosts(void **state) {
  static const char *const ours[] = {"extra.example",
                                     "EXTRA.example.:1",
                                     "a.wild.example",
                                     "203.0.113.1:80",
                                     "[2001:db8:0::1]",
                                     "[2001:db8::2]",
                                     NULL};
  static const char *const foreign[] = {"a.extra.example", "wild.example", "a.b.wild.example", "203.0.113.2", NULL};
  static const char *const added[] = {"Extra.Example.", "*.wild.example", "203.0.113.1",
                                      "[2001:db8::1]",  "2001:db8::2",    NULL};
  (void)state;
  for (size_t i = 0; added[i]; i++) assert_null(hosts_add(&hosts, added[i]));
  check(HOST_OURS, ours);
  check(HOST_FOREIGN, foreign);
  assert_null(hosts_add(&hosts, "any"));
  check(HOST_OURS, foreign);
  assert_int_equal(hosts_check(&hosts, "a b"), HOST_MALFORMED);
}

static void test_options_that_are_no_hosts_are_refused(void **state) {
  static const char *const wrong[] = {
      "",    "a:80",          "203.0.113.1:80", "[::1]:80", "*", "*.", "*.*.a", "a.*", "https://a.example",
      "a b", "*.203.0.113.1", "Any ",           NULL};
  (void)state;
  for (size_t i = 0; wrong[i]; i++)
    if (!hosts_add(&hosts, wrong[i])) fail_msg("'%s' was taken", wrong[i]);
  for (int i = 0; i < HOSTS_MAX; i++) assert_null(hosts_add(&hosts, "a.example"));
  assert_string_equal(hosts_add(&hosts, "b.example"), "too many names");
}

static void test_names_of_the_certificate_are_ours_until_it_is_exchanged(void **state) {
  static const char *const first_names[] = {"first.example", "*.first.example", "203.0.113.7", "2001:db8::7"};
  static const char *const second_names[] = {"second.example"};
  static const char *const first[] = {"First.example:443", "a.first.example", "203.0.113.7", "[2001:db8::7]:1", NULL};
  static const char *const second[] = {"second.example", NULL}, *const never[] = {"a.b.first.example", NULL};
  wt_certificate *certificate;
  (void)state;
  assert_int_equal(wt_certificate_generate(first_names, 4, 1, &certificate), 0);
  hosts_set_certificate(&hosts, certificate);
  check(HOST_OURS, first);
  check(HOST_FOREIGN, second);
  check(HOST_FOREIGN, never);
  assert_int_equal(wt_certificate_generate(second_names, 1, 1, &certificate), 0);
  hosts_set_certificate(&hosts, certificate);
  check(HOST_OURS, second);
  check(HOST_FOREIGN, first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_loopback_is_ours_in_every_spelling, setup, teardown),
      cmocka_unit_test_setup_teardown(test_other_hosts_are_foreign, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_is_no_host_is_malformed, setup, teardown),
      cmocka_unit_test_setup_teardown(test_the_machine_is_ours, setup, teardown),
      cmocka_unit_test_setup_teardown(test_options_add_hosts, setup, teardown),
      cmocka_unit_test_setup_teardown(test_options_that_are_no_hosts_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_names_of_the_certificate_are_ours_until_it_is_exchanged, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
