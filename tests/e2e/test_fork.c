/* SPDX-License-Identifier: MIT */

/* Copies of the process, as daemon() makes them, at each point between the making and the end (net/fork.c). */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"

#define CHILD_SECONDS 60 /* ends one that hangs */

/* AddressSanitizer's allocator is not made for a copy of a process with threads: a lock that another thread held stays
 * held, and the copy waits for ever. So the calling test is for the build without it. */
static void need_plain_allocator(void) {
#ifdef __SANITIZE_ADDRESS__
  skip();
#endif
}

static pid_t copy(void) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) alarm(CHILD_SECONDS);
  return pid;
}

/* Ends a child without what runs at the end of the test program. */
static void leave(bool good) { _exit(good ? 0 : 1); }

static int wait_child(pid_t pid) {
  int status;
  pid_t ended;
  do {
    ended = waitpid(pid, &status, 0);
  } while (ended < 0 && errno == EINTR);
  assert_int_equal(ended, pid);
  return status;
}

static void check_child(pid_t pid) {
  int status = wait_child(pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void kill_child(pid_t pid) {
  assert_int_equal(kill(pid, SIGKILL), 0);
  (void)wait_child(pid);
}

static void check_echo(struct bed *bed) {
  size_t left;
  pair_client(&bed->pair, NULL);
  struct guest *guests = guests_dial(bed, 1, &left);
  assert_int_equal(guests[0].dialed.error, 0);
  assert_true(guests[0].fin && !guests[0].wrong);
  wt_client_free(bed->pair.client); /* tells the guest */
  bed->pair.client = NULL;
  free(guests);
}

static void test_fork_after_the_start_with_one_worker(void **state) {
  struct bed bed;
  struct wt_server_config config;
  (void)state;
  need_plain_allocator();
  bed_config(&config, 1);
  bed_open(&bed, &config, false);
  pid_t pid = copy();
  if (pid == 0) leave(wt_server_run(bed.server) == 0);
  check_echo(&bed); /* by the copy: nothing runs the server here */
  kill_child(pid);
  bed_close(&bed);
}

static void test_fork_after_the_start_with_several_workers(void **state) {
  struct bed bed;
  struct wt_server_config config;
  (void)state;
  need_plain_allocator();
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  pid_t pid = copy();
  if (pid == 0) {
    bool good =
        wt_server_run(bed.server) == WT_ERR_STATE && strstr(wt_server_error(bed.server), "forked after the start");
    good = good && wt_server_run(bed.server) == WT_ERR_STATE;
    wt_server_free(bed.server); /* returns, though there are no threads to wait for */
    leave(good);
  }
  check_child(pid);
  bed_run(&bed); /* the original is as it was */
  check_echo(&bed);
  bed_close(&bed);
}

static void test_fork_before_the_start(void **state) {
  struct bed bed;
  struct wt_server_config config;
  int ready[2];
  char byte = 0;
  (void)state;
  need_plain_allocator();
  bed_config(&config, 2);
  bed_open(&bed, &config, false); /* for the client's half, and its certificate */
  wt_server *server;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_add_certificate(server, bed.certificate), 0);
  assert_int_equal(pipe(ready), 0);
  pid_t pid = copy();
  if (pid == 0) {
    bool good = wt_server_start(server) == 0 && write(ready[1], "", 1) == 1;
    wt_server_shutdown(server, 0);
    good = good && wt_server_run(server) == 0;
    wt_server_free(server);
    leave(good);
  }
  while (read(ready[0], &byte, 1) < 0 && errno == EINTR) continue;
  check_child(pid);
  close(ready[0]);
  close(ready[1]);
  wt_server_free(server);
  bed_close(&bed);
}

/* Another reason to fork: the copy frees what it does not need, and the original's sessions do not notice. */
static void test_fork_and_free(void **state) {
  struct bed bed;
  struct wt_server_config config;
  size_t left = 1;
  struct guest guest = {0};
  (void)state;
  need_plain_allocator();
  bed_config(&config, 1);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  guest_dial(&guest, &bed, bed.pair.url, &left, guest_on_done);
  pair_run(&bed.pair);
  pid_t pid = copy();
  if (pid == 0) {
    uv_loop_fork(&bed.pair.loop);
    wt_client_free(bed.pair.client);
    leave(true);
  }
  check_child(pid);
  left = 1;
  guest_echo(&guest);
  pair_run(&bed.pair);
  assert_true(guest.fin && !guest.wrong);
  assert_int_equal(guest.dialed.closes, 0);
  bed_close(&bed);
}

static int client_result = -1;

static void client_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)dial, (void)user_data;
  client_result = result->error;
  if (result->session) wt_session_close(result->session, 0, "", 0);
}

/* It dials, by a name, and the copy gets the session. */
static void test_fork_of_a_client(void **state) {
  struct bed bed;
  struct wt_server_config config;
  struct wt_client_config client_config;
  struct wt_dial_options options;
  wt_client *client;
  char url[64];
  (void)state;
  need_plain_allocator();
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client_config(&bed.pair, &client_config);
  client_config.loop = NULL;
  assert_int_equal(wt_client_new(&client_config, &client, NULL, 0), 0);
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = client_on_done};
  options.callbacks = &dial_callbacks;
  (void)snprintf(url, sizeof(url), "https://localhost:%u/session", bed.pair.port);
  wt_dial *dial;
  assert_int_equal(wt_client_dial(client, url, &options, &dial), 0);
  pid_t pid = copy();
  if (pid == 0) {
    bool good = wt_client_run(client) == 0 && client_result == 0;
    wt_client_free(client);
    leave(good);
  }
  check_child(pid);
  wt_client_free(client);
  bed_close(&bed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fork_after_the_start_with_one_worker),
      cmocka_unit_test(test_fork_after_the_start_with_several_workers),
      cmocka_unit_test(test_fork_before_the_start),
      cmocka_unit_test(test_fork_and_free),
      cmocka_unit_test(test_fork_of_a_client),
  };
  return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
