/* SPDX-License-Identifier: MIT */

/* A server's life without any client: start, addresses, errors, posts, shutdown and close from callbacks,
 * threads and signal handlers, own loops and callers' loops. WT_TEST_WORKERS: with so many workers. */

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include <webtransport/webtransport.h>

#include "base/mem.h"
#include "pair.h"

static const char *const loopback_v4[] = {"127.0.0.1:0"};

static void quiet(enum wt_log_level level, const char *line, void *user_data) {
  (void)level;
  (void)line;
  (void)user_data;
}

static wt_server *server_new(const char *const *listen, size_t count, uv_loop_t *loop) {
  struct wt_server_config config;
  wt_server *server = NULL;
  wt_certificate *certificate = NULL;
  wt_server_config_default(&config);
  config.listen = listen;
  config.listen_count = count;
  config.loop = loop;
  config.workers = pair_workers();
  config.log = quiet;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  return server;
}

static wt_server *server_started(void) {
  wt_server *server = server_new(loopback_v4, 1, NULL);
  assert_int_equal(wt_server_start(server), 0);
  return server;
}

/* Skips the calling test on a machine without IPv6. */
static void need_ipv6(void) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  int error = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&any, sizeof(any));
  if (fd >= 0) close(fd);
  if (error) skip();
}

static unsigned port_of(const char *address) { return (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10); }

/* --- Start --- */

static void test_server_start_tells_its_addresses(void **state) {
  (void)state;
  const char *const listen[] = {"127.0.0.1:0", "[::1]:0"};
  char address[64];
  need_ipv6();
  wt_server *server = server_new(listen, 2, NULL);
  assert_int_equal(wt_server_get_address(server, 0, address, sizeof(address)), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_get_address(server, 0, address, sizeof(address)), 0);
  assert_memory_equal(address, "127.0.0.1:", 10);
  assert_int_not_equal(port_of(address), 0);
  assert_int_equal(wt_server_get_address(server, 1, address, sizeof(address)), 0);
  assert_memory_equal(address, "[::1]:", 6);
  assert_int_not_equal(port_of(address), 0);
  assert_int_equal(wt_server_get_address(server, 2, address, sizeof(address)), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_server_get_address(server, 0, address, 5), WT_ERR_TOO_LARGE);
  wt_server_free(server);
}

static void test_server_localhost_is_one_port_on_both_families(void **state) {
  (void)state;
  const char *const listen[] = {"localhost:0"};
  char v6[64], v4[64];
  need_ipv6();
  wt_server *server = server_new(listen, 1, NULL);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_get_address(server, 0, v6, sizeof(v6)), 0);
  assert_int_equal(wt_server_get_address(server, 1, v4, sizeof(v4)), 0);
  assert_memory_equal(v6, "[::1]:", 6);
  assert_memory_equal(v4, "127.0.0.1:", 10);
  assert_int_equal(port_of(v6), port_of(v4));
  wt_server_free(server);
}

/* A bound socket of somebody else, and the port. */
static int foreign_socket(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

static void test_server_start_on_a_given_socket(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_certificate *certificate = NULL;
  wt_server *server = NULL;
  char address[64];
  unsigned port;
  int fd = foreign_socket(&port);
  int fds[] = {fd};
  wt_server_config_default(&config);
  config.listen_count = 0;
  config.sockets = fds;
  config.socket_count = 1;
  config.workers = pair_workers();
  config.log = quiet;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  fds[0] = -1; /* it was copied */
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_takeover(server, "/nowhere", NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_get_address(server, 0, address, sizeof(address)), 0);
  assert_int_equal(port_of(address), port);
  assert_int_equal(wt_server_get_address(server, 1, address, sizeof(address)), WT_ERR_NOT_FOUND);
  wt_server_free(server);
  assert_int_equal(close(fd), 0);
}

static void test_server_start_names_the_given_socket_that_is_wrong(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_server *server = NULL;
  wt_certificate *certificate = NULL;
  char expected[128];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(fd >= 0);
  wt_server_config_default(&config);
  config.listen = loopback_v4;
  config.sockets = &fd;
  config.socket_count = 1;
  config.log = quiet;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(server), WT_ERR_IO);
  snprintf(expected, sizeof(expected), "cannot serve on the given socket %d: getsockopt SO_TYPE: ", fd);
  assert_memory_equal(wt_server_error(server), expected, strlen(expected));
  wt_server_free(server);
  assert_int_equal(close(fd), 0);
}

static void test_server_start_names_the_port_that_is_taken(void **state) {
  (void)state;
  char address[64], expected[128];
  wt_server *first = server_started();
  assert_int_equal(wt_server_get_address(first, 0, address, sizeof(address)), 0);
  const char *const listen[] = {address};
  wt_server *second = server_new(listen, 1, NULL);
  assert_int_equal(wt_server_start(second), WT_ERR_IO);
  snprintf(expected, sizeof(expected), "cannot listen on %s: address already in use", address);
  assert_string_equal(wt_server_error(second), expected);
  /* Once the port is free, the same server can be started. */
  wt_server_free(first);
  assert_int_equal(wt_server_start(second), 0);
  wt_server_free(second);
}

static void test_server_start_names_the_address_that_is_wrong(void **state) {
  (void)state;
  const char *const listen[] = {"127.0.0.1:0", "127.0.0.1:notaport"};
  wt_server *server = server_new(listen, 2, NULL);
  assert_int_equal(wt_server_start(server), WT_ERR_ADDRESS);
  assert_string_equal(wt_server_error(server),
                      "cannot listen on 127.0.0.1:notaport: the port is not a number from 0 to 65535");
  wt_server_free(server);
}

static void test_server_start_needs_a_certificate_and_happens_once(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_server *server = NULL;
  wt_server_config_default(&config);
  config.listen = loopback_v4;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_string_equal(wt_server_error(server), "");
  assert_int_equal(wt_server_run(server), WT_ERR_STATE);
  assert_int_equal(wt_server_start(server), WT_ERR_STATE);
  assert_string_equal(wt_server_error(server), "the server has no certificate");
  wt_server_free(server);

  server = server_started();
  assert_int_equal(wt_server_start(server), WT_ERR_STATE);
  wt_server_free(server);
}

static void test_server_listen_and_serve_tls_names_the_missing_file(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_server *server = NULL;
  wt_server_config_default(&config);
  config.listen = loopback_v4;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_listen_and_serve_tls(server, "no-such-cert.pem", "no-such-key.pem"), WT_ERR_FILE);
  assert_non_null(strstr(wt_server_error(server), "no-such-cert.pem"));
  wt_server_free(server);
}

struct lines {
  unsigned count;
  char last[256];
};

static void keep_line(enum wt_log_level level, const char *line, void *user_data) {
  struct lines *lines = user_data;
  (void)level;
  lines->count++;
  snprintf(lines->last, sizeof(lines->last), "%s", line);
}

static void test_server_new_logs_the_wrong_bound(void **state) {
  (void)state;
  struct wt_server_config config;
  struct lines lines = {0};
  wt_server *server = NULL;
  wt_server_config_default(&config);
  config.log = keep_line;
  config.log_user_data = &lines;
  config.max_streams_uni = 1;
  char message[128], cut[8];
  assert_int_equal(wt_server_new(&config, &server, message, sizeof(message)), WT_ERR_INVALID);
  assert_null(server);
  assert_int_equal(lines.count, 1);
  assert_string_equal(message, lines.last);
  assert_int_equal(wt_server_new(&config, &server, cut, sizeof(cut)), WT_ERR_INVALID);
  assert_string_equal(cut, "cannot ");
  assert_string_equal(lines.last, "cannot make a server: max_streams_uni is 1, must be at least 3");
}

static void test_server_free_without_start(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  wt_server_free(server_new(loopback_v4, 1, NULL));
  wt_server_free(NULL);
  assert_int_equal(wt__mem_live(), live);
}

/* Each allocation fails in turn: the call that needed it says so, and nothing is held afterwards. */
static void test_server_survives_each_failed_allocation(void **state) {
  (void)state;
  struct wt_server_config config;
  wt_certificate *certificate = NULL;
  int error = WT_ERR_NOMEM;
  size_t failures = 0;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  wt_server_config_default(&config);
  config.listen = loopback_v4;
  config.workers = pair_workers();
  config.log = quiet;
  int64_t live = wt__mem_live();
  for (; error; failures++) {
    wt_server *server = NULL;
    wt__mem_fail_after(failures);
    error = wt_server_new(&config, &server, NULL, 0);
    if (error == 0) error = wt_server_add_certificate(server, certificate);
    if (error == 0) error = wt_server_start(server);
    wt__mem_fail_after(SIZE_MAX);
    assert_true(error == 0 || error == WT_ERR_NOMEM);
    if (error && server) assert_string_not_equal(wt_server_error(server), "");
    wt_server_free(server);
    assert_int_equal(wt__mem_live(), live);
  }
  assert_true(failures > 5);
  wt_certificate_free(certificate);
}

static void test_server_calls_check_for_null(void **state) {
  (void)state;
  char address[64];
  struct wt_server_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_new(NULL, NULL, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_server_start(NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_run(NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_get_address(NULL, 0, address, sizeof(address)), WT_ERR_INVALID);
  assert_int_equal(wt_server_get_stats(NULL, &stats), WT_ERR_INVALID);
  assert_string_equal(wt_server_error(NULL), "");
  wt_server_shutdown(NULL, 0);
  wt_server_close(NULL);

  wt_server *server = server_new(loopback_v4, 1, NULL);
  assert_int_equal(wt_server_handle(server, "nothing", NULL, NULL), WT_ERR_INVALID);
  assert_string_equal(wt_server_error(server), "pattern \"nothing\" does not begin with '/'");
  assert_int_equal(wt_server_handle(server, "/", NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_handle_files(server, "/files", "."), WT_ERR_INVALID);
  assert_int_equal(wt_server_add_certificate(server, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_set_certificates(server, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_server_post(server, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_get_stats(server, &stats), 0);
  stats.size = 8;
  assert_int_equal(wt_server_get_stats(server, &stats), WT_ERR_INVALID);
  wt_server_free(server);
}

/* --- End --- */

static void test_server_shutdown_ends_run(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  wt_server *server = server_started();
  wt_server_shutdown(server, 60000); /* nothing is open: it need not wait */
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(wt_server_start(server), WT_ERR_STATE);
  wt_server_free(server);
  assert_int_equal(wt__mem_live(), live);
}

static void test_server_shutdown_before_start_counts(void **state) {
  (void)state;
  wt_server *server = server_new(loopback_v4, 1, NULL);
  wt_server_shutdown(server, 0);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_run(server), 0);
  wt_server_free(server);
}

static void on_idle(uv_idle_t *idle) { (void)idle; }

/* Also if the loop has looked for what is asked, and there was no server yet to do it. */
static void test_server_close_before_start_outlives_turns_of_the_loop(void **state) {
  (void)state;
  uv_loop_t loop;
  uv_idle_t idle;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(uv_idle_init(&loop, &idle), 0);
  assert_int_equal(uv_idle_start(&idle, on_idle), 0);
  wt_server *server = server_new(loopback_v4, 1, &loop);
  wt_server_close(server);
  for (int i = 0; i < 3; i++) uv_run(&loop, UV_RUN_NOWAIT);
  uv_close((uv_handle_t *)&idle, NULL);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_run(server), 0);
  wt_server_free(server);
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_server_free_while_running(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  wt_server_free(server_started());
  assert_int_equal(wt__mem_live(), live);
}

static void *close_from_thread(void *argument) {
  wt_server_close(argument);
  return NULL;
}

static void test_server_close_from_another_thread(void **state) {
  (void)state;
  pthread_t thread;
  wt_server *server = server_started();
  assert_int_equal(pthread_create(&thread, NULL, close_from_thread, server), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  wt_server_free(server);
}

static wt_server *signalled;

static void close_from_signal(int number) {
  (void)number;
  wt_server_close(signalled);
}

static void raise_signal(wt_server *server, void *argument) {
  (void)server;
  (void)argument;
  raise(SIGUSR1);
}

static void test_server_close_from_a_signal_handler(void **state) {
  (void)state;
  struct sigaction action = {.sa_handler = close_from_signal}, before;
  signalled = server_started();
  assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
  assert_int_equal(wt_server_post(signalled, raise_signal, NULL), 0);
  assert_int_equal(wt_server_run(signalled), 0);
  assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
  wt_server_free(signalled);
}

/* --- Posts --- */

struct order {
  int next;
  bool in_order;
};

struct numbered {
  struct order *order;
  int number;
};

static void note_order(wt_server *server, void *argument) {
  struct numbered *numbered = argument;
  (void)server;
  if (numbered->number != numbered->order->next++) numbered->order->in_order = false;
}

static void close_server(wt_server *server, void *argument) {
  (void)argument;
  wt_server_close(server);
}

#define POSTS 1000

struct poster {
  wt_server *server;
  struct numbered *numbered;
};

static void *post_from_thread(void *argument) {
  struct poster *poster = argument;
  for (int i = 0; i < POSTS; i++) {
    if (wt_server_post(poster->server, note_order, &poster->numbered[i])) return "a post failed";
  }
  return wt_server_post(poster->server, close_server, NULL) ? "the last post failed" : NULL;
}

static void test_server_posts_of_a_thread_come_in_order(void **state) {
  (void)state;
  static struct numbered numbered[POSTS];
  struct order order = {.in_order = true};
  pthread_t thread;
  void *failure;
  for (int i = 0; i < POSTS; i++) numbered[i] = (struct numbered){.order = &order, .number = i};
  wt_server *server = server_started();
  struct poster poster = {.server = server, .numbered = numbered};
  assert_int_equal(pthread_create(&thread, NULL, post_from_thread, &poster), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(pthread_join(thread, &failure), 0);
  assert_null(failure);
  assert_int_equal(order.next, POSTS);
  assert_true(order.in_order);
  wt_server_free(server);
}

static void test_server_free_makes_the_calls_that_wait(void **state) {
  (void)state;
  struct order order = {.in_order = true};
  struct numbered numbered[2] = {{&order, 0}, {&order, 1}};
  wt_server *server = server_new(loopback_v4, 1, NULL);
  assert_int_equal(wt_server_post(server, note_order, &numbered[0]), 0);
  assert_int_equal(wt_server_post(server, note_order, &numbered[1]), 0);
  assert_int_equal(order.next, 0);
  wt_server_free(server);
  assert_int_equal(order.next, 2);
  assert_true(order.in_order);
}

static void free_server(wt_server *server, void *argument) {
  (void)argument;
  wt_server_free(server);
}

static void test_server_free_inside_a_callback_waits_for_run(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  wt_server *server = server_started();
  assert_int_equal(wt_server_post(server, free_server, NULL), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(wt__mem_live(), live);
}

static void run_again(wt_server *server, void *argument) {
  *(int *)argument = wt_server_run(server);
  wt_server_close(server);
}

static void test_server_run_inside_run_is_refused(void **state) {
  (void)state;
  int result = 0;
  wt_server *server = server_started();
  assert_int_equal(wt_server_post(server, run_again, &result), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(result, WT_ERR_STATE);
  wt_server_free(server);
}

/* --- A caller's loop --- */

static void test_server_leaves_a_callers_loop_clean(void **state) {
  (void)state;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  wt_server *server = server_new(loopback_v4, 1, &loop);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_post(server, close_server, NULL), 0);
  /* Returns by itself once the server has ended: nothing of it keeps the loop alive. */
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  wt_server_free(server);
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_server_free_cleans_a_callers_loop(void **state) {
  (void)state;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  wt_server *unstarted = server_new(loopback_v4, 1, &loop);
  wt_server *running = server_new(loopback_v4, 1, &loop);
  assert_int_equal(wt_server_start(running), 0);
  wt_server_free(unstarted);
  wt_server_free(running);
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_servers_share_a_loop(void **state) {
  (void)state;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  wt_server *first = server_new(loopback_v4, 1, &loop);
  wt_server *second = server_new(loopback_v4, 1, &loop);
  assert_int_equal(wt_server_start(first), 0);
  assert_int_equal(wt_server_start(second), 0);
  wt_server_shutdown(first, 1000);
  assert_int_equal(wt_server_run(first), 0);
  wt_server_close(second);
  assert_int_equal(wt_server_run(second), 0);
  wt_server_free(first);
  wt_server_free(second);
  assert_int_equal(uv_loop_close(&loop), 0);
}

#define HELD_NS UINT64_C(20000000)

/* An application that does not let go of the loop for a while. */
static void hold_loop(wt_server *server, void *argument) {
  uint64_t until = uv_hrtime() + HELD_NS;
  (void)argument;
  while (uv_hrtime() < until) continue;
  assert_int_equal(wt_server_post(server, close_server, NULL), 0); /* in another turn */
}

static void test_server_stats_tell_of_a_turn_that_took_long(void **state) {
  struct wt_server_stats stats = {.size = sizeof(stats)};
  (void)state;
  wt_server *server = server_started();
  assert_int_equal(wt_server_get_stats(server, &stats), 0);
  assert_int_equal(stats.long_turns, 0);
  assert_int_equal(wt_server_post(server, hold_loop, NULL), 0);
  assert_int_equal(wt_server_run(server), 0);
  assert_int_equal(wt_server_get_stats(server, &stats), 0);
  assert_true(stats.longest_turn_us >= HELD_NS / 1000);
  assert_true(stats.long_turns >= 1);
  assert_true(stats.turns >= 1);
  assert_int_equal(stats.turns_idle, stats.turns); /* no packet ever came */
  assert_int_equal(stats.packets_put_off, 0);      /* no connection had a part in it */
  assert_int_equal(stats.packets_cut_off, 0);
  wt_server_free(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_server_start_tells_its_addresses),
      cmocka_unit_test(test_server_localhost_is_one_port_on_both_families),
      cmocka_unit_test(test_server_start_on_a_given_socket),
      cmocka_unit_test(test_server_start_names_the_given_socket_that_is_wrong),
      cmocka_unit_test(test_server_start_names_the_port_that_is_taken),
      cmocka_unit_test(test_server_start_names_the_address_that_is_wrong),
      cmocka_unit_test(test_server_start_needs_a_certificate_and_happens_once),
      cmocka_unit_test(test_server_listen_and_serve_tls_names_the_missing_file),
      cmocka_unit_test(test_server_new_logs_the_wrong_bound),
      cmocka_unit_test(test_server_free_without_start),
      cmocka_unit_test(test_server_survives_each_failed_allocation),
      cmocka_unit_test(test_server_calls_check_for_null),
      cmocka_unit_test(test_server_shutdown_ends_run),
      cmocka_unit_test(test_server_shutdown_before_start_counts),
      cmocka_unit_test(test_server_close_before_start_outlives_turns_of_the_loop),
      cmocka_unit_test(test_server_free_while_running),
      cmocka_unit_test(test_server_close_from_another_thread),
      cmocka_unit_test(test_server_close_from_a_signal_handler),
      cmocka_unit_test(test_server_posts_of_a_thread_come_in_order),
      cmocka_unit_test(test_server_free_makes_the_calls_that_wait),
      cmocka_unit_test(test_server_free_inside_a_callback_waits_for_run),
      cmocka_unit_test(test_server_run_inside_run_is_refused),
      cmocka_unit_test(test_server_leaves_a_callers_loop_clean),
      cmocka_unit_test(test_server_free_cleans_a_callers_loop),
      cmocka_unit_test(test_servers_share_a_loop),
      cmocka_unit_test(test_server_stats_tell_of_a_turn_that_took_long),
  };
  return cmocka_run_group_tests_name("server_lifecycle", tests, NULL, NULL);
}
