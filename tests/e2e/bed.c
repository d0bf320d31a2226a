/* SPDX-License-Identifier: MIT */

/* See bed.h. */

#include "bed.h"

#include "quic/certificate.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

wt_certificate *bed_certificate;
const wt_server *bed_server;
unsigned bed_number;

/* --- The server --- */

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
  static const struct wt_stream_callbacks callbacks = {.on_data = stream_on_data};
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

static void gate_pass(struct bed *bed) {
  if (pthread_equal(bed->opener, pthread_self())) return;
  atomic_fetch_add(&bed->at_gate, 1);
  pthread_mutex_lock(&bed->gate);
  pthread_mutex_unlock(&bed->gate);
}

static void visitor_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct visitor *visitor = user_data;
  struct bed *bed = visitor->bed;
  visitor_check(visitor);
  gate_pass(bed);
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

static bool signals_are_blocked(void) {
  static const int some[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE};
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
    if (!sigismember(&blocked, some[i])) return false;
  }
  return true;
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
  static const struct wt_session_callbacks callbacks = {
      .on_stream = visitor_on_stream, .on_datagram = visitor_on_datagram, .on_close = visitor_on_close};
  options.callbacks = &callbacks;
  options.user_data = visitor;
  if (worker > 0 && !signals_are_blocked()) atomic_fetch_add(&bed->signals_allowed, 1);
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
  bed->runner = pthread_self();
  bed->run_error = wt_server_run(bed->server);
  return NULL;
}

void bed_config(struct wt_server_config *config, unsigned workers) {
  static const char *const listen[] = {"127.0.0.1:0"};
  wt_server_config_default(config);
  config->listen = listen;
  config->workers = workers;
  config->log = quiet;
}

void bed_open_takeover(struct bed *bed, const struct wt_server_config *config, bool unsteered, const char *path,
                       const struct wt_takeover_options *options) {
  char address[64];
  memset(bed, 0, sizeof(*bed));
  pthread_mutex_init(&bed->room_lock, NULL);
  pthread_mutex_init(&bed->gate, NULL);
  bed->opener = pthread_self();
  assert_int_equal(uv_loop_init(&bed->pair.loop), 0);
  if (bed_certificate) bed->certificate = wt__certificate_ref(bed_certificate);
  if (!bed->certificate) assert_int_equal(wt_certificate_generate(NULL, 0, 13, &bed->certificate), 0);
  bed_certificate = NULL;
  wt_certificate_get_sha256(bed->certificate, bed->pair.hash);
  assert_int_equal(wt_server_new(config, &bed->server, NULL, 0), 0);
  bed_server = bed->server;
  bed_number++;
  bed->server->unsteered = unsteered;
  assert_int_equal(wt_server_add_certificate(bed->server, bed->certificate), 0);
  assert_int_equal(wt_server_handle(bed->server, "/session", on_session, bed), 0);
  if (path) assert_int_equal(wt_server_takeover(bed->server, path, options), 0);
  assert_int_equal(wt_server_start(bed->server), 0);
  assert_int_equal(wt_server_get_address(bed->server, 0, address, sizeof(address)), 0);
  bed->pair.port = (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
  (void)snprintf(bed->pair.url, sizeof(bed->pair.url), "https://%s/session", address);
}

void bed_open(struct bed *bed, const struct wt_server_config *config, bool unsteered) {
  bed_open_takeover(bed, config, unsteered, NULL, NULL);
}

void bed_run(struct bed *bed) {
  assert_int_equal(pthread_create(&bed->thread, NULL, server_thread, bed), 0);
  bed->in_thread = true;
}

void bed_join(struct bed *bed) {
  assert_int_equal(pthread_join(bed->thread, NULL), 0);
  bed->in_thread = false;
  assert_int_equal(bed->run_error, 0);
}

void bed_close(struct bed *bed) {
  wt_client_free(bed->pair.client);
  if (bed->in_thread) {
    wt_server_close(bed->server);
    bed_join(bed);
  }
  wt_server_free(bed->server);
  bed_server = NULL;
  wt_certificate_free(bed->certificate);
  while (uv_run(&bed->pair.loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed->pair.loop), 0);
  assert_int_equal(atomic_load(&bed->wrong_threads), 0);
  assert_int_equal(atomic_load(&bed->signals_allowed), 0);
  assert_int_equal(atomic_load(&bed->made), atomic_load(&bed->posted)); /* each call exactly once */
  assert_true(atomic_load(&bed->made_late) >= atomic_load(&bed->closed));
  assert_null(bed->room);
  pthread_mutex_destroy(&bed->room_lock);
  pthread_mutex_destroy(&bed->gate);
}

struct wt_server_stats bed_stats(const struct bed *bed) {
  struct wt_server_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_get_stats(bed->server, &stats), 0);
  return stats;
}

wt_session *bed_session(const struct bed *bed) {
  assert_non_null(bed->room);
  return bed->room->session;
}

unsigned bed_accepted(const struct bed *bed) {
  unsigned sum = 0;
  for (size_t i = 0; i < WORKERS_MAX; i++) sum += atomic_load(&bed->accepted[i]);
  return sum;
}

/* --- Clients --- */

static uint8_t echo_text[ECHO_LEN];

static void echo_text_fill(void) {
  for (size_t i = 0; i < ECHO_LEN; i++) echo_text[i] = (uint8_t)(i * 7 + i / 251);
}

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

void guest_echo(struct guest *guest) {
  static const struct wt_stream_callbacks callbacks = {.on_data = guest_on_data};
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

void guest_dial(struct guest *guest, struct bed *bed, const char *url, size_t *left,
                void (*on_done)(wt_dial *dial, const struct wt_dial_result *result, void *user_data)) {
  struct wt_dial_options options;
  dialed_options(&guest->dialed, &bed->pair, &options);
  const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  struct wt_session_callbacks session_callbacks = *options.session_callbacks;
  options.callbacks = &dial_callbacks;
  options.timeout_ms = 100000;
  session_callbacks.on_datagram = guest_on_datagram;
  options.session_callbacks = &session_callbacks;
  guest->left = left;
  echo_text_fill();
  assert_int_equal(wt_client_dial(bed->pair.client, url, &options, &guest->dialed.dial), 0);
}

void guest_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
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

struct guest *guests_dial(struct bed *bed, size_t count, size_t *left) {
  struct guest *guests = calloc(count, sizeof(*guests));
  assert_non_null(guests);
  *left = count;
  bed->pair.stop = false;
  for (size_t i = 0; i < count; i++) guest_dial(&guests[i], bed, bed->pair.url, left, guest_on_done);
  pair_run(&bed->pair);
  return guests;
}
