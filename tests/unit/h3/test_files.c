/* SPDX-License-Identifier: MIT */

/* src/h3/files.c, file_open.c, conditional.c: static files, and no way out of their folder. */

#include "h3_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h3/conditional.h"
#include "h3/file_open.h"
#include "h3/files.h"

#define BIG (300 * 1024 + 17)

static char root[128]; /* a folder of its own for each run; www is below it */
static char www[160];

static void file_write(const char *name, const void *data, size_t len) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", root, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, len), len);
  assert_int_equal(close(fd), 0);
}

static void folder_make(const char *name) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", root, name);
  assert_int_equal(mkdir(path, 0700), 0);
}

static void link_make(const char *target, const char *name) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", root, name);
  assert_int_equal(symlink(target, path), 0);
}

static uint8_t big_byte(size_t i) { return (uint8_t)(i * 31 + (i >> 8)); }

static int group_setup(void **state) {
  static uint8_t big[BIG];
  char secret[200];
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(root, sizeof(root), "%s/wt-test-files-XXXXXX", tmp ? tmp : P_tmpdir);
  if (mkdtemp(root) == NULL) return -1;
  snprintf(www, sizeof(www), "%s/www", root);
  for (size_t i = 0; i < BIG; i++) big[i] = big_byte(i);
  folder_make("www");
  folder_make("www/sub");
  folder_make("www2");
  file_write("secret.txt", "secret", 6);
  file_write("www2/secret.txt", "secret", 6);
  file_write("www/index.html", "<p>hi</p>", 9);
  file_write("www/a b.css", "0123456789", 10);
  file_write("www/sub/index.html", "sub", 3);
  file_write("www/empty", "", 0);
  file_write("www/big.bin", big, BIG);
  link_make("sub", "www/inside");
  link_make("../secret.txt", "www/outside");
  link_make("..", "www/up");
  snprintf(secret, sizeof(secret), "%s/secret.txt", root);
  link_make(secret, "www/absolute");
  snprintf(secret, sizeof(secret), "%s/fifo", www);
  return mkfifo(secret, 0600);
}

static int group_teardown(void **state) {
  char command[200];
  (void)state;
  snprintf(command, sizeof(command), "rm -r '%s'", root);
  return system(command);
}

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  assert_int_equal(wt__files_route(&f->routes, "/", www), 0);
  assert_int_equal(wt__files_route(&f->routes, "/s/", www), 0);
  h3_start(f);
  return f;
}

/* One request on a connection of its own. */
static struct h3_answer ask(const char *const *fields) {
  struct h3_fixture *f = started();
  struct h3_answer answer;
  h3_send_request(f, 0, fields, true);
  for (int i = 0; i < 100 && !f->streams[0].fin; i++) {
    h3_run(f);
    h3_ack(f, 0);
  }
  assert_true(f->streams[0].fin);
  answer = h3_answer(f, 0);
  h3_finish(f, 0);
  h3_free(f);
  return answer;
}

#define GET(path, ...) H3_FIELDS(H3_PLAIN("GET", path), ##__VA_ARGS__)

static void check(const char *const *fields, int status, const char *body, const char *line) {
  struct h3_answer answer = ask(fields);
  assert_int_equal(answer.status, status);
  if (body) {
    assert_int_equal(answer.body_len, strlen(body));
    assert_memory_equal(answer.body, body, strlen(body));
  }
  if (line && !h3_has_field(&answer, line)) fail_msg("no '%s' in\n%s", line, answer.fields);
  h3_answer_free(&answer);
}

static void test_files_media_types(void **state) {
  (void)state;
  assert_string_equal(wt__files_media_type("a.html"), "text/html; charset=utf-8");
  assert_string_equal(wt__files_media_type("dir.css/a.JS"), "text/javascript; charset=utf-8");
  assert_string_equal(wt__files_media_type("a.tar.wasm"), "application/wasm");
  assert_string_equal(wt__files_media_type("dir.css/a"), "application/octet-stream");
  assert_string_equal(wt__files_media_type("a."), "application/octet-stream");
  assert_string_equal(wt__files_media_type(""), "application/octet-stream");
}

static void test_files_serves(void **state) {
  (void)state;
  check(GET("/"), 200, "<p>hi</p>", "content-type: text/html; charset=utf-8");
  check(GET("/index.html?x=1"), 200, "<p>hi</p>", "content-length: 9");
  check(GET("/a%20b.css"), 200, "0123456789", "accept-ranges: bytes");
  check(GET("/s/sub/"), 200, "sub", NULL);
  check(GET("/inside/index.html"), 200, "sub", NULL);
  check(GET("/empty"), 200, "", "content-length: 0");
  check(H3_FIELDS(H3_PLAIN("HEAD", "/a%20b.css")), 200, "", "content-length: 10");
  check(H3_FIELDS(H3_PLAIN("POST", "/a%20b.css")), 405, NULL, "allow: GET, HEAD");
  check(H3_FIELDS(H3_PLAIN("DELETE", "/nothing")), 405, NULL, "allow: GET, HEAD");
}

static void test_files_redirects_folders(void **state) {
  (void)state;
  check(GET("/sub"), 301, NULL, "location: /sub/");
  check(GET("/s/sub?a=b"), 301, NULL, "location: /s/sub/?a=b");
  check(GET("//sub"), 301, NULL, "location: /sub/"); /* not "//sub/": that names a host */
}

static void test_files_no_way_out(void **state) {
  static const char *const paths[] = {"/../secret.txt",
                                      "/%2e%2e/secret.txt",
                                      "/sub/../../secret.txt",
                                      "/..%2fsecret.txt",
                                      "/outside",
                                      "/absolute",
                                      "/up/secret.txt",
                                      "/up/www2/secret.txt",
                                      "/fifo",
                                      "/nothing",
                                      "/sub//index.html",
                                      "/a%00b",
                                      "/%zz",
                                      "/index.html/",
                                      "/up"};
  struct stat info;
  (void)state;
  for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) check(GET(paths[i]), 404, "404 Not Found\n", NULL);
  /* The same without the kernel's help. */
  errno = 0;
  assert_int_equal(wt__file_open_below_compared(www, "outside", &info), -1);
  assert_int_equal(errno, EXDEV);
  assert_int_equal(wt__file_open_below_compared(www, "absolute", &info), -1);
  assert_int_equal(wt__file_open_below_compared(www, "up/secret.txt", &info), -1);
  assert_int_equal(wt__file_open_below_compared(www, "up/www2/secret.txt", &info), -1);
  assert_int_equal(wt__file_open_below_compared(www, "fifo", &info), -1);
  errno = 0;
  assert_int_equal(wt__file_open_below(www, "outside", &info), -1);
  assert_int_equal(errno, EXDEV);
  assert_int_equal(wt__file_open_below(www, "fifo", &info), -1);
  assert_int_equal(errno, ENOENT);
  assert_int_equal(wt__file_open_below("/nonexistent", "a", &info), -1);
  assert_int_equal(errno, ENOENT);
  int fd = wt__file_open_below_compared(www, "inside/index.html", &info);
  assert_true(fd >= 0);
  assert_int_equal(info.st_size, 3);
  close(fd);
}

/* A folder and a file in it so deep that its path has `len` bytes, the folder's included. Its name in the folder. */
static const char *deep_file(size_t len) {
  static char path[PATH_MAX];
  char real[PATH_MAX];
  size_t at;
  int folder = open(www, O_PATH | O_DIRECTORY), fd;
  assert_non_null(realpath(www, real));
  at = strlen(real) + 1;
  for (size_t used = 0; at < len;) {
    size_t left = len - at, n = left > 400 ? 200 : left > 200 ? left / 2 : left;
    memset(path + used, 'd', n);
    path[used + n] = '\0';
    if (n == left) {
      fd = openat(folder, path + used, O_WRONLY | O_CREAT, 0600);
    } else {
      (void)mkdirat(folder, path + used, 0700);
      fd = openat(folder, path + used, O_PATH | O_DIRECTORY);
      path[used + n] = '/';
    }
    assert_true(fd >= 0);
    close(folder);
    folder = fd;
    used += n + 1;
    at += n + 1;
  }
  close(folder);
  return path;
}

/* Where paths are compared, they have to fit. */
static void test_files_with_the_longest_path(void **state) {
  struct stat info;
  int fd;
  (void)state;
  fd = wt__file_open_below_compared(www, deep_file(PATH_MAX - 2), &info);
  assert_true(fd >= 0);
  close(fd);
  errno = 0;
  assert_int_equal(wt__file_open_below_compared(www, deep_file(PATH_MAX - 1), &info), -1);
  assert_int_equal(errno, ENAMETOOLONG);
}

static void test_files_big_in_pieces(void **state) {
  struct h3_fixture *f = started();
  struct h3_answer answer;
  (void)state;
  f->config.mux.max_stream_send_buffer = 64 * 1024;
  h3_get(f, 0, "/big.bin");
  h3_run(f);
  assert_true(f->streams[0].sent_len < 200 * 1024); /* the rest waits for acknowledgements */
  for (int i = 0; i < 100 && !f->streams[0].fin; i++) {
    h3_ack(f, 0);
    h3_run(f);
  }
  assert_true(f->streams[0].fin);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.body_len, BIG);
  for (size_t i = 0; i < BIG; i++) assert_int_equal(answer.body[i], big_byte(i));
  h3_answer_free(&answer);
  h3_finish(f, 0);
  h3_free(f);
}

static void test_files_that_shrink_are_reset(void **state) {
  struct h3_fixture *f = started();
  char path[200];
  (void)state;
  f->config.mux.max_stream_send_buffer = 64 * 1024;
  file_write("www/shrinks", root, 1);
  snprintf(path, sizeof(path), "%s/shrinks", www);
  assert_int_equal(truncate(path, 1000000), 0);
  h3_get(f, 0, "/shrinks");
  h3_run(f);
  assert_int_equal(truncate(path, 10), 0);
  h3_ack(f, 0);
  h3_run(f);
  h3_run(f);
  assert_int_equal(f->streams[0].reset_code, WT__H3_INTERNAL_ERROR);
  assert_false(f->closed);
  h3_free(f);
}

static void test_files_ranges(void **state) {
  struct h3_answer answer = ask(GET("/a%20b.css"));
  char etag[128];
  (void)state;
  const char *at = strstr(answer.fields, "etag: ");
  assert_non_null(at);
  snprintf(etag, sizeof(etag), "%.*s", (int)strcspn(at + 6, "\n"), at + 6);
  h3_answer_free(&answer);
  check(GET("/a%20b.css", "range", "bytes=2-4"), 206, "234", "content-range: bytes 2-4/10");
  check(GET("/a%20b.css", "range", "bytes=8-"), 206, "89", "content-length: 2");
  check(GET("/a%20b.css", "range", "bytes=-3"), 206, "789", "content-range: bytes 7-9/10");
  check(GET("/a%20b.css", "range", "bytes=10-"), 416, NULL, "content-range: bytes */10");
  check(GET("/a%20b.css", "range", "bytes=0-1,3-4"), 200, "0123456789", NULL);
  check(GET("/a%20b.css", "range", "bytes=2-4", "if-range", etag), 206, "234", NULL);
  check(GET("/a%20b.css", "range", "bytes=2-4", "if-range", "\"old\""), 200, "0123456789", NULL);
  check(H3_FIELDS(H3_PLAIN("HEAD", "/a%20b.css"), "range", "bytes=2-4"), 200, "", "content-length: 10");
  check(GET("/a%20b.css", "if-none-match", etag), 304, "", NULL);
  check(GET("/a%20b.css", "if-none-match", "\"x\", *"), 200, NULL, NULL);
  check(GET("/a%20b.css", "if-match", "\"x\""), 412, NULL, NULL);
  check(GET("/a%20b.css", "if-modified-since", "Sun, 06 Nov 2094 08:49:37 GMT"), 304, "", NULL);
  check(GET("/a%20b.css", "if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"), 200, NULL, NULL);
}

static int served;

static void serve_and_go_on(wt_request *request, void *user_data) {
  size_t written;
  (void)user_data;
  assert_int_equal(wt_request_serve_file(request, www, wt_request_path(request) + 1), 0);
  assert_int_equal(wt_request_write(request, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(wt_request_end(request), WT_ERR_STATE);
  served++;
}

static void test_files_are_whole_answers(void **state) {
  struct h3_fixture *f = h3_new();
  (void)state;
  served = 0;
  assert_int_equal(wt__routes_set(&f->routes, "/", serve_and_go_on, NULL, NULL), 0);
  h3_start(f);
  h3_send_request(f, 0, GET("/index.html"), true);
  h3_send_request(f, 4, GET("/empty"), true);
  h3_send_request(f, 8, H3_FIELDS(H3_PLAIN("HEAD", "/index.html")), true);
  h3_run(f);
  assert_int_equal(served, 3);
  h3_free(f);
}

/* --- Conditions by themselves --- */

static void test_files_dates(void **state) {
  char text[WT__HTTP_DATE_MAX];
  char path[200], line[100];
  struct stat info;
  time_t seconds = 0;
  (void)state;
  wt__http_date_write(text, 784111777);
  assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
  assert_true(wt__http_date_read(text, &seconds));
  assert_int_equal(seconds, 784111777);
  assert_false(wt__http_date_read("Sunday, 06-Nov-94 08:49:37 GMT", &seconds));
  assert_false(wt__http_date_read("Sun, 06 Xxx 1994 08:49:37 GMT", &seconds));
  assert_false(wt__http_date_read("Sun, 06 Nov 1994 28:49:37 GMT", &seconds));
  assert_false(wt__http_date_read("Sun, 06 Nov 1994 08:49:37 CET", &seconds));
  assert_false(wt__http_date_read("", &seconds));
  snprintf(path, sizeof(path), "%s/index.html", www);
  assert_int_equal(stat(path, &info), 0);
  wt__http_date_write(text, info.st_mtim.tv_sec);
  snprintf(line, sizeof(line), "last-modified: %s", text);
  check(GET("/index.html"), 200, "<p>hi</p>", line);
}

static int conditions(const struct wt__conditions *c) {
  struct wt__validators v;
  wt__validators_init(&v, 0x10, 784111777, 0x20);
  assert_string_equal(v.etag, "\"10-2ebc98a1-20\"");
  return wt__conditions_check(c, &v);
}

static void test_files_conditions(void **state) {
  static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT", before[] = "Sun, 06 Nov 1994 08:49:36 GMT";
  (void)state;
  assert_int_equal(conditions(&(struct wt__conditions){0}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_none_match = "*"}), 304);
  assert_int_equal(conditions(&(struct wt__conditions){.if_none_match = "\"a\", W/\"10-2ebc98a1-20\""}), 304);
  assert_int_equal(conditions(&(struct wt__conditions){.if_none_match = "\"10-2ebc98a1-20"}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_none_match = "\"a\"", .if_modified_since = date}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_modified_since = date}), 304);
  assert_int_equal(conditions(&(struct wt__conditions){.if_modified_since = before}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_modified_since = "soon"}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_unmodified_since = before}), 412);
  assert_int_equal(conditions(&(struct wt__conditions){.if_unmodified_since = date}), 200);
  assert_int_equal(conditions(&(struct wt__conditions){.if_match = "W/\"10-2ebc98a1-20\""}), 412); /* strong */
  assert_int_equal(conditions(&(struct wt__conditions){.if_match = "\"x\",\"10-2ebc98a1-20\""}), 200);
}

static void test_files_route_refuses(void **state) {
  struct wt__routes routes;
  (void)state;
  wt__routes_init(&routes);
  assert_int_equal(wt__files_route(&routes, "/static", www), WT_ERR_INVALID);
  assert_int_equal(wt__files_route(&routes, "static/", www), WT_ERR_INVALID);
  assert_int_equal(wt__files_route(&routes, NULL, www), WT_ERR_INVALID);
  assert_int_equal(wt__files_route(&routes, "/static/", NULL), WT_ERR_INVALID);
  wt__routes_free(&routes);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_files_media_types),
      cmocka_unit_test(test_files_serves),
      cmocka_unit_test(test_files_redirects_folders),
      cmocka_unit_test(test_files_no_way_out),
      cmocka_unit_test(test_files_with_the_longest_path),
      cmocka_unit_test(test_files_big_in_pieces),
      cmocka_unit_test(test_files_that_shrink_are_reset),
      cmocka_unit_test(test_files_ranges),
      cmocka_unit_test(test_files_are_whole_answers),
      cmocka_unit_test(test_files_dates),
      cmocka_unit_test(test_files_conditions),
      cmocka_unit_test(test_files_route_refuses),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
