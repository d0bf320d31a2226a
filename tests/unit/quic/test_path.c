/* SPDX-License-Identifier: MIT */

/* src/quic/path.c: addresses as text, and paths there and back. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic/path.h"

static struct sockaddr_storage address_of(const char *host, uint16_t port, socklen_t *len) {
  struct sockaddr_storage storage = {0};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
  bool is_v6 = strchr(host, ':') != NULL;
  assert_int_equal(is_v6 ? inet_pton(AF_INET6, host, &in6.sin6_addr) : inet_pton(AF_INET, host, &in.sin_addr), 1);
  *len = is_v6 ? sizeof(in6) : sizeof(in);
  memcpy(&storage, is_v6 ? (void *)&in6 : (void *)&in, *len);
  return storage;
}

static void check_text(const char *host, uint16_t port, const char *expected) {
  char text[WT__PEER_TEXT_MAX];
  socklen_t len;
  struct sockaddr_storage address = address_of(host, port, &len);
  assert_ptr_equal(wt__conn_address_text(&address, text, sizeof(text)), text);
  assert_string_equal(text, expected);
}

static void test_path_addresses_as_text(void **state) {
  (void)state;
  check_text("192.0.2.1", 4433, "192.0.2.1:4433");
  check_text("2001:db8::1", 65535, "[2001:db8::1]:65535");
  check_text("::ffff:192.0.2.1", 443, "192.0.2.1:443");
  check_text("2001:db8:1111:2222:3333:4444:5555:6666", 1, "[2001:db8:1111:2222:3333:4444:5555:6666]:1");
}

static void test_path_text_is_cut(void **state) {
  char text[10];
  socklen_t len;
  struct sockaddr_storage address = address_of("192.0.2.1", 4433, &len);
  (void)state;
  assert_string_equal(wt__conn_address_text(&address, text, sizeof(text)), "192.0.2.1");
}

static void test_path_there_and_back(void **state) {
  int socket;
  struct wt__path path = {.socket = &socket}, back;
  ngtcp2_path quic;
  (void)state;
  path.local = address_of("192.0.2.1", 1, &path.local_len);
  path.remote = address_of("2001:db8::2", 2, &path.remote_len);
  wt__path_to_quic(&quic, &path);
  assert_int_equal(quic.local.addrlen, sizeof(struct sockaddr_in));
  assert_int_equal(quic.remote.addrlen, sizeof(struct sockaddr_in6));
  memset(&back, 0xff, sizeof(back));
  wt__path_from_quic(&back, &quic);
  assert_ptr_equal(back.socket, &socket);
  assert_int_equal(back.local_len, path.local_len);
  assert_int_equal(back.remote_len, path.remote_len);
  assert_memory_equal(&back.local, &path.local, path.local_len);
  assert_memory_equal(&back.remote, &path.remote, path.remote_len);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_path_addresses_as_text),
      cmocka_unit_test(test_path_text_is_cut),
      cmocka_unit_test(test_path_there_and_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
