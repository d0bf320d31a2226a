/* SPDX-License-Identifier: MIT */

/*
 * A server with several workers and clients of ours on another thread's loop: connections are spread, all of a
 * session happens on one thread, packets that come to a wrong worker find the right one, and what one worker gives out
 * (tickets, tokens) is good at another. Also run under ThreadSanitizer (label `threads`).
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/server.h"
#include "pair.h"
#include "relay.h"

#define WORKERS_MAX 4
#define ECHO_LEN 5000
#define MANY_CONNECTIONS 200
#define SHUTDOWN_MS 300

/* --- The server. Its handlers run on several threads: they note what is wrong instead of asserting. --- */

struct bed {
  struct pair pair; /* the clients' half: loop, client, hash, url */
  wt_server *server;
  wt_certificate *certificate;
  pthread_t thread;
  bool in_thread;
  int run_error;
  atomic_uint wrong_threads; /* callbacks that came on another thread than the session's handler */
  atomic_uint accepted[WORKERS_MAX], closed, clean;

  pthread_mutex_t room_lock;
  struct visitor *room;
  atomic_uint posted, made, made_late; /* calls of `wt_session_post`; those whose session had ended */
};

struct visitor {
  struct bed *bed;
  wt_session *session;
  pthread_t thread;
  struct visitor *next;
};

static void visitor_check(struct visitor *visitor) {
  if (!pthread_equal(visitor->thread, pthread_self())) atomic_fetch_add(&visitor->bed->wrong_threads, 1);
}

static void stream_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  size_t written;
  visitor_check(user_data);
  if (len) (void)wt_stream_write(stream, data, len, &written);
  if (fin) (void)wt_stream_end(stream);
}

static void visitor_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.size = sizeof(callbacks), .on_data = stream_on_data};
  (void)session;
  visitor_check(user_data);
  wt_stream_set_callbacks(stream, &callbacks, user_data);
}

/* On the thread of the one who hears it. */
static void room_hear(wt_session *session, void *argument) {
  struct bed *bed = argument;
  atomic_fetch_add(&bed->made, 1);
  if (!session) {
    atomic_fetch_add(&bed->made_late, 1);
    return;
  }
  visitor_check(wt_session_user_data(session));
  (void)wt_session_send_datagram(session, "heard", 5);
}

static void room_post(struct bed *bed, wt_session *session) {
  if (wt_session_post(session, room_hear, bed) == 0) atomic_fetch_add(&bed->posted, 1);
}

/* A datagram is said to everybody. */
static void visitor_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct visitor *visitor = user_data;
  struct bed *bed = visitor->bed;
  (void)session;
  (void)data;
  (void)len;
  visitor_check(visitor);
  pthread_mutex_lock(&bed->room_lock);
  for (struct visitor *it = bed->room; it; it = it->next) room_post(bed, it->session);
  pthread_mutex_unlock(&bed->room_lock);
}

static void visitor_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct visitor *visitor = user_data;
  struct bed *bed = visitor->bed;
  visitor_check(visitor);
  pthread_mutex_lock(&bed->room_lock);
  struct visitor **at = &bed->room;
  while (*at != visitor) at = &(*at)->next;
  *at = visitor->next;
  pthread_mutex_unlock(&bed->room_lock);
  room_post(bed, session); /* comes too late, and is made all the same */
  atomic_fetch_add(&bed->closed, 1);
  if (info->clean) atomic_fetch_add(&bed->clean, 1);
  free(visitor);
}

static void on_session(wt_request *request, void *user_data) {
  struct bed *bed = user_data;
  struct wt_upgrade_options options;
  struct visitor *visitor = calloc(1, sizeof(*visitor));
  unsigned worker = wt_request_worker(request);
  char text[16];
  (void)snprintf(text, sizeof(text), "%u", worker);
  struct wt_header header = {"x-why", text}; /* a field that `struct dialed` copies */
  wt_upgrade_options_default(&options);
  options.headers = &header;
  options.header_count = 1;
  options.callbacks.on_stream = visitor_on_stream;
  options.callbacks.on_datagram = visitor_on_datagram;
  options.callbacks.on_close = visitor_on_close;
  options.user_data = visitor;
  *visitor = (struct visitor){.bed = bed, .thread = pthread_self()};
  if (wt_upgrade(request, &options, &visitor->session)) {
    free(visitor);
    return;
  }
  if (wt_session_worker(visitor->session) != worker) atomic_fetch_add(&bed->wrong_threads, 1);
  pthread_mutex_lock(&bed->room_lock);
  visitor->next = bed->room;
  bed->room = visitor;
  pthread_mutex_unlock(&bed->room_lock);
  atomic_fetch_add(&bed->accepted[worker], 1);
}

static void quiet(enum wt_log_level level, const char *line, void *user_data) {
  (void)user_data;
  if (getenv("WT_TEST_LOG")) printf("  log %d: %s\n", (int)level, line);
}

static void *server_thread(void *argument) {
  struct bed *bed = argument;
  bed->run_error = wt_server_run(bed->server);
  return NULL;
}

static void server_config(struct wt_server_config *config, unsigned workers) {
  static const char *const listen[] = {"127.0.0.1:0"};
  wt_server_config_default(config);
  config->listen = listen;
  config->workers = workers;
  config->log = quiet;
}

static void bed_open(struct bed *bed, const struct wt_server_config *config, bool unsteered) {
  char address[64];
  memset(bed, 0, sizeof(*bed));
  pthread_mutex_init(&bed->room_lock, NULL);
  assert_int_equal(uv_loop_init(&bed->pair.loop), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &bed->certificate), 0);
  wt_certificate_sha256(bed->certificate, bed->pair.hash);
  assert_int_equal(wt_server_new(&bed->server, config), 0);
  bed->server->unsteered = unsteered;
  assert_int_equal(wt_server_add_certificate(bed->server, bed->certificate), 0);
  assert_int_equal(wt_server_handle(bed->server, "/session", on_session, bed), 0);
  assert_int_equal(wt_server_start(bed->server), 0);
  assert_int_equal(wt_server_address(bed->server, 0, address, sizeof(address)), 0);
  bed->pair.port = (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
  (void)snprintf(bed->pair.url, sizeof(bed->pair.url), "https://%s/session", address);
}

static void bed_run(struct bed *bed) {
  assert_int_equal(pthread_create(&bed->thread, NULL, server_thread, bed), 0);
  bed->in_thread = true;
}

/* The server has been told to end. */
static void bed_join(struct bed *bed) {
  assert_int_equal(pthread_join(bed->thread, NULL), 0);
  bed->in_thread = false;
  assert_int_equal(bed->run_error, 0);
}

static void bed_close(struct bed *bed) {
  wt_client_free(bed->pair.client);
  if (bed->in_thread) {
    wt_server_close(bed->server);
    bed_join(bed);
  }
  wt_server_free(bed->server);
  wt_certificate_free(bed->certificate);
  while (uv_run(&bed->pair.loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed->pair.loop), 0);
  assert_int_equal(atomic_load(&bed->wrong_threads), 0);
  assert_int_equal(atomic_load(&bed->made), atomic_load(&bed->posted)); /* each call exactly once */
  assert_true(atomic_load(&bed->made_late) >= atomic_load(&bed->closed));
  assert_null(bed->room);
  pthread_mutex_destroy(&bed->room_lock);
}

static struct wt_server_stats stats_of(const struct bed *bed) {
  struct wt_server_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_get_stats(bed->server, &stats), 0);
  return stats;
}

static unsigned accepted_by_all(const struct bed *bed) {
  unsigned sum = 0;
  for (size_t i = 0; i < WORKERS_MAX; i++) sum += atomic_load(&bed->accepted[i]);
  return sum;
}

/* --- Clients --- */

static uint8_t echo_text[ECHO_LEN];

/* A session of a client, and a stream on it that is echoed. */
struct guest {
  struct dialed dialed;
  size_t *left; /* of all guests: what is not done */
  size_t got, heard;
  bool fin, wrong;
};

static void guests_done(struct guest *guest) {
  if (--*guest->left == 0) pair_stop(guest->dialed.pair);
}

static void guest_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct guest *guest = user_data;
  (void)stream;
  if (guest->got + len > ECHO_LEN || memcmp(data, echo_text + guest->got, len) != 0) guest->wrong = true;
  guest->got += len;
  if (!fin) return;
  guest->fin = true;
  guests_done(guest);
}

static void guest_echo(struct guest *guest) {
  static const struct wt_stream_callbacks callbacks = {.size = sizeof(callbacks), .on_data = guest_on_data};
  wt_stream *stream;
  size_t written;
  guest->got = 0;
  guest->fin = false;
  assert_int_equal(wt_session_open_bidi(guest->dialed.session, &stream), 0);
  wt_stream_set_callbacks(stream, &callbacks, guest);
  assert_int_equal(wt_stream_write(stream, echo_text, ECHO_LEN, &written), 0);
  assert_int_equal(written, ECHO_LEN);
  assert_int_equal(wt_stream_end(stream), 0);
}

static void guest_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct guest *guest = user_data;
  (void)session;
  if (len != 5 || memcmp(data, "heard", 5) != 0) guest->wrong = true;
  if (guest->heard++ == 0) guests_done(guest);
}

static void guest_dial(struct guest *guest, struct bed *bed, const char *url, size_t *left,
                       void (*on_done)(wt_dial *dial, const struct wt_dial_result *result, void *user_data)) {
  struct wt_dial_options options;
  dialed_options(&guest->dialed, &bed->pair, &options);
  options.callbacks.on_done = on_done;
  options.timeout_ms = 25000;
  options.session_callbacks.on_datagram = guest_on_datagram;
  guest->left = left;
  assert_int_equal(wt_client_dial(bed->pair.client, url, &options, &guest->dialed.dial), 0);
}

static void guest_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct guest *guest = user_data; /* its first member is the `struct dialed` */
  (void)dial;
  guest->dialed.session = result->session;
  guest->dialed.error = result->error;
  if (result->session) {
    guest_echo(guest);
  } else {
    guests_done(guest);
  }
}

static struct guest *guests_dial(struct bed *bed, size_t count, size_t *left) {
  struct guest *guests = calloc(count, sizeof(*guests));
  assert_non_null(guests);
  *left = count;
  bed->pair.stop = false;
  for (size_t i = 0; i < count; i++) guest_dial(&guests[i], bed, bed->pair.url, left, guest_on_done);
  pair_run(&bed->pair);
  return guests;
}

/* --- Tests --- */

static void check_spread(unsigned workers, bool unsteered) {
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  server_config(&config, workers);
  bed_open(&bed, &config, unsteered);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, MANY_CONNECTIONS, &left);
  for (size_t i = 0; i < MANY_CONNECTIONS; i++) {
    assert_int_equal(guests[i].dialed.error, 0);
    assert_true(guests[i].fin && !guests[i].wrong);
    assert_int_equal(guests[i].got, ECHO_LEN);
  }
  assert_int_equal(accepted_by_all(&bed), MANY_CONNECTIONS);
  bool steered = bed.server->steered;
  assert_false(unsteered && steered);
  if (steered) { /* by random ids, so that one socket of the client is no matter; far from the mean is out of reach */
    for (size_t i = 0; i < workers; i++) assert_true(bed.accepted[i] > MANY_CONNECTIONS / workers / 3);
  }

  /* The deadline ends what clients do not. */
  wt_server_shutdown(bed.server, SHUTDOWN_MS);
  bed_join(&bed);
  struct wt_server_stats stats = stats_of(&bed);
  assert_int_equal(stats.connections_total, MANY_CONNECTIONS);
  assert_int_equal(stats.sessions_total, MANY_CONNECTIONS);
  assert_int_equal(stats.requests_total, MANY_CONNECTIONS);
  assert_int_equal(stats.sessions_open + stats.connections_open + stats.handshakes_open, 0);
  assert_true(stats.bytes_received > (uint64_t)MANY_CONNECTIONS * ECHO_LEN);
  assert_int_equal(atomic_load(&bed.closed), MANY_CONNECTIONS);
  if (steered) assert_int_equal(stats.packets_handed_over, 0);
  assert_int_equal(stats.packets_dropped, 0);
  bed_close(&bed);
  free(guests);
}

static void test_workers_two_share_connections(void **state) {
  (void)state;
  check_spread(2, false);
}

static void test_workers_four_share_connections(void **state) {
  (void)state;
  check_spread(4, false);
}

static void test_workers_without_steering(void **state) {
  (void)state;
  check_spread(3, true);
}

/* Echoes over `guest` while its port changes again and again. Returns how many packets were handed over. */
static uint64_t check_rebinding(bool unsteered, size_t times) {
  struct bed bed;
  struct wt_server_config config;
  struct relay relay;
  struct guest guest = {0};
  char url[64];
  size_t left = 1;
  server_config(&config, 4);
  bed_open(&bed, &config, unsteered);
  bed_run(&bed);
  relay_open(&relay, &bed.pair.loop, bed.pair.port);
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/session", relay.port);
  pair_client(&bed.pair, NULL);
  guest_dial(&guest, &bed, url, &left, guest_on_done);
  pair_run(&bed.pair);
  assert_int_equal(guest.dialed.error, 0);
  while (relay.rebounds < times) {
    relay_rebind(&relay);
    left = 1;
    guest_echo(&guest);
    pair_run(&bed.pair);
    assert_true(guest.fin && !guest.wrong);
    assert_int_equal(guest.got, ECHO_LEN);
  }
  assert_int_equal(accepted_by_all(&bed), 1);
  assert_int_equal(stats_of(&bed).connections_total, 1);
  uint64_t handed_over = stats_of(&bed).packets_handed_over;
  if (!unsteered && !bed.server->steered) handed_over = 0;
  relay_close(&relay);
  bed_close(&bed);
  return handed_over;
}

static void test_workers_hand_over_what_is_not_theirs(void **state) {
  (void)state;
  /* That the kernel's hash leads 24 ports to the one worker of four has a chance of 4^-24. */
  assert_true(check_rebinding(true, 24) > 0);
}

static void test_workers_are_found_by_the_kernel(void **state) {
  (void)state;
  assert_int_equal(check_rebinding(false, 8), 0);
}

/* A ticket and a token of one worker are good at another. */
static void test_workers_share_keys(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct relay relay;
  struct dialed dialed;
  char url[64];
  unsigned moves = 0, last = 0;
  server_config(&config, 2);
  config.retry = WT_RETRY_ALWAYS;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  relay_open(&relay, &bed.pair.loop, bed.pair.port);
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/session", relay.port);
  pair_client(&bed.pair, NULL);
  for (int i = 0; i < 64 && moves < 3; i++) { /* never moved thrice: less than 64^3 in 2^64 */
    dialed_run(&dialed, &bed.pair, url, NULL);
    assert_int_equal(dialed.error, 0);
    assert_int_equal(dialed.info_error, 0);
    assert_int_equal(dialed.info.resumed, i > 0);
    unsigned worker = (unsigned)strtoul(dialed.why, NULL, 10);
    if (i > 0 && worker != last) moves++;
    last = worker;
    assert_int_equal(wt_session_close(dialed.session, 0, "", 0), 0);
    while (!dialed.closes) pair_run(&bed.pair);
  }
  assert_true(moves == 3 || !bed.server->steered);
  assert_int_equal(relay.retries, 1); /* for the first connection alone */
  relay_close(&relay);
  bed_close(&bed);
}

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
  server_config(&config, 2);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &reload.certificates[1]), 0);
  reload.certificates[0] = bed.certificate;
  for (int i = 0; i < 2; i++) wt_certificate_sha256(reload.certificates[i], hashes[i]);
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

static void test_workers_sessions_reach_each_other(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  enum {
    COUNT = 40
  };
  server_config(&config, 4);
  bed_open(&bed, &config, false);
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
  while (atomic_load(&bed.closed) < COUNT / 2) uv_run(&bed.pair.loop, UV_RUN_ONCE);
  bed_close(&bed);
  free(guests);
}

/* The bound on connections of one address is that of the server. */
static void test_workers_count_together(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left, good = 0;
  enum {
    COUNT = 30,
    MAX = 10
  };
  server_config(&config, 4);
  config.max_connections_per_address = MAX;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = calloc(COUNT, sizeof(*guests));
  assert_non_null(guests);
  left = COUNT;
  for (size_t i = 0; i < COUNT; i++) guest_dial(&guests[i], &bed, bed.pair.url, &left, guest_on_done);
  /* Those over it are closed after their handshake, some with a session already asked for. */
  while (left > 0) uv_run(&bed.pair.loop, UV_RUN_ONCE);
  for (size_t i = 0; i < COUNT; i++) good += guests[i].fin;
  assert_int_equal(good, MAX);
  assert_int_equal(accepted_by_all(&bed), MAX);
  bed_close(&bed);
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
  server_config(&config, 2);
  config.loop = &loop;
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, COUNT, &left);
  assert_int_equal(accepted_by_all(&bed), COUNT);
  /* All sessions end before the deadline: then so does the server. */
  for (size_t i = 0; i < COUNT; i++) assert_int_equal(wt_session_close(guests[i].dialed.session, 0, "", 0), 0);
  wt_server_shutdown(bed.server, 1000000);
  while (atomic_load(&bed.closed) < COUNT) uv_run(&bed.pair.loop, UV_RUN_ONCE);
  wt_client_free(bed.pair.client);
  bed.pair.client = NULL;
  bed_join(&bed);
  assert_int_equal(atomic_load(&bed.clean), COUNT);
  bed_close(&bed);
  assert_int_equal(uv_loop_close(&loop), 0);
  free(guests);
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
    server_config(&config, workers);
    bed_open(&bed, &config, false);
    assert_int_equal(wt_server_handle(bed.server, "/late", other_route, NULL), workers > 1 ? WT_ERR_STATE : 0);
    if (workers > 6) { /* the others are freed while they run */
      wt_server_close(bed.server);
      assert_int_equal(wt_server_run(bed.server), 0);
    }
    bed_close(&bed);
  }
  assert_int_equal(wt__mem_live(), live);
}

static void test_workers_do_not_share_a_port_with_strangers(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  wt_server *second;
  char address[64];
  const char *listen[] = {address};
  server_config(&config, 2);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_server_address(bed.server, 0, address, sizeof(address)), 0);
  config.listen = listen;
  assert_int_equal(wt_server_new(&second, &config), 0);
  assert_int_equal(wt_server_add_certificate(second, bed.certificate), 0);
  assert_int_equal(wt_server_start(second), WT_ERR_IO);
  assert_non_null(strstr(wt_server_error(second), "address already in use"));
  wt_server_free(second);
  bed_close(&bed);
}

int main(void) {
  for (size_t i = 0; i < ECHO_LEN; i++) echo_text[i] = (uint8_t)(i * 7 + i / 251);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_workers_two_share_connections),
      cmocka_unit_test(test_workers_four_share_connections),
      cmocka_unit_test(test_workers_without_steering),
      cmocka_unit_test(test_workers_hand_over_what_is_not_theirs),
      cmocka_unit_test(test_workers_are_found_by_the_kernel),
      cmocka_unit_test(test_workers_share_keys),
      cmocka_unit_test(test_workers_take_new_certificates),
      cmocka_unit_test(test_workers_sessions_reach_each_other),
      cmocka_unit_test(test_workers_count_together),
      cmocka_unit_test(test_workers_on_a_callers_loop),
      cmocka_unit_test(test_workers_come_and_go),
      cmocka_unit_test(test_workers_do_not_share_a_port_with_strangers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
