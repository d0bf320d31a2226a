/* SPDX-License-Identifier: MIT */

/*
 * Server and client driven by poll(2), both on loops of their own, in one thread (wt_server_turn, wt_client_turn).
 *
 * Each gets a turn only when its descriptor is readable or the time that it named has passed: what it does not tell by
 * one of the two, it never does.
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"
#include "net/client_state.h"

#define DEADLINE_NS UINT64_C(30000000000)
#define QUIET_TURNS 100000 /* more than it takes until nothing is to be done at once */

/* One of those that are driven. */
struct driven {
  struct bed *bed;
  int (*fd)(struct bed *bed);
  int (*timeout)(struct bed *bed);
  int (*turn)(struct bed *bed);
  int result;     /* of the last turn */
  uint64_t until; /* 0: at once; UINT64_MAX: not by time */
};

static int server_fd(struct bed *bed) { return wt_server_fd(bed->server); }
static int server_timeout(struct bed *bed) { return wt_server_timeout_ms(bed->server); }
static int server_turn(struct bed *bed) { return wt_server_turn(bed->server); }
static int client_fd(struct bed *bed) { return wt_client_fd(bed->pair.client); }
static int client_timeout(struct bed *bed) { return wt_client_timeout_ms(bed->pair.client); }
static int client_turn(struct bed *bed) { return wt_client_turn(bed->pair.client); }

/* A bed, a program's own pipe, and all that it waits for. */
struct program {
  struct bed bed;
  int pipe[2];
  char line[64];
  struct driven driven[2]; /* the server, the client */
  uint64_t deadline;
};

static void driven_prepare(struct driven *driven, struct pollfd *entry, int *timeout) {
  int ms = driven->timeout(driven->bed);
  assert_true(ms >= -1);
  driven->until = ms < 0 ? UINT64_MAX : ms == 0 ? 0 : uv_hrtime() + (uint64_t)ms * 1000000;
  if (ms >= 0 && (*timeout < 0 || ms < *timeout)) *timeout = ms;
  *entry = (struct pollfd){.fd = driven->fd(driven->bed), .events = POLLIN};
  assert_true(entry->fd >= 0);
}

static void driven_turn(struct driven *driven, const struct pollfd *entry) {
  if (entry->revents || driven->until == 0 || (driven->until != UINT64_MAX && uv_hrtime() >= driven->until)) {
    driven->result = driven->turn(driven->bed);
    assert_true(driven->result >= 0);
  }
}

/* The program's loop, once. Never blocks with `timeout` 0. Whether anything was ready. */
static bool program_wait(struct program *program, int timeout) {
  struct pollfd entries[3] = {{.fd = program->pipe[0], .events = POLLIN}};
  assert_true(uv_hrtime() < program->deadline);
  for (int i = 0; i < 2; i++) driven_prepare(&program->driven[i], &entries[i + 1], &timeout);
  if (timeout < 0 || timeout > 1000) timeout = 1000; /* for the deadline of the test */
  bool ready = timeout == 0;
  if (poll(entries, 3, timeout) > 0) ready = true;
  if (entries[0].revents) {
    ssize_t len = read(program->pipe[0], program->line, sizeof(program->line) - 1);
    if (len > 0) program->bed.pair.stop = true;
  }
  for (int i = 0; i < 2; i++) driven_turn(&program->driven[i], &entries[i + 1]);
  return ready;
}

static void program_run(struct program *program) {
  program->bed.pair.stop = false;
  while (!program->bed.pair.stop) program_wait(program, -1);
}

/* Turns until nothing is to be done at once, for either. */
static void program_settle(struct program *program) {
  int left = QUIET_TURNS;
  bool ready = true;
  while (ready && --left > 0) {
    struct pollfd entries[2];
    int timeout = -1;
    for (int i = 0; i < 2; i++) driven_prepare(&program->driven[i], &entries[i], &timeout);
    ready = timeout == 0 || poll(entries, 2, 0) > 0;
    for (int i = 0; ready && i < 2; i++) driven_turn(&program->driven[i], &entries[i]);
  }
  assert_true(left > 0); /* it would take a core for nothing */
}

/* A name that a thread looks up. */
static int own_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **found) {
  assert_string_equal(host, "server.test");
  return getaddrinfo(hints->ai_family == AF_INET6 ? "::1" : "127.0.0.1", service, hints, found);
}

static void program_open(struct program *program, unsigned workers) {
  struct wt_server_config server;
  struct wt_client_config client;
  memset(program, 0, sizeof(*program));
  bed_config(&server, workers);
  bed_open(&program->bed, &server, false);
  pair_client_config(&program->bed.pair, &client);
  client.loop = NULL;
  pair_client(&program->bed.pair, &client);
  program->bed.pair.client->resolver.getaddrinfo = own_getaddrinfo;
  assert_int_equal(pipe(program->pipe), 0);
  program->driven[0] =
      (struct driven){.bed = &program->bed, .fd = server_fd, .timeout = server_timeout, .turn = server_turn};
  program->driven[1] =
      (struct driven){.bed = &program->bed, .fd = client_fd, .timeout = client_timeout, .turn = client_turn};
  program->deadline = uv_hrtime() + DEADLINE_NS;
}

static void program_close(struct program *program) {
  bed_close(&program->bed);
  close(program->pipe[0]);
  close(program->pipe[1]);
}

/* A session by name, whose first stream was echoed. */
static void program_dial(struct program *program, struct guest *guest, size_t *left) {
  char url[128];
  (void)snprintf(url, sizeof(url), "https://server.test:%u/session", program->bed.pair.port);
  *left = 1;
  memset(guest, 0, sizeof(*guest));
  guest_dial(guest, &program->bed, url, left, guest_on_done);
  while (*left > 0) program_run(program); /* the end of the dial stops it too */
  assert_int_equal(guest->dialed.error, 0);
  assert_true(guest->fin && !guest->wrong);
}

static bool is_readable(int fd) {
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, 0) == 1;
}

/* --- One loop for all --- */

static void test_turns_echo_streams_and_datagrams(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, 1);
  program_dial(&program, &guest, &left);
  left = 1;
  assert_int_equal(wt_session_send_datagram(guest.dialed.session, "x", 1), 0);
  while (left > 0) program_run(&program);
  assert_int_equal(guest.heard, 1);
  program_close(&program);
}

/* The program's own descriptor in the same poll, and a call that follows from it. */
static void test_turns_beside_a_descriptor_of_the_program(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, 1);
  program_dial(&program, &guest, &left);
  program_settle(&program);
  assert_int_equal(write(program.pipe[1], "hello", 5), 5);
  while (!program.line[0]) program_run(&program);
  assert_string_equal(program.line, "hello");
  left = 1;
  guest_echo(&guest);
  while (left > 0) program_run(&program);
  assert_true(guest.fin && !guest.wrong);
  program_close(&program);
}

/* What is called between turns is told by the timeout: nobody else would. */
static void test_turns_are_due_after_a_call(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, 1);
  program_dial(&program, &guest, &left);
  program_settle(&program);
  assert_int_not_equal(wt_client_timeout_ms(program.bed.pair.client), 0);
  assert_int_not_equal(wt_server_timeout_ms(program.bed.server), 0);

  guest_echo(&guest);
  assert_int_equal(wt_client_timeout_ms(program.bed.pair.client), 0);
  left = 1;
  while (left > 0) program_run(&program);

  program_settle(&program);
  wt_session *session = bed_session(&program.bed);
  assert_int_equal(wt_session_send_datagram(session, "heard", 5), 0);
  assert_int_equal(wt_server_timeout_ms(program.bed.server), 0);
  left = 1;
  while (left > 0) program_run(&program);
  assert_int_equal(guest.heard, 1);
  program_close(&program);
}

/* A client with nothing to do waits for nothing, and goes on when it has. */
static void test_turns_of_an_idle_client(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, 1);
  wt_client *client = program.bed.pair.client;
  assert_int_equal(wt_client_turn(client), 1);
  assert_int_equal(wt_client_timeout_ms(client), -1);
  assert_false(is_readable(wt_client_fd(client)));
  program_dial(&program, &guest, &left);
  assert_int_equal(wt_session_close(guest.dialed.session, 0, NULL, 0), 0);
  while (wt_client_turn(client) == 0) program_wait(&program, -1);
  program_settle(&program); /* only the connection's draining period is still to pass */
  assert_int_not_equal(wt_client_timeout_ms(client), 0);
  program_close(&program);
}

/* A dial alone makes the client due; nothing has been turned before. */
static void test_turns_begin_with_a_dial(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left = 1;
  program_open(&program, 1);
  wt_client *client = program.bed.pair.client;
  (void)wt_client_turn(client);
  memset(&guest, 0, sizeof(guest));
  guest_dial(&guest, &program.bed, program.bed.pair.url, &left, guest_on_done);
  assert_int_equal(wt_client_timeout_ms(client), 0);
  while (left > 0) program_run(&program);
  assert_int_equal(guest.dialed.error, 0);
  program_close(&program);
}

/* The time that a dial may take is up, though nothing comes. */
static void test_turns_come_to_the_end_of_a_timeout(void **state) {
  (void)state;
  struct program program;
  struct dialed dialed;
  struct wt_dial_options options;
  program_open(&program, 1);
  dialed_options(&dialed, &program.bed.pair, &options);
  options.timeout_ms = 50;
  program.driven[0] = program.driven[1]; /* the server gets no turn, so nobody answers */
  assert_int_equal(wt_client_dial(program.bed.pair.client, program.bed.pair.url, &options, &dialed.dial), 0);
  while (!dialed.calls) program_wait(&program, -1);
  assert_int_equal(dialed.error, WT_ERR_TIMEOUT);
  program_close(&program);
}

/* --- Calls from elsewhere --- */

static void note_server_post(wt_server *server, void *argument) {
  (void)server;
  ++*(int *)argument;
}

static void note_client_post(wt_client *client, void *argument) {
  (void)client;
  ++*(int *)argument;
}

static void test_turns_are_due_after_a_post(void **state) {
  (void)state;
  struct program program;
  int calls = 0;
  program_open(&program, 1);
  program_settle(&program);
  assert_false(is_readable(wt_server_fd(program.bed.server)));
  assert_int_equal(wt_server_post(program.bed.server, note_server_post, &calls), 0);
  assert_int_equal(wt_client_post(program.bed.pair.client, note_client_post, &calls), 0);
  assert_true(is_readable(wt_server_fd(program.bed.server)));
  assert_true(is_readable(wt_client_fd(program.bed.pair.client)));
  assert_int_equal(wt_server_turn(program.bed.server), 0);
  assert_int_equal(calls, 1);
  assert_int_equal(wt_client_turn(program.bed.pair.client), 1);
  assert_int_equal(calls, 2);
  program_close(&program);
}

static void ask_again(wt_server *server, void *argument) {
  int *results = argument;
  results[0] = wt_server_turn(server);
  results[1] = wt_server_run(server);
}

static void test_turns_are_not_for_callbacks(void **state) {
  (void)state;
  struct program program;
  int results[2] = {0};
  program_open(&program, 1);
  assert_int_equal(wt_server_post(program.bed.server, ask_again, results), 0);
  assert_int_equal(wt_server_turn(program.bed.server), 0);
  assert_int_equal(results[0], WT_ERR_STATE);
  assert_int_equal(results[1], WT_ERR_STATE);
  program_close(&program);
}

/* --- The end --- */

static void check_shutdown(unsigned workers) {
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, workers);
  program_dial(&program, &guest, &left);
  program_settle(&program);
  wt_server_shutdown(program.bed.server, 400);
  assert_true(is_readable(wt_server_fd(program.bed.server)));
  while (program.driven[0].result == 0) program_wait(&program, -1);
  assert_int_equal(wt_server_turn(program.bed.server), 1); /* nothing more, and no harm */
  assert_int_equal(wt_server_timeout_ms(program.bed.server), -1);
  while (!guest.dialed.closes) assert_true(wt_client_turn(program.bed.pair.client) >= 0);
  assert_true(guest.dialed.close.clean);
  program_close(&program);
}

static void test_turns_of_a_shutdown(void **state) {
  (void)state;
  check_shutdown(1);
}

/* Worker 0 is driven by the program; the end of the others wakes it. */
static void test_turns_of_worker_0(void **state) {
  (void)state;
  check_shutdown(2);
}

static void free_server(wt_server *server, void *argument) {
  struct program *program = argument;
  program->bed.server = NULL;
  wt_server_free(server);
}

static void free_client(wt_client *client, void *argument) {
  struct program *program = argument;
  program->bed.pair.client = NULL;
  wt_client_free(client);
}

/* What is freed in a callback is gone when the turn returns. */
static void test_turns_end_by_a_free_in_a_callback(void **state) {
  (void)state;
  struct program program;
  struct guest guest;
  size_t left;
  program_open(&program, 1);
  program_dial(&program, &guest, &left);
  wt_server *server = program.bed.server;
  wt_client *client = program.bed.pair.client;
  assert_int_equal(wt_server_post(server, free_server, &program), 0);
  assert_int_equal(wt_server_turn(server), 1);
  assert_int_equal(wt_client_post(client, free_client, &program), 0);
  assert_int_equal(wt_client_turn(client), 1);
  assert_int_equal(guest.dialed.closes, 1);
  program_close(&program);
}

/* A copy of the process goes on with a descriptor of its own: what it takes from it, it takes from nobody else. */
static void test_turns_in_a_copy_of_the_process(void **state) {
  (void)state;
  struct program program;
  int calls = 0, status;
  program_open(&program, 1);
  program_settle(&program);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    alarm(60);
    bool good = wt_server_fd(program.bed.server) >= 0 && wt_server_turn(program.bed.server) == 0 &&
                wt_server_post(program.bed.server, note_server_post, &calls) == 0 &&
                is_readable(wt_server_fd(program.bed.server)) && wt_server_turn(program.bed.server) == 0 && calls == 1;
    good = good && wt_client_fd(program.bed.pair.client) >= 0 && wt_client_turn(program.bed.pair.client) == 1;
    _exit(good ? 0 : 1);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_false(is_readable(wt_server_fd(program.bed.server)));
  program_close(&program);
}

static void test_turns_need_an_own_loop_and_a_start(void **state) {
  (void)state;
  struct wt_server_config config;
  struct wt_client_config client_config;
  wt_server *server;
  wt_client *client;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  wt_server_config_default(&config);
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_true(wt_server_fd(server) >= 0);
  assert_int_equal(wt_server_timeout_ms(server), -1);
  assert_int_equal(wt_server_turn(server), WT_ERR_STATE);
  wt_server_free(server);

  config.loop = &loop;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_fd(server), WT_ERR_STATE);
  assert_int_equal(wt_server_timeout_ms(server), -1);
  assert_int_equal(wt_server_turn(server), WT_ERR_STATE);
  wt_server_free(server);

  wt_client_config_default(&client_config);
  client_config.loop = &loop;
  client_config.dangerously_accept_any_certificate = true;
  assert_int_equal(wt_client_new(&client_config, &client, NULL, 0), 0);
  assert_int_equal(wt_client_fd(client), WT_ERR_STATE);
  assert_int_equal(wt_client_timeout_ms(client), -1);
  assert_int_equal(wt_client_turn(client), WT_ERR_STATE);
  wt_client_free(client);
  assert_int_equal(wt_server_fd(NULL), WT_ERR_INVALID);
  assert_int_equal(wt_client_turn(NULL), WT_ERR_INVALID);
  while (uv_run(&loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_turns_echo_streams_and_datagrams),
      cmocka_unit_test(test_turns_beside_a_descriptor_of_the_program),
      cmocka_unit_test(test_turns_are_due_after_a_call),
      cmocka_unit_test(test_turns_of_an_idle_client),
      cmocka_unit_test(test_turns_begin_with_a_dial),
      cmocka_unit_test(test_turns_come_to_the_end_of_a_timeout),
      cmocka_unit_test(test_turns_are_due_after_a_post),
      cmocka_unit_test(test_turns_are_not_for_callbacks),
      cmocka_unit_test(test_turns_of_a_shutdown),
      cmocka_unit_test(test_turns_of_worker_0),
      cmocka_unit_test(test_turns_end_by_a_free_in_a_callback),
      cmocka_unit_test(test_turns_in_a_copy_of_the_process),
      cmocka_unit_test(test_turns_need_an_own_loop_and_a_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
