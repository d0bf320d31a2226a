/* SPDX-License-Identifier: MIT */

/* src/wire/lb_cid.c: the draft's vectors, ids that Envoy issued, every legal length, wrong configurations and ids. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "aes_block.h"
#include "wire/lb_cid.h"

/* The keys of the draft's vectors, and of the example in its section on encryption. */
static uint8_t vector_key[16] = {0x8f, 0x95, 0xf0, 0x92, 0x45, 0x76, 0x5f, 0x80,
                                 0x25, 0x69, 0x34, 0xe5, 0x0c, 0x66, 0x20, 0x7f};
static uint8_t example_key[16] = {0xfd, 0xf7, 0x26, 0xa9, 0x89, 0x3e, 0xc0, 0x5c,
                                  0x06, 0x32, 0xd3, 0x95, 0x66, 0x80, 0xba, 0xf0};

struct vector {
  struct wt__lb_config config;
  uint8_t *key;
  const char *server_id, *nonce, *id; /* in hex */
};

static const struct vector vectors[] = {
    {{0, 3, 4, false, true}, NULL, "c4605e", "4504cc4f", "07c4605e4504cc4f"},
    /* Garbled in the draft: a zero of the nonce is missing, one of the id is at another place. */
    {{1, 5, 5, false, true}, NULL, "350d28b420", "3487d9700b", "2a350d28b4203487d9700b"},
    {{0, 3, 4, true, true}, vector_key, "ed793a", "ee080dbf", "0720b1d07b359d3c"},
    {{1, 10, 5, true, true}, vector_key, "ed793a51d49b8f5fab65", "ee080dbf48", "2fcc381bc74cb4fbad2823a3d1f8fed2"},
    {{2, 8, 8, true, true}, vector_key, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", "504dd2d05a7b0de9b2b9907afb5ecf8cc3"},
    /* The draft's table says configuration 3; its id says 0. */
    {{0, 9, 9, true, true},
     vector_key,
     "ed793a51d49b8f5fab",
     "ee080dbf48c0d1e55d",
     "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"},
    {{0, 3, 4, true, true}, example_key, "31441a", "9c69c275", "0767947d29be054a"},
};

static size_t from_hex(const char *hex, uint8_t *out) {
  size_t len = strlen(hex) / 2;
  for (size_t i = 0; i < 2 * len; i++) {
    unsigned digit = hex[i] <= '9' ? (unsigned)hex[i] - '0' : (unsigned)hex[i] - 'a' + 10;
    out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
  }
  return len;
}

static void test_lb_cid_vectors_of_the_draft(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
    const struct vector *v = &vectors[i];
    uint8_t server_id[20], nonce[20], id[20], got[20];
    struct wt__lb_cipher cipher = aes_block_cipher(v->key);
    assert_int_equal(from_hex(v->server_id, server_id), v->config.server_id_len);
    assert_int_equal(from_hex(v->nonce, nonce), v->config.nonce_len);
    size_t len = from_hex(v->id, id);
    assert_null(wt__lb_config_fault(&v->config));
    assert_int_equal(wt__lb_cid_len(&v->config), len);
    assert_int_equal(wt__lb_cid_write(&v->config, &cipher, 0xff, server_id, nonce, len, got), 0);
    assert_memory_equal(got, id, len);
    assert_int_equal(wt__lb_cid_config_id(id[0]), v->config.config_id);
    assert_int_equal(wt__lb_cid_read(&v->config, &cipher, id, len, got), 0);
    assert_memory_equal(got, server_id, v->config.server_id_len);
  }
}

/* Envoy 1.40, with two workers, issued these. It appends a byte in the clear that names its worker, and does not count it
 * in the first octet. Its nonces count upwards. */
static void test_lb_cid_reads_what_envoy_issued(void **state) {
  (void)state;
  static const struct {
    struct wt__lb_config config;
    const char *server_id, *id;
  } issued[] = {
      {{1, 8, 6, true, true}, "31441a0102030405", "2e61356745f0c4430a6488eb27b78701"},
      {{1, 8, 6, true, true}, "31441a0102030405", "2edfd30b641e9c58a9e4ad9bb34ac700"},
      {{2, 8, 8, true, true}, "31441a0102030405", "5035ddeebb6167356e3dc9de1be30098ab01"},
      {{2, 8, 8, true, true}, "31441a0102030405", "50c3be5d66846ff28609c1d0aa39c8ec6400"},
      {{3, 3, 4, true, true}, "a1b2c3", "67a39cfa6f1f1bf701"},
      {{3, 3, 4, true, true}, "a1b2c3", "671000c321c3053c00"},
      {{4, 10, 8, true, true}, "a1b2c3d4e5f6a7b8c9d0", "9220fea2a287c12d254600311d22eb9d5be5f100"},
      {{4, 10, 8, true, true}, "a1b2c3d4e5f6a7b8c9d0", "92dabc9831f1aaf1ad5120c44037d58ee0e5b101"},
  };
  struct wt__lb_cipher cipher = aes_block_cipher(vector_key);
  for (size_t i = 0; i < sizeof(issued) / sizeof(issued[0]); i++) {
    uint8_t id[20], expected[20], server_id[WT__LB_SERVER_ID_MAX];
    size_t len = from_hex(issued[i].id, id);
    assert_int_equal(from_hex(issued[i].server_id, expected), issued[i].config.server_id_len);
    assert_int_equal(wt__lb_cid_read(&issued[i].config, &cipher, id, len, server_id), 0);
    assert_memory_equal(server_id, expected, issued[i].config.server_id_len);
    assert_int_equal(id[0] & 0x1f, len - 2);
    assert_true(id[len - 1] < 2);
  }
}

static void check_round_trip(const struct wt__lb_config *config, size_t total_len, uint8_t seed) {
  uint8_t server_id[WT__LB_SERVER_ID_MAX], nonce[WT__LB_NONCE_MAX], id[WT__LB_CID_MAX], back[WT__LB_SERVER_ID_MAX];
  struct wt__lb_cipher cipher = aes_block_cipher(vector_key);
  for (uint8_t i = 0; i < sizeof(server_id); i++) server_id[i] = (uint8_t)(seed * 31 + i * 7);
  for (uint8_t i = 0; i < sizeof(nonce); i++) nonce[i] = (uint8_t)(seed * 17 + i * 11 + 1);
  memset(id, 0xa5, sizeof(id));
  assert_int_equal(wt__lb_cid_write(config, &cipher, seed, server_id, nonce, total_len, id), 0);
  for (size_t i = wt__lb_cid_len(config); i < sizeof(id); i++) assert_int_equal(id[i], 0xa5);
  assert_int_equal(id[0] >> 5, config->config_id);
  assert_int_equal(id[0] & 0x1f, config->length_in_first_octet ? total_len - 1 : seed & 0x1fu);
  assert_int_equal(wt__lb_cid_read(config, &cipher, id, total_len, back), 0);
  assert_memory_equal(back, server_id, config->server_id_len);
}

static void test_lb_cid_every_legal_length(void **state) {
  (void)state;
  for (uint8_t server_id_len = 1; server_id_len <= 15; server_id_len++) {
    for (uint8_t nonce_len = 4; server_id_len + nonce_len <= 19; nonce_len++) {
      for (size_t total = 1u + server_id_len + nonce_len; total <= 20; total++) {
        struct wt__lb_config config = {(uint8_t)(total % 7), server_id_len, nonce_len, total % 3 > 0, total % 2};
        assert_null(wt__lb_config_fault(&config));
        check_round_trip(&config, total, (uint8_t)(total + nonce_len));
      }
    }
  }
}

static void test_lb_cid_encryption_hides_the_server_id(void **state) {
  (void)state;
  uint8_t server_id[8] = {1, 2, 3, 4, 5, 6, 7, 8}, nonce[8] = {0}, one[20], two[20];
  struct wt__lb_cipher cipher = aes_block_cipher(vector_key);
  for (uint8_t nonce_len = 4; nonce_len <= 8; nonce_len++) {
    struct wt__lb_config config = {0, 8, nonce_len, true, true};
    size_t len = wt__lb_cid_len(&config);
    nonce[0] = 1;
    assert_int_equal(wt__lb_cid_write(&config, &cipher, 0, server_id, nonce, len, one), 0);
    nonce[0] = 2;
    assert_int_equal(wt__lb_cid_write(&config, &cipher, 0, server_id, nonce, len, two), 0);
    assert_memory_not_equal(one + 1, server_id, 8);
    assert_memory_not_equal(one + 1, two + 1, 8);
  }
}

static void test_lb_config_faults_are_named(void **state) {
  (void)state;
  static const struct wt__lb_config bad[] = {
      {7, 8, 8, true, true},  {255, 8, 8, true, true},   {0, 0, 8, true, true},     {0, 8, 3, true, true},
      {0, 8, 0, false, true}, {0, 10, 10, false, false}, {0, 255, 255, true, true}, {0, 16, 4, true, true},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_non_null(wt__lb_config_fault(&bad[i]));
}

static void test_lb_cid_refuses_lengths_that_do_not_fit(void **state) {
  (void)state;
  struct wt__lb_config config = {2, 4, 8, true, true};
  struct wt__lb_cipher cipher = aes_block_cipher(vector_key);
  uint8_t server_id[4] = {0}, nonce[8] = {0}, id[32] = {0};
  assert_int_equal(wt__lb_cid_write(&config, &cipher, 0, server_id, nonce, 12, id), WT_ERR_INVALID);
  assert_int_equal(wt__lb_cid_write(&config, &cipher, 0, server_id, nonce, 21, id), WT_ERR_INVALID);
  assert_int_equal(wt__lb_cid_write(&config, &cipher, 0, server_id, nonce, 20, id), 0);
  assert_int_equal(wt__lb_cid_read(&config, &cipher, id, 13, server_id), 0);
  for (size_t len = 0; len < 13; len++) {
    assert_int_equal(wt__lb_cid_read(&config, &cipher, id, len, server_id), WT_ERR_INVALID);
  }
}

static void test_lb_cid_of_another_configuration_is_not_read(void **state) {
  (void)state;
  struct wt__lb_config config = {2, 4, 8, false, true};
  uint8_t id[20] = {0}, server_id[4];
  for (unsigned config_id = 0; config_id < 8; config_id++) {
    id[0] = (uint8_t)(config_id << 5 | 12);
    assert_int_equal(wt__lb_cid_config_id(id[0]), config_id);
    assert_int_equal(wt__lb_cid_read(&config, NULL, id, 13, server_id), config_id == 2 ? 0 : WT_ERR_INVALID);
  }
}

static void test_lb_cid_unroutable_tells_its_length(void **state) {
  (void)state;
  for (size_t len = WT__LB_FAILOVER_MIN; len <= WT__LB_CID_MAX; len++) {
    uint8_t id[WT__LB_CID_MAX];
    memset(id, 0x5a, sizeof(id));
    wt__lb_cid_make_unroutable(id, len);
    assert_int_equal(wt__lb_cid_config_id(id[0]), WT__LB_UNROUTABLE);
    assert_int_equal(id[0] & 0x1f, len - 1);
    for (size_t i = 1; i < sizeof(id); i++) assert_int_equal(id[i], 0x5a);
  }
}

/* A cipher whose block number `*left` fails. */
static int failing_block(void *left, const uint8_t in[16], uint8_t out[16]) {
  memcpy(out, in, 16);
  return --*(int *)left == 0 ? WT_ERR_TLS : 0;
}

static void test_lb_cid_reports_a_cipher_that_fails(void **state) {
  (void)state;
  int left;
  struct wt__lb_cipher cipher = {failing_block, failing_block, &left};
  static const struct wt__lb_config configs[] = {{0, 4, 8, true, true}, {0, 10, 5, true, true}, {0, 8, 8, true, true}};
  static const int write_blocks[] = {4, 4, 1}, read_blocks[] = {3, 4, 1};
  uint8_t server_id[16] = {0}, nonce[16] = {0}, id[20] = {0};
  for (size_t i = 0; i < 3; i++) {
    size_t len = wt__lb_cid_len(&configs[i]);
    for (int at = 1; at <= write_blocks[i] + 1; at++) {
      left = at;
      int expected = at <= write_blocks[i] ? WT_ERR_TLS : 0;
      assert_int_equal(wt__lb_cid_write(&configs[i], &cipher, 0, server_id, nonce, len, id), expected);
    }
    for (int at = 1; at <= read_blocks[i] + 1; at++) {
      left = at;
      int expected = at <= read_blocks[i] ? WT_ERR_TLS : 0;
      assert_int_equal(wt__lb_cid_read(&configs[i], &cipher, id, len, server_id), expected);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lb_cid_vectors_of_the_draft),
      cmocka_unit_test(test_lb_cid_reads_what_envoy_issued),
      cmocka_unit_test(test_lb_cid_every_legal_length),
      cmocka_unit_test(test_lb_cid_encryption_hides_the_server_id),
      cmocka_unit_test(test_lb_config_faults_are_named),
      cmocka_unit_test(test_lb_cid_refuses_lengths_that_do_not_fit),
      cmocka_unit_test(test_lb_cid_of_another_configuration_is_not_read),
      cmocka_unit_test(test_lb_cid_unroutable_tells_its_length),
      cmocka_unit_test(test_lb_cid_reports_a_cipher_that_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
