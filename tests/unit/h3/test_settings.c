/* SPDX-License-Identifier: MIT */
/* src/h3/settings.c: the SETTINGS that we send, read as a peer would read them. Those of peers are in test_demux.c. */
#include "h3_fixture.h"

struct setting {
  uint64_t id, value;
};

/* Our control stream is stream 3: its type, then a SETTINGS frame. Returns how many there are. */
static size_t settings_read(const struct h3_fixture *f, struct setting *settings, size_t max) {
  const struct h3_stream_log *s = &f->streams[3];
  uint64_t type, len;
  size_t at = 1, count = 0;
  assert_true(s->sent_len > 3);
  assert_int_equal(s->sent[0], 0x00);
  at += wt__varint_read(s->sent + at, s->sent_len - at, &type);
  assert_int_equal(type, 0x04);
  at += wt__varint_read(s->sent + at, s->sent_len - at, &len);
  assert_true(len <= s->sent_len - at);
  for (size_t end = at + (size_t)len; at < end; count++) {
    assert_true(count < max);
    at += wt__varint_read(s->sent + at, end - at, &settings[count].id);
    at += wt__varint_read(s->sent + at, end - at, &settings[count].value);
  }
  return count;
}

/* RFC 9114, section 7.2.4.1: of the form 0x1f * N + 0x21. */
static bool is_reserved(uint64_t id) { return id >= 0x21 && (id - 0x21) % 0x1f == 0; }

static void test_own_settings_have_a_reserved_one_and_each_id_once(void **state) {
  (void)state;
  for (uint64_t round = 0; round < 20; round++) {
    struct h3_fixture *f = h3_new();
    struct setting settings[32];
    f->now += round * 123456789;
    h3_start(f);
    h3_run(f);
    size_t count = settings_read(f, settings, 32), reserved = 0;
    for (size_t i = 0; i < count; i++) {
      reserved += is_reserved(settings[i].id);
      if (is_reserved(settings[i].id)) assert_true(settings[i].value < 64); /* one byte */
      for (size_t j = 0; j < i; j++) assert_true(settings[i].id != settings[j].id);
      if (settings[i].id == 0x08 || settings[i].id == 0x33) assert_int_equal(settings[i].value, 1);
    }
    assert_int_equal(reserved, 1);
    h3_free(f);
  }
}

/* The peer's may be as many as are taken, each in the longest form, and no byte more. */
static void test_own_bound_on_settings_of_peers(void **state) {
  static uint8_t bytes[WT__SETTINGS_PAYLOAD_MAX + 32];
  (void)state;
  for (int more = 0; more < 2; more++) {
    struct h3_fixture *f = h3_new();
    size_t at = 0;
    bytes[at++] = 0x00;
    bytes[at++] = 0x04;
    at += wt__varint_write(bytes + at, WT__SETTINGS_PAYLOAD_MAX + (unsigned)more);
    for (uint64_t i = 0; i < WT__SETTINGS_MAX; i++) {
      at += wt__varint_write(bytes + at, (UINT64_C(1) << 40) + i);
      at += wt__varint_write(bytes + at, UINT64_C(1) << 40);
    }
    h3_start(f);
    h3_recv(f, H3_CONTROL, bytes, at, false);
    assert_int_equal(f->closed, more);
    assert_int_equal(f->conn->has_settings, !more);
    if (more) assert_int_equal(f->close_code, WT__H3_EXCESSIVE_LOAD);
    h3_free(f);
  }
}

/* The time without a request begins with the connection, whenever its first pass is. */
static void test_own_idle_time_begins_with_the_connection(void **state) {
  (void)state;
  struct h3_fixture *f = h3_new();
  uint64_t born = f->now;
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  f->now += 3000 * H3_MS;
  h3_run(f);
  assert_int_equal(wt__h3_conn_expiry(f->conn), born + 10000 * H3_MS);
  h3_free(f);
}

/* A peer that speaks only drafts that are not configured has none in common with us. */
static void test_own_drafts_are_those_that_are_configured(void **state) {
  static const unsigned drafts[] = {WT_DRAFT_02, WT_DRAFT_07, WT_DRAFT_13, WT_DRAFT_15};
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    struct wt__settings peer = {.wt_draft02 = 1, .wt_draft07 = 1, .wt_draft13 = 1, .wt_draft15 = 1};
    const uint64_t *kept[] = {&peer.wt_draft02, &peer.wt_draft07, &peer.wt_draft13, &peer.wt_draft15};
    wt__settings_keep_drafts(&peer, drafts[i]);
    for (size_t j = 0; j < 4; j++) assert_int_equal(*kept[j], i == j);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_settings_have_a_reserved_one_and_each_id_once),
      cmocka_unit_test(test_own_bound_on_settings_of_peers),
      cmocka_unit_test(test_own_drafts_are_those_that_are_configured),
      cmocka_unit_test(test_own_idle_time_begins_with_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
