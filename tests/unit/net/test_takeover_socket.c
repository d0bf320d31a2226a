/* SPDX-License-Identifier: MIT */

/* The Unix sockets of a takeover (net/takeover_socket.c): who gets in, what is left in the file system, descriptors. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/takeover_socket.h"

static char folder[64], path[80], message[256];

static int folder_make(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof(folder), "/tmp/wt_takeover_XXXXXX");
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof(path), "%s/socket", folder);
  return 0;
}

static int folder_remove(void **state) {
  (void)state;
  return rmdir(folder);
}

static void listener_open(struct wt__takeover_listener *listener) {
  assert_int_equal(wt__takeover_listen(listener, path, message, sizeof(message)), 0);
  assert_int_equal(wt__takeover_publish(listener, message, sizeof(message)), 0);
}

static int accept_one(struct wt__takeover_listener *listener) {
  bool stranger;
  int fd = wt__takeover_accept(listener, &stranger);
  assert_true(fd >= 0 && !stranger);
  return fd;
}

static void test_socket_replaces_the_one_before(void **state) {
  (void)state;
  struct wt__takeover_listener old, new;
  struct stat info;
  int fd, other;
  bool stranger;
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), WT_ERR_NOT_FOUND);
  listener_open(&old);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  assert_int_equal(wt__takeover_listen(&new, path, message, sizeof(message)), 0);
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), 0); /* still the old one */
  other = accept_one(&old);
  assert_int_equal(wt__takeover_accept(&new, &stranger), -1);
  close(fd);
  close(other);
  assert_int_equal(wt__takeover_publish(&new, message, sizeof(message)), 0);
  wt__takeover_unlisten(&old); /* the file is not its own any more */
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), 0);
  close(accept_one(&new));
  close(fd);
  wt__takeover_unlisten(&new);
  wt__takeover_unlisten(&new);
  assert_int_equal(access(path, F_OK), -1);
}

static void test_socket_left_by_a_dead_process(void **state) {
  (void)state;
  struct wt__takeover_listener listener;
  int fd;
  listener_open(&listener);
  close(listener.fd);
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), WT_ERR_NOT_FOUND);
  listener_open(&listener);
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), 0);
  close(fd);
  wt__takeover_unlisten(&listener);
}

static void test_socket_is_no_other_file(void **state) {
  (void)state;
  struct wt__takeover_listener listener;
  char target[96];
  int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(wt__takeover_listen(&listener, path, message, sizeof(message)), WT_ERR_FILE);
  assert_non_null(strstr(message, "is not a socket"));
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), WT_ERR_FILE);
  unlink(path);
  assert_int_equal(wt__takeover_listen(&listener, path, message, sizeof(message)), 0);
  (void)snprintf(target, sizeof(target), "%s/elsewhere", folder);
  assert_int_equal(symlink(target, path), 0); /* meanwhile */
  assert_int_equal(wt__takeover_publish(&listener, message, sizeof(message)), WT_ERR_FILE);
  wt__takeover_unlisten(&listener);
  unlink(path);
  (void)snprintf(target, sizeof(target), "%s/no/socket", folder);
  assert_int_equal(wt__takeover_listen(&listener, target, message, sizeof(message)), WT_ERR_IO);
  assert_non_null(strstr(message, "no such file"));
}

/* Whether a process of another user gets in. */
static int connect_as(uid_t user) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    int fd, error = setuid(user) ? -1 : wt__takeover_connect(path, &fd, message, sizeof(message));
    _exit(error ? 1 : 0);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WEXITSTATUS(status);
}

static void test_socket_turns_other_users_away(void **state) {
  (void)state;
  struct wt__takeover_listener listener;
  bool stranger;
  if (geteuid() != 0) skip();
  listener_open(&listener);
  assert_int_equal(chmod(folder, 0755), 0);
  assert_int_equal(connect_as(65534), 1); /* for the file's mode */
  assert_int_equal(chmod(path, 0666), 0);
  assert_int_equal(connect_as(65534), 0); /* root listens: that is allowed; */
  assert_int_equal(wt__takeover_accept(&listener, &stranger), -1);
  assert_true(stranger); /* but not the other way */
  wt__takeover_unlisten(&listener);
  /* Somebody else listens at the path. */
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct wt__takeover_listener other;
    bool good = chmod(folder, 0777) == 0 && setuid(65534) == 0 &&
                wt__takeover_listen(&other, path, message, sizeof(message)) == 0 &&
                wt__takeover_publish(&other, message, sizeof(message)) == 0;
    if (good) pause();
    _exit(1);
  }
  int fd, error;
  do {
    error = wt__takeover_connect(path, &fd, message, sizeof(message));
  } while (error == WT_ERR_NOT_FOUND && waitpid(pid, NULL, WNOHANG) == 0);
  assert_int_equal(error, WT_ERR_FILE);
  assert_non_null(strstr(message, "another user"));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  unlink(path);
}

static void test_socket_carries_descriptors(void **state) {
  (void)state;
  int pair[2], fds[WT__TAKEOVER_FDS_MAX], got[WT__TAKEOVER_FDS_MAX], pipes[2];
  size_t count;
  char data[16];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  assert_int_equal(pipe(pipes), 0);
  for (size_t i = 0; i < WT__TAKEOVER_FDS_MAX; i++) fds[i] = pipes[1];
  assert_int_equal(wt__takeover_send(pair[0], "all", 3, fds, WT__TAKEOVER_FDS_MAX), 0);
  assert_int_equal(wt__takeover_send(pair[0], "none", 4, NULL, 0), 0);
  assert_int_equal(wt__takeover_send(pair[0], "too many", 8, fds, WT__TAKEOVER_FDS_MAX + 1), EINVAL);
  assert_int_equal(wt__takeover_recv(pair[1], data, sizeof(data), got, &count), 3);
  assert_int_equal(count, WT__TAKEOVER_FDS_MAX);
  for (size_t i = 0; i < count; i++) assert_int_equal(fcntl(got[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  wt__takeover_close_fds(got, count);
  assert_int_equal(wt__takeover_recv(pair[1], data, sizeof(data), got, &count), 4);
  assert_int_equal(count, 0);
  assert_int_equal(wt__takeover_recv(pair[1], data, sizeof(data), got, &count), -1);
  assert_int_equal(errno, EAGAIN);
  assert_int_equal(wt__takeover_send(pair[0], "longer than that", 16, fds, 1), 0);
  assert_int_equal(wt__takeover_recv(pair[1], data, 8, got, &count), -1); /* and its descriptor is closed */
  assert_int_equal(errno, EMSGSIZE);
  assert_int_equal(count, 0);
  close(pipes[1]);
  assert_int_equal(read(pipes[0], data, 1), 0); /* nobody has the other end any more */
  close(pipes[0]);
  close(pair[0]);
  assert_int_equal(wt__takeover_recv(pair[1], data, sizeof(data), got, &count), 0);
  assert_int_equal(wt__takeover_send(pair[1], "x", 1, NULL, 0), EPIPE);
  close(pair[1]);
}

static void test_socket_that_is_full_does_not_wait(void **state) {
  (void)state;
  static uint8_t data[WT__TAKEOVER_MESSAGE_MAX];
  struct wt__takeover_listener listener;
  int fd, os_error = 0;
  listener_open(&listener);
  assert_int_equal(wt__takeover_connect(path, &fd, message, sizeof(message)), 0);
  int other = accept_one(&listener);
  size_t sent = 0;
  while (!(os_error = wt__takeover_send(fd, data, sizeof(data), NULL, 0))) sent++;
  assert_int_equal(os_error, EAGAIN);
  assert_true(sent >= 2);
  close(fd);
  close(other);
  wt__takeover_unlisten(&listener);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      TEST(test_socket_replaces_the_one_before), TEST(test_socket_left_by_a_dead_process),
      TEST(test_socket_is_no_other_file),        TEST(test_socket_turns_other_users_away),
      TEST(test_socket_carries_descriptors),     TEST(test_socket_that_is_full_does_not_wait),
  };
  return cmocka_run_group_tests_name("takeover_socket", tests, NULL, NULL);
}
