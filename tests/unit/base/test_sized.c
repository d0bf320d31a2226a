/* SPDX-License-Identifier: MIT */
/*
 * Structs that grow: programs and libraries of different versions, and the rule in every call that takes or fills one.
 */

#include "base/sized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/client.h>
#include <webtransport/error.h>
#include <webtransport/server.h>

#include "net/client_config.h"
#include "net/config.h"

/* A struct whose first version had one member, as a library of the second version knows it. */
struct grown {
  size_t size;
  uint64_t first, second;
};

/* The same of the third version. */
struct newer {
  size_t size;
  uint64_t first, second, third;
};

#define FIRST offsetof(struct grown, second)

static const struct grown defaults = {sizeof(defaults), 1, 2};

/* --- What the library fills --- */

static void test_sized_init_of_an_older_program(void **state) {
  struct grown old = {0, 77, 88};
  (void)state;
  wt__sized_init(&old, FIRST, &defaults, sizeof(defaults));
  assert_int_equal(old.size, FIRST);
  assert_int_equal(old.first, 1);
  assert_int_equal(old.second, 88); /* not the program's memory */
}

static void test_sized_init_of_a_newer_program(void **state) {
  struct newer newer = {0, 77, 88, 99};
  (void)state;
  wt__sized_init(&newer, sizeof(newer), &defaults, sizeof(defaults));
  assert_int_equal(newer.size, sizeof(newer));
  assert_int_equal(newer.second, 2);
  assert_int_equal(newer.third, 0);
}

static void test_sized_init_without_room(void **state) {
  uint8_t byte = 7;
  (void)state;
  wt__sized_init(&byte, 1, &defaults, sizeof(defaults));
  wt__sized_init(NULL, sizeof(defaults), &defaults, sizeof(defaults));
  assert_int_equal(byte, 7);
}

static void test_sized_give(void **state) {
  struct grown old = {FIRST, 77, 88}, none = {0, 77, 88};
  struct newer newer = {sizeof(newer), 77, 88, 99};
  (void)state;
  assert_int_equal(wt__sized_give(&old, &defaults, sizeof(defaults), FIRST), 0);
  assert_int_equal(old.first, 1);
  assert_int_equal(old.second, 88);
  assert_int_equal(wt__sized_give(&newer, &defaults, sizeof(defaults), FIRST), 0);
  assert_int_equal(newer.size, sizeof(newer));
  assert_int_equal(newer.second, 2);
  assert_int_equal(newer.third, 0);
  assert_int_equal(wt__sized_give(&none, &defaults, sizeof(defaults), FIRST), WT_ERR_INVALID);
  assert_int_equal(wt__sized_give(NULL, &defaults, sizeof(defaults), FIRST), WT_ERR_INVALID);
  assert_int_equal(none.first, 77);
}

/* --- What the program fills --- */

static void test_sized_read(void **state) {
  struct grown all = defaults;
  const struct grown old = {FIRST, 77, 88}, short_one = {FIRST - 1, 77, 88}, none = {0, 77, 88};
  struct newer newer = {sizeof(newer), 77, 88, 0};
  (void)state;
  assert_int_equal(wt__sized_read(&all, sizeof(all), &old, FIRST), 0);
  assert_int_equal(all.size, sizeof(all));
  assert_int_equal(all.first, 77);
  assert_int_equal(all.second, 2); /* the default */
  assert_int_equal(wt__sized_read(&all, sizeof(all), &newer, FIRST), 0);
  assert_int_equal(all.second, 88);
  newer.third = UINT64_C(1) << 63;
  newer.first = 5;
  assert_int_equal(wt__sized_read(&all, sizeof(all), &newer, FIRST), WT_ERR_UNSUPPORTED);
  assert_int_equal(wt__sized_read(&all, sizeof(all), &short_one, FIRST), WT_ERR_INVALID);
  assert_int_equal(wt__sized_read(&all, sizeof(all), &none, FIRST), WT_ERR_INVALID);
  assert_int_equal(wt__sized_read(&all, sizeof(all), NULL, FIRST), WT_ERR_INVALID);
  assert_int_equal(all.first, 77); /* as it was */
}

static void test_sized_read_table(void **state) {
  struct grown all = defaults;
  const struct grown none = {0, 77, 88}, short_one = {FIRST - 1, 77, 88};
  (void)state;
  assert_int_equal(wt__sized_read_table(&all, sizeof(all), &none, FIRST), 0);
  assert_int_equal(all.size, sizeof(all));
  assert_int_equal(all.first, 77);
  assert_int_equal(all.second, 2); /* no member of the first version */
  assert_int_equal(wt__sized_read_table(&all, sizeof(all), &short_one, FIRST), WT_ERR_INVALID);
  assert_int_equal(wt__sized_read_table(&all, sizeof(all), NULL, FIRST), 0);
  assert_int_equal(all.first, 0);
}

/* --- The public calls --- */

/* Every `_init` of the public headers, with room for all but the last byte, and that byte guarded. */
#define CHECK_INIT(type, init)                         \
  do {                                                 \
    struct type given;                                 \
    uint8_t *last = (uint8_t *)&given + sizeof(given); \
    memset(&given, 0xa5, sizeof(given));               \
    init(&given, sizeof(given) - 1);                   \
    assert_int_equal(given.size, sizeof(given) - 1);   \
    assert_int_equal(last[-1], 0xa5);                  \
  } while (0)

static void test_sized_inits_of_the_api_stay_within_the_size_given(void **state) {
  (void)state;
  CHECK_INIT(wt_server_config, wt_server_config_init);
  CHECK_INIT(wt_fleet_keys, wt_fleet_keys_init);
  CHECK_INIT(wt_client_config, wt_client_config_init);
  CHECK_INIT(wt_upgrade_options, wt_upgrade_options_init);
  CHECK_INIT(wt_dial_options, wt_dial_options_init);
  CHECK_INIT(wt_exchange_options, wt_exchange_options_init);
}

/* `call` with `given` of a version that never was, and of a newer one that asks for what is not known here. `least`: the
 * size in the first version that is served. */
#define CHECK_READ(type, least, set_default, call) \
  do {                                             \
    struct {                                       \
      struct type known;                           \
      uint64_t newer;                              \
    } both;                                        \
    const struct type *given = &both.known;        \
    memset(&both, 0, sizeof(both));                \
    set_default(&both.known);                      \
    both.known.size = (least)-1;                   \
    assert_int_equal(call, WT_ERR_INVALID);        \
    both.known.size = 0;                           \
    assert_int_equal(call, WT_ERR_INVALID);        \
    both.known.size = sizeof(both);                \
    both.newer = 1;                                \
    assert_int_equal(call, WT_ERR_UNSUPPORTED);    \
  } while (0)

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)dial, (void)result, (void)user_data;
}

static void test_sized_configurations_and_options(void **state) {
  struct wt_client_config config;
  wt_server *server;
  wt_client *client, *made;
  (void)state;
  CHECK_READ(wt_server_config, WT__SERVER_CONFIG_LEAST, wt_server_config_default,
             wt_server_new(given, &server, NULL, 0));
  CHECK_READ(wt_client_config, WT__CLIENT_CONFIG_LEAST, wt_client_config_default,
             wt_client_new(given, &made, NULL, 0));
  wt_client_config_default(&config);
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), 0);
  CHECK_READ(wt_dial_options, sizeof(struct wt_dial_options), wt_dial_options_default,
             wt_client_dial(client, "https://[::1]/", given, NULL));
  CHECK_READ(wt_exchange_options, sizeof(struct wt_exchange_options), wt_exchange_options_default,
             wt_client_request(client, "https://[::1]/", given, NULL));
  wt_client_free(client);
}

/* A program that was compiled for 0.2.0: it does not know the secrets of a fleet, and what lies behind its struct is none. */
static void test_sized_server_of_a_program_for_the_first_version(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_server *server;
  memset(&config, 0xa5, sizeof(config));
  wt_server_config_init(&config, WT__SERVER_CONFIG_LEAST);
  assert_int_equal(config.size, WT__SERVER_CONFIG_LEAST);
  config.log_level = WT_LOG_NONE;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  wt_server_free(server);
}

static void test_sized_tables_in_options(void **state) {
  struct wt_dial_callbacks dial_calls = {.on_done = on_done};
  struct wt_session_callbacks session_calls = {.size = 1};
  struct wt_exchange_callbacks exchange_calls = {.size = sizeof(exchange_calls) - 1};
  struct wt_dial_options dial;
  struct wt_exchange_options exchange;
  struct wt_client_config config;
  wt_client *client;
  (void)state;
  wt_client_config_default(&config);
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), 0);
  wt_dial_options_default(&dial);
  wt_exchange_options_default(&exchange);
  dial.callbacks = &dial_calls;
  dial.session_callbacks = &session_calls;
  assert_int_equal(wt_client_dial(client, "https://[::1]/", &dial, NULL), WT_ERR_INVALID);
  assert_string_equal(wt_client_error(client), "options: session_callbacks has a size that no version has");
  session_calls.size = 0;
  dial_calls.size = sizeof(dial_calls) - 1;
  assert_int_equal(wt_client_dial(client, "https://[::1]/", &dial, NULL), WT_ERR_INVALID);
  exchange.callbacks = &exchange_calls;
  assert_int_equal(wt_client_request(client, "https://[::1]/", &exchange, NULL), WT_ERR_INVALID);
  wt_client_free(client);
}

static void test_sized_structs_that_calls_fill(void **state) {
  struct wt_client_stats stats = {.size = sizeof(stats) - 1};
  struct wt_certificate_info info = {.size = sizeof(info) - 1};
  struct wt_server_stats counts = {.size = 0};
  struct wt_client_config client_config;
  struct wt_server_config server_config;
  wt_client *client;
  wt_server *server;
  (void)state;
  wt_client_config_default(&client_config);
  wt_server_config_default(&server_config);
  assert_int_equal(wt_client_new(&client_config, &client, NULL, 0), 0);
  assert_int_equal(wt_client_get_stats(client, &stats), WT_ERR_INVALID);
  stats.size = sizeof(stats);
  assert_int_equal(wt_client_get_stats(client, &stats), 0);
  assert_int_equal(wt_server_new(&server_config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_get_stats(server, &counts), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_describe("x", 1, 0, &info), WT_ERR_INVALID);
  wt_server_free(server);
  wt_client_free(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sized_init_of_an_older_program),
      cmocka_unit_test(test_sized_init_of_a_newer_program),
      cmocka_unit_test(test_sized_init_without_room),
      cmocka_unit_test(test_sized_give),
      cmocka_unit_test(test_sized_read),
      cmocka_unit_test(test_sized_read_table),
      cmocka_unit_test(test_sized_inits_of_the_api_stay_within_the_size_given),
      cmocka_unit_test(test_sized_configurations_and_options),
      cmocka_unit_test(test_sized_server_of_a_program_for_the_first_version),
      cmocka_unit_test(test_sized_tables_in_options),
      cmocka_unit_test(test_sized_structs_that_calls_fill),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
