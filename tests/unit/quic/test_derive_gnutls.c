/* SPDX-License-Identifier: MIT */

/* What follows from a secret: the examples of RFC 9001, appendix A, and RFC 9369, appendix A, and the bounds. */

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <webtransport/error.h>

#include "quic/derive.h"

static struct wt__secret secret_of(const char *hex) {
  struct wt__secret secret = {.hash = GNUTLS_DIG_SHA256, .len = strlen(hex) / 2};
  for (size_t i = 0; i < secret.len; i++) {
    unsigned byte;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
    secret.data[i] = (uint8_t)byte;
  }
  return secret;
}

static void expect_part(const struct wt__secret *secret, uint32_t version, enum wt__packet_part part, const char *hex) {
  struct wt__secret want = secret_of(hex);
  uint8_t got[WT__DERIVE_SECRET_MAX];
  assert_int_equal(wt__derive_packet_part(secret, version, part, got, want.len), 0);
  assert_memory_equal(got, want.data, want.len);
}

static void test_derive_parts_of_version_1(void **state) {
  struct wt__secret secret = secret_of("c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
  (void)state;
  expect_part(&secret, NGTCP2_PROTO_VER_V1, WT__PACKET_PART_KEY, "1f369613dd76d5467730efcbe3b1a22d");
  expect_part(&secret, NGTCP2_PROTO_VER_V1, WT__PACKET_PART_IV, "fa044b2f42a3fd3b46fb255c");
  expect_part(&secret, NGTCP2_PROTO_VER_V1, WT__PACKET_PART_HP, "9f50449e04a0e810283a1e9933adedd2");
  secret = secret_of("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  expect_part(&secret, NGTCP2_PROTO_VER_V1, WT__PACKET_PART_KEY,
              "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8");
  expect_part(&secret, NGTCP2_PROTO_VER_V1, WT__PACKET_PART_NEXT,
              "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
}

static void test_derive_parts_of_version_2(void **state) {
  struct wt__secret secret = secret_of("14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b");
  (void)state;
  expect_part(&secret, NGTCP2_PROTO_VER_V2, WT__PACKET_PART_KEY, "8b1a0bc121284290a29e0971b5cd045d");
  expect_part(&secret, NGTCP2_PROTO_VER_V2, WT__PACKET_PART_IV, "91f73e2351d8fa91660e909f");
  expect_part(&secret, NGTCP2_PROTO_VER_V2, WT__PACKET_PART_HP, "45b95e15235d6f45a6b19cbcb0294ba9");
}

static void test_derive_checks_lengths(void **state) {
  static const uint8_t context[256];
  static uint8_t out[255 * 32 + 1];
  struct wt__secret secret = {.hash = GNUTLS_DIG_SHA256, .len = 32};
  char label[251];
  (void)state;
  memset(label, 'l', sizeof(label));
  label[250] = '\0';
  assert_int_equal(wt__derive_expand_label(&secret, label, (struct wt__vec){NULL, 0}, out, 1), WT_ERR_TLS);
  assert_int_equal(wt__derive_exported(&secret, label, (struct wt__vec){NULL, 0}, out, 1), WT_ERR_TLS);
  label[249] = '\0';
  assert_int_equal(wt__derive_expand_label(&secret, label, (struct wt__vec){context, 255}, out, 1), 0);
  assert_int_equal(wt__derive_expand_label(&secret, label, (struct wt__vec){context, 256}, out, 1), WT_ERR_TLS);
  assert_int_equal(wt__derive_exported(&secret, label, (struct wt__vec){context, 256}, out, sizeof(out) - 1), 0);
  assert_int_equal(wt__derive_exported(&secret, label, (struct wt__vec){context, 256}, out, sizeof(out)), WT_ERR_TLS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_derive_parts_of_version_1),
      cmocka_unit_test(test_derive_parts_of_version_2),
      cmocka_unit_test(test_derive_checks_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
