/* SPDX-License-Identifier: MIT */

/* src/quic/batch.c: which packets share a call, their order, and a socket that is full. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quic/batch.h"

static struct {
  char log[4096]; /* "segment:len@path/ecn " for each call */
  uint8_t bytes[300000];
  size_t bytes_len;
  bool full;
} out;

static int send_to_log(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                       size_t segment) {
  assert_ptr_equal(ctx, &out);
  if (out.full) return WT_ERR_AGAIN;
  size_t used = strlen(out.log);
  (void)snprintf(out.log + used, sizeof(out.log) - used, "%zu:%zu@%u/%u ", segment, len,
                 (unsigned)path->remote.ss_family, ecn);
  assert_true(out.bytes_len + len <= sizeof(out.bytes));
  memcpy(out.bytes + out.bytes_len, data, len);
  out.bytes_len += len;
  return 0;
}

static struct wt__endpoint_stats stats;
static struct wt__batch *batch;
static uint8_t next_byte;

static int set_up(void **state) {
  (void)state;
  memset(&out, 0, sizeof(out));
  memset(&stats, 0, sizeof(stats));
  next_byte = 0;
  batch = calloc(1, sizeof(*batch));
  if (!batch) return -1;
  batch->send = send_to_log;
  batch->send_ctx = &out;
  batch->stats = &stats;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free(batch);
  return 0;
}

/* Adds a packet whose bytes all are its number. */
static int add(unsigned path_number, unsigned ecn, size_t len) {
  struct wt__path path;
  memset(&path, 0, sizeof(path));
  path.remote.ss_family = (sa_family_t)path_number;
  path.remote_len = sizeof(sa_family_t);
  memset(wt__batch_room(batch), next_byte++, len);
  return wt__batch_add(batch, &path, ecn, len);
}

static void test_batch_equal_packets_share_a_call(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) assert_int_equal(add(1, 0, 1000), 0);
  assert_int_equal(add(1, 0, 300), 0);
  assert_string_equal(out.log, "");
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "1000:5300@1/0 ");
  assert_int_equal(stats.packets_sent, 6);
  assert_int_equal(stats.bytes_sent, 5300);
}

static void test_batch_a_difference_begins_a_call(void **state) {
  (void)state;
  assert_int_equal(add(1, 0, 40), 0);   /* an acknowledgement */
  assert_int_equal(add(1, 0, 1000), 0); /* longer */
  assert_int_equal(add(1, 0, 1000), 0);
  assert_int_equal(add(1, 0, 500), 0);
  assert_int_equal(add(1, 0, 500), 0); /* behind the short one */
  assert_int_equal(add(2, 0, 500), 0); /* another path */
  assert_int_equal(add(2, 2, 500), 0); /* another mark */
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "40:40@1/0 1000:2500@1/0 500:500@1/0 500:500@2/0 500:500@2/2 ");
  size_t at = 0;
  static const size_t lens[] = {40, 1000, 1000, 500, 500, 500, 500};
  for (size_t i = 0; i < 7; at += lens[i++]) {
    assert_int_equal(out.bytes[at], i);
    assert_int_equal(out.bytes[at + lens[i] - 1], i);
  }
}

static void test_batch_goes_where_the_packet_before_went(void **state) {
  (void)state;
  assert_int_equal(add(1, 0, 1000), 0);
  assert_int_equal(wt__batch_add(batch, NULL, 0, 1000), 0);
  assert_int_equal(wt__batch_add(batch, NULL, 0, 1200), 0); /* in another call */
  assert_int_equal(wt__batch_add(batch, NULL, 2, 1200), 0);
  assert_int_equal(add(2, 2, 1200), 0);
  assert_int_equal(wt__batch_add(batch, NULL, 2, 600), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "1000:2000@1/0 1200:1200@1/0 1200:1200@1/2 1200:1800@2/2 ");
}

static void test_batch_is_bounded(void **state) {
  (void)state;
  for (int i = 0; i < 130; i++) assert_int_equal(add(1, 0, 100), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "100:6400@1/0 100:6400@1/0 100:200@1/0 ");
  out.log[0] = '\0';
  for (int i = 0; i < 50; i++) assert_int_equal(add(1, 0, 1452), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "1452:63888@1/0 1452:8712@1/0 ");
}

static void test_batch_keeps_what_a_full_socket_refuses(void **state) {
  (void)state;
  assert_int_equal(add(1, 0, 1000), 0);
  assert_int_equal(add(1, 0, 1000), 0);
  out.full = true;
  assert_int_equal(add(2, 0, 700), WT_ERR_AGAIN);
  assert_true(batch->blocked);
  assert_int_equal(wt__batch_flush(batch), WT_ERR_AGAIN);
  assert_int_equal(stats.packets_sent, 0);
  out.full = false;
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_false(batch->blocked);
  assert_string_equal(out.log, "1000:2000@1/0 700:700@2/0 ");
  assert_int_equal(out.bytes[2000], 2);
  assert_int_equal(out.bytes[2699], 2);
  assert_int_equal(stats.packets_sent, 3);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_batch_equal_packets_share_a_call),        TEST(test_batch_a_difference_begins_a_call),
      TEST(test_batch_goes_where_the_packet_before_went), TEST(test_batch_is_bounded),
      TEST(test_batch_keeps_what_a_full_socket_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
