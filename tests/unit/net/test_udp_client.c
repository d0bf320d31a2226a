/* SPDX-License-Identifier: MIT */

/* What the kernel says about destinations (net/udp_client.c). */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/udp.h"

static struct wt__address address_of(const char *text) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
  const char *why = "";
  if (wt__address_parse(text, addresses, &count, &why)) fail_msg("%s: %s", text, why);
  return addresses[0];
}

static void send_to(struct wt__udp *udp, const struct wt__address *remote) {
  const struct wt__path path = {.local = udp->bound.storage,
                                .local_len = udp->bound.len,
                                .remote = remote->storage,
                                .remote_len = remote->len,
                                .socket = udp};
  assert_int_equal(wt__udp_send(udp, &path, 0, (const uint8_t *)"x", 1, 1), 0);
}

static void test_udp_source_is_what_the_kernel_would_choose(void **state) {
  struct wt__address remote = address_of("127.0.0.1:4433"), local;
  char text[WT__ADDRESS_TEXT_MAX];
  int os_error = 0;
  (void)state;
  assert_int_equal(wt__udp_source(&remote, &local, &os_error), 0);
  assert_int_equal(wt__address_format((struct sockaddr *)&local.storage, text, sizeof(text)), 0);
  assert_string_equal(text, "127.0.0.1:0");
}

static void test_udp_source_without_a_way(void **state) {
  struct wt__address remote = {.len = sizeof(struct sockaddr_in6)}, local;
  int os_error = 0;
  (void)state;
  remote.storage.ss_family = AF_UNIX; /* a family in which there is none */
  assert_int_equal(wt__udp_source(&remote, &local, &os_error), WT_ERR_IO);
  assert_int_not_equal(os_error, 0);
}

static void test_udp_errors_name_whom_they_are_about(void **state) {
  struct wt__address any = address_of("127.0.0.1:0"), first, second, remote;
  struct wt__udp udp, gone;
  int os_error = 0;
  (void)state;
  assert_int_equal(wt__udp_open(&udp, &any, &os_error), 0);
  assert_false(wt__udp_error(&udp, &remote, &os_error));
  wt__udp_want_errors(&udp);
  assert_int_equal(wt__udp_open(&gone, &any, &os_error), 0);
  first = gone.bound;
  wt__udp_close(&gone);
  assert_int_equal(wt__udp_open(&gone, &any, &os_error), 0);
  second = gone.bound;
  wt__udp_close(&gone);
  send_to(&udp, &first);
  send_to(&udp, &second); /* the first one's error does not keep this packet back */
  assert_true(wt__udp_error(&udp, &remote, &os_error));
  assert_int_equal(os_error, ECONNREFUSED);
  assert_true(wt__address_equal((struct sockaddr *)&remote.storage, (struct sockaddr *)&first.storage));
  assert_true(wt__udp_error(&udp, &remote, &os_error));
  assert_true(wt__address_equal((struct sockaddr *)&remote.storage, (struct sockaddr *)&second.storage));
  assert_false(wt__udp_error(&udp, &remote, &os_error));
  wt__udp_close(&udp);
}

static void test_udp_error_texts(void **state) {
  (void)state;
  assert_string_equal(wt__os_error_text(ECONNREFUSED), "connection refused");
  assert_string_equal(wt__os_error_text(ENETUNREACH), "network is unreachable");
  assert_string_equal(wt__os_error_text(EHOSTUNREACH), "host is unreachable");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_udp_source_is_what_the_kernel_would_choose),
      cmocka_unit_test(test_udp_source_without_a_way),
      cmocka_unit_test(test_udp_errors_name_whom_they_are_about),
      cmocka_unit_test(test_udp_error_texts),
  };
  return cmocka_run_group_tests_name("udp_client", tests, NULL, NULL);
}
