/* SPDX-License-Identifier: MIT */

/*
 * A server takes over from another one, over real sockets: sessions of the old one go on, new ones come to the new one, and
 * each way in which one of them can end. Both servers are in this process, with threads of their own, which the library does
 * not know; tests/fleet/ has processes that are killed. Also run under ThreadSanitizer (label `threads`).
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"

enum {
  GUESTS = 6,
  TOKEN_LEN = 16,
};

static char folder[64], path[80];

static int folder_make(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof(folder), "/tmp/wt_takeover_XXXXXX");
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof(path), "%s/socket", folder);
  return 0;
}

/* Nothing is left behind, and no descriptor. */
static int folder_remove(void **state) {
  (void)state;
  return rmdir(folder);
}

struct told {
  atomic_int taken, back;
};

static void on_taken(wt_server *server, void *user_data) {
  (void)server;
  atomic_fetch_add(&((struct told *)user_data)->taken, 1);
}

static void on_taken_back(wt_server *server, void *user_data) {
  (void)server;
  atomic_fetch_add(&((struct told *)user_data)->back, 1);
}

static void options_tell(struct wt_takeover_options *options, struct told *told) {
  wt_takeover_options_default(options);
  options->on_taken = on_taken;
  options->on_taken_back = on_taken_back;
  options->user_data = told;
}

static void bed_begin(struct bed *bed, unsigned workers, bool unsteered, const struct wt_takeover_options *options) {
  struct wt_server_config config;
  bed_config(&config, workers);
  config.log_level = getenv("WT_TEST_LOG") ? WT_LOG_DEBUG : WT_LOG_WARN;
  bed_open_takeover(bed, &config, unsteered, path, options);
  bed_run(bed);
  pair_client(&bed->pair, NULL);
}

/* A stream on the session of each guest is echoed. */
static void guests_echo(struct bed *bed, struct guest *guests, size_t count) {
  size_t left = count;
  for (size_t i = 0; i < count; i++) {
    guests[i].left = &left;
    guest_echo(&guests[i]);
  }
  pair_run(&bed->pair);
  for (size_t i = 0; i < count; i++) {
    assert_true(guests[i].fin && !guests[i].wrong);
    assert_int_equal(guests[i].got, ECHO_LEN);
    assert_int_equal(guests[i].dialed.closes, 0);
  }
}

static struct guest *guests_come(struct bed *bed, size_t count) {
  size_t left;
  struct guest *guests = guests_dial(bed, count, &left);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(guests[i].dialed.error, 0);
    assert_true(guests[i].fin);
  }
  return guests;
}

static void session_leave(struct bed *bed, struct dialed *dialed) {
  assert_int_equal(wt_session_close(dialed->session, 0, "", 0), 0);
  while (!dialed->closes) pair_run(&bed->pair);
}

static void guests_leave(struct bed *bed, struct guest *guests, size_t count) {
  for (size_t i = 0; i < count; i++) {
    session_leave(bed, &guests[i].dialed);
  }
  free(guests);
}

/* Until another thread has come so far. */
#define WAIT_FOR(condition)                                     \
  do {                                                          \
    uint64_t begun = uv_hrtime();                               \
    while (!(condition)) {                                      \
      assert_true(uv_hrtime() - begun < UINT64_C(30000000000)); \
      usleep(1000);                                             \
    }                                                           \
  } while (0)

struct asked {
  struct wt_server_stats stats;
  atomic_bool done;
};

static void stats_take(wt_server *server, void *argument) {
  struct asked *asked = argument;
  asked->stats.size = sizeof(asked->stats);
  (void)wt_server_get_stats(server, &asked->stats);
  atomic_store(&asked->done, true);
}

/* A server with one worker tells them on its thread alone. */
static struct wt_server_stats stats_of(const struct bed *bed) {
  struct asked asked = {.done = false};
  if (bed->server->worker_count > 1) return bed_stats(bed);
  assert_int_equal(wt_server_post(bed->server, stats_take, &asked), 0);
  WAIT_FOR(atomic_load(&asked.done));
  return asked.stats;
}

/* --- Going on --- */

static void check_takeover(unsigned old_workers, unsigned new_workers, bool unsteered) {
  struct bed old, new;
  struct told told = {0};
  struct wt_takeover_options options;
  options_tell(&options, &told);
  bed_begin(&old, old_workers, unsteered, &options);
  struct guest *before = guests_come(&old, GUESTS);
  bed_begin(&new, new_workers, unsteered, NULL);
  assert_int_equal(new.pair.port, old.pair.port);
  WAIT_FOR(atomic_load(&told.taken) == 1);
  guests_echo(&old, before, GUESTS);
  struct guest *after = guests_come(&new, GUESTS);
  guests_echo(&old, before, GUESTS);
  assert_int_equal(bed_accepted(&old), GUESTS);
  assert_int_equal(bed_accepted(&new), GUESTS);
  assert_true(stats_of(&new).takeover_packets_out > 0);
  assert_true(stats_of(&old).takeover_packets_in > 0);
  assert_int_equal(stats_of(&old).connections_total, GUESTS);
  guests_leave(&old, before, GUESTS);
  wt_client_free(old.pair.client); /* its connections end, so the old server does */
  old.pair.client = NULL;
  while (uv_run(&old.pair.loop, UV_RUN_NOWAIT)) continue;
  bed_join(&old);
  guests_echo(&new, after, GUESTS);
  guests_leave(&new, after, GUESTS);
  bed_close(&old);
  bed_close(&new);
}

static void test_takeover_with_one_worker(void **state) {
  (void)state;
  check_takeover(1, 1, false);
}

static void test_takeover_with_more_workers(void **state) {
  (void)state;
  check_takeover(1, 3, false);
  check_takeover(2, 4, false);
}

static void test_takeover_with_fewer_workers(void **state) {
  (void)state;
  check_takeover(4, 2, false);
  check_takeover(3, 1, false);
}

static void test_takeover_where_the_kernel_goes_by_addresses(void **state) {
  (void)state;
  check_takeover(2, 2, true);
  check_takeover(3, 2, true);
}

/* Three at once, and the one in the middle goes first. */
static void test_takeover_of_a_takeover(void **state) {
  (void)state;
  static const unsigned workers[] = {3, 1, 2};
  struct bed beds[3];
  struct guest *guests[3];
  for (size_t i = 0; i < 3; i++) {
    bed_begin(&beds[i], workers[i], false, NULL);
    guests[i] = guests_come(&beds[i], GUESTS);
    for (size_t j = 0; j <= i; j++) guests_echo(&beds[j], guests[j], GUESTS);
  }
  guests_leave(&beds[1], guests[1], GUESTS);
  wt_client_free(beds[1].pair.client);
  beds[1].pair.client = NULL;
  bed_join(&beds[1]);
  guests_echo(&beds[0], guests[0], GUESTS);
  guests_echo(&beds[2], guests[2], GUESTS);
  for (size_t i = 0; i < 3; i++) assert_int_equal(bed_accepted(&beds[i]), GUESTS);
  guests_leave(&beds[0], guests[0], GUESTS);
  wt_client_free(beds[0].pair.client);
  beds[0].pair.client = NULL;
  bed_join(&beds[0]);
  guests_leave(&beds[2], guests[2], GUESTS);
  for (size_t i = 0; i < 3; i++) bed_close(&beds[i]);
}

/* Packets of handshakes that are under way when the sockets change hands find their process. */
static void check_handshakes(unsigned old_workers, unsigned new_workers, bool unsteered, enum wt_retry retry) {
  enum {
    COUNT = 60
  };
  struct bed old, new;
  struct wt_server_config config;
  size_t left = COUNT;
  bed_config(&config, old_workers);
  config.retry = retry;
  bed_open_takeover(&old, &config, unsteered, path, NULL);
  bed_run(&old);
  pair_client(&old.pair, NULL);
  struct guest *guests = calloc(COUNT, sizeof(*guests));
  assert_non_null(guests);
  for (size_t i = 0; i < COUNT; i++) guest_dial(&guests[i], &old, old.pair.url, &left, guest_on_done);
  while (stats_of(&old).packets_received < COUNT / 2) uv_run(&old.pair.loop, UV_RUN_NOWAIT);
  bed_certificate = old.certificate;
  config.workers = new_workers;
  bed_open_takeover(&new, &config, unsteered, path, NULL);
  bed_run(&new);
  pair_run(&old.pair);
  for (size_t i = 0; i < COUNT; i++) {
    assert_int_equal(guests[i].dialed.error, 0);
    assert_true(guests[i].fin && !guests[i].wrong);
  }
  assert_int_equal(bed_accepted(&old) + bed_accepted(&new), COUNT);
  guests_leave(&old, guests, COUNT);
  bed_close(&old);
  bed_close(&new);
}

static void test_takeover_during_handshakes(void **state) {
  (void)state;
  check_handshakes(2, 3, false, WT_RETRY_NEVER);
  check_handshakes(3, 2, true, WT_RETRY_NEVER);
  check_handshakes(2, 2, false, WT_RETRY_ALWAYS); /* the token is the old one's */
}

/* --- Ends --- */

/* The new server does not get as far as its start, or fails in it: nothing has changed. */
static void test_takeover_that_fails_changes_nothing(void **state) {
  (void)state;
  struct bed old;
  struct told told = {0};
  struct wt_takeover_options options;
  struct wt_server_config config;
  wt_server *server;
  char taken[64];
  options_tell(&options, &told);
  bed_begin(&old, 2, false, &options);
  struct guest *guests = guests_come(&old, GUESTS);
  int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* a port that is in use */
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  assert_int_equal(bind(udp, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(udp, (struct sockaddr *)&address, &len), 0);
  (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", ntohs(address.sin_port));
  const char *listen[] = {"127.0.0.1:0", taken};
  for (int i = 0; i < 3; i++) {
    bed_config(&config, 1 + (unsigned)i);
    config.listen = listen;
    config.listen_count = i == 1 ? 2 : 1;
    assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
    assert_int_equal(wt_server_takeover(server, path, NULL), 0);
    if (i < 2) {
      if (i == 1) assert_int_equal(wt_server_add_certificate(server, old.certificate), 0);
      int error = wt_server_start(server);
      assert_int_equal(error, i == 1 ? WT_ERR_IO : WT_ERR_STATE);
    }
    wt_server_free(server);
    guests_echo(&old, guests, GUESTS);
    /* The old one may not have seen the end of the last one yet. */
    struct guest *more = guests_come(&old, 1);
    guests_leave(&old, more, 1);
    WAIT_FOR(access(path, F_OK) == 0);
    assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
    uint64_t begun = uv_hrtime();
    int error;
    do {
      error = wt_server_takeover(server, path, NULL);
      assert_true(error == 0 || error == WT_ERR_REJECTED);
      assert_true(uv_hrtime() - begun < UINT64_C(30000000000));
    } while (error);
    wt_server_free(server);
  }
  assert_int_equal(atomic_load(&told.taken), 0);
  assert_int_equal(atomic_load(&told.back), 0);
  close(udp);
  guests_leave(&old, guests, GUESTS);
  bed_close(&old);
}

/* The new server ends in order: the old one keeps what it has, and takes nothing new. */
static void test_takeover_by_one_that_ends_first(void **state) {
  (void)state;
  struct bed old, new;
  struct told told = {0};
  struct wt_takeover_options options;
  struct dialed dialed;
  options_tell(&options, &told);
  bed_begin(&old, 2, false, &options);
  struct guest *guests = guests_come(&old, GUESTS);
  bed_begin(&new, 3, false, NULL);
  guests_echo(&old, guests, GUESTS);
  bed_close(&new);
  guests_echo(&old, guests, GUESTS);
  do { /* for a second it may still take some */
    dialed_run(&dialed, &old.pair, old.pair.url, NULL);
    if (dialed.error == 0) session_leave(&old, &dialed);
  } while (dialed.error == 0);
  assert_int_equal(atomic_load(&told.back), 0);
  guests_leave(&old, guests, GUESTS);
  wt_client_free(old.pair.client);
  old.pair.client = NULL;
  bed_join(&old);
  bed_close(&old);
}

/* The new server dies, as far as the old one can see: it takes everything back, and can be taken over from again. The new
 * one is not run, so that only one of them reads the sockets. */
static void check_death(bool drain) {
  struct bed old;
  struct told told = {0};
  struct wt_takeover_options options;
  struct wt_server_config config;
  wt_server *server;
  options_tell(&options, &told);
  options.drain = drain;
  bed_begin(&old, 2, false, &options);
  struct guest *guests = guests_come(&old, GUESTS);
  bed_config(&config, 1);
  for (int i = 1; i <= 2; i++) {
    assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
    assert_int_equal(wt_server_add_certificate(server, old.certificate), 0);
    assert_int_equal(wt_server_takeover(server, path, NULL), 0);
    assert_int_equal(wt_server_start(server), 0);
    WAIT_FOR(atomic_load(&told.taken) == i);
    assert_int_equal(shutdown(server->takeover->older[0].fd, SHUT_RDWR), 0);
    WAIT_FOR(atomic_load(&told.back) == i);
    wt_server_free(server);
    guests_echo(&old, guests, GUESTS);
    guests_leave(&old, guests_come(&old, GUESTS), GUESTS);
  }
  guests_leave(&old, guests, GUESTS);
  bed_close(&old);
}

static void test_takeover_by_one_that_dies(void **state) {
  (void)state;
  check_death(false);
  check_death(true);
}

/* Sessions that do not end are ended. */
static void test_takeover_has_a_deadline(void **state) {
  (void)state;
  struct bed old, new;
  struct wt_takeover_options options;
  wt_takeover_options_default(&options);
  options.deadline_ms = 600;
  bed_begin(&old, 2, false, &options);
  struct guest *guests = guests_come(&old, GUESTS);
  bed_begin(&new, 2, false, NULL);
  for (size_t i = 0; i < GUESTS; i++) {
    while (!guests[i].dialed.closes) pair_run(&old.pair);
    assert_true(guests[i].dialed.close.clean);
    assert_int_equal(guests[i].dialed.close.code, 0);
  }
  bed_join(&old);
  bed_close(&old);
  free(guests);
  bed_close(&new);
}

/* A connection without sessions gets GOAWAY, and does not keep the old process. */
static void test_takeover_sends_idle_connections_away(void **state) {
  (void)state;
  struct bed old, new;
  bed_begin(&old, 1, false, NULL);
  struct guest *guests = guests_come(&old, 2);
  guests_leave(&old, guests, 2);
  bed_begin(&new, 1, false, NULL);
  uint64_t begun = uv_hrtime();
  while (pthread_tryjoin_np(old.thread, NULL)) {
    uv_run(&old.pair.loop, UV_RUN_NOWAIT);
    assert_true(uv_hrtime() - begun < UINT64_C(30000000000));
    usleep(1000);
  }
  old.in_thread = false;
  assert_int_equal(old.run_error, 0);
  bed_close(&old);
  bed_close(&new);
}

/* --- Packets of nobody --- */

static int stray_socket(unsigned port) {
  struct timeval patience = {.tv_sec = 20};
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  return fd;
}

/* A packet that no process knows comes back to the new one, which answers it once: with the key of the old one. */
static void stray_reset(unsigned port, uint8_t token[TOKEN_LEN]) {
  uint8_t packet[60] = {0x40, 1, 2, 3}, answer[1500];
  int fd = stray_socket(port);
  ssize_t len;
  assert_int_equal(send(fd, packet, sizeof(packet), 0), sizeof(packet));
  do {
    len = recv(fd, answer, sizeof(answer), 0);
  } while (len < 0 && errno == EINTR);
  assert_true(len > TOKEN_LEN && len < (ssize_t)sizeof(packet));
  memcpy(token, answer + len - TOKEN_LEN, TOKEN_LEN);
  close(fd);
}

static void test_takeover_resets_what_nobody_knows(void **state) {
  (void)state;
  struct bed beds[3];
  uint8_t token[4][TOKEN_LEN];
  struct guest *guests[3];
  for (size_t i = 0; i < 3; i++) {
    bed_begin(&beds[i], 1 + (unsigned)i, false, NULL);
    guests[i] = guests_come(&beds[i], 1);
    stray_reset(beds[i].pair.port, token[i]);
    assert_memory_equal(token[i], token[0], TOKEN_LEN);
  }
  assert_true(stats_of(&beds[0]).takeover_packets_in > 0);
  assert_true(stats_of(&beds[1]).takeover_packets_in > 0);
  for (size_t i = 0; i < 3; i++) bed_close(&beds[i]);
  for (size_t i = 0; i < 3; i++) free(guests[i]);
}

/* A flood of unknown packets costs packets of the old process, and nothing else. */
static void test_takeover_survives_a_flood(void **state) {
  (void)state;
  enum {
    PACKETS = 20000
  };
  struct bed old, new;
  bed_begin(&old, 2, false, NULL);
  struct guest *before = guests_come(&old, GUESTS);
  bed_begin(&new, 2, false, NULL);
  struct guest *after = guests_come(&new, GUESTS);
  uint8_t packet[1200] = {0x40};
  int fd = stray_socket(old.pair.port);
  for (unsigned i = 0; i < PACKETS; i++) {
    memcpy(packet + 1, &i, sizeof(i));
    packet[18] = (uint8_t)i;
    (void)send(fd, packet, sizeof(packet), 0);
    if (i % 5000 == 4999) guests_echo(&old, before, GUESTS);
    if (i % 5000 == 4999) guests_echo(&new, after, GUESTS);
  }
  close(fd);
  assert_int_equal(bed_accepted(&old), GUESTS);
  guests_leave(&old, before, GUESTS);
  guests_leave(&new, after, GUESTS);
  bed_close(&old);
  bed_close(&new);
}

/* --- Addresses --- */

/* An address that only the old one has stays with it; one that only the new one has is opened. */
static void test_takeover_of_some_addresses(void **state) {
  (void)state;
  static const char *const both[] = {"127.0.0.1:0", "127.0.0.2:0"}, *const changed[] = {"127.0.0.3:0", "127.0.0.2:0"};
  struct bed old, new;
  struct wt_server_config config;
  char address[64], text[80];
  struct dialed dialed;
  bed_config(&config, 2);
  config.listen = both;
  config.listen_count = 2;
  bed_open_takeover(&old, &config, false, path, NULL);
  bed_run(&old);
  pair_client(&old.pair, NULL);
  assert_int_equal(wt_server_get_address(old.server, 1, text, sizeof(text)), 0);
  struct guest *guests = guests_come(&old, 1); /* at 127.0.0.1 */
  config.listen = changed;
  bed_open_takeover(&new, &config, false, path, NULL);
  bed_run(&new);
  pair_client(&new.pair, NULL);
  assert_int_equal(wt_server_get_address(new.server, 1, address, sizeof(address)), 0);
  assert_string_equal(address, text);
  guests_echo(&old, guests, 1); /* the old one reads its first address still, */
  do {                          /* but takes nobody there, after a second; */
    dialed_run(&dialed, &old.pair, old.pair.url, NULL);
    if (dialed.error == 0) session_leave(&old, &dialed);
  } while (dialed.error == 0);
  (void)snprintf(text, sizeof(text), "https://%s/session", address);
  dialed_run(&dialed, &new.pair, text, NULL); /* the new one has the second, */
  assert_int_equal(dialed.error, 0);
  dialed_run(&dialed, &new.pair, new.pair.url, NULL); /* and one of its own */
  assert_int_equal(dialed.error, 0);
  guests_leave(&old, guests, 1);
  bed_close(&old);
  bed_close(&new);
}

/* --- The path --- */

static void expect_takeover(int error, const char *words) {
  struct wt_server_config config;
  wt_server *server;
  bed_config(&config, 1);
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_takeover(server, path, NULL), error);
  if (!strstr(wt_server_error(server), words)) fail_msg("not '%s': %s", words, wt_server_error(server));
  wt_server_free(server);
}

static void test_takeover_wants_a_socket(void **state) {
  (void)state;
  struct bed bed;
  struct stat info;
  int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  close(fd);
  expect_takeover(WT_ERR_FILE, "is not a socket");
  assert_int_equal(unlink(path), 0);
  bed_begin(&bed, 1, false, NULL);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  /* As if it had died: nobody listens at the file that is left. */
  char left[96];
  (void)snprintf(left, sizeof(left), "%s.left", path);
  assert_int_equal(link(path, left), 0);
  bed_close(&bed);
  assert_int_equal(rename(left, path), 0);
  bed_begin(&bed, 1, false, NULL);
  guests_leave(&bed, guests_come(&bed, 1), 1);
  bed_close(&bed);
}

static void test_takeover_arguments(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct wt_takeover_options options;
  wt_server *server;
  char long_path[200];
  memset(long_path, 'x', sizeof(long_path) - 1);
  long_path[sizeof(long_path) - 1] = '\0';
  bed_config(&config, 1);
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_takeover(server, long_path, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_takeover(server, "", NULL), WT_ERR_INVALID);
  wt_takeover_options_default(&options);
  assert_int_equal(options.deadline_ms, 3600000);
  options.deadline_ms = UINT64_C(1) << 32;
  assert_int_equal(wt_server_takeover(server, path, &options), WT_ERR_INVALID);
  options.size = 1;
  assert_int_equal(wt_server_takeover(server, path, &options), WT_ERR_INVALID);
  assert_int_equal(wt_server_takeover_give(server, "http", 0), WT_ERR_STATE);
  assert_int_equal(wt_server_takeover_receive(server, "http"), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_server_takeover(server, path, NULL), 0);
  assert_int_equal(wt_server_takeover(server, path, NULL), WT_ERR_STATE);
  assert_int_equal(wt_server_takeover_give(server, "two words", 0), WT_ERR_INVALID);
  assert_int_equal(wt_server_takeover_give(server, long_path, 0), WT_ERR_INVALID);
  assert_int_equal(wt_server_takeover_give(server, "http", -1), WT_ERR_INVALID);
  for (int i = 0; i < 64; i++) assert_int_equal(wt_server_takeover_give(server, "http", 0), 0);
  assert_int_equal(wt_server_takeover_give(server, "http", 0), WT_ERR_TOO_LARGE);
  wt_server_free(server);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_server_takeover(bed.server, path, NULL), WT_ERR_STATE);
  bed_close(&bed);
}

/* Descriptors of the application come over, in their order, and those that nobody wants are closed. */
static void test_takeover_of_other_descriptors(void **state) {
  (void)state;
  struct bed old, new;
  struct wt_server_config config;
  int pipes[2][2];
  char byte;
  for (int i = 0; i < 2; i++) assert_int_equal(pipe(pipes[i]), 0);
  bed_config(&config, 1);
  bed_open_takeover(&old, &config, false, path, NULL);
  assert_int_equal(wt_server_takeover_give(old.server, "pipe", pipes[0][1]), 0);
  assert_int_equal(wt_server_takeover_give(old.server, "pipe", pipes[1][1]), 0);
  assert_int_equal(wt_server_takeover_give(old.server, "unwanted", pipes[1][0]), 0);
  bed_run(&old);
  memset(&new, 0, sizeof(new));
  assert_int_equal(wt_server_new(&config, &new.server, NULL, 0), 0);
  assert_int_equal(wt_server_takeover(new.server, path, NULL), 0);
  for (int i = 0; i < 2; i++) {
    int fd = wt_server_takeover_receive(new.server, "pipe");
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(pipes[i][0], &byte, 1), 1);
    close(fd);
  }
  assert_int_equal(wt_server_takeover_receive(new.server, "pipe"), WT_ERR_NOT_FOUND);
  wt_server_free(new.server);
  for (int i = 0; i < 4; i++) close(pipes[i / 2][i % 2]);
  bed_close(&old);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      TEST(test_takeover_with_one_worker),
      TEST(test_takeover_with_more_workers),
      TEST(test_takeover_with_fewer_workers),
      TEST(test_takeover_where_the_kernel_goes_by_addresses),
      TEST(test_takeover_of_a_takeover),
      TEST(test_takeover_during_handshakes),
      TEST(test_takeover_that_fails_changes_nothing),
      TEST(test_takeover_by_one_that_ends_first),
      TEST(test_takeover_by_one_that_dies),
      TEST(test_takeover_has_a_deadline),
      TEST(test_takeover_sends_idle_connections_away),
      TEST(test_takeover_resets_what_nobody_knows),
      TEST(test_takeover_survives_a_flood),
      TEST(test_takeover_of_some_addresses),
      TEST(test_takeover_wants_a_socket),
      TEST(test_takeover_arguments),
      TEST(test_takeover_of_other_descriptors),
  };
  return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
