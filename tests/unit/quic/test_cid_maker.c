/* SPDX-License-Identifier: MIT */

/* src/quic/cid_maker.c: ids of several workers, nonces that are counted, and configurations that change meanwhile. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/cid_maker.h"

#define WORKERS 3
#define IDS 2000

static const uint8_t server_id[] = {0x31, 0x44, 0x1a};
static const uint8_t key[16] = {1, 2, 3};

static void scheme_make(struct wt__cid_scheme *scheme, unsigned config_id, size_t nonce_length, bool encrypted) {
  struct wt_connection_ids ids;
  char why[WT__CID_WHY_MAX] = "";
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_QUIC_LB);
  ids.config_id = config_id;
  ids.server_id = server_id;
  ids.server_id_len = sizeof(server_id);
  ids.nonce_length = nonce_length;
  ids.key = encrypted ? key : NULL;
  ids.key_len = encrypted ? sizeof(key) : 0;
  if (wt__cid_scheme_read(scheme, &ids, WORKERS, why, sizeof(why))) fail_msg("%s", why);
}

/* Returns the nonce of an id. */
static uint64_t check_id(const struct wt__cid_scheme *scheme, const uint8_t *id, unsigned worker) {
  uint8_t block[20], found[WT__LB_SERVER_ID_MAX];
  struct wt__aes *aes = NULL;
  assert_int_equal(wt__cid_worker(id, scheme->len, WORKERS), worker);
  if (scheme->lb.encrypted) assert_int_equal(wt__aes_new(&aes, scheme->key), 0);
  const struct wt__lb_cipher cipher = {wt__aes_encrypt_block, wt__aes_decrypt_block, aes};
  assert_int_equal(wt__lb_cid_read(&scheme->lb, &cipher, id, scheme->len, found), 0);
  assert_memory_equal(found, server_id, sizeof(server_id));
  /* Server id and nonce as a whole: a server id that is as long as both. */
  struct wt__lb_config whole = scheme->lb;
  whole.server_id_len = (uint8_t)(whole.server_id_len + whole.nonce_len);
  whole.nonce_len = 0;
  assert_int_equal(wt__lb_cid_read(&whole, &cipher, id, scheme->len, block), 0);
  wt__aes_free(aes);
  uint64_t nonce = 0;
  for (size_t i = 0; i < scheme->lb.nonce_len; i++) nonce = nonce << 8 | block[sizeof(server_id) + i];
  return nonce;
}

static void makers_open(struct wt__cid_maker *makers, struct wt__cid_shared *shared,
                        const struct wt__cid_scheme *scheme) {
  assert_int_equal(wt__cid_shared_init(shared, scheme), 0);
  for (unsigned i = 0; i < WORKERS; i++) assert_int_equal(wt__cid_maker_init(&makers[i], shared, i, WORKERS), 0);
}

static void makers_close(struct wt__cid_maker *makers, struct wt__cid_shared *shared) {
  for (unsigned i = 0; i < WORKERS; i++) wt__cid_maker_free(&makers[i]);
  wt__cid_shared_free(shared);
}

/* Short nonces with a key: each number once, from any worker. */
static void test_maker_counts_short_nonces(void **state) {
  (void)state;
  struct wt__cid_scheme scheme;
  struct wt__cid_shared shared;
  struct wt__cid_maker makers[WORKERS];
  uint8_t id[20];
  int64_t live = wt__mem_live();
  for (size_t len = 4; len <= 7; len++) {
    uint64_t mask = (UINT64_C(1) << 8 * len) - 1;
    scheme_make(&scheme, 1, len, true);
    makers_open(makers, &shared, &scheme);
    shared.nonce = mask - 5; /* across the largest number */
    for (uint64_t i = 0; i < 12; i++) {
      assert_int_equal(wt__cid_make(&makers[i % WORKERS], id), 0);
      assert_int_equal(check_id(&scheme, id, i % WORKERS), (mask - 5 + i) & mask);
    }
    makers_close(makers, &shared);
  }
  assert_int_equal(wt__mem_live(), live);
}

static void test_maker_begins_at_a_random_nonce(void **state) {
  (void)state;
  struct wt__cid_scheme scheme;
  uint64_t nonces[4];
  scheme_make(&scheme, 1, 7, true);
  for (int i = 0; i < 4; i++) {
    struct wt__cid_shared shared;
    assert_int_equal(wt__cid_shared_init(&shared, &scheme), 0);
    nonces[i] = shared.nonce;
    wt__cid_shared_free(&shared);
  }
  assert_true(nonces[0] != nonces[1] && nonces[1] != nonces[2] && nonces[2] != nonces[3]);
}

/* Longer ones, and those in the clear, are random: no step from one to the next comes twice. */
static void test_maker_draws_other_nonces(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    struct wt__cid_scheme scheme;
    struct wt__cid_shared shared;
    struct wt__cid_maker makers[WORKERS];
    uint8_t id[20];
    scheme_make(&scheme, 2, i == 2 ? 4 : 8, i == 1);
    makers_open(makers, &shared, &scheme);
    assert_false(wt__cid_scheme_counts(&scheme));
    assert_int_equal(wt__cid_make(&makers[0], id), 0);
    uint64_t last = check_id(&scheme, id, 0), small = 0;
    for (int k = 0; k < 100; k++) {
      assert_int_equal(wt__cid_make(&makers[0], id), 0);
      uint64_t nonce = check_id(&scheme, id, 0);
      if (nonce - last < 1000) small++;
      last = nonce;
    }
    assert_true(small <= 1);
    makers_close(makers, &shared);
  }
}

/* When all numbers are used, ids say that they cannot be routed, until there is another configuration. */
static void test_maker_runs_out_of_nonces(void **state) {
  (void)state;
  struct wt__cid_scheme scheme, other;
  struct wt__cid_shared shared;
  struct wt__cid_maker makers[WORKERS];
  uint8_t id[20];
  bool changed;
  char why[WT__CID_WHY_MAX];
  scheme_make(&scheme, 1, 4, true);
  makers_open(makers, &shared, &scheme);
  assert_int_equal(shared.nonces_left, UINT64_C(1) << 32);
  shared.nonces_left = 2;
  for (unsigned i = 0; i < 2; i++) assert_int_equal(wt__cid_make(&makers[i], id), 0);
  for (unsigned i = 0; i < WORKERS; i++) {
    assert_int_equal(wt__cid_make(&makers[i], id), 0);
    assert_true(makers[i].exhausted);
    assert_int_equal(id[0], 7 << 5 | (scheme.len - 1));
    assert_int_equal(wt__cid_worker(id, scheme.len, WORKERS), i);
  }
  scheme_make(&other, 2, 4, true);
  assert_int_equal(wt__cid_shared_set(&shared, &other, &changed, why, sizeof(why)), 0);
  assert_true(changed);
  assert_int_equal(wt__cid_make(&makers[1], id), 0);
  (void)check_id(&other, id, 1);
  assert_false(makers[1].exhausted);
  makers_close(makers, &shared);
}

static void test_maker_follows_the_configuration(void **state) {
  (void)state;
  struct wt__cid_scheme schemes[2], random;
  struct wt__cid_shared shared;
  struct wt__cid_maker makers[WORKERS];
  uint8_t id[20];
  bool changed;
  char why[WT__CID_WHY_MAX] = "";
  scheme_make(&schemes[0], 1, 4, true);
  scheme_make(&schemes[1], 2, 8, false);
  makers_open(makers, &shared, &schemes[0]);
  for (unsigned i = 0; i < 6; i++) {
    uint64_t nonce = shared.nonce;
    assert_int_equal(wt__cid_shared_set(&shared, &schemes[i % 2], &changed, why, sizeof(why)), 0);
    assert_int_equal(changed, i > 0);
    if (!changed) assert_int_equal(shared.nonce, nonce); /* goes on where it was */
    assert_int_equal(wt__cid_maker_is_behind(&makers[i % WORKERS]), i > 0);
    assert_int_equal(wt__cid_make(&makers[i % WORKERS], id), 0);
    (void)check_id(&schemes[i % 2], id, i % WORKERS);
  }
  wt__cid_scheme_random(&random);
  random.len = 17;
  assert_int_equal(wt__cid_shared_set(&shared, &random, &changed, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, "length is 17, must stay 18 while the server runs");
  assert_false(changed);
  makers_close(makers, &shared);
}

static void test_maker_without_memory(void **state) {
  (void)state;
  struct wt__cid_scheme random, scheme;
  struct wt__cid_shared shared;
  struct wt__cid_maker maker;
  uint8_t id[20];
  bool changed;
  char why[WT__CID_WHY_MAX];
  wt__cid_scheme_random(&random);
  scheme_make(&scheme, 1, 8, true);
  assert_int_equal(wt__cid_shared_init(&shared, &random), 0);
  assert_int_equal(wt__cid_maker_init(&maker, &shared, 1, WORKERS), 0);
  assert_int_equal(wt__cid_shared_set(&shared, &scheme, &changed, why, sizeof(why)), 0);
  wt__mem_fail_after(0);
  assert_int_equal(wt__cid_make(&maker, id), WT_ERR_NOMEM);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__cid_make(&maker, id), 0);
  (void)check_id(&scheme, id, 1);
  wt__cid_maker_free(&maker);
  wt__cid_shared_free(&shared);
}

/* --- Threads --- */

struct thread {
  struct wt__cid_maker *maker;
  const struct wt__cid_scheme *schemes;
  uint64_t nonces[IDS];
  unsigned configs[IDS];
};

static void *thread_run(void *argument) {
  struct thread *thread = argument;
  uint8_t id[20];
  for (size_t i = 0; i < IDS; i++) {
    if (wt__cid_make(thread->maker, id)) abort();
    unsigned config = thread->configs[i] = wt__lb_cid_config_id(id[0]);
    thread->nonces[i] = check_id(&thread->schemes[config], id, thread->maker->worker);
  }
  return NULL;
}

/* Workers make ids while the configuration changes: each id is wholly of one of them, and no nonce comes twice. */
static void test_maker_on_several_threads(void **state) {
  (void)state;
  static struct thread threads[WORKERS];
  struct wt__cid_scheme schemes[7];
  struct wt__cid_shared shared;
  struct wt__cid_maker makers[WORKERS];
  pthread_t ids[WORKERS];
  bool changed;
  char why[WT__CID_WHY_MAX];
  for (unsigned i = 0; i < 7; i++) scheme_make(&schemes[i], i, 7, true);
  makers_open(makers, &shared, &schemes[0]);
  for (unsigned i = 0; i < WORKERS; i++) {
    threads[i] = (struct thread){.maker = &makers[i], .schemes = schemes};
    assert_int_equal(pthread_create(&ids[i], NULL, thread_run, &threads[i]), 0);
  }
  for (unsigned i = 1; i < 7; i++)
    assert_int_equal(wt__cid_shared_set(&shared, &schemes[i], &changed, why, sizeof(why)), 0);
  for (unsigned i = 0; i < WORKERS; i++) pthread_join(ids[i], NULL);
  for (size_t i = 0; i < IDS; i++) {
    for (size_t k = 0; k < IDS; k++) {
      bool same = threads[0].configs[i] == threads[1].configs[k];
      assert_false(same && threads[0].nonces[i] == threads[1].nonces[k]);
    }
  }
  makers_close(makers, &shared);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_maker_counts_short_nonces),       cmocka_unit_test(test_maker_begins_at_a_random_nonce),
      cmocka_unit_test(test_maker_draws_other_nonces),        cmocka_unit_test(test_maker_runs_out_of_nonces),
      cmocka_unit_test(test_maker_follows_the_configuration), cmocka_unit_test(test_maker_without_memory),
      cmocka_unit_test(test_maker_on_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
