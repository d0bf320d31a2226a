/* SPDX-License-Identifier: MIT */
/* Headers of the PROXY protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/proxy_header.h"

static struct proxy_client client(const char *peer, const char *local) {
  return (struct proxy_client){
      .peer = peer, .local = local, .authority = "a.example:443", .tls_version = "TLSv1.3", .cipher = "X"};
}

static void test_ipv4(void **state) {
  static const uint8_t expected[] = {
      0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 52, /* head */
      192,  0,    2,    1,    127,  0,    0,    1,    0x03, 0xe8, 0x11, 0x51,                    /* addresses */
      0x01, 0,    2,    'h',  '3',                                                               /* ALPN */
      0x02, 0,    9,    'a',  '.',  'e',  'x',  'a',  'm',  'p',  'l',  'e',                     /* authority */
      0x20, 0,    19,   0x01, 0,    0,    0,    1,                                               /* TLS */
      0x21, 0,    7,    'T',  'L',  'S',  'v',  '1',  '.',  '3',  0x23, 0,    1,    'X',
  };
  uint8_t out[PROXY_HEADER_MAX];
  (void)state;
  struct proxy_client v4 = client("192.0.2.1:1000", "127.0.0.1:4433");
  size_t len = proxy_header_write(&v4, out);
  assert_int_equal(out[14] << 8 | out[15], len - 16);
  assert_int_equal(len, sizeof expected);
  out[15] = expected[15];
  assert_memory_equal(out, expected, len);
}

static void test_ipv6_and_mixed(void **state) {
  uint8_t out[PROXY_HEADER_MAX];
  (void)state;
  struct proxy_client v6 = client("[2001:db8::1]:1", "[2001:db8::2]:2");
  assert_true(proxy_header_write(&v6, out) > 0);
  assert_int_equal(out[13], 0x21);
  assert_int_equal(out[16], 0x20);
  assert_int_equal(out[31], 1);
  assert_int_equal(out[47], 2);
  assert_memory_equal(out + 48, "\0\1\0\2", 4);
  struct proxy_client mapped = client("[::ffff:192.0.2.1]:1", "[2001:db8::2]:2");
  assert_true(proxy_header_write(&mapped, out) > 0);
  assert_int_equal(out[13], 0x21);
  assert_memory_equal(out + 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
}

static void test_certificates(void **state) {
  uint8_t out[PROXY_HEADER_MAX];
  (void)state;
  struct proxy_client shown = client("192.0.2.1:1", "192.0.2.2:2");
  shown.authority = "";
  shown.certificate = shown.certificate_verified = true;
  assert_true(proxy_header_write(&shown, out) > 0);
  assert_int_equal(out[33], 0x20); /* no authority: TLS follows ALPN */
  assert_memory_equal(out + 36, "\3\0\0\0\0", 5);
}

static void test_everything_has_a_bound(void **state) {
  uint8_t out[PROXY_HEADER_MAX];
  char text[1000];
  (void)state;
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = 0;
  struct proxy_client longest = client("[2001:db8::1]:1", "[2001:db8::2]:2");
  longest.cipher = longest.tls_version = text;
  longest.authority = text + sizeof text - 1 - 255;
  size_t len = proxy_header_write(&longest, out);
  assert_in_range(len, 400, PROXY_HEADER_MAX);
  longest.authority = text; /* too long: it is left out */
  assert_int_equal(proxy_header_write(&longest, out), len - 258);
  longest.authority = "[2001:db8::9]:443";
  assert_int_equal(proxy_header_write(&longest, out), len - 258 + 3 + 13);
}

static void test_no_addresses_no_header(void **state) {
  uint8_t out[PROXY_HEADER_MAX];
  (void)state;
  struct proxy_client none = client("", "127.0.0.1:1");
  assert_int_equal(proxy_header_write(&none, out), 0);
  none = client("127.0.0.1:1", NULL);
  assert_int_equal(proxy_header_write(&none, out), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ipv4),
      cmocka_unit_test(test_ipv6_and_mixed),
      cmocka_unit_test(test_certificates),
      cmocka_unit_test(test_everything_has_a_bound),
      cmocka_unit_test(test_no_addresses_no_header),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
