/* SPDX-License-Identifier: MIT */

/* Keys of 1-RTT packets: what either library makes of them is the same, contexts come with the first use, and all
 * go. */

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/packet_keys.h"

#define LEN 100

static const uint8_t secret[32] = {1, 2, 3}, header[13] = {0x41}, nonce[WT__PACKET_IV_LEN] = {7};
/* As libngtcp2_crypto describes AES-128-GCM. */
static const ngtcp2_crypto_aead aead = {(void *)(uintptr_t)GNUTLS_CIPHER_AES_128_GCM, WT__SEAL_TAG_LEN};

/* AES-128-GCM; `sealed`: by the faster library, if it is there. */
static struct wt__packet_keys keys_of(bool sealed) {
  struct wt__packet_keys keys;
  wt__packet_keys_init(&keys);
  keys.cipher = sealed ? WT__SEAL_AES_128_GCM : WT__SEAL_NONE;
  keys.key_len = 16;
  keys.hash = GNUTLS_DIG_SHA256;
  return keys;
}

/* The lists' heads point to themselves. */
#define KEYS(name, sealed)                       \
  struct wt__packet_keys name = keys_of(sealed); \
  wt__list_init(&name.list)

static struct wt__packet_material add(struct wt__packet_keys *keys) {
  struct wt__packet_material material;
  assert_int_equal(wt__packet_keys_add(keys, NGTCP2_PROTO_VER_V1, secret, sizeof(secret), &material), 0);
  return material;
}

static void encrypt(struct wt__packet_key *key, uint8_t *dst, const uint8_t *data) {
  assert_int_equal(wt__packet_key_encrypt(key, dst, &aead, data, LEN, nonce, header, sizeof(header)), 0);
}

static int decrypt(struct wt__packet_key *key, uint8_t *dst, const uint8_t *data) {
  return wt__packet_key_decrypt(key, dst, &aead, data, LEN + WT__SEAL_TAG_LEN, nonce, header, sizeof(header));
}

static void test_packet_keys_are_the_same_in_both_libraries(void **state) {
  uint8_t data[LEN], sealed[LEN + WT__SEAL_TAG_LEN], other[LEN + WT__SEAL_TAG_LEN], opened[LEN];
  KEYS(fast, true);
  KEYS(slow, false);
  (void)state;
  memset(data, 42, sizeof(data));
  struct wt__packet_material a = add(&fast), b = add(&slow);
  assert_memory_equal(a.iv, b.iv, sizeof(a.iv));
  encrypt(a.key, sealed, data);
  encrypt(b.key, other, data);
  assert_memory_equal(sealed, other, sizeof(sealed));
  for (int i = 0; i < 2; i++) {
    struct wt__packet_key *key = add(i ? &slow : &fast).key;
    memset(opened, 0, sizeof(opened));
    assert_int_equal(decrypt(key, opened, sealed), 0);
    assert_memory_equal(opened, data, sizeof(data));
    sealed[5] ^= 1;
    assert_int_equal(decrypt(key, opened, sealed), NGTCP2_ERR_DECRYPT);
    sealed[5] ^= 1;
  }
  wt__packet_keys_free(&fast);
  wt__packet_keys_free(&slow);
}

static void test_packet_keys_are_expanded_by_their_first_use(void **state) {
  uint8_t data[LEN + WT__SEAL_TAG_LEN] = {0};
  int64_t live = wt__mem_live();
  KEYS(keys, true);
  (void)state;
  struct wt__seal *seal = wt__seal_new(WT__SEAL_AES_128_GCM, secret);
  wt__seal_free(seal);
  struct wt__packet_key *key = add(&keys).key;
  assert_int_equal(wt__mem_live(), live + 1);
  encrypt(key, data, data);
  assert_int_equal(wt__mem_live(), live + (seal ? 2 : 1));
  encrypt(key, data, data);
  assert_int_equal(wt__mem_live(), live + (seal ? 2 : 1));
  wt__packet_key_free(key);
  assert_int_equal(wt__mem_live(), live);
}

static void test_packet_keys_rest_and_go_on(void **state) {
  uint8_t data[LEN] = {0}, sealed[LEN + WT__SEAL_TAG_LEN], again[LEN + WT__SEAL_TAG_LEN], opened[LEN];
  int64_t live = wt__mem_live();
  (void)state;
  for (int fast = 0; fast < 2; fast++) {
    KEYS(keys, fast);
    struct wt__packet_key *out = add(&keys).key, *in = add(&keys).key;
    wt__packet_keys_release(&keys); /* before their first use */
    encrypt(out, sealed, data);
    assert_int_equal(decrypt(in, opened, sealed), 0);
    wt__packet_keys_release(&keys);
    assert_int_equal(wt__mem_live(), live + 2);
    encrypt(out, again, data);
    assert_memory_equal(sealed, again, sizeof(sealed));
    assert_int_equal(decrypt(in, opened, again), 0);
    wt__packet_keys_release(&keys);
    wt__packet_keys_release(&keys);
    wt__packet_keys_free(&keys);
    assert_int_equal(wt__mem_live(), live);
  }
}

static void test_packet_keys_go_on_without_a_seal(void **state) {
  uint8_t data[LEN] = {0}, sealed[LEN + WT__SEAL_TAG_LEN], other[LEN + WT__SEAL_TAG_LEN];
  KEYS(keys, true);
  (void)state;
  struct wt__packet_key *key = add(&keys).key, *same = add(&keys).key;
  wt__mem_fail_after(0);
  encrypt(key, sealed, data);
  wt__mem_fail_after(SIZE_MAX);
  encrypt(same, other, data);
  assert_memory_equal(sealed, other, sizeof(sealed));
  wt__packet_keys_free(&keys);
}

static void test_packet_keys_are_found_by_handle(void **state) {
  int64_t live = wt__mem_live();
  uint8_t next[32], other[32];
  struct wt__packet_material second, third;
  KEYS(keys, true);
  (void)state;
  struct wt__packet_key *first = add(&keys).key;
  assert_int_equal(wt__packet_keys_next(&keys, NGTCP2_PROTO_VER_V1, secret, sizeof(secret), next, &second), 0);
  assert_int_equal(wt__packet_keys_next(&keys, NGTCP2_PROTO_VER_V2, secret, sizeof(secret), other, &third), 0);
  assert_memory_not_equal(next, secret, sizeof(next));
  assert_memory_not_equal(next, other, sizeof(next));
  assert_ptr_equal(wt__packet_keys_find(&keys, first), first);
  assert_ptr_equal(wt__packet_keys_find(&keys, second.key), second.key);
  assert_null(wt__packet_keys_find(&keys, &keys));
  wt__packet_key_free(first);
  assert_null(wt__packet_keys_find(&keys, first));
  wt__packet_keys_free(&keys);
  assert_int_equal(wt__mem_live(), live);
}

static void test_packet_keys_keep_what_protects_headers(void **state) {
  int64_t live = wt__mem_live();
  KEYS(keys, true);
  (void)state;
  assert_null(wt__packet_keys_header(&keys, NULL));
  const struct wt__mask *in = wt__packet_keys_set_header(&keys, false, secret);
  if (in) assert_ptr_equal(wt__packet_keys_header(&keys, in), in);
  const struct wt__mask *out = wt__packet_keys_set_header(&keys, true, secret);
  if (out) assert_ptr_equal(wt__packet_keys_header(&keys, out), out);
  assert_null(wt__packet_keys_header(&keys, &keys));
  wt__packet_keys_free(&keys);
  assert_int_equal(wt__mem_live(), live);
  keys.cipher = WT__SEAL_NONE;
  assert_null(wt__packet_keys_set_header(&keys, true, secret));
}

static void test_packet_keys_errors_leave_nothing(void **state) {
  int64_t live = wt__mem_live();
  struct wt__packet_material material;
  uint8_t next[WT__DERIVE_SECRET_MAX + 1] = {0};
  KEYS(keys, true);
  (void)state;
  wt__mem_fail_after(0);
  assert_int_equal(wt__packet_keys_add(&keys, NGTCP2_PROTO_VER_V1, secret, sizeof(secret), &material), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__packet_keys_add(&keys, NGTCP2_PROTO_VER_V1, next, sizeof(next), &material), WT_ERR_TLS);
  assert_int_equal(wt__packet_keys_next(&keys, NGTCP2_PROTO_VER_V1, next, sizeof(next), next, &material), WT_ERR_TLS);
  keys.key_len = 0; /* no cipher yet */
  assert_int_equal(wt__packet_keys_add(&keys, NGTCP2_PROTO_VER_V1, secret, sizeof(secret), &material), WT_ERR_TLS);
  assert_true(wt__list_empty(&keys.list));
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_packet_keys_are_the_same_in_both_libraries),
      cmocka_unit_test(test_packet_keys_are_expanded_by_their_first_use),
      cmocka_unit_test(test_packet_keys_rest_and_go_on),
      cmocka_unit_test(test_packet_keys_go_on_without_a_seal),
      cmocka_unit_test(test_packet_keys_are_found_by_handle),
      cmocka_unit_test(test_packet_keys_keep_what_protects_headers),
      cmocka_unit_test(test_packet_keys_errors_leave_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
