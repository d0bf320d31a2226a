/* SPDX-License-Identifier: MIT */

/*
 * What comes and goes by the sockets of several workers: connections are spread, packets that come to a wrong worker
 * find the right one, an answer leaves by the socket of who gives it, and what one worker gives out (tickets, tokens)
 * is good at another. Also run under ThreadSanitizer (label `threads`). The workers' threads: test_workers_threads.c.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"
#include "quic/cid.h"
#include "relay.h"

#define MANY_CONNECTIONS 200
#define SHUTDOWN_MS 300
#define SOCKETS_MAX 32

/* --- Sockets: each is used by one thread alone, that of its worker. --- */

static struct {
  pthread_mutex_t lock;
  unsigned bed; /* whose sockets these are */
  size_t count, wrong;
  struct {
    const struct wt__udp *udp;
    pthread_t thread;
  } seen[SOCKETS_MAX];
} senders = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_of_server(const struct wt__udp *udp) {
  for (unsigned i = 0; bed_server && i < bed_server->worker_count; i++) {
    const struct wt__worker *worker = &bed_server->workers[i];
    for (size_t j = 0; j < worker->socket_count; j++) {
      if (&worker->sockets[j].udp == udp) return true;
    }
  }
  return false;
}

static void senders_note(const struct wt__udp *udp) {
  size_t i = 0;
  if (!is_of_server(udp)) return; /* but of a client */
  pthread_mutex_lock(&senders.lock);
  if (senders.bed != bed_number) {
    senders.bed = bed_number;
    senders.count = 0;
  }
  while (i < senders.count && senders.seen[i].udp != udp) i++;
  if (i == SOCKETS_MAX) {
    senders.wrong++;
  } else if (i == senders.count) {
    senders.seen[senders.count].udp = udp;
    senders.seen[senders.count++].thread = pthread_self();
  } else if (!pthread_equal(senders.seen[i].thread, pthread_self())) {
    senders.wrong++;
  }
  pthread_mutex_unlock(&senders.lock);
}

/* The linker puts this in place of the library's function (--wrap, cmake/Tests.cmake). */
int __real_wt__udp_send(struct wt__udp *udp, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                        size_t segment);
int __wrap_wt__udp_send(struct wt__udp *udp, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                        size_t segment);

int __wrap_wt__udp_send(struct wt__udp *udp, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                        size_t segment) {
  senders_note(udp);
  return __real_wt__udp_send(udp, path, ecn, data, len, segment);
}

size_t __real_wt__udp_send_runs(struct wt__udp *udp, const struct wt__packet_run *runs, size_t count);
size_t __wrap_wt__udp_send_runs(struct wt__udp *udp, const struct wt__packet_run *runs, size_t count);

size_t __wrap_wt__udp_send_runs(struct wt__udp *udp, const struct wt__packet_run *runs, size_t count) {
  senders_note(udp);
  return __real_wt__udp_send_runs(udp, runs, count);
}

static int senders_check(void **state) {
  (void)state;
  assert_int_equal(senders.wrong, 0);
  return 0;
}

/* --- Tests --- */

static void check_spread(unsigned workers, bool unsteered) {
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  bed_config(&config, workers);
  bed_open(&bed, &config, unsteered);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, MANY_CONNECTIONS, &left);
  for (size_t i = 0; i < MANY_CONNECTIONS; i++) {
    assert_int_equal(guests[i].dialed.error, 0);
    assert_true(guests[i].fin && !guests[i].wrong);
    assert_int_equal(guests[i].got, ECHO_LEN);
  }
  assert_int_equal(bed_accepted(&bed), MANY_CONNECTIONS);
  bool steered = bed.server->steered;
  assert_false(unsteered && steered);
  if (steered) { /* by random ids, so that one socket of the client is no matter; far from the mean is out of reach */
    for (size_t i = 0; i < workers; i++) assert_true(bed.accepted[i] > MANY_CONNECTIONS / workers / 3);
  }

  /* The deadline ends what clients do not. */
  wt_server_shutdown(bed.server, SHUTDOWN_MS);
  bed_join(&bed);
  struct wt_server_stats stats = bed_stats(&bed);
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
  bed_config(&config, 4);
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
  assert_int_equal(bed_accepted(&bed), 1);
  assert_int_equal(bed_stats(&bed).connections_total, 1);
  uint64_t handed_over = bed_stats(&bed).packets_handed_over;
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

/* Sends a packet and returns how long the answer is, which has to come from where it was sent to. */
static size_t stray_answer(int fd, const char *to, const uint8_t *packet, size_t len, uint8_t *answer, size_t room) {
  struct sockaddr_in address = {.sin_family = AF_INET}, from = {0};
  socklen_t from_len = sizeof(from);
  const char *port = strrchr(to, ':');
  char host[32];
  (void)snprintf(host, sizeof(host), "%.*s", (int)(port - to), to);
  assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
  address.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
  assert_int_equal(sendto(fd, packet, len, 0, (struct sockaddr *)&address, sizeof(address)), len);
  ssize_t got;
  do { /* the end of an earlier bed's loops interrupts it, without a signal: libuv gives back its io_uring */
    got = recvfrom(fd, answer, room, 0, (struct sockaddr *)&from, &from_len);
  } while (got < 0 && errno == EINTR);
  assert_true(got > 0);
  assert_int_equal(from.sin_addr.s_addr, address.sin_addr.s_addr);
  assert_int_equal(from.sin_port, address.sin_port);
  return (size_t)got;
}

static int stray_socket(void) {
  struct timeval patience = {.tv_sec = 20};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
  return fd;
}

enum {
  TOKEN_LEN = 16,
  STRAY_LEN = 60
};

/* A packet of no connection whose id ends with `worker`: answered with a stateless reset, which ends with a token. */
static void stray_reset(int fd, const char *to, unsigned worker, uint8_t token[TOKEN_LEN]) {
  uint8_t packet[STRAY_LEN] = {[0] = 0x40, [WT__CID_LEN] = (uint8_t)worker}, answer[1500];
  size_t len = stray_answer(fd, to, packet, sizeof(packet), answer, sizeof(answer));
  assert_true(len > TOKEN_LEN && len < STRAY_LEN && (answer[0] & 0xc0) == 0x40);
  memcpy(token, answer + len - TOKEN_LEN, TOKEN_LEN);
}

/* One of a version that does not exist: answered with a list of those that do. */
static void stray_version(int fd, const char *to, unsigned worker) {
  uint8_t packet[1200] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, [13] = (uint8_t)worker}, answer[1500];
  assert_true(stray_answer(fd, to, packet, sizeof(packet), answer, sizeof(answer)) > 7);
  assert_memory_equal(answer + 1, "\0\0\0", 4);
}

/* Strays that name each worker, to each address of the server, from many ports. */
static void check_strays(bool unsteered, const uint8_t *reset_key, uint8_t token[TOKEN_LEN]) {
  static const char *const listen[] = {"127.0.0.1:0", "127.0.0.2:0"};
  struct bed bed;
  struct wt_server_config config;
  enum {
    PORTS = 16
  };
  bed_config(&config, WORKERS_MAX);
  config.listen = listen;
  config.listen_count = 2;
  config.reset_key = reset_key;
  config.reset_key_len = reset_key ? 32 : 0;
  bed_open(&bed, &config, unsteered);
  bed_run(&bed);
  for (unsigned i = 0; i < PORTS; i++) {
    char to[64];
    int fd = stray_socket();
    assert_int_equal(wt_server_get_address(bed.server, i % 2, to, sizeof(to)), 0);
    for (unsigned worker = 0; worker < WORKERS_MAX; worker++) stray_reset(fd, to, worker, token);
    stray_version(fd, to, i % WORKERS_MAX);
    close(fd);
  }
  /* That the kernel's hash finds the named one of four every time is out of reach. */
  assert_int_equal(bed_stats(&bed).packets_handed_over > 0, !bed.server->steered);
  bed_close(&bed);
}

static void test_workers_answer_strays_from_where_they_came(void **state) {
  (void)state;
  static const uint8_t key[32] = {1, 2, 3};
  uint8_t token[4][TOKEN_LEN];
  check_strays(true, NULL, token[0]);
  check_strays(false, NULL, token[1]);
  check_strays(true, key, token[2]);
  check_strays(false, key, token[3]);
  assert_memory_not_equal(token[0], token[1], TOKEN_LEN);
  assert_memory_equal(token[2], token[3], TOKEN_LEN);
  assert_memory_not_equal(token[0], token[2], TOKEN_LEN);
}

/* A client's packets of two connections that the kernel carries as one message come to one worker, which knows that
 * each of them belongs where its id says, as a copy of it would go there. */
static void test_workers_part_what_the_kernel_joined(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  enum {
    LEN = 1200
  };
  uint8_t packets[2 * LEN] = {0};
  static const uint8_t initial[] = {0xc0, 0, 0, 0, 1, 8}; /* of version 1; what follows the ids makes no sense */
  int fd = stray_socket(), segment = LEN;
  if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment))) {
    close(fd);
    skip();
  }
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  for (size_t i = 0; i < 2; i++) {
    memcpy(packets + i * LEN, initial, sizeof(initial));
    packets[i * LEN + sizeof(initial) + 7] = (uint8_t)i; /* the worker */
  }
  to.sin_port = htons((uint16_t)bed.pair.port);
  assert_int_equal(sendto(fd, packets, sizeof(packets), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(packets));
  uint64_t begun = uv_hrtime();
  while (bed_stats(&bed).packets_received < 2) assert_true(uv_hrtime() - begun < UINT64_C(20000000000));
  assert_int_equal(bed_stats(&bed).packets_handed_over, bed.server->steered ? 1 : 0);
  close(fd);
  bed_close(&bed);
}

/* What one worker is handed while it does not look stays within bounds, and is counted. */
static void test_workers_drop_what_is_too_much(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  struct dialed dialed;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  uint8_t packet[1200] = {0x40};
  int fds[16];
  enum {
    PORTS = sizeof(fds) / sizeof(*fds)
  };
  bed_config(&config, WORKERS_MAX);
  bed_open(&bed, &config, true);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  dialed_run(&dialed, &bed.pair, bed.pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  packet[WT__CID_LEN] = (uint8_t)strtoul(dialed.why, NULL, 10);
  pthread_mutex_lock(&bed.gate);
  assert_int_equal(wt_session_close(dialed.session, 0, "", 0), 0);
  while (!atomic_load(&bed.at_gate)) uv_run(&bed.pair.loop, UV_RUN_NOWAIT);

  to.sin_port = htons((uint16_t)bed.pair.port);
  for (size_t i = 0; i < PORTS; i++) fds[i] = stray_socket();
  uint64_t begun = uv_hrtime();
  while (bed_stats(&bed).packets_dropped == 0) {
    for (size_t i = 0; i < PORTS; i++) {
      assert_int_equal(sendto(fds[i], packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(packet));
    }
    assert_true(uv_hrtime() - begun < UINT64_C(30000000000));
  }
  for (size_t i = 0; i < PORTS; i++) close(fds[i]);
  uint64_t taken = bed_stats(&bed).packets_handed_over;
  assert_true(taken > 0 && taken < WT__INBOX_MAX / sizeof(packet));
  pthread_mutex_unlock(&bed.gate);

  dialed_run(&dialed, &bed.pair, bed.pair.url, NULL); /* all goes on */
  assert_int_equal(dialed.error, 0);
  bed_close(&bed);
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
  bed_config(&config, 2);
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
  bed_config(&config, 4);
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
  assert_int_equal(bed_accepted(&bed), MAX);
  bed_close(&bed);
  free(guests);
}

static uv_sem_t held, let_go;

static void hold(wt_session *session, void *argument) {
  (void)session, (void)argument;
  uv_sem_post(&held);
  uv_sem_wait(&let_go);
}

/* What a worker that hangs would not tell by itself. */
static void test_workers_that_hang_are_seen(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  uint64_t began = uv_hrtime();
  uv_sem_init(&held, 0);
  uv_sem_init(&let_go, 0);
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, 1, &left);
  assert_int_equal(wt_session_post(bed_session(&bed), hold, NULL), 0);
  uv_sem_wait(&held);
  uint64_t turn = 0;
  while (turn < 50000) turn = bed_stats(&bed).current_turn_us;
  assert_true(turn <= (uv_hrtime() - began) / 1000);
  uv_sem_post(&let_go);
  while (bed_stats(&bed).current_turn_us > 0) continue; /* all of them wait */
  wt_server_close(bed.server);
  bed_join(&bed);
  assert_int_equal(bed_stats(&bed).current_turn_us, 0); /* the last turn has ended, too */
  bed_close(&bed);
  free(guests);
  uv_sem_destroy(&held);
  uv_sem_destroy(&let_go);
}

static void test_workers_do_not_share_a_port_with_strangers(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config config;
  wt_server *second;
  char address[64];
  const char *listen[] = {address};
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_server_get_address(bed.server, 0, address, sizeof(address)), 0);
  config.listen = listen;
  assert_int_equal(wt_server_new(&config, &second, NULL, 0), 0);
  assert_int_equal(wt_server_add_certificate(second, bed.certificate), 0);
  assert_int_equal(wt_server_start(second), WT_ERR_IO);
  assert_non_null(strstr(wt_server_error(second), "address already in use"));
  wt_server_free(second);
  bed_close(&bed);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, senders_check)
  const struct CMUnitTest tests[] = {
      TEST(test_workers_two_share_connections),
      TEST(test_workers_four_share_connections),
      TEST(test_workers_without_steering),
      TEST(test_workers_hand_over_what_is_not_theirs),
      TEST(test_workers_are_found_by_the_kernel),
      TEST(test_workers_answer_strays_from_where_they_came),
      TEST(test_workers_part_what_the_kernel_joined),
      TEST(test_workers_drop_what_is_too_much),
      TEST(test_workers_share_keys),
      TEST(test_workers_count_together),
      TEST(test_workers_that_hang_are_seen),
      TEST(test_workers_do_not_share_a_port_with_strangers),
  };
  return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
