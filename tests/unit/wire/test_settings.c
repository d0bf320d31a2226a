/* SPDX-License-Identifier: MIT */

/* src/wire/settings.c: what browsers send, every way to be wrong, draft and what is missing, writing. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "wire/error_code.h"
#include "wire/settings.h"
#include "wire/varint.h"

struct payload {
  uint8_t bytes[WT__SETTINGS_PAYLOAD_MAX + 64];
  size_t len;
};

static void add(struct payload *payload, uint64_t id, uint64_t value) {
  payload->len += wt__varint_write(payload->bytes + payload->len, id);
  payload->len += wt__varint_write(payload->bytes + payload->len, value);
}

static uint64_t read_payload(const struct payload *payload, struct wt__settings *settings) {
  return wt__settings_read(payload->bytes, payload->len, settings);
}

/* What reading a frame of these one or two settings gives. */
static uint64_t read_two(uint64_t id, uint64_t value, uint64_t id2, uint64_t value2) {
  struct payload payload = {.len = 0};
  struct wt__settings settings;
  add(&payload, id, value);
  add(&payload, id2, value2);
  return read_payload(&payload, &settings);
}

static void fill_chromium(struct payload *p) {
  p->len = 0;
  add(p, 0x1, 65536);
  add(p, 0x6, 16384);
  add(p, 0x7, 100);
  add(p, 0x33, 1);
  add(p, 0xffd277, 1);
  add(p, 0x2b603742, 1);
  add(p, UINT64_C(0x1f) * 123456789 + 0x21, 0xdeadbeef); /* GREASE */
}

static void test_settings_of_chromium(void **state) {
  (void)state;
  struct payload payload;
  struct wt__settings s;
  fill_chromium(&payload);
  assert_int_equal(read_payload(&payload, &s), 0);
  assert_int_equal(s.qpack_max_table_capacity, 65536);
  assert_int_equal(s.max_field_section_size, 16384);
  assert_int_equal(s.qpack_blocked_streams, 100);
  assert_int_equal(s.h3_datagram, 1);
  assert_int_equal(s.h3_datagram_draft04, 1);
  assert_int_equal(s.enable_connect_protocol, 0);
  assert_int_equal(wt__settings_draft(&s), 2);
  assert_null(wt__settings_missing_from_client(&s, 65536, true));
}

static void test_settings_of_firefox(void **state) {
  (void)state;
  struct payload p = {.len = 0};
  struct wt__settings s;
  add(&p, 0x1, 65536);
  add(&p, 0x7, 20);
  add(&p, 0x2b603742, 1);
  add(&p, 0xffd277, 1);
  add(&p, 0x33, 1);
  add(&p, 0x8, 1);
  assert_int_equal(read_payload(&p, &s), 0);
  assert_int_equal(s.enable_connect_protocol, 1);
  assert_int_equal(s.qpack_blocked_streams, 20);
  assert_int_equal(wt__settings_draft(&s), 2);
  assert_null(wt__settings_missing_from_client(&s, 1, true));
}

static void test_settings_each_one_is_kept(void **state) {
  (void)state;
  struct payload p = {.len = 0};
  struct wt__settings s;
  add(&p, 0x2b61, 11);
  add(&p, 0x2b64, 12);
  add(&p, 0x2b65, WT__VARINT_MAX);
  add(&p, 0xc671706a, 13);
  add(&p, 0x14e9cd29, 14);
  add(&p, 0x2c7cf000, 1);
  assert_int_equal(read_payload(&p, &s), 0);
  assert_int_equal(s.wt_initial_max_data, 11);
  assert_int_equal(s.wt_initial_max_streams_uni, 12);
  assert_true(s.wt_initial_max_streams_bidi == WT__VARINT_MAX);
  assert_int_equal(s.wt_draft07, 13);
  assert_int_equal(s.wt_draft13, 14);
  assert_int_equal(s.wt_draft15, 1);
  assert_int_equal(s.wt_draft02, 0);
}

static void test_settings_empty_frame_is_allowed(void **state) {
  (void)state;
  struct wt__settings s;
  memset(&s, 0xff, sizeof(s));
  assert_int_equal(wt__settings_read(NULL, 0, &s), 0);
  assert_int_equal(s.h3_datagram, 0);
  assert_int_equal(s.wt_draft15, 0);
}

static void test_settings_truncated_is_a_frame_error(void **state) {
  (void)state;
  struct payload payload;
  struct wt__settings s;
  bool ends[sizeof(payload.bytes)] = {false}; /* where a setting ends */
  fill_chromium(&payload);
  for (size_t at = 0; at < payload.len;) {
    ends[at] = true;
    at += wt__varint_len_of(payload.bytes[at]);
    at += wt__varint_len_of(payload.bytes[at]);
  }
  for (size_t len = 0; len < payload.len; len++) {
    assert_int_equal(wt__settings_read(payload.bytes, len, &s), ends[len] ? 0 : WT__H3_FRAME_ERROR);
  }
}

static void test_settings_duplicates_are_refused(void **state) {
  (void)state;
  assert_int_equal(read_two(0x33, 1, 0x33, 1), WT__H3_SETTINGS_ERROR);
  assert_int_equal(read_two(0x2b61, 0, 0x2b61, 5), WT__H3_SETTINGS_ERROR);
  assert_int_equal(read_two(0x4242, 1, 0x4242, 2), WT__H3_SETTINGS_ERROR); /* unknown */
  assert_int_equal(read_two(0x4242, 1, 0x4243, 1), 0);
  /* The same id, once in a longer form. */
  static const uint8_t bytes[] = {0x33, 0x01, 0x40, 0x33, 0x01};
  struct wt__settings s;
  assert_int_equal(wt__settings_read(bytes, sizeof(bytes), &s), WT__H3_SETTINGS_ERROR);
}

static void test_settings_of_http2_are_refused(void **state) {
  (void)state;
  for (uint64_t id = 0; id <= 0x09; id++) {
    bool forbidden = id == 0 || (id >= 2 && id <= 5);
    assert_int_equal(read_two(id, 0, 0x1000, 0), forbidden ? WT__H3_SETTINGS_ERROR : 0);
  }
}

static void test_settings_booleans_over_one_are_refused(void **state) {
  (void)state;
  static const uint64_t booleans[] = {0x08, 0x33, 0xffd277, 0x2b603742, 0x2c7cf000};
  for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
    assert_int_equal(read_two(booleans[i], 0, 0x1000, 0), 0);
    assert_int_equal(read_two(booleans[i], 1, 0x1000, 0), 0);
    assert_int_equal(read_two(booleans[i], 2, 0x1000, 0), WT__H3_SETTINGS_ERROR);
    assert_int_equal(read_two(booleans[i], WT__VARINT_MAX, 0x1000, 0), WT__H3_SETTINGS_ERROR);
  }
}

static void test_settings_too_many_are_refused(void **state) {
  (void)state;
  struct payload p = {.len = 0};
  struct wt__settings s;
  for (uint64_t i = 0; i < WT__SETTINGS_MAX; i++) add(&p, 0x10000 + i, i);
  assert_int_equal(read_payload(&p, &s), 0);
  add(&p, 0x20000, 0);
  assert_int_equal(read_payload(&p, &s), WT__H3_EXCESSIVE_LOAD);
  assert_int_equal(wt__settings_read(p.bytes, WT__SETTINGS_PAYLOAD_MAX + 1, &s), WT__H3_EXCESSIVE_LOAD);
}

static void test_settings_draft_is_the_highest_named(void **state) {
  (void)state;
  struct wt__settings s = {0};
  assert_int_equal(wt__settings_draft(&s), 0);
  s.wt_draft02 = 1;
  assert_int_equal(wt__settings_draft(&s), 2);
  s.wt_draft07 = 1;
  assert_int_equal(wt__settings_draft(&s), 7);
  s.wt_draft13 = 100;
  assert_int_equal(wt__settings_draft(&s), 13);
  s.wt_draft15 = 1;
  assert_int_equal(wt__settings_draft(&s), 15);
}

static void test_settings_missing_is_named(void **state) {
  (void)state;
  struct wt__settings s = {0};
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 0, true), "no WebTransport draft"));
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 0, true), "SETTINGS_WT_ENABLED"));
  s.wt_draft15 = 1;
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 0, true), "SETTINGS_H3_DATAGRAM"));
  s.h3_datagram_draft04 = 1; /* not enough for this draft */
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 0, true), "SETTINGS_H3_DATAGRAM"));
  s.h3_datagram = 1;
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 0, true), "max_datagram_frame_size"));
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 1, false), "reset_stream_at"));
  assert_null(wt__settings_missing_from_client(&s, 1, true));
}

/* Clients of older drafts, browsers among them, do not have the frame. */
static void test_settings_missing_from_server_is_named(void **state) {
  struct wt__settings s = {0};
  (void)state;
  assert_non_null(strstr(wt__settings_missing_from_server(&s, 1, true), "no WebTransport draft"));
  s.wt_draft13 = 1;
  assert_non_null(strstr(wt__settings_missing_from_server(&s, 1, true), "SETTINGS_ENABLE_CONNECT_PROTOCOL"));
  s.enable_connect_protocol = 1;
  assert_non_null(strstr(wt__settings_missing_from_server(&s, 1, true), "SETTINGS_H3_DATAGRAM"));
  s.h3_datagram = 1;
  assert_non_null(strstr(wt__settings_missing_from_server(&s, 0, true), "max_datagram_frame_size"));
  assert_null(wt__settings_missing_from_server(&s, 1, false));
  s.wt_draft15 = 1;
  assert_non_null(strstr(wt__settings_missing_from_server(&s, 1, false), "reset_stream_at"));
  assert_null(wt__settings_missing_from_server(&s, 1, true));
}

static void test_settings_reset_stream_at_is_required_from_draft_15_on(void **state) {
  (void)state;
  struct wt__settings s = {.h3_datagram = 1, .wt_draft02 = 1};
  assert_null(wt__settings_missing_from_client(&s, 1, false));
  s.wt_draft07 = 1;
  assert_null(wt__settings_missing_from_client(&s, 1, false));
  s.wt_draft13 = 1;
  assert_null(wt__settings_missing_from_client(&s, 1, false));
  s.wt_draft15 = 1;
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 1, false), "reset_stream_at"));
}

static void test_settings_old_datagram_setting_suffices_for_old_drafts(void **state) {
  (void)state;
  struct wt__settings s = {.wt_draft02 = 1, .h3_datagram_draft04 = 1};
  assert_null(wt__settings_missing_from_client(&s, 1200, true));
  s.wt_draft07 = 1;
  assert_non_null(strstr(wt__settings_missing_from_client(&s, 1200, true), "SETTINGS_H3_DATAGRAM"));
}

static void test_settings_frame_round_trip(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x01, 4096}, {0x33, 1}, {0x2b61, WT__VARINT_MAX}, {0x2c7cf000, 1}};
  uint8_t bytes[64];
  uint64_t type, len;
  struct wt__settings s;
  size_t n = wt__settings_write_frame(bytes, sizeof(bytes), list, 4);
  assert_int_equal(n, 2 + 3 + 2 + 10 + 5);
  size_t at = wt__varint_read(bytes, n, &type);
  at += wt__varint_read(bytes + at, n - at, &len);
  assert_int_equal(type, 0x04);
  assert_int_equal(at + len, n);
  assert_int_equal(wt__settings_read(bytes + at, len, &s), 0);
  assert_int_equal(s.qpack_max_table_capacity, 4096);
  assert_true(s.wt_initial_max_data == WT__VARINT_MAX);
  assert_int_equal(s.wt_draft15, 1);
}

static void test_settings_frame_needs_room(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x01, 4096}, {0x33, 1}};
  uint8_t bytes[16];
  size_t n = wt__settings_write_frame(bytes, sizeof(bytes), list, 2);
  assert_int_equal(n, 7);
  for (size_t size = 0; size < n; size++) assert_int_equal(wt__settings_write_frame(bytes, size, list, 2), 0);
  assert_int_equal(wt__settings_write_frame(bytes, n, list, 2), n);
  assert_int_equal(wt__settings_write_frame(bytes, 2, NULL, 0), 2);
  assert_memory_equal(bytes, "\x04\x00", 2);
  const struct wt__setting huge = {0x01, WT__VARINT_MAX + 1};
  assert_int_equal(wt__settings_write_frame(bytes, sizeof(bytes), &huge, 1), 0);
}

static void test_settings_list_keeps_order_and_unknown_ones(void **state) {
  (void)state;
  static const uint8_t payload[] = {0x33, 0x01, 0x40, 0x52, 0x07, 0x01, 0x80, 0x01, 0x00, 0x00}; /* 0x52: GREASE */
  struct wt_setting list[3];
  assert_int_equal(wt__settings_list(payload, sizeof(payload), list, 3), 3);
  assert_true(list[0].id == 0x33 && list[0].value == 1);
  assert_true(list[1].id == 0x52 && list[1].value == 7);
  assert_true(list[2].id == 0x01 && list[2].value == 65536);
  assert_int_equal(wt__settings_list(payload, sizeof(payload), list, 2), 2);
  assert_int_equal(wt__settings_list(payload, sizeof(payload) - 1, list, 3), 2); /* cut: what is whole */
  assert_int_equal(wt__settings_list(payload, 0, list, 3), 0);
}

static void test_settings_have_the_names_of_their_specifications(void **state) {
  (void)state;
  assert_string_equal(wt_setting_name(0x08), "SETTINGS_ENABLE_CONNECT_PROTOCOL");
  assert_string_equal(wt_setting_name(0x33), "SETTINGS_H3_DATAGRAM");
  assert_string_equal(wt_setting_name(0x2c7cf000), "SETTINGS_WT_ENABLED");
  assert_string_equal(wt_setting_name(0x2b603743), "SETTINGS_WEBTRANSPORT_MAX_SESSIONS_DRAFT02");
  assert_string_equal(wt_setting_name(0x2b61), "SETTINGS_WT_INITIAL_MAX_DATA");
  assert_null(wt_setting_name(0x21));
  assert_null(wt_setting_name(0));
  assert_null(wt_setting_name(UINT64_MAX));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings_of_chromium),
      cmocka_unit_test(test_settings_of_firefox),
      cmocka_unit_test(test_settings_each_one_is_kept),
      cmocka_unit_test(test_settings_empty_frame_is_allowed),
      cmocka_unit_test(test_settings_truncated_is_a_frame_error),
      cmocka_unit_test(test_settings_duplicates_are_refused),
      cmocka_unit_test(test_settings_of_http2_are_refused),
      cmocka_unit_test(test_settings_booleans_over_one_are_refused),
      cmocka_unit_test(test_settings_too_many_are_refused),
      cmocka_unit_test(test_settings_draft_is_the_highest_named),
      cmocka_unit_test(test_settings_missing_is_named),
      cmocka_unit_test(test_settings_missing_from_server_is_named),
      cmocka_unit_test(test_settings_reset_stream_at_is_required_from_draft_15_on),
      cmocka_unit_test(test_settings_old_datagram_setting_suffices_for_old_drafts),
      cmocka_unit_test(test_settings_frame_round_trip),
      cmocka_unit_test(test_settings_frame_needs_room),
      cmocka_unit_test(test_settings_list_keeps_order_and_unknown_ones),
      cmocka_unit_test(test_settings_have_the_names_of_their_specifications),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
