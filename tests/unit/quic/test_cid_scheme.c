/* SPDX-License-Identifier: MIT */

/* src/quic/cid_scheme.c: which configurations of connection ids are good, and what ids they make. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "quic/cid_scheme.h"
#include "wire/cid_layout.h"

static const uint8_t server_id[16] = {0x31, 0x44, 0x1a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
static const uint8_t key[16] = {0xfd, 0xf7, 0x26, 0xa9, 0x89, 0x3e, 0xc0, 0x5c,
                                0x06, 0x32, 0xd3, 0x95, 0x66, 0x80, 0xba, 0xf0};

static void check_bad(const struct wt_connection_ids *ids, unsigned workers, const char *message) {
  struct wt__cid_scheme scheme;
  char why[WT__CID_WHY_MAX] = "";
  assert_int_equal(wt__cid_scheme_read(&scheme, ids, workers, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, message);
}

static void check_good(const struct wt_connection_ids *ids, unsigned workers) {
  struct wt__cid_scheme scheme;
  char why[WT__CID_WHY_MAX] = "";
  if (wt__cid_scheme_read(&scheme, ids, workers, why, sizeof(why))) fail_msg("%s", why);
  assert_int_equal(scheme.len, ids->length);
}

static void ids_of(struct wt_connection_ids *ids, enum wt_connection_id_layout layout, size_t server_id_len) {
  wt_connection_ids_default(ids, layout);
  ids->server_id = server_id_len ? server_id : NULL;
  ids->server_id_len = server_id_len;
}

static void test_scheme_defaults(void **state) {
  (void)state;
  struct wt__cid_scheme a, b;
  struct wt_connection_ids ids;
  char why[WT__CID_WHY_MAX];
  wt__cid_scheme_random(&a);
  assert_int_equal(a.len, 18);
  assert_int_equal(wt__cid_scheme_read(&b, NULL, 4, why, sizeof(why)), 0);
  assert_true(wt__cid_scheme_equal(&a, &b));
  ids_of(&ids, WT_CONNECTION_ID_RANDOM, 0);
  assert_int_equal(wt__cid_scheme_read(&b, &ids, 4, why, sizeof(why)), 0);
  assert_true(wt__cid_scheme_equal(&a, &b));
  ids_of(&ids, WT_CONNECTION_ID_AWS_NLB, 8);
  assert_int_equal(ids.length, 16);
  check_good(&ids, 256);
  ids_of(&ids, WT_CONNECTION_ID_QUIC_LB, 8);
  assert_int_equal(ids.length, 18);
  check_good(&ids, 2);
  ids_of(&ids, WT_CONNECTION_ID_KATRAN, 3);
  check_good(&ids, 2);
  ids_of(&ids, WT_CONNECTION_ID_UNROUTABLE, 0);
  check_good(&ids, 2);
}

static void test_scheme_of_random_ids_is_checked(void **state) {
  (void)state;
  struct wt_connection_ids ids;
  ids_of(&ids, WT_CONNECTION_ID_RANDOM, 0);
  ids.length = 8;
  check_good(&ids, 256);
  ids.length = 20;
  check_good(&ids, 256);
  ids.length = 7;
  check_bad(&ids, 1, "length is 7, must be 8 to 20");
  ids.length = 21;
  check_bad(&ids, 1, "length is 21, must be 8 to 20");
  ids_of(&ids, WT_CONNECTION_ID_RANDOM, 1);
  check_bad(&ids, 1, "server_id_len is 1, must be 0");
  ids_of(&ids, WT_CONNECTION_ID_UNROUTABLE, 0);
  ids.key = key;
  check_bad(&ids, 1, "key is set, but this layout has none");
  ids_of(&ids, (enum wt_connection_id_layout)5, 0);
  check_bad(&ids, 1, "layout is 5, must be one of enum wt_connection_id_layout");
  ids_of(&ids, WT_CONNECTION_ID_RANDOM, 0);
  ids.size = 8;
  check_bad(&ids, 1, "size is 8: call wt_connection_ids_default first");
}

static void test_scheme_of_quic_lb_is_checked(void **state) {
  (void)state;
  struct wt_connection_ids ids;
  ids_of(&ids, WT_CONNECTION_ID_QUIC_LB, 0);
  check_bad(&ids, 1, "server_id_len is 0, must be 1 to 15");
  ids_of(&ids, WT_CONNECTION_ID_QUIC_LB, 16);
  check_bad(&ids, 1, "server_id_len is 16, must be 1 to 15");
  ids_of(&ids, WT_CONNECTION_ID_QUIC_LB, 3);
  ids.config_id = 7;
  check_bad(&ids, 1, "config_id is 7, must be 0 to 6");
  ids.config_id = 6;
  check_good(&ids, 1);
  ids.nonce_length = 3;
  check_bad(&ids, 1, "nonce_length is 3, must be 4 to 18");
  ids.nonce_length = 17;
  check_bad(&ids, 1, "nonce_length is 17 and server_id_len is 3, must be at most 19 together");
  ids.nonce_length = 16;
  check_bad(&ids, 1, "length is 18, must be at least 20 for this layout");
  ids.length = 20;
  check_good(&ids, 1);
  check_bad(&ids, 2, "length is 20, must be at least 21 for this layout and the byte that names the worker");
  ids.nonce_length = 8;
  ids.key = key;
  check_bad(&ids, 1, "key_len is 0, must be 16 with a key");
  ids.key_len = 16;
  check_good(&ids, 1);
  ids.key = NULL;
  check_bad(&ids, 1, "key_len is 16, must be 0 without a key");
  ids.key_len = 0;
  ids.server_id = NULL;
  check_bad(&ids, 1, "server_id is NULL");
}

static void test_scheme_of_others_is_checked(void **state) {
  (void)state;
  struct wt_connection_ids ids;
  ids_of(&ids, WT_CONNECTION_ID_AWS_NLB, 7);
  check_bad(&ids, 1, "server_id_len is 7, must be 8");
  ids_of(&ids, WT_CONNECTION_ID_AWS_NLB, 8);
  ids.length = 13;
  check_good(&ids, 1);
  check_bad(&ids, 2, "length is 13, must be at least 14 for this layout and the byte that names the worker");
  ids.length = 12;
  check_bad(&ids, 1, "length is 12, must be at least 13 for this layout");
  ids_of(&ids, WT_CONNECTION_ID_KATRAN, 3);
  ids.katran_version = 0;
  check_bad(&ids, 1, "katran_version is 0, must be 1 to 3");
  ids.katran_version = 3;
  check_bad(&ids, 1, "server_id_len is 3, must be 4");
  ids_of(&ids, WT_CONNECTION_ID_KATRAN, 3);
  ids.server_id = (const uint8_t *)"\0\0";
  check_bad(&ids, 1, "server_id is the number 0, must be 1 to 16777215");
  ids_of(&ids, WT_CONNECTION_ID_KATRAN, 4);
  ids.katran_version = 3;
  ids.server_id = (const uint8_t *)"\x80\0\0";
  check_bad(&ids, 1, "server_id is the number 2147483648, must be 1 to 2147483647");
}

static void write_one(const struct wt_connection_ids *ids, const uint8_t *nonce, uint8_t *id) {
  struct wt__cid_scheme scheme;
  struct wt__aes *aes = NULL;
  char why[WT__CID_WHY_MAX];
  assert_int_equal(wt__cid_scheme_read(&scheme, ids, 1, why, sizeof(why)), 0);
  if (scheme.lb.encrypted) assert_int_equal(wt__aes_new(&aes, scheme.key), 0);
  for (size_t i = 0; i < ids->length; i++) id[i] = (uint8_t)(0xa0 + i);
  assert_int_equal(wt__cid_scheme_write(&scheme, aes, nonce, id), 0);
  wt__aes_free(aes);
}

static void test_scheme_writes_ids(void **state) {
  (void)state;
  struct wt_connection_ids ids;
  uint8_t id[20];
  ids_of(&ids, WT_CONNECTION_ID_QUIC_LB, 3);
  ids.nonce_length = 4;
  ids.length = 9;
  write_one(&ids, (const uint8_t *)"\x9c\x69\xc2\x75", id);
  assert_memory_equal(id, "\x00\x31\x44\x1a\x9c\x69\xc2\x75\xa8", 9);
  write_one(&ids, NULL, id); /* the random bytes are the nonce */
  assert_memory_equal(id, "\x00\x31\x44\x1a\xa4\xa5\xa6\xa7\xa8", 9);
  ids.key = key; /* the example of the draft, "Four-Pass Encryption", and a byte of the server's own */
  ids.key_len = 16;
  ids.length_in_first_octet = true;
  write_one(&ids, (const uint8_t *)"\x9c\x69\xc2\x75", id);
  assert_memory_equal(id, "\x08\x67\x94\x7d\x29\xbe\x05\x4a\xa8", 9);
  ids_of(&ids, WT_CONNECTION_ID_AWS_NLB, 8);
  write_one(&ids, NULL, id);
  assert_memory_equal(id + 1, server_id, 8);
  assert_memory_equal(id + 9, "\xa9\xaa\xab\xac\xad\xae\xaf", 7);
  ids_of(&ids, WT_CONNECTION_ID_KATRAN, 2);
  ids.katran_version = 1;
  write_one(&ids, NULL, id);
  assert_int_equal(wt__katran_read(WT__KATRAN_V1, id, ids.length), 0x3144);
  ids_of(&ids, WT_CONNECTION_ID_UNROUTABLE, 0);
  write_one(&ids, NULL, id);
  assert_memory_equal(id, "\xf1\xa1\xa2", 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scheme_defaults),
      cmocka_unit_test(test_scheme_of_random_ids_is_checked),
      cmocka_unit_test(test_scheme_of_quic_lb_is_checked),
      cmocka_unit_test(test_scheme_of_others_is_checked),
      cmocka_unit_test(test_scheme_writes_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
