/* SPDX-License-Identifier: MIT */

/* A server and a backplane that writes down how it is called. There are no clients: topics are joined as core does it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include <webtransport/backplane.h>
#include <webtransport/webtransport.h>

#include "base/mem.h"
#include "net/server_state.h"

struct fake {
  struct wt_backplane base;
  const struct wt_backplane_host *host;
  char calls[2048];
  int start_error, subscribe_error;
  uv_timer_t timer; /* a handle on the loop until it has stopped */
  bool freed;
};

static struct fake fake;
static char log_text[1024];

static void note(const char *what, const char *topic, size_t topic_len, const void *data, size_t len) {
  size_t at = strlen(fake.calls);
  snprintf(fake.calls + at, sizeof(fake.calls) - at, "%s %.*s '%.*s'; ", what, (int)topic_len, topic ? topic : "",
           (int)len, data ? (const char *)data : "");
}

static void expect_calls(const char *text) {
  assert_string_equal(fake.calls, text);
  fake.calls[0] = 0;
}

static int fake_start(struct wt_backplane *self, const struct wt_backplane_host *host) {
  assert_ptr_equal(self, &fake.base);
  fake.host = host;
  note("start", NULL, 0, NULL, 0);
  if (fake.start_error) return fake.start_error;
  return uv_timer_init(host->loop, &fake.timer) ? WT_ERR_IO : 0;
}

static void on_timer_close(uv_handle_t *handle) {
  (void)handle;
  note("stopped", NULL, 0, NULL, 0);
  fake.host->stopped(fake.host->user_data);
}

static void on_timer(uv_timer_t *timer) { uv_close((uv_handle_t *)timer, on_timer_close); }

static void fake_stop(struct wt_backplane *self) {
  (void)self;
  note("stop", NULL, 0, NULL, 0);
  uv_timer_start(&fake.timer, on_timer, 5, 0); /* it takes its time */
}

static void fake_free(struct wt_backplane *self) {
  (void)self;
  fake.freed = true;
}

static int fake_publish(struct wt_backplane *self, const char *topic, size_t topic_len, const uint8_t *data,
                        size_t len) {
  (void)self;
  note("publish", topic, topic_len, data, len);
  return WT_ERR_AGAIN; /* nobody minds */
}

static int fake_subscribe(struct wt_backplane *self, const char *topic, size_t topic_len) {
  (void)self;
  note("subscribe", topic, topic_len, NULL, 0);
  return fake.subscribe_error;
}

static void fake_unsubscribe(struct wt_backplane *self, const char *topic, size_t topic_len) {
  (void)self;
  note("unsubscribe", topic, topic_len, NULL, 0);
}

static void on_log(enum wt_log_level level, const char *line, void *user_data) {
  (void)level, (void)user_data;
  size_t at = strlen(log_text);
  snprintf(log_text + at, sizeof(log_text) - at, "%s\n", line);
}

static wt_server *server_new(unsigned workers) {
  static const char *const listen[] = {"127.0.0.1:0"};
  struct wt_server_config config;
  wt_certificate *certificate;
  wt_server *server;
  log_text[0] = 0;
  wt_server_config_default(&config);
  config.listen = listen;
  config.workers = workers;
  config.log = on_log;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  memset(&fake, 0, sizeof(fake));
  fake.base = (struct wt_backplane){.size = sizeof(fake.base),
                                    .start = fake_start,
                                    .stop = fake_stop,
                                    .free = fake_free,
                                    .publish = fake_publish,
                                    .subscribe = fake_subscribe,
                                    .unsubscribe = fake_unsubscribe};
  return server;
}

static struct wt__topic *join(wt_server *server, unsigned worker, const char *name) {
  struct wt__topics *topics = &server->hub.workers[worker].topics;
  struct wt__topic *topic;
  assert_int_equal(topics->join(topics->ctx, (const uint8_t *)name, strlen(name), &topic), 0);
  return topic;
}

static void leave(struct wt__topic *topic) { topic->topics->leave(topic->topics->ctx, topic); }

static void test_backplane_hears_of_the_first_and_the_last_subscriber(void **state) {
  (void)state;
  wt_server *server = server_new(1);
  struct wt_topic_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_set_backplane(server, &fake.base), 0);
  assert_int_equal(wt_server_set_backplane(server, &fake.base), WT_ERR_STATE);
  assert_int_equal(wt_server_start(server), 0);
  expect_calls("start  ''; ");
  struct wt__topic *a = join(server, 0, "a");
  join(server, 0, "a");
  fake.subscribe_error = WT_ERR_TOO_LARGE;
  struct wt__topic *b = join(server, 0, "b");
  expect_calls("subscribe a ''; subscribe b ''; ");
  assert_non_null(strstr(log_text, "larger than"));
  assert_int_equal(wt_server_publish(server, "a", 1, "x", 1, NULL), 0);
  assert_int_equal(wt_server_publish(server, "nobody here", 11, "y", 1, NULL), 0);
  expect_calls("publish a 'x'; publish nobody here 'y'; ");
  fake.host->deliver(fake.host->user_data, "a", 1, (const uint8_t *)"from afar", 9); /* and not back */
  expect_calls("");
  assert_int_equal(atomic_load(&server->hub.published), 2);
  struct wt_topic_limits limits = server->hub.limits;
  limits.max_message = 5;
  wt__hub_set_limits(&server->hub, &limits);
  fake.host->deliver(fake.host->user_data, "a", 1, (const uint8_t *)"too long", 8);
  fake.host->deliver(fake.host->user_data, "a", 0, (const uint8_t *)"x", 1);
  assert_int_equal(wt_server_publish(server, "a", 1, "too long", 8, NULL), WT_ERR_TOO_LARGE);
  expect_calls(""); /* what fails here goes nowhere */
  assert_int_equal(wt_server_get_topic_stats(server, NULL, 0, &stats), 0);
  assert_int_equal(stats.refused, 1);
  leave(a);
  leave(b); /* was never subscribed there */
  expect_calls("unsubscribe a ''; ");
  fake.host->log(fake.host->user_data, WT_LOG_WARN, "the broker is down");
  assert_non_null(strstr(log_text, "the broker is down"));
  wt_server_free(server); /* never ran: it waits for the backplane all the same */
  expect_calls("stop  ''; stopped  ''; ");
  assert_true(fake.freed);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_backplane_stops_before_the_loop_ends(void **state) {
  (void)state;
  for (unsigned workers = 1; workers <= 3; workers += 2) {
    wt_server *server = server_new(workers);
    assert_int_equal(wt_server_set_backplane(server, &fake.base), 0);
    assert_int_equal(wt_server_start(server), 0);
    assert_int_equal(wt_server_set_backplane(server, &fake.base), WT_ERR_STATE);
    wt_server_shutdown(server, 1000);
    assert_int_equal(wt_server_run(server), 0);
    expect_calls("start  ''; stop  ''; stopped  ''; ");
    assert_false(fake.freed);
    wt_server_free(server);
    assert_true(fake.freed);
    assert_int_equal(wt__mem_live(), 0);
  }
}

static void test_backplane_that_cannot_start(void **state) {
  (void)state;
  wt_server *server = server_new(2);
  fake.start_error = WT_ERR_ADDRESS;
  assert_int_equal(wt_server_set_backplane(server, &fake.base), 0);
  assert_int_equal(wt_server_start(server), WT_ERR_ADDRESS);
  assert_non_null(strstr(wt_server_error(server), "backplane"));
  wt_server_free(server);
  expect_calls("start  ''; ");
  assert_true(fake.freed);
  server = server_new(1); /* never started */
  fake.base.publish = NULL;
  assert_int_equal(wt_server_set_backplane(server, &fake.base), WT_ERR_INVALID);
  fake.base.publish = fake_publish;
  fake.base.size = 8;
  assert_int_equal(wt_server_set_backplane(server, &fake.base), WT_ERR_INVALID);
  fake.base.size = sizeof(fake.base);
  assert_int_equal(wt_server_set_backplane(server, &fake.base), 0);
  wt_server_free(server);
  expect_calls("");
  assert_true(fake.freed);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_backplane_limits_are_checked(void **state) {
  (void)state;
  wt_server *server = server_new(1);
  struct wt_topic_limits limits;
  wt_topic_limits_default(&limits);
  limits.max_message = 0;
  assert_int_equal(wt_server_set_topic_limits(server, &limits), WT_ERR_INVALID);
  limits.max_message = 16 * 1024 * 1024 + 1;
  assert_int_equal(wt_server_set_topic_limits(server, &limits), WT_ERR_INVALID);
  assert_non_null(strstr(wt_server_error(server), "max_message"));
  limits.max_message = 10;
  limits.max_backlog = 0;
  assert_int_equal(wt_server_set_topic_limits(server, &limits), WT_ERR_INVALID);
  limits.max_backlog = 1;
  limits.size = 1;
  assert_int_equal(wt_server_set_topic_limits(server, &limits), WT_ERR_INVALID);
  limits.size = sizeof(limits);
  assert_int_equal(wt_server_set_topic_limits(server, &limits), 0);
  assert_int_equal(wt_server_publish(server, "a", 1, "01234567890", 11, NULL), WT_ERR_TOO_LARGE);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_set_topic_limits(server, &limits), WT_ERR_STATE);
  wt_server_free(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_backplane_hears_of_the_first_and_the_last_subscriber),
      cmocka_unit_test(test_backplane_stops_before_the_loop_ends),
      cmocka_unit_test(test_backplane_that_cannot_start),
      cmocka_unit_test(test_backplane_limits_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
