/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"

static uint8_t asked[600];
static size_t asked_len;

/* Writes down the context. */
static int fake_export(void *ctx, const char *label, const void *context, size_t context_len, void *out,
                       size_t out_len) {
  (void)ctx;
  assert_string_equal(label, "EXPORTER-WebTransport");
  assert_true(context_len <= sizeof(asked));
  memcpy(asked, context, context_len);
  asked_len = context_len;
  memset(out, 7, out_len);
  return 0;
}

static void exporter_init(struct mux_fixture *f, struct wt_transport *transport) {
  fixture_init(f);
  *transport = fake_transport;
  transport->export_keys = fake_export;
  f->mux.transport = transport;
}

static void test_exporter_writes_the_struct_of_the_draft(void **state) {
  static const uint8_t want[] = "\x00\x00\x00\x00\x00\x00\x01\x04\x05label\x03\x01\x00\x02";
  struct mux_fixture f;
  struct wt_transport transport;
  uint8_t out[4];
  (void)state;
  exporter_init(&f, &transport);
  wt_session *session = fixture_session(&f, 260);
  assert_int_equal(wt_session_export_keying_material(session, "label", "\x01\x00\x02", 3, out, sizeof(out)), 0);
  assert_int_equal(asked_len, sizeof(want) - 1);
  assert_memory_equal(asked, want, asked_len);
  assert_memory_equal(out, "\7\7\7\7", 4);
  assert_int_equal(wt_session_export_keying_material(session, "l", NULL, 0, out, sizeof(out)), 0);
  assert_int_equal(asked_len, 8 + 2 + 1);
  assert_int_equal(asked[10], 0);
  fixture_end(&f);
}

static void test_exporter_checks_lengths(void **state) {
  struct mux_fixture f;
  struct wt_transport transport;
  char label[257];
  uint8_t context[256] = {0}, out[4];
  (void)state;
  exporter_init(&f, &transport);
  wt_session *session = fixture_session(&f, 0);
  memset(label, 'l', sizeof(label));
  label[256] = 0;
  assert_int_equal(wt_session_export_keying_material(session, label, NULL, 0, out, 4), WT_ERR_INVALID);
  assert_int_equal(wt_session_export_keying_material(session, label + 1, context, 255, out, 4), 0);
  assert_int_equal(asked_len, 8 + 256 + 256);
  assert_int_equal(wt_session_export_keying_material(session, label + 1, context, 256, out, 4), WT_ERR_INVALID);
  assert_int_equal(wt_session_export_keying_material(session, "", NULL, 0, out, 4), WT_ERR_INVALID);
  assert_int_equal(wt_session_export_keying_material(session, NULL, NULL, 0, out, 4), WT_ERR_INVALID);
  assert_int_equal(wt_session_export_keying_material(session, "l", NULL, 1, out, 4), WT_ERR_INVALID);
  assert_int_equal(wt_session_export_keying_material(session, "l", NULL, 0, out, 0), WT_ERR_INVALID);
  fixture_end(&f);
}

static void test_exporter_ends_with_the_session(void **state) {
  struct mux_fixture f;
  struct wt_transport transport;
  uint8_t out[4];
  (void)state;
  exporter_init(&f, &transport);
  wt_session *session = fixture_session(&f, 0);
  transport.export_keys = NULL;
  assert_int_equal(wt_session_export_keying_material(session, "l", NULL, 0, out, 4), WT_ERR_UNSUPPORTED);
  transport.export_keys = fake_export;
  wt_session_close(session, 0, NULL, 0);
  assert_int_equal(wt_session_export_keying_material(session, "l", NULL, 0, out, 4), WT_ERR_CLOSED);
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exporter_writes_the_struct_of_the_draft),
      cmocka_unit_test(test_exporter_checks_lengths),
      cmocka_unit_test(test_exporter_ends_with_the_session),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
