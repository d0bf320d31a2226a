/* SPDX-License-Identifier: MIT */
/* Files that are replaced in the ways in which certificates are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <uv.h>

#include "common/file_watch.h"

enum {
  FOLDER_SIZE = 64,
  PATH_SIZE = 128
};

static char folder[FOLDER_SIZE];

static struct bed {
  uv_loop_t loop;
  struct file_watch *watch;
  unsigned changes;
} bed;

static char *in_folder(const char *name) {
  static char paths[4][PATH_SIZE]; /* for the next calls */
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, PATH_SIZE, "%s/%.*s", folder, PATH_SIZE - FOLDER_SIZE - 2, name);
  return path;
}

static void file_write(const char *name, const char *text) {
  FILE *file = fopen(in_folder(name), "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void on_change(void *user_data) {
  struct bed *own = user_data;
  own->changes++;
  uv_stop(&own->loop);
}

static void on_time(uv_timer_t *timer) { uv_stop(timer->loop); }

/* Runs until there was a change, or for `ms`. */
static void wait_for(uint64_t ms) {
  uv_timer_t timer;
  uv_timer_init(&bed.loop, &timer);
  uv_timer_start(&timer, on_time, ms, 0);
  uv_run(&bed.loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&timer, NULL);
  uv_run(&bed.loop, UV_RUN_NOWAIT);
}

static void check_changes(unsigned expected) {
  wait_for(20000);
  assert_int_equal(bed.changes, expected);
}

static int bed_begin(void **state) {
  (void)state;
  strcpy(folder, "/tmp/test_file_watch.XXXXXX");
  memset(&bed, 0, sizeof bed);
  return mkdtemp(folder) && !uv_loop_init(&bed.loop) ? 0 : -1;
}

static int bed_end(void **state) {
  char command[2 * PATH_SIZE];
  (void)state;
  file_watch_close(bed.watch);
  uv_run(&bed.loop, UV_RUN_DEFAULT);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return uv_loop_close(&bed.loop) || system(command) ? -1 : 0;
}

static void watch(const char *a, const char *b) {
  const char *const files[] = {a, NULL, b};
  bed.watch = file_watch_new(&bed.loop, files, 3, on_change, &bed);
  assert_non_null(bed.watch);
}

static void test_written_and_renamed_files_are_changes(void **state) {
  (void)state;
  char cert[PATH_SIZE], key[PATH_SIZE];
  strcpy(cert, in_folder("cert.pem"));
  strcpy(key, in_folder("key.pem"));
  file_write("cert.pem", "one");
  file_write("key.pem", "one");
  watch(cert, key);
  file_write("cert.pem", "other"); /* both at once are one change */
  file_write("key.pem", "other");
  check_changes(1);
  file_write("new", "third");
  assert_int_equal(rename(in_folder("new"), key), 0);
  check_changes(2);
  /* Gone is no change, and back is one. */
  assert_int_equal(unlink(cert), 0);
  file_write("cert.pem", "again");
  check_changes(3);
}

static void test_links_that_turn_are_changes(void **state) {
  (void)state;
  char cert[PATH_SIZE];
  /* As Kubernetes does it: the name is a link to ..data/cert.pem, and ..data one to a folder. */
  assert_int_equal(mkdir(in_folder("one"), 0700), 0);
  assert_int_equal(mkdir(in_folder("two"), 0700), 0);
  file_write("one/cert.pem", "one");
  file_write("two/cert.pem", "two");
  assert_int_equal(symlink("one", in_folder("..data")), 0);
  assert_int_equal(symlink("..data/cert.pem", in_folder("cert.pem")), 0);
  strcpy(cert, in_folder("cert.pem"));
  watch(cert, NULL);
  assert_int_equal(symlink("two", in_folder("..next")), 0);
  assert_int_equal(rename(in_folder("..next"), in_folder("..data")), 0);
  check_changes(1);
}

static void test_what_happens_in_other_folders_is_a_change(void **state) {
  (void)state;
  char cert[PATH_SIZE];
  /* The name is a link to a file of another folder, which is replaced there. */
  assert_int_equal(mkdir(in_folder("live"), 0700), 0);
  assert_int_equal(mkdir(in_folder("real"), 0700), 0);
  file_write("real/cert.pem", "one");
  assert_int_equal(symlink("../real/cert.pem", in_folder("live/cert.pem")), 0);
  strcpy(cert, in_folder("live/cert.pem"));
  watch(cert, NULL);
  file_write("real/new", "other");
  assert_int_equal(rename(in_folder("real/new"), in_folder("real/cert.pem")), 0);
  check_changes(1);
  /* The folder gives way to another one, twice. */
  assert_int_equal(rename(in_folder("live"), in_folder("old")), 0);
  wait_for(600);
  assert_int_equal(mkdir(in_folder("live"), 0700), 0);
  file_write("live/cert.pem", "third");
  check_changes(2);
  file_write("live/cert.pem", "fourth");
  check_changes(3);
}

static void test_other_rights_are_a_change(void **state) {
  (void)state;
  char key[PATH_SIZE];
  file_write("key.pem", "one");
  assert_int_equal(chmod(in_folder("key.pem"), 0), 0);
  strcpy(key, in_folder("key.pem"));
  watch(key, NULL);
  assert_int_equal(chmod(key, 0600), 0);
  check_changes(1);
}

static void test_other_files_are_no_changes(void **state) {
  (void)state;
  char cert[PATH_SIZE], missing[PATH_SIZE];
  file_write("cert.pem", "one");
  strcpy(cert, in_folder("cert.pem"));
  strcpy(missing, in_folder("missing"));
  watch(cert, missing);
  file_write("other", "1");
  wait_for(1500); /* two looks */
  assert_int_equal(bed.changes, 0);
  /* A file that was not there at first. */
  file_write("missing", "1");
  check_changes(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_written_and_renamed_files_are_changes, bed_begin, bed_end),
      cmocka_unit_test_setup_teardown(test_links_that_turn_are_changes, bed_begin, bed_end),
      cmocka_unit_test_setup_teardown(test_what_happens_in_other_folders_is_a_change, bed_begin, bed_end),
      cmocka_unit_test_setup_teardown(test_other_rights_are_a_change, bed_begin, bed_end),
      cmocka_unit_test_setup_teardown(test_other_files_are_no_changes, bed_begin, bed_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
