/* SPDX-License-Identifier: MIT */

/*
 * src/quic/callbacks.c: what ngtcp2 hands to the functions that open and seal packets is looked at before it is used.
 * tests/unit/quic/test_endpoint.c and the tests of tests/loopback/ have the rest.
 */

#include "conn_fixture.h"
#include "quic/callbacks.h"
#include "quic/conn.h"
#include "quic/current.h"

#define LEN 40
#define TAG_LEN 16

static const ngtcp2_crypto_aead aead = {(void *)(uintptr_t)GNUTLS_CIPHER_AES_128_GCM, TAG_LEN};
static const uint8_t nonce[WT__PACKET_IV_LEN], header[13] = {0x41}, secret[32];

static ngtcp2_crypto_aead_ctx own_key(void) {
  struct wt__packet_material material;
  assert_int_equal(wt__packet_keys_add(&conn->keys, NGTCP2_PROTO_VER_V1, secret, sizeof(secret), &material), 0);
  return (ngtcp2_crypto_aead_ctx){material.key};
}

static void test_callbacks_refuse_a_nonce_of_another_length(void **state) {
  (void)state;
  ngtcp2_callbacks callbacks;
  uint8_t data[LEN + TAG_LEN] = {0x01}, sealed[LEN + TAG_LEN];
  wt__conn_set_callbacks(&callbacks);
  const ngtcp2_crypto_aead_ctx ctx = own_key();
  wt__conn_set_current(conn);
  assert_int_equal(callbacks.encrypt(sealed, &aead, &ctx, data, LEN, nonce, 8, header, sizeof(header)),
                   NGTCP2_ERR_CALLBACK_FAILURE);
  assert_int_equal(callbacks.encrypt(sealed, &aead, &ctx, data, LEN, nonce, 12, header, sizeof(header)), 0);
  assert_int_equal(callbacks.decrypt(data, &aead, &ctx, sealed, LEN + TAG_LEN, nonce, 8, header, sizeof(header)),
                   NGTCP2_ERR_DECRYPT);
  assert_int_equal(callbacks.decrypt(data, &aead, &ctx, sealed, LEN + TAG_LEN, nonce, 12, header, sizeof(header)), 0);
  wt__conn_set_current(NULL);
}

static void test_callbacks_refuse_a_packet_shorter_than_its_tag(void **state) {
  (void)state;
  ngtcp2_callbacks callbacks;
  uint8_t data[TAG_LEN] = {0};
  wt__conn_set_callbacks(&callbacks);
  const ngtcp2_crypto_aead_ctx ctx = own_key();
  wt__conn_set_current(conn);
  for (size_t len = 0; len < TAG_LEN; len++) {
    assert_int_equal(callbacks.decrypt(data, &aead, &ctx, data, len, nonce, sizeof(nonce), header, sizeof(header)),
                     NGTCP2_ERR_DECRYPT);
  }
  wt__conn_set_current(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_callbacks_refuse_a_nonce_of_another_length),
      TEST(test_callbacks_refuse_a_packet_shorter_than_its_tag),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
