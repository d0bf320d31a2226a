/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_CASES_H
#define WT_TESTS_CASES_H

/* What each backplane with a broker has to do, whichever broker it is. Include cmocka.h before. */

#include <webtransport/broker.h>

#include "broker.h"
#include "hub.h"

/* What differs between brokers. */
struct kind {
  enum broker_kind broker;
  const char *scheme, *tls_scheme;
  void (*config_init)(struct wt_broker_config *config, size_t size);
  int (*new)(const struct wt_broker_config *config, struct wt_backplane **backplane);
  const char *(*error)(void);
  const char *prefix; /* NULL: the default */
  bool sharded;
};

struct options {
  const char *url, *ca_file, *password;
  size_t max_queue_bytes; /* 0: the default */
  uint64_t timeout_ms;    /* 0: 20 s, however busy the machine is */
};

/* A backplane whose events the hub gets. */
struct wt_backplane *kind_make(const struct kind *kind, struct hub *hub, const struct options *options);
/* Fails if there is a backplane with the default configuration and these changes, if the error is another one, or if its
 * sentence has not the word or shows a secret. */
#define REFUSED(kind, word, code, ...)            \
  do {                                            \
    struct wt_broker_config config;               \
    (kind)->config_init(&config, sizeof(config)); \
    __VA_ARGS__;                                  \
    kind_refuses(kind, &config, code, word);      \
  } while (0)
void kind_refuses(const struct kind *kind, const struct wt_broker_config *config, int error, const char *word);

/* Tests that each program has, with a struct kind as their state. */
#define TESTS_OF(kind)                                                                                                 \
  TEST_OF(test_both_ways, kind), TEST_OF(test_tls, kind), TEST_OF(test_restart, kind), TEST_OF(test_frozen, kind),     \
      TEST_OF(test_no_broker_at_start, kind), TEST_OF(test_wrong_password, kind), TEST_OF(test_wrong_authority, kind), \
      TEST_OF(test_silent_broker, kind), TEST_OF(test_bounded_queue, kind), TEST_OF(test_publish_on_threads, kind),    \
      TEST_OF(test_stopped_early, kind), TEST_OF(test_refused_by_all, kind)
#define TEST_OF(test, kind) cmocka_unit_test_prestate(test, (void *)(kind))
void test_both_ways(void **state);
void test_tls(void **state);
void test_restart(void **state);
void test_frozen(void **state);
void test_no_broker_at_start(void **state);
void test_wrong_password(void **state);
void test_wrong_authority(void **state);
void test_silent_broker(void **state);
void test_bounded_queue(void **state);
void test_publish_on_threads(void **state);
void test_stopped_early(void **state);
void test_refused_by_all(void **state);

#endif
