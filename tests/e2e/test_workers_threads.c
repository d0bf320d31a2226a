/* SPDX-License-Identifier: MIT */

/*
 * The threads of several workers: they begin and end together, on a loop of the server's own and on a caller's; calls
 * come on the right thread; certificates change while handshakes are under way on all of them. Also run under
 * ThreadSanitizer (label `threads`). Their packets: test_workers.c.
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bed.h"

/* Certificates change while handshakes are under way. */
struct reload {
  wt_certificate *certificates[2];
  unsigned count;
  bool failed;
  atomic_bool stop;
};

static void reload_again(wt_server *server, void *argument) {
  struct reload *reload = argument;
  if (wt_server_set_certificates(server, &reload->certificates[++reload->count % 2], 1)) reload->failed = true;
  if (!atomic_load(&reload->stop)) (void)wt_server_post(server, reload_again, reload);
}

static void test_workers_take_new_certificates(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct wt_client_config client;
  struct reload reload = {0};
  uint8_t hashes[2][32];
  size_t left;
  enum {
    COUNT = 60
  };
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &reload.certificates[1]), 0);
  reload.certificates[0] = bed.certificate;
  for (int i = 0; i < 2; i++) wt_certificate_get_sha256(reload.certificates[i], hashes[i]);
  pair_client_config(&bed.pair, &client);
  client.certificate_hashes = (const uint8_t(*)[32])hashes;
  client.certificate_hash_count = 2;
  client.session_tickets = false;
  pair_client(&bed.pair, &client);
  bed_run(&bed);
  assert_int_equal(wt_server_post(bed.server, reload_again, &reload), 0);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  for (size_t i = 0; i < COUNT; i++) assert_true(guests[i].fin && !guests[i].wrong);
  atomic_store(&reload.stop, true);
  bed_close(&bed);
  assert_false(reload.failed);
  assert_true(reload.count > 2);
  wt_certificate_free(reload.certificates[1]);
  free(guests);
}

/* Secrets change on a thread that has nothing to do with the server, and certificates on worker 0's. */
struct change {
  struct bed *bed;
  atomic_bool stop;
  unsigned count, failed;
};

static void *secrets_change(void *argument) {
  struct change *change = argument;
  uint8_t secrets[3][32] = {{0}};
  for (unsigned i = 0; !atomic_load(&change->stop); i++) {
    struct wt_fleet_keys keys;
    wt_fleet_keys_default(&keys);
    memcpy(secrets[i % 3], &i, sizeof(i));
    keys.current = secrets[i % 3];
    keys.previous = secrets[(i + 2) % 3];
    keys.current_len = keys.previous_len = 32;
    if (wt_server_set_fleet_keys(change->bed->server, &keys, NULL, 0)) change->failed++;
    change->count++;
  }
  return NULL;
}

static void test_workers_take_new_secrets_from_any_thread(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct reload reload = {0};
  struct change change = {.bed = &bed};
  pthread_t thread;
  size_t left;
  enum {
    COUNT = 60
  };
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  reload.certificates[0] = reload.certificates[1] = bed.certificate;
  pair_client(&bed.pair, NULL);
  bed_run(&bed);
  assert_int_equal(wt_server_post(bed.server, reload_again, &reload), 0);
  assert_int_equal(pthread_create(&thread, NULL, secrets_change, &change), 0);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  for (size_t i = 0; i < COUNT; i++) assert_true(guests[i].fin && !guests[i].wrong);
  atomic_store(&change.stop, true);
  pthread_join(thread, NULL);
  atomic_store(&reload.stop, true);
  bed_close(&bed);
  assert_false(reload.failed);
  assert_int_equal(change.failed, 0);
  assert_true(change.count > 2);
  free(guests);
}

/* A call of the server's comes on the thread of worker 0, whoever else is woken meanwhile. */
struct tick {
  struct bed *bed;
  atomic_bool stop;
  unsigned count, wrong;
};

static void tick_again(wt_server *server, void *argument) {
  struct tick *tick = argument;
  if (atomic_load(&tick->stop)) return;
  if (!pthread_equal(tick->bed->runner, pthread_self())) tick->wrong++;
  tick->count++;
  (void)wt_server_post(server, tick_again, tick);
}

static void test_workers_sessions_reach_each_other(void **state) {
  (void)state;
  struct bed bed;
  struct tick tick = {.bed = &bed};
  struct wt_server_config config;
  size_t left;
  enum {
    COUNT = 40
  };
  bed_config(&config, 4);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_server_post(bed.server, tick_again, &tick), 0);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  left = COUNT;
  for (size_t i = 0; i < COUNT; i++) assert_int_equal(guests[i].dialed.error, 0);
  assert_int_equal(wt_session_send_datagram(guests[0].dialed.session, "say", 3), 0);
  pair_run(&bed.pair); /* until everybody has heard it */
  for (size_t i = 0; i < COUNT; i++) assert_true(guests[i].heard == 1 && !guests[i].wrong);

  /* Half of them leave while the others talk: calls to those that have left are made with NULL. */
  for (size_t i = 0; i < COUNT; i++) {
    if (i % 2 == 0) {
      assert_int_equal(wt_session_send_datagram(guests[i].dialed.session, "say", 3), 0);
    } else {
      assert_int_equal(wt_session_close(guests[i].dialed.session, 0, "", 0), 0);
    }
  }
  while (atomic_load(&bed.closed) < COUNT / 2) uv_run(&bed.pair.loop, UV_RUN_NOWAIT);
  atomic_store(&tick.stop, true);
  bed_close(&bed);
  assert_true(tick.count > 2);
  assert_int_equal(tick.wrong, 0);
  free(guests);
}

/* Worker 0 is on the caller's loop, whose end is the end of the server. */
static void test_workers_on_a_callers_loop(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  enum {
    COUNT = 12
  };
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  bed_config(&config, 2);
  config.loop = &loop;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  assert_int_equal(bed_accepted(&bed), COUNT);
  /* All sessions end before the deadline: then so does the server. */
  for (size_t i = 0; i < COUNT; i++) assert_int_equal(wt_session_close(guests[i].dialed.session, 0, "", 0), 0);
  wt_server_shutdown(bed.server, 1000000);
  while (atomic_load(&bed.closed) < COUNT) uv_run(&bed.pair.loop, UV_RUN_NOWAIT);
  wt_client_free(bed.pair.client);
  bed.pair.client = NULL;
  bed_join(&bed);
  assert_int_equal(atomic_load(&bed.clean), COUNT);
  bed_close(&bed);
  assert_int_equal(uv_loop_close(&loop), 0);
  free(guests);
}

struct release {
  struct bed *bed;
  bool done;
};

static void on_release(uv_timer_t *timer) {
  struct release *release = timer->data;
  release->done = true;
  pthread_mutex_unlock(&release->bed->gate);
}

/* The caller's loop ends when all workers have, also those whose application takes its time. */
static void test_workers_end_before_a_callers_loop(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct release release = {.bed = &bed};
  uv_timer_t timer;
  size_t left;
  enum {
    COUNT = 24
  };
  bed_config(&config, 4);
  config.loop = &bed.pair.loop; /* the clients' */
  bed_open(&bed, &config, false);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  bool elsewhere = bed_accepted(&bed) > bed.accepted[0];
  assert_true(elsewhere || !bed.server->steered); /* else one in 4^24 times */
  pthread_mutex_lock(&bed.gate);
  wt_client_free(bed.pair.client);
  bed.pair.client = NULL;
  wt_server_close(bed.server);
  assert_int_equal(uv_timer_init(&bed.pair.loop, &timer), 0);
  timer.data = &release;
  assert_int_equal(uv_timer_start(&timer, on_release, 50, 0), 0);
  uv_unref((uv_handle_t *)&timer); /* so that the loop ends without it, if it may */
  uv_run(&bed.pair.loop, UV_RUN_DEFAULT);
  assert_int_equal(release.done, elsewhere);
  if (!release.done) pthread_mutex_unlock(&bed.gate);
  uv_close((uv_handle_t *)&timer, NULL);
  bed_close(&bed);
  free(guests);
}

/* How many threads can be made until there are no more; negative: any number. */
static int threads_left = -1;

/* The linker puts this in place of the C library's function (--wrap, cmake/Tests.cmake). */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  if (threads_left == 0) return EAGAIN;
  if (threads_left > 0) threads_left--;
  return __real_pthread_create(thread, attributes, run, argument);
}

static void test_workers_need_threads(void **state) {
  (void)state;
  wt_certificate *certificate;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  for (int count = 0; count < 3; count++) {
    struct wt_server_config config;
    wt_server *server;
    int64_t live = wt__mem_live();
    bed_config(&config, 4);
    assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
    assert_int_equal(wt_server_add_certificate(server, certificate), 0);
    threads_left = count;
    assert_int_equal(wt_server_start(server), WT_ERR_IO);
    threads_left = -1;
    assert_non_null(strstr(wt_server_error(server), "no more threads"));
    assert_int_equal(wt_server_start(server), WT_ERR_STATE); /* those that had begun have ended, with all */
    assert_int_equal(wt_server_run(server), 0);
    wt_server_free(server);
    assert_int_equal(wt__mem_live(), live);
  }
  wt_certificate_free(certificate);
}

static void other_route(wt_request *request, void *user_data) {
  (void)request;
  (void)user_data;
}

static void test_workers_come_and_go(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  for (unsigned workers = 1; workers <= 16; workers += 5) {
    struct bed bed;
    struct wt_server_config config;
    bed_config(&config, workers);
    bed_open(&bed, &config, false);
    assert_int_equal(wt_server_handle(bed.server, "/late", other_route, NULL), workers > 1 ? WT_ERR_STATE : 0);
    if (workers > 1) {                                           /* else it is freed while it runs */
      if (workers == 6) wt_server_shutdown(bed.server, 1000000); /* those without work hear when all have none */
      if (workers > 6) wt_server_close(bed.server);
      assert_int_equal(wt_server_run(bed.server), 0);
    }
    bed_close(&bed);
  }
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_workers_take_new_certificates),
      cmocka_unit_test(test_workers_take_new_secrets_from_any_thread),
      cmocka_unit_test(test_workers_sessions_reach_each_other),
      cmocka_unit_test(test_workers_on_a_callers_loop),
      cmocka_unit_test(test_workers_end_before_a_callers_loop),
      cmocka_unit_test(test_workers_need_threads),
      cmocka_unit_test(test_workers_come_and_go),
  };
  return cmocka_run_group_tests_name("workers_threads", tests, NULL, NULL);
}
