/* SPDX-License-Identifier: MIT */

/* From a configuration to a backplane, with a broker that is only a table. What is refused: bed/cases.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "broker_setup.h"

struct fake {
  struct wt__engine engine;
  void *more;
};

static unsigned freed;

static int fake_set_up(struct wt__engine *engine, const struct wt_broker_config *config, char why[WT__WHY_MAX]) {
  struct fake *fake = (struct fake *)engine;
  assert_null(fake->more);
  assert_string_equal(engine->prefix, "here.");
  assert_string_equal(engine->urls[1].host, "b");
  assert_string_equal(engine->urls[1].user, "beside");
  assert_string_equal(engine->urls[1].password, "p");
  assert_null(engine->config.url); /* the program may free its texts */
  assert_null(engine->config.password);
  fake->more = wt__calloc(1, 1);
  if (!fake->more) return wt__broker_refuse(why, WT_ERR_NOMEM, "no memory for more");
  return config->sharded ? wt__broker_refuse(why, WT_ERR_INVALID, "not this one") : 0;
}

static void fake_free(struct wt__engine *engine) {
  freed++;
  wt__free(((struct fake *)engine)->more);
  wt__engine_free(engine);
  wt__free(engine);
}

static const struct wt__broker broker = {.size = sizeof(struct fake),
                                         .schemes = {.plain = "fake", .tls = "fakes", .port = 1},
                                         .url = "fake://default",
                                         .prefix = "wt",
                                         .set_up = fake_set_up,
                                         .free = fake_free};

static struct wt_broker_config config_of(void) {
  struct wt_broker_config config;
  wt__broker_config_init(&broker, &config, sizeof(config));
  config.url = "fake://a,fake://u:p@b";
  config.username = "beside";
  config.prefix = "here.";
  return config;
}

static void test_broker_setup_defaults(void **state) {
  struct wt_broker_config config;
  (void)state;
  memset(&config, 0xff, sizeof(config));
  wt__broker_config_init(&broker, &config, sizeof(config));
  assert_int_equal(config.size, sizeof(config));
  assert_string_equal(config.url, "fake://default");
  assert_string_equal(config.prefix, "wt");
  assert_null(config.username);
  assert_null(config.on_event);
  assert_false(config.sharded);
  assert_int_equal(config.timeout_ms, 2000);
}

static void test_broker_setup_makes_and_frees(void **state) {
  struct wt_broker_config config = config_of();
  struct wt_backplane *backplane;
  char why[WT__WHY_MAX] = "of before";
  (void)state;
  freed = 0;
  assert_int_equal(wt__broker_new(&broker, &config, &backplane, why), 0);
  assert_string_equal(why, "");
  assert_int_equal(freed, 0);
  backplane->free(backplane);
  assert_int_equal(freed, 1);
}

static void test_broker_setup_frees_what_is_refused(void **state) {
  struct wt_broker_config config = config_of();
  struct wt_backplane *backplane;
  char why[WT__WHY_MAX];
  (void)state;
  freed = 0;
  config.sharded = true;
  assert_int_equal(wt__broker_new(&broker, &config, &backplane, why), WT_ERR_INVALID);
  assert_null(backplane);
  assert_string_equal(why, "not this one");
  assert_int_equal(freed, 1);
}

static void test_broker_setup_without_memory(void **state) {
  struct wt_broker_config config = config_of();
  struct wt_backplane *backplane;
  char why[WT__WHY_MAX];
  size_t failures = 0;
  int error;
  (void)state;
  do {
    wt__mem_fail_after(failures);
    error = wt__broker_new(&broker, &config, &backplane, why);
    wt__mem_fail_after(SIZE_MAX);
    if (!error) break;
    assert_int_equal(error, WT_ERR_NOMEM);
    assert_null(backplane);
    assert_non_null(strstr(why, "memory"));
  } while (++failures < 10);
  assert_in_range(failures, 3, 9);
  backplane->free(backplane);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_broker_setup_defaults),
      cmocka_unit_test(test_broker_setup_makes_and_frees),
      cmocka_unit_test(test_broker_setup_frees_what_is_refused),
      cmocka_unit_test(test_broker_setup_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
