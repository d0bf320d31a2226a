/* SPDX-License-Identifier: MIT */
/*
 * Files as bodies of answers, and clients that ask for many of them and take none: what that costs in memory and in
 * descriptors, and what others get meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h3/files.h"
#include "world.h"

#define KIB 1024
#define BIG (300 * KIB)
#define PEERS 4
#define GETS 60

struct files {
  struct world world; /* its peer takes what it is sent */
  struct peer *slow[PEERS];
  char folder[80], big[100];
  char log[512]; /* the last line */
  unsigned lines;
};

static void on_log(enum wt_log_level level, const char *message, void *user_data) {
  struct files *f = user_data;
  (void)level;
  f->lines++;
  snprintf(f->log, sizeof(f->log), "%s", message);
}

static void file_write(const char *path, size_t len, uint64_t seed) {
  uint8_t *data = pattern_new(len, seed);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, len), (ssize_t)len);
  close(fd);
  free(data);
}

static void files_init(struct files *f) {
  struct world *w = &f->world;
  memset(f, 0, sizeof(*f));
  snprintf(f->folder, sizeof(f->folder), "%s/loopback-bodies-XXXXXX", P_tmpdir);
  assert_non_null(mkdtemp(f->folder));
  snprintf(f->big, sizeof(f->big), "%s/big", f->folder);
  file_write(f->big, BIG, 7);
  world_init(w, 1);
  w->server.log = (struct wt__log){.level = WT_LOG_WARN, .function = on_log, .user_data = f};
  assert_int_equal(wt__files_route(&w->server.routes, "/", f->folder), 0);
}

static void files_free(struct files *f) {
  for (size_t i = 0; i < PEERS && f->slow[i]; i++) peer_free(f->slow[i]);
  world_free(&f->world);
  assert_int_equal(unlink(f->big), 0);
  assert_int_equal(rmdir(f->folder), 0);
}

/* What the C library has handed out, whoever counts it. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void) {
  return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

static size_t descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  size_t count = 0;
  assert_non_null(folder);
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

/* Peers whose answers may have `window` bytes, and that ask for the file again and again. */
static void files_ask(struct files *f, size_t peers, size_t gets, uint64_t window) {
  struct sockaddr_in to = server_address();
  struct peer_options options = f->world.options;
  options.hold = true;
  options.max_stream_data = window;
  for (size_t i = 0; i < peers; i++) {
    options.address = 2 + (unsigned)i;
    f->slow[i] = peer_new(&f->world.net, &to, &options);
    NET_UNTIL(&f->world.net, 5000, f->slow[i]->handshake_confirmed);
    for (size_t n = 0; n < gets; n++) assert_true(http_request(f->slow[i], "GET", "/big", NULL, true) >= 0);
    net_run_for(&f->world.net, 500);
  }
}

static void check_get(struct files *f) {
  struct world *w = &f->world;
  struct response response;
  int64_t id = http_request(w->peer, "GET", "/big", NULL, true);
  NET_UNTIL(&w->net, 20000, peer_stream(w->peer, id)->fin);
  http_response(w->peer, id, &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body_len, BIG);
  assert_true(pattern_matches(response.body, BIG, 0, 7));
  response_free(&response);
}

/* --- Memory --- */

static void test_files_of_those_who_take_nothing_are_not_read(void **state) {
  (void)state;
  static const uint64_t windows[] = {0, 10, 500};
  for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
    struct files f;
    files_init(&f);
    world_start(&f.world);
    size_t before = allocated();
    files_ask(&f, PEERS, GETS, windows[i]);
    assert_int_equal(f.world.server.counters.requests_total, PEERS * GETS);
    /* Records of both ends; a piece of the file for each would be 15 MiB. */
    assert_in_range(allocated() - before, 0, 6 * KIB * KIB);
    check_get(&f);
    files_free(&f);
  }
}

/* The connection's window is closed, those of its streams are not. */
static void test_files_wait_for_the_window_of_the_connection(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  f.world.options.hold = true;
  f.world.options.max_stream_data = 4 * BIG;
  f.world.options.max_data = 4000;
  world_start(&f.world);
  struct world *w = &f.world;
  int64_t ids[GETS];
  size_t before = allocated();
  for (size_t i = 0; i < GETS; i++) ids[i] = http_request(w->peer, "GET", "/big", NULL, true);
  net_run_for(&w->net, 1000);
  assert_in_range(allocated() - before, 0, KIB * KIB);
  /* It opens bit by bit; all of every file arrives. */
  for (int i = 0; i < 20000 && !peer_stream(w->peer, ids[GETS - 1])->fin; i++) {
    ngtcp2_conn_extend_max_offset(w->peer->conn, 64 * KIB);
    peer_flush(w->peer);
    net_run_for(&w->net, 5);
  }
  for (size_t i = 0; i < GETS; i++) {
    struct response response;
    NET_UNTIL(&w->net, 5000, peer_stream(w->peer, ids[i])->fin);
    http_response(w->peer, ids[i], &response);
    assert_int_equal(response.body_len, BIG);
    assert_true(pattern_matches(response.body, BIG, 0, 7));
    response_free(&response);
  }
  files_free(&f);
}

/* Incremental requests take turns: each has its packet, and none more of its file in memory than that needs. */
static void test_files_of_many_turns_are_read_in_small_pieces(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  f.world.options.max_stream_data = 4 * BIG;
  f.world.options.max_data = 1 << 30;
  f.world.options.frugal = true;
  world_start(&f.world);
  struct world *w = &f.world;
  static const struct field incremental[] = {{"priority", "i"}, {NULL, NULL}};
  size_t before = allocated(), most = 0;
  int64_t id = 0;
  for (size_t i = 0; i < GETS; i++) id = http_request(w->peer, "GET", "/big", incremental, true);
  for (int i = 0; i < 120; i++) {
    net_run_for(&w->net, 1);
    size_t now = allocated() - before;
    if (now > most) most = now;
  }
  assert_in_range(most, 0, 1792 * KIB); /* with a whole piece for each: 2.6 MiB and more */
  assert_int_equal(w->server.counters.requests_total, GETS);
  NET_UNTIL(&w->net, 60000, peer_stream(w->peer, id) == NULL); /* all of it came: a frugal peer forgets it */
  files_free(&f);
}

static size_t memory_used(const struct files *f) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(f->world.server.endpoint, &stats);
  return (size_t)stats.memory_used;
}

/* What was read and is not acknowledged counts, like what was copied of an application's bytes. */
static void test_files_count_as_memory(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  world_start(&f.world);
  struct world *w = &f.world;
  net_run_for(&w->net, 100);
  size_t before = memory_used(&f);
  http_request(w->peer, "GET", "/big", NULL, true);
  w->peer->silent = true;
  net_run_for(&w->net, 500);
  assert_in_range(memory_used(&f) - before, 64 * KIB, 80 * KIB);
  files_free(&f);
}

/* --- Descriptors --- */

static void test_files_of_those_who_take_nothing_keep_few_descriptors(void **state) {
  (void)state;
  static const uint64_t windows[] = {0, 500};
  for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
    struct files f;
    files_init(&f);
    f.world.server.config.h3.max_open_files_per_connection = 8;
    world_start(&f.world);
    size_t before = descriptors();
    files_ask(&f, PEERS, GETS, windows[i]);
    assert_in_range(descriptors() - before, 0, PEERS * 8);
    f.world.server.open_files.max = 10;
    check_get(&f);
    assert_in_range(descriptors() - before, 0, 10);
    files_free(&f);
    assert_in_range(descriptors(), 0, before);
  }
}

/* A file that was closed to make room is opened again and goes on where it was. */
static void test_files_are_opened_again(void **state) {
  (void)state;
  for (size_t max = 0; max < 3; max++) {
    struct files f;
    files_init(&f);
    f.world.server.open_files.max = max;
    world_start(&f.world);
    files_ask(&f, 1, 5, 1000);
    struct peer *peer = f.slow[0];
    for (int64_t id = 0; id < 20; id += 4) {
      for (int i = 0; i < 2000 && !peer_stream(peer, id)->fin; i++) {
        peer_consume(peer, id);
        net_run_for(&f.world.net, 25);
      }
    }
    for (int64_t id = 0; id < 20; id += 4) {
      struct response response;
      assert_true(peer_stream(peer, id)->fin);
      http_response(peer, id, &response);
      assert_int_equal(response.body_len, BIG);
      assert_true(pattern_matches(response.body, BIG, 0, 7));
      response_free(&response);
    }
    assert_int_equal(f.lines, 0);
    files_free(&f);
  }
}

static void test_files_that_were_replaced_are_not_mixed(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  f.world.server.open_files.max = 1;
  world_start(&f.world);
  files_ask(&f, 1, 2, 1000); /* the second has the descriptor */
  assert_int_equal(unlink(f.big), 0);
  file_write(f.big, BIG, 8);
  peer_consume(f.slow[0], 0);
  NET_UNTIL(&f.world.net, 1000, peer_stream(f.slow[0], 0)->reset);
  assert_int_equal(peer_stream(f.slow[0], 0)->reset_code, WT__H3_INTERNAL_ERROR);
  assert_non_null(strstr(f.log, strerror(ESTALE)));
  /* The other one is sent as it was. */
  for (int i = 0; i < 2000 && !peer_stream(f.slow[0], 4)->fin; i++) {
    peer_consume(f.slow[0], 4);
    net_run_for(&f.world.net, 25);
  }
  struct response response;
  http_response(f.slow[0], 4, &response);
  assert_true(pattern_matches(response.body, BIG, 0, 7));
  response_free(&response);
  files_free(&f);
}

/* Takes all descriptors that are left, of no more than 1,024. Returns how many. */
static size_t descriptors_take(int *taken, rlim_t *before) {
  struct rlimit limit;
  size_t count = 0;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  *before = limit.rlim_cur;
  limit.rlim_cur = 1024;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  while ((taken[count] = dup(0)) >= 0) count++;
  assert_int_equal(errno, EMFILE);
  return count;
}

static void descriptors_give(const int *taken, size_t count, rlim_t before) {
  struct rlimit limit;
  while (count > 0) close(taken[--count]);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = before;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_files_without_descriptors_are_not_absent(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  world_start(&f.world);
  struct world *w = &f.world;
  int taken[1025];
  rlim_t before;
  size_t count = descriptors_take(taken, &before);
  for (int i = 0; i < 120; i++) {
    struct response response;
    char value[32] = "";
    int64_t id = http_request(w->peer, i % 2 ? "GET" : "HEAD", "/big", NULL, true);
    NET_UNTIL(&w->net, 5000, peer_stream(w->peer, id)->fin);
    http_response(w->peer, id, &response);
    assert_int_equal(response.status, 503);
    assert_true(response_field(&response, "retry-after", value, sizeof(value)));
    assert_true(response_field(&response, "cache-control", value, sizeof(value)));
    assert_string_equal(value, "no-store");
    response_free(&response);
  }
  descriptors_give(taken, count, before);
  assert_non_null(strstr(f.log, strerror(EMFILE)));
  assert_in_range(f.lines, 1, 20);
  check_get(&f);
  files_free(&f);
}

/* Those who hold descriptors and do not use them give way. */
static void test_files_take_descriptors_from_those_who_wait(void **state) {
  (void)state;
  struct files f;
  files_init(&f);
  world_start(&f.world);
  files_ask(&f, 2, 30, 100);
  int taken[1025];
  rlim_t before;
  size_t count = descriptors_take(taken, &before);
  for (int i = 0; i < 5; i++) check_get(&f);
  descriptors_give(taken, count, before);
  assert_int_equal(f.lines, 0);
  files_free(&f);
}

/* Descriptor 0 is one like all others: a service may have been started without standard input. */
static void test_files_use_descriptor_zero(void **state) {
  (void)state;
  struct files f;
  int input = dup(0);
  for (size_t max = 0; max < 2; max++) { /* opened for each piece, and kept */
    files_init(&f);
    f.world.server.open_files.max = max;
    world_start(&f.world);
    close(0);
    check_get(&f);
    assert_int_equal(fcntl(0, F_GETFD), -1); /* it was closed again */
    if (input >= 0) assert_int_equal(dup2(input, 0), 0);
    assert_int_equal(f.lines, 0);
    files_free(&f);
  }
  if (input >= 0) close(input);
}

static void check_absent(struct files *f, const char *path) {
  struct peer *peer = f->world.peer;
  int64_t id = http_request(peer, "GET", path, NULL, true);
  NET_UNTIL(&f->world.net, 5000, http_status(peer, id) == 404);
}

/* A file that the server may not read is a mistake of the operator's; one that is not there is none. */
static void test_files_that_may_not_be_read_are_logged(void **state) {
  (void)state;
  enum {
    NOBODY = 65534
  };
  struct files f;
  files_init(&f);
  world_start(&f.world);
  check_absent(&f, "/absent");
  check_absent(&f, "/big/below");
  assert_int_equal(f.lines, 0);
  assert_int_equal(chmod(f.folder, 0711), 0);
  assert_int_equal(chmod(f.big, 0), 0);
  bool root = geteuid() == 0; /* who may read all */
  if (root) assert_int_equal(seteuid(NOBODY), 0);
  check_absent(&f, "/big");
  if (root) assert_int_equal(seteuid(0), 0);
  assert_int_equal(f.lines, 1);
  assert_non_null(strstr(f.log, strerror(EACCES)));
  files_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_files_of_those_who_take_nothing_are_not_read),
      cmocka_unit_test(test_files_wait_for_the_window_of_the_connection),
      cmocka_unit_test(test_files_of_many_turns_are_read_in_small_pieces),
      cmocka_unit_test(test_files_count_as_memory),
      cmocka_unit_test(test_files_of_those_who_take_nothing_keep_few_descriptors),
      cmocka_unit_test(test_files_are_opened_again),
      cmocka_unit_test(test_files_that_were_replaced_are_not_mixed),
      cmocka_unit_test(test_files_without_descriptors_are_not_absent),
      cmocka_unit_test(test_files_take_descriptors_from_those_who_wait),
      cmocka_unit_test(test_files_use_descriptor_zero),
      cmocka_unit_test(test_files_that_may_not_be_read_are_logged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
