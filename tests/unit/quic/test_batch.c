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
  char log[4096]; /* "segment:len@path/ecn " for each run, those of one call in brackets */
  uint8_t bytes[300000];
  size_t bytes_len;
  bool full;
  size_t room;      /* runs that calls of several take until the socket is full */
  size_t too_large; /* packets of this size are refused; 0: none */
  const void *refused;
} out;

static void log_run(const struct wt__path *to, unsigned ecn, const uint8_t *data, size_t len, size_t segment) {
  size_t used = strlen(out.log);
  (void)snprintf(out.log + used, sizeof(out.log) - used, "%zu:%zu@%u/%u ", segment, len, (unsigned)to->remote.ss_family,
                 ecn);
  assert_true(out.bytes_len + len <= sizeof(out.bytes));
  memcpy(out.bytes + out.bytes_len, data, len);
  out.bytes_len += len;
}

static int send_to_log(void *ctx, const struct wt__path *to, unsigned ecn, const uint8_t *data, size_t len,
                       size_t segment) {
  assert_ptr_equal(ctx, &out);
  if (out.full) return WT_ERR_AGAIN;
  log_run(to, ecn, data, len, segment);
  return segment == out.too_large ? WT_ERR_TOO_LARGE : 0;
}

static int send_although_full(void *ctx, const struct wt__path *to, unsigned ecn, const uint8_t *data, size_t len,
                              size_t segment) {
  out.full = false;
  return send_to_log(ctx, to, ecn, data, len, segment);
}

/* As the kernel does: it stops at the first run that does not pass, without a word. */
static size_t send_runs_to_log(void *ctx, const struct wt__packet_run *runs, size_t count) {
  size_t sent = 0;
  assert_ptr_equal(ctx, &out);
  assert_in_range(count, 2, WT__MAX_RUNS);
  strcat(out.log, "(");
  for (; sent < count && sent < out.room && runs[sent].segment != out.too_large; sent++) {
    assert_ptr_equal(runs[sent].path.socket, runs[0].path.socket);
    log_run(&runs[sent].path, runs[sent].ecn, runs[sent].data, runs[sent].len, runs[sent].segment);
  }
  strcat(out.log, ") ");
  out.room -= sent;
  out.full = out.full || out.room == 0;
  return sent;
}

static void note_refused(struct wt__conn *conn, size_t size) {
  size_t used = strlen(out.log);
  (void)snprintf(out.log + used, sizeof(out.log) - used, "%zu! ", size);
  out.refused = conn;
}

static struct wt__endpoint_stats stats;
static struct wt__batch *batch;
static struct wt__path path;
static uint8_t next_byte;
static char conns[200]; /* stand for connections, which the batch does not look into */

static int set_up(void **state) {
  (void)state;
  memset(&out, 0, sizeof(out));
  memset(&stats, 0, sizeof(stats));
  memset(&path, 0, sizeof(path));
  out.room = SIZE_MAX;
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

/* Adds a packet whose bytes all are its number; to the path of that number, which is another one if it changes. */
static int add(unsigned path_number, unsigned ecn, size_t len) {
  if (path.remote.ss_family != path_number) {
    path.remote.ss_family = (sa_family_t)path_number;
    path.remote_len = sizeof(sa_family_t);
    wt__batch_set_path(batch, (struct wt__conn *)(void *)&conns[path_number], &path);
  }
  memset(wt__batch_room(batch), next_byte++, len);
  return wt__batch_add(batch, ecn, len);
}

/* The same, and all that a connection has. */
static int add_all(unsigned path_number, unsigned ecn, size_t len) {
  int error = add(path_number, ecn, len);
  return error ? error : wt__batch_end(batch);
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
  assert_int_equal(add(2, 0, 700), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(wt__batch_flush(batch), WT_ERR_AGAIN);
    assert_true(batch->blocked);
  }
  assert_int_equal(stats.packets_sent, 0);
  out.full = false;
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_false(batch->blocked);
  assert_string_equal(out.log, "1000:2000@1/0 700:700@2/0 ");
  assert_int_equal(out.bytes[2000], 2);
  assert_int_equal(out.bytes[2699], 2);
  assert_int_equal(stats.packets_sent, 3);
}

/* --- Several connections --- */

static void share(void) { batch->send_runs = send_runs_to_log; }

static void test_batch_connections_share_a_call(void **state) {
  (void)state;
  share();
  assert_int_equal(add_all(1, 0, 90), 0);
  assert_int_equal(add(2, 2, 1000), 0);
  assert_int_equal(add_all(2, 2, 300), 0);
  assert_int_equal(add_all(3, 0, 90), 0);
  assert_string_equal(out.log, ""); /* until the end of the pass */
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "(90:90@1/0 1000:1300@2/2 90:90@3/0 ) ");
  assert_int_equal(stats.packets_sent, 4);
  assert_int_equal(stats.bytes_sent, 1480);
}

static void test_batch_one_run_needs_no_call_for_several(void **state) {
  (void)state;
  share();
  assert_int_equal(add_all(1, 0, 90), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "90:90@1/0 ");
}

/* Who writes much sends it at once, behind what waits, and leaves nothing behind. */
static void test_batch_much_does_not_wait(void **state) {
  (void)state;
  share();
  assert_int_equal(add_all(1, 0, 90), 0);
  for (int i = 0; i < 20; i++) assert_int_equal(add(2, 0, 1000), 0);
  assert_string_equal(out.log, "");
  assert_int_equal(add_all(2, 0, 1000), 0);
  assert_string_equal(out.log, "(90:90@1/0 1000:21000@2/0 ) ");
  assert_int_equal(add_all(2, 0, 1000), 0); /* a new run, though it goes there again */
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "(90:90@1/0 1000:21000@2/0 ) 1000:1000@2/0 ");
}

static void test_batch_a_call_is_bounded(void **state) {
  (void)state;
  share();
  unsigned calls = 0;
  for (unsigned i = 1; i <= 2 * WT__MAX_RUNS; i++) {
    assert_int_equal(add_all(i, 0, 20), 0);
    if (out.log[0]) calls++;
    assert_int_equal(out.bytes_len, i / WT__MAX_RUNS * WT__MAX_RUNS * 20);
    out.log[0] = '\0';
  }
  assert_int_equal(calls, 2);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_int_equal(stats.packets_sent, 2 * WT__MAX_RUNS);
}

static void test_batch_a_call_is_for_one_socket(void **state) {
  (void)state;
  share();
  assert_int_equal(add(1, 0, 90), 0);
  assert_int_equal(add(2, 0, 90), 0);
  path.socket = &out;
  assert_int_equal(add(3, 0, 90), 0);
  path.socket = NULL;
  assert_int_equal(add(4, 0, 90), 0);
  assert_int_equal(add(5, 0, 90), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "(90:90@1/0 90:90@2/0 ) 90:90@3/0 (90:90@4/0 90:90@5/0 ) ");
}

/* Whose packets are too large hears of it, and nobody else does. The others' packets leave. */
static void test_batch_a_refusal_is_told_to_its_connection(void **state) {
  (void)state;
  share();
  batch->on_refused = note_refused;
  out.too_large = 1400;
  for (unsigned i = 1; i <= 5; i++) assert_int_equal(add_all(i, 0, i == 3 ? 1400 : 90), 0);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "(90:90@1/0 90:90@2/0 ) 1400:1400@3/0 1400! (90:90@4/0 90:90@5/0 ) ");
  assert_ptr_equal(out.refused, &conns[3]);
}

static void test_batch_a_connection_that_is_gone_hears_nothing(void **state) {
  (void)state;
  share();
  batch->on_refused = note_refused;
  out.too_large = 1400;
  for (unsigned i = 1; i <= 3; i++) assert_int_equal(add_all(i, 0, i == 2 ? 1400 : 90), 0);
  wt__batch_forget(batch, (struct wt__conn *)(void *)&conns[2]);
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "(90:90@1/0 ) 1400:1400@2/0 90:90@3/0 ");
  assert_null(out.refused);
}

/* The socket is full in the midst of a call: what is left keeps its order, and nothing is sent twice. */
static void test_batch_full_in_the_midst_of_a_call(void **state) {
  (void)state;
  share();
  out.room = 2;
  for (unsigned i = 1; i <= 5; i++) assert_int_equal(add_all(i, 0, 90), 0);
  assert_int_equal(wt__batch_flush(batch), WT_ERR_AGAIN);
  assert_true(batch->blocked);
  assert_int_equal(stats.packets_sent, 2);
  out.full = false;
  out.room = 1;
  assert_int_equal(wt__batch_flush(batch), WT_ERR_AGAIN);
  assert_int_equal(stats.packets_sent, 3);
  out.full = false;
  out.room = SIZE_MAX;
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_false(batch->blocked);
  assert_string_equal(out.log, "(90:90@1/0 90:90@2/0 ) (90:90@3/0 ) (90:90@4/0 90:90@5/0 ) ");
  for (unsigned i = 0; i < 5; i++) assert_int_equal(out.bytes[90 * i], i);
  assert_int_equal(stats.packets_sent, 5);
}

/* A full socket when there is no room for another packet: whoever adds it is told. */
static void test_batch_full_socket_at_the_bound(void **state) {
  (void)state;
  share();
  out.room = 3;
  for (unsigned i = 1; i < WT__MAX_RUNS; i++) assert_int_equal(add_all(i, 0, 20), 0);
  assert_int_equal(add(WT__MAX_RUNS, 0, 20), WT_ERR_AGAIN);
  assert_true(batch->blocked);
  out.full = false;
  out.room = SIZE_MAX;
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_int_equal(stats.packets_sent, WT__MAX_RUNS);
  for (unsigned i = 0; i < WT__MAX_RUNS; i++) assert_int_equal(out.bytes[20 * i], i);
}

/* Where the call for several sends nothing, as in some sandboxes, it is tried once for each flush. */
static void test_batch_without_the_call_for_several(void **state) {
  (void)state;
  share();
  out.room = 0;
  for (unsigned i = 1; i <= 3; i++) assert_int_equal(add_all(i, 0, 90), 0);
  batch->send = send_although_full;
  assert_int_equal(wt__batch_flush(batch), 0);
  assert_string_equal(out.log, "() 90:90@1/0 90:90@2/0 90:90@3/0 ");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_batch_equal_packets_share_a_call),
      TEST(test_batch_a_difference_begins_a_call),
      TEST(test_batch_is_bounded),
      TEST(test_batch_keeps_what_a_full_socket_refuses),
      TEST(test_batch_connections_share_a_call),
      TEST(test_batch_one_run_needs_no_call_for_several),
      TEST(test_batch_much_does_not_wait),
      TEST(test_batch_a_call_is_bounded),
      TEST(test_batch_a_call_is_for_one_socket),
      TEST(test_batch_a_refusal_is_told_to_its_connection),
      TEST(test_batch_a_connection_that_is_gone_hears_nothing),
      TEST(test_batch_full_in_the_midst_of_a_call),
      TEST(test_batch_full_socket_at_the_bound),
      TEST(test_batch_without_the_call_for_several),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
