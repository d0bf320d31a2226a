/* SPDX-License-Identifier: MIT */

/*
 * src/quic/canary.c and canary_pair.c: with the ngtcp2 that is installed, all holds. With an ngtcp2 of other habits, which
 * functions in front of its own play here, exactly the feature that stands on the habit is given up, and a line says so.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ngtcp2/ngtcp2.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "quic/canary.h"

static struct {
  bool unknown_frames_pass, packets_count, params_are_copies, params_are_missing, datagrams_differ, writing_fails,
      no_conn;
} habits;

/* --- ngtcp2 with other habits --- */

int __real_ngtcp2_conn_read_pkt_versioned(ngtcp2_conn *conn, const ngtcp2_path *path, int version,
                                          const ngtcp2_pkt_info *info, const uint8_t *packet, size_t len,
                                          ngtcp2_tstamp now);
int __wrap_ngtcp2_conn_read_pkt_versioned(ngtcp2_conn *conn, const ngtcp2_path *path, int version,
                                          const ngtcp2_pkt_info *info, const uint8_t *packet, size_t len,
                                          ngtcp2_tstamp now);
int __wrap_ngtcp2_conn_read_pkt_versioned(ngtcp2_conn *conn, const ngtcp2_path *path, int version,
                                          const ngtcp2_pkt_info *info, const uint8_t *packet, size_t len,
                                          ngtcp2_tstamp now) {
  static bool unusable;
  int error = __real_ngtcp2_conn_read_pkt_versioned(conn, path, version, info, packet, len, now);
  bool unknown = error == NGTCP2_ERR_FRAME_ENCODING;
  if (unknown && habits.unknown_frames_pass) return 0;
  if (!error && unusable) error = NGTCP2_ERR_PROTO;
  unusable = unknown && habits.packets_count;
  return error;
}

const ngtcp2_transport_params *__real_ngtcp2_conn_get_remote_transport_params(ngtcp2_conn *conn);
const ngtcp2_transport_params *__wrap_ngtcp2_conn_get_remote_transport_params(ngtcp2_conn *conn);
const ngtcp2_transport_params *__wrap_ngtcp2_conn_get_remote_transport_params(ngtcp2_conn *conn) {
  static ngtcp2_transport_params copy;
  const ngtcp2_transport_params *params = __real_ngtcp2_conn_get_remote_transport_params(conn);
  if (habits.params_are_missing) return NULL;
  if (!habits.params_are_copies) return params;
  copy = *params;
  return &copy;
}

ngtcp2_ssize __real_ngtcp2_conn_writev_datagram_versioned(ngtcp2_conn *conn, ngtcp2_path *path, int version,
                                                          ngtcp2_pkt_info *info, uint8_t *dst, size_t room,
                                                          int *accepted, uint32_t flags, uint64_t number,
                                                          const ngtcp2_vec *vecs, size_t count, ngtcp2_tstamp now);
ngtcp2_ssize __wrap_ngtcp2_conn_writev_datagram_versioned(ngtcp2_conn *conn, ngtcp2_path *path, int version,
                                                          ngtcp2_pkt_info *info, uint8_t *dst, size_t room,
                                                          int *accepted, uint32_t flags, uint64_t number,
                                                          const ngtcp2_vec *vecs, size_t count, ngtcp2_tstamp now);
ngtcp2_ssize __wrap_ngtcp2_conn_writev_datagram_versioned(ngtcp2_conn *conn, ngtcp2_path *path, int version,
                                                          ngtcp2_pkt_info *info, uint8_t *dst, size_t room,
                                                          int *accepted, uint32_t flags, uint64_t number,
                                                          const ngtcp2_vec *vecs, size_t count, ngtcp2_tstamp now) {
  static const ngtcp2_vec other = {(uint8_t *)"other bytes", 11};
  if (habits.writing_fails) return NGTCP2_ERR_INVALID_STATE;
  return __real_ngtcp2_conn_writev_datagram_versioned(conn, path, version, info, dst, room, accepted, flags, number,
                                                      habits.datagrams_differ ? &other : vecs,
                                                      habits.datagrams_differ ? 1 : count, now);
}

/* Nothing can be tried without a connection. */
int __real_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid, const ngtcp2_cid *scid,
                                            const ngtcp2_path *path, uint32_t version, int callbacks_version,
                                            const ngtcp2_callbacks *callbacks, int settings_version,
                                            const ngtcp2_settings *settings, int params_version,
                                            const ngtcp2_transport_params *params, const ngtcp2_mem *mem,
                                            void *user_data);
int __wrap_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid, const ngtcp2_cid *scid,
                                            const ngtcp2_path *path, uint32_t version, int callbacks_version,
                                            const ngtcp2_callbacks *callbacks, int settings_version,
                                            const ngtcp2_settings *settings, int params_version,
                                            const ngtcp2_transport_params *params, const ngtcp2_mem *mem,
                                            void *user_data);
int __wrap_ngtcp2_conn_server_new_versioned(ngtcp2_conn **conn, const ngtcp2_cid *dcid, const ngtcp2_cid *scid,
                                            const ngtcp2_path *path, uint32_t version, int callbacks_version,
                                            const ngtcp2_callbacks *callbacks, int settings_version,
                                            const ngtcp2_settings *settings, int params_version,
                                            const ngtcp2_transport_params *params, const ngtcp2_mem *mem,
                                            void *user_data) {
  if (habits.no_conn) return NGTCP2_ERR_NOMEM;
  return __real_ngtcp2_conn_server_new_versioned(conn, dcid, scid, path, version, callbacks_version, callbacks,
                                                 settings_version, settings, params_version, params, mem, user_data);
}

/* --- The tests --- */

static void expect(bool carriers, bool reset_at_in, bool connection_ids) {
  struct wt__canary canary;
  wt__canary_try(&canary);
  assert_int_equal(canary.carriers, carriers);
  assert_int_equal(canary.reset_at_in, reset_at_in);
  assert_int_equal(canary.connection_ids, connection_ids);
  memset(&habits, 0, sizeof(habits));
}

/* Where this fails, docs/versions.md and the files that it names have to be looked at. */
static void test_canary_holds_with_the_ngtcp2_that_is_here(void **state) {
  (void)state;
  expect(true, true, true);
  assert_true(wt__canary()->carriers && wt__canary()->reset_at_in && wt__canary()->connection_ids);
}

static void test_canary_notices_an_unknown_frame_that_is_taken(void **state) {
  (void)state;
  habits.unknown_frames_pass = true;
  expect(true, false, true);
}

static void test_canary_notices_a_packet_that_is_not_forgotten(void **state) {
  (void)state;
  habits.packets_count = true;
  expect(true, false, true);
}

static void test_canary_notices_parameters_that_are_a_copy(void **state) {
  (void)state;
  habits.params_are_copies = true;
  expect(true, true, false);
  habits.params_are_missing = true;
  expect(true, true, false);
}

static void test_canary_notices_datagrams_of_another_form(void **state) {
  (void)state;
  habits.datagrams_differ = true;
  expect(false, true, true);
  habits.writing_fails = true;
  expect(false, true, true);
}

static void test_canary_takes_nothing_for_granted_without_a_connection(void **state) {
  (void)state;
  habits.no_conn = true;
  expect(false, false, false);
}

struct lines {
  unsigned count;
  char text[1024];
};

static void take_line(enum wt_log_level level, const char *line, void *user_data) {
  struct lines *lines = user_data;
  assert_int_equal(level, WT_LOG_WARN);
  lines->count++;
  snprintf(lines->text, sizeof(lines->text), "%s", line);
}

static void test_canary_tells_what_is_switched_off(void **state) {
  (void)state;
  static const struct wt__canary none, one = {.carriers = true, .connection_ids = true};
  struct lines lines = {0};
  struct wt__log log = {.level = WT_LOG_INFO, .function = take_line, .user_data = &lines};
  wt__canary_tell(&log);
  assert_int_equal(lines.count, 0);
  wt__canary_pretend(&one);
  wt__canary_tell(&log);
  assert_int_equal(lines.count, 1);
  assert_non_null(strstr(lines.text, ngtcp2_version(0)->version_str));
  assert_non_null(strstr(lines.text, "RESET_STREAM_AT is not announced"));
  wt__canary_pretend(&none);
  wt__canary_tell(&log);
  assert_int_equal(lines.count, 4);
  wt__canary_pretend(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_canary_holds_with_the_ngtcp2_that_is_here),
      cmocka_unit_test(test_canary_notices_an_unknown_frame_that_is_taken),
      cmocka_unit_test(test_canary_notices_a_packet_that_is_not_forgotten),
      cmocka_unit_test(test_canary_notices_parameters_that_are_a_copy),
      cmocka_unit_test(test_canary_notices_datagrams_of_another_form),
      cmocka_unit_test(test_canary_takes_nothing_for_granted_without_a_connection),
      cmocka_unit_test(test_canary_tells_what_is_switched_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
