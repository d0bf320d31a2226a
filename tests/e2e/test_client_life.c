/* SPDX-License-Identifier: MIT */

/* A client's life: freed and closed at every moment, from callbacks, threads and signal handlers; dials given up;
 * own loops and callers' loops; memory that runs out. Every handle ends exactly once and nothing is left. */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/client_state.h"
#include "pair.h"

/* --- New --- */

static void test_client_new_says_what_is_wrong(void **state) {
  struct wt_client_config config;
  wt_client *client = NULL;
  char message[200] = "x";
  (void)state;
  wt_client_config_default(&config);
  config.max_connections = 0;
  assert_int_equal(wt_client_new(&config, &client, message, sizeof(message)), WT_ERR_INVALID);
  assert_string_equal(message, "max_connections is 0, must be at least 1");
  wt_client_config_default(&config);
  config.bind = "nowhere";
  config.dangerously_accept_any_certificate = true;
  assert_int_equal(wt_client_new(&config, &client, message, sizeof(message)), WT_ERR_ADDRESS);
  assert_string_equal(message, "cannot bind to nowhere: a port is missing");
  config.bind = "192.0.2.7:0";
  assert_int_equal(wt_client_new(&config, &client, message, sizeof(message)), WT_ERR_ADDRESS);
  assert_string_equal(message, "cannot bind to 192.0.2.7:0: address not available");
  config.bind = NULL;
  config.ca_file = "/nonexistent/ca.pem";
  config.dangerously_accept_any_certificate = false;
  assert_int_equal(wt_client_new(&config, &client, message, sizeof(message)), WT_ERR_FILE);
  assert_non_null(strstr(message, "/nonexistent/ca.pem"));
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), WT_ERR_FILE);
  assert_int_equal(wt_client_new(NULL, NULL, NULL, 0), WT_ERR_INVALID);
  assert_null(client);
  wt_client_free(NULL);
  wt_client_close(NULL);
}

static void test_client_runs_only_its_own_loop(void **state) {
  struct pair pair;
  wt_client *client = NULL;
  char message[200] = "x";
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  assert_int_equal(wt_client_run(pair.client), WT_ERR_STATE);
  assert_string_equal(wt_client_error(pair.client), "the loop is the caller's: run that one");
  pair_close(&pair);
  wt_client_config_default(&config);
  config.dangerously_accept_any_certificate = true;
  assert_int_equal(wt_client_new(&config, &client, message, sizeof(message)), 0);
  assert_string_equal(message, "");
  assert_int_equal(wt_client_run(client), 0); /* nothing to wait for */
  wt_client_free(client);
}

static void test_client_that_is_idle_lets_the_loop_end(void **state) {
  struct wt_client_config config;
  wt_client *client = NULL;
  uv_loop_t loop;
  (void)state;
  assert_int_equal(uv_loop_init(&loop), 0);
  wt_client_config_default(&config);
  config.loop = &loop;
  config.dangerously_accept_any_certificate = true;
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), 0);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  assert_false(uv_loop_alive(&loop));
  wt_client_free(client);
  assert_int_equal(uv_loop_close(&loop), 0);
}

/* --- Ends --- */

/* Frees the client after `turns` turns of the loop, whatever it is doing then. True: the session was there. */
static bool freed_after(int turns, bool pooling) {
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  int64_t live = wt__mem_live();
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  options.allow_pooling = pooling;
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &dialed.dial), 0);
  for (int i = 0; i < turns; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
  bool there = dialed.session != NULL;
  wt_client_free(pair.client);
  pair.client = NULL;
  assert_int_equal(dialed.calls, 1);
  assert_int_equal(dialed.closes, dialed.error ? 0 : 1);
  if (!dialed.error) { /* perhaps told of while it was freed */
    assert_int_equal(dialed.close.by, WT_LOCAL);
  } else {
    assert_int_equal(dialed.error, WT_ERR_CLOSED);
    assert_string_equal(dialed.message, "the client was freed");
  }
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
  return there;
}

static void test_client_may_be_freed_at_any_moment(void **state) {
  int turns = 0;
  (void)state;
  while (!freed_after(turns, turns % 2)) {
    assert_true(turns < TURNS_MAX);
    turns = turns < 40 ? turns + 1 : turns + turns / 2;
  }
  assert_true(turns > 2);
}

static void test_client_close_ends_everything_but_the_client(void **state) {
  struct pair pair;
  struct dialed dialed, mute;
  struct wt_dial_options options;
  char url[128];
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (int i = 0; i < 2; i++) {
    dialed_run(&dialed, &pair, pair.url, NULL);
    dialed_options(&mute, &pair, &options);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/mute", pair.port);
    assert_int_equal(wt_client_dial(pair.client, url, &options, &mute.dial), 0);
    wt_client_close(pair.client);
    while (!mute.calls || !dialed.closes) pair_run(&pair);
    assert_int_equal(mute.calls, 1);
    assert_int_equal(mute.error, WT_ERR_CLOSED);
    assert_string_equal(mute.message, "the client was closed");
    assert_int_equal(dialed.closes, 1);
    assert_int_equal(dialed.close.by, WT_LOCAL);
    while (pair.sessions) uv_run(&pair.loop, UV_RUN_ONCE); /* the server hears of it, too */
  }
  pair_close(&pair);
}

static void on_done_cancel(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct dialed *dialed = user_data;
  wt_dial_cancel(dial); /* too late */
  dialed->calls++;
  dialed->error = result->error;
  dialed->stage = result->stage;
  (void)snprintf(dialed->message, sizeof(dialed->message), "%s", result->message);
  pair_stop(dialed->pair);
}

static void test_client_dial_may_be_cancelled_at_any_moment(void **state) {
  (void)state;
  bool seen[5] = {false};
  int turns = 0;
  for (bool accepted = false; !accepted; turns = turns < 40 ? turns + 1 : turns + turns / 2) {
    struct pair pair;
    struct dialed dialed;
    struct wt_dial_options options;
    assert_true(turns < TURNS_MAX);
    pair_open(&pair, NULL);
    pair_client(&pair, NULL);
    dialed_options(&dialed, &pair, &options);
    static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done_cancel};
    options.callbacks = &dial_callbacks;
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &dialed.dial), 0);
    for (int i = 0; i < turns; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
    if (!dialed.calls) {
      wt_dial_cancel(dialed.dial);
      wt_dial_cancel(dialed.dial);
      assert_int_equal(dialed.calls, 0);
      while (!dialed.calls) pair_run(&pair);
      seen[dialed.stage] = true;
      if (dialed.error) assert_string_equal(dialed.message, "the dial was cancelled");
    } else {
      accepted = true;
    }
    if (dialed.error) assert_int_equal(dialed.error, WT_ERR_CLOSED);
    pair_close(&pair);
    assert_int_equal(dialed.calls, 1);
  }
  assert_true(seen[WT_STAGE_RESOLVE]);
  assert_true(seen[WT_STAGE_CONNECT]);
}

/* --- Its own loop, threads and signals --- */

struct own {
  wt_client *client;
  _Atomic int posted;
  int done, closed;
  wt_session *session;
  bool free_in_callback, close_in_callback;
  pthread_t thread;
};

/* A server of its own thread, for clients that run loops of their own. */
struct host {
  struct pair pair;
  uv_async_t end;
  pthread_t thread;
  bool ended;
};

static void host_on_end(uv_async_t *async) {
  struct host *host = async->data;
  host->ended = true;
}

static void *host_run(void *argument) {
  struct host *host = argument;
  while (!host->ended) uv_run(&host->pair.loop, UV_RUN_ONCE);
  return NULL;
}

static void host_open(struct host *host) {
  memset(host, 0, sizeof(*host));
  pair_open(&host->pair, NULL);
  assert_int_equal(uv_async_init(&host->pair.loop, &host->end, host_on_end), 0);
  host->end.data = host;
  assert_int_equal(pthread_create(&host->thread, NULL, host_run, host), 0);
}

static void host_close(struct host *host) {
  uv_async_send(&host->end);
  assert_int_equal(pthread_join(host->thread, NULL), 0);
  uv_close((uv_handle_t *)&host->end, NULL);
  pair_close(&host->pair);
}

static void own_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct own *own = user_data;
  (void)dial;
  own->done++;
  own->session = result->session;
  assert_int_equal(result->error, 0);
  assert_int_equal(wt_client_run(own->client), WT_ERR_STATE);
  if (own->close_in_callback) wt_client_close(own->client);
  if (own->free_in_callback) wt_client_free(own->client);
}

static void own_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct own *own = user_data;
  (void)session;
  (void)info;
  own->closed++;
}

static void own_open(struct own *own, struct host *host) {
  struct wt_client_config config;
  char message[200];
  pair_client_config(&host->pair, &config);
  config.loop = NULL;
  if (wt_client_new(&config, &own->client, message, sizeof(message))) fail_msg("%s", message);
}

static void own_dial(struct own *own, struct host *host) {
  struct wt_dial_options options;
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = own_on_done};
  options.callbacks = &dial_callbacks;
  options.user_data = own;
  static const struct wt_session_callbacks session_callbacks = {.on_close = own_on_close};
  options.session_callbacks = &session_callbacks;
  options.session_user_data = own;
  assert_int_equal(wt_client_dial(own->client, host->pair.url, &options, NULL), 0);
}

static void test_client_runs_until_nothing_is_left(void **state) {
  struct own own = {0};
  struct host host;
  (void)state;
  host_open(&host);
  own_open(&own, &host);
  own.close_in_callback = true;
  for (int i = 1; i <= 3; i++) {
    own_dial(&own, &host);
    assert_int_equal(wt_client_run(own.client), 0);
    assert_int_equal(own.done, i);
    assert_int_equal(own.closed, i);
  }
  wt_client_free(own.client);
  host_close(&host);
}

static void test_client_may_be_freed_in_a_callback(void **state) {
  struct own own = {.free_in_callback = true};
  struct host host;
  (void)state;
  host_open(&host);
  own_open(&own, &host);
  own_dial(&own, &host);
  assert_int_equal(wt_client_run(own.client), 0);
  assert_int_equal(own.done, 1);
  assert_int_equal(own.closed, 1);
  host_close(&host);
}

static void own_posted(wt_client *client, void *argument) {
  struct own *own = argument;
  assert_ptr_equal(client, own->client);
  assert_int_equal(wt_session_close(own->session, 0, NULL, 0), 0);
  atomic_fetch_add(&own->posted, 1);
}

static void *own_poster(void *argument) {
  struct own *own = argument;
  assert_int_equal(wt_client_post(own->client, own_posted, own), 0);
  return NULL;
}

static void own_on_done_post(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct own *own = user_data;
  (void)dial;
  own->session = result->session;
  assert_non_null(own->session);
  assert_int_equal(pthread_create(&own->thread, NULL, own_poster, own), 0);
}

static void test_client_makes_calls_of_other_threads(void **state) {
  struct own own = {0};
  struct host host;
  struct wt_dial_options options;
  (void)state;
  host_open(&host);
  own_open(&own, &host);
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = own_on_done_post};
  options.callbacks = &dial_callbacks;
  options.user_data = &own;
  static const struct wt_session_callbacks session_callbacks = {.on_close = own_on_close};
  options.session_callbacks = &session_callbacks;
  options.session_user_data = &own;
  assert_int_equal(wt_client_dial(own.client, host.pair.url, &options, NULL), 0);
  assert_int_equal(wt_client_run(own.client), 0);
  assert_int_equal(pthread_join(own.thread, NULL), 0);
  assert_int_equal(own.posted, 1);
  assert_int_equal(own.closed, 1);
  assert_int_equal(wt_client_post(NULL, own_posted, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_client_post(own.client, NULL, NULL), WT_ERR_INVALID);
  wt_client_free(own.client);
  host_close(&host);
}

static void own_count(wt_client *client, void *argument) {
  struct own *own = argument;
  (void)client;
  own->posted++;
}

static void test_client_makes_waiting_calls_when_it_is_freed(void **state) {
  struct own own = {0};
  struct host host;
  (void)state;
  host_open(&host);
  own_open(&own, &host);
  assert_int_equal(wt_client_post(own.client, own_count, &own), 0);
  assert_int_equal(wt_client_run(own.client), 0);
  assert_int_equal(own.posted, 1);
  assert_int_equal(wt_client_post(own.client, own_count, &own), 0);
  wt_client_free(own.client);
  assert_int_equal(own.posted, 2);
  host_close(&host);
}

static wt_client *signalled;

static void on_signal(int number) {
  (void)number;
  wt_client_close(signalled);
}

static void own_on_done_raise(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct own *own = user_data;
  (void)dial;
  own->session = result->session;
  own->done++;
  raise(SIGUSR1);
}

static void test_client_may_be_closed_in_a_signal_handler(void **state) {
  struct own own = {0};
  struct host host;
  struct wt_dial_options options;
  struct sigaction action = {.sa_handler = on_signal}, before;
  (void)state;
  host_open(&host);
  own_open(&own, &host);
  signalled = own.client;
  assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = own_on_done_raise};
  options.callbacks = &dial_callbacks;
  options.user_data = &own;
  static const struct wt_session_callbacks session_callbacks = {.on_close = own_on_close};
  options.session_callbacks = &session_callbacks;
  options.session_user_data = &own;
  assert_int_equal(wt_client_dial(own.client, host.pair.url, &options, NULL), 0);
  assert_int_equal(wt_client_run(own.client), 0);
  assert_int_equal(own.done, 1);
  assert_int_equal(own.closed, 1);
  assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
  wt_client_free(own.client);
  host_close(&host);
}

/* --- Names --- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* A name server that answers when it is let. */
static int slow_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **found) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  if (strcmp(host, "nohost.invalid") == 0) return EAI_NONAME;
  return getaddrinfo(hints->ai_family == AF_INET6 ? "::1" : "127.0.0.1", service, hints, found);
}

static void test_client_looks_names_up(void **state) {
  static const char *const names[] = {"name.test"};
  struct pair_options pair_options = {.listen = "127.0.0.1:0", .names = names, .name_count = 1};
  struct pair pair;
  struct dialed dialed;
  char url[128];
  (void)state;
  pair_open(&pair, &pair_options);
  pair_client(&pair, NULL);
  pair.client->resolver.getaddrinfo = slow_getaddrinfo;
  (void)snprintf(url, sizeof(url), "https://name.test:%u/session", pair.port);
  dialed_run(&dialed, &pair, url, NULL);
  assert_int_equal(dialed.error, 0);
  dialed_run(&dialed, &pair, "https://nohost.invalid/", NULL);
  assert_int_equal(dialed.error, WT_ERR_NOT_FOUND);
  assert_int_equal(dialed.stage, WT_STAGE_RESOLVE);
  assert_int_equal(dialed.info_error, WT_ERR_STATE);
  assert_int_equal(dialed.attempts, 0);
  assert_string_equal(dialed.message, "cannot find an address for 'nohost.invalid': the name is not known");
  pair_close(&pair);
}

static void test_client_does_not_wait_for_name_servers(void **state) {
  struct pair pair;
  struct dialed dialed, second;
  struct wt_dial_options options;
  int64_t live = wt__mem_live();
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  pair.client->resolver.getaddrinfo = slow_getaddrinfo;
  pthread_mutex_lock(&gate);
  dialed_options(&dialed, &pair, &options);
  options.timeout_ms = 200;
  dialed_run(&dialed, &pair, "https://nohost.invalid/", &options);
  assert_int_equal(dialed.error, WT_ERR_TIMEOUT);
  assert_int_equal(dialed.stage, WT_STAGE_RESOLVE);
  assert_string_equal(dialed.message, "cannot find an address for 'nohost.invalid': no answer within 200 ms");
  dialed_options(&second, &pair, &options);
  assert_int_equal(wt_client_dial(pair.client, "https://other.invalid/", &options, &second.dial), 0);
  uv_run(&pair.loop, UV_RUN_NOWAIT);
  wt_client_free(pair.client); /* while a thread is still looking */
  pair.client = NULL;
  assert_int_equal(second.calls, 1);
  assert_int_equal(second.stage, WT_STAGE_RESOLVE);
  pthread_mutex_unlock(&gate);
  pair_close(&pair);
  while (wt__mem_live() != live) sched_yield(); /* the threads free what they hold */
}

/* --- Memory --- */

/* A dial and a session in which the allocation after `count` others fails. Whether all were made. */
static bool dial_without_memory(size_t count) {
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  struct wt_client_config config;
  bool whole = false;
  int64_t live = wt__mem_live();
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  dialed_options(&dialed, &pair, &options);
  wt__mem_fail_after(count);
  int error = wt_client_new(&config, &pair.client, NULL, 0);
  if (error == 0) error = wt_client_dial(pair.client, pair.url, &options, &dialed.dial);
  if (error) {
    assert_int_equal(error, WT_ERR_NOMEM);
  } else {
    /* A server that runs out of memory may not answer: then the dial is given up. */
    for (int i = 0; i < 2000 && !dialed.calls; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
    whole = dialed.calls && dialed.error == 0;
    if (dialed.session) (void)wt_session_close(dialed.session, 1, "x", 1);
    for (int i = 0; i < 100 && whole && !dialed.closes; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
  }
  wt_client_free(pair.client);
  pair.client = NULL;
  wt__mem_fail_after(SIZE_MAX);
  if (error == 0) {
    assert_int_equal(dialed.calls, 1);
    assert_int_equal(dialed.closes, whole ? 1 : 0);
  }
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
  return whole;
}

static void test_client_survives_each_allocation_that_fails(void **state) {
  size_t count = 0, wholes = 0;
  (void)state;
  if (pair_workers() > 1) skip(); /* allocations fail on this thread alone, which must not wait for another */
  /* Some failures are survived (a packet is lost and sent again), so a few whole lives in a row mean the end. */
  for (; wholes < 20; count++) {
    assert_true(count < 5000);
    wholes = dial_without_memory(count) ? wholes + 1 : 0;
  }
  printf("each of %zu allocations of a dial's life failed in turn\n", count);
  assert_true(count > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_new_says_what_is_wrong),
      cmocka_unit_test(test_client_runs_only_its_own_loop),
      cmocka_unit_test(test_client_that_is_idle_lets_the_loop_end),
      cmocka_unit_test(test_client_may_be_freed_at_any_moment),
      cmocka_unit_test(test_client_close_ends_everything_but_the_client),
      cmocka_unit_test(test_client_dial_may_be_cancelled_at_any_moment),
      cmocka_unit_test(test_client_runs_until_nothing_is_left),
      cmocka_unit_test(test_client_may_be_freed_in_a_callback),
      cmocka_unit_test(test_client_makes_calls_of_other_threads),
      cmocka_unit_test(test_client_makes_waiting_calls_when_it_is_freed),
      cmocka_unit_test(test_client_may_be_closed_in_a_signal_handler),
      cmocka_unit_test(test_client_looks_names_up),
      cmocka_unit_test(test_client_does_not_wait_for_name_servers),
      cmocka_unit_test(test_client_survives_each_allocation_that_fails),
  };
  return cmocka_run_group_tests_name("client_life", tests, NULL, NULL);
}
