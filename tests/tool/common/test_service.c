/* SPDX-License-Identifier: MIT */
/* What a service manager says in the environment, and what it is told. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/service.h"

static int environment_clear(void **state) {
  static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"};
  (void)state;
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) unsetenv(variables[i]);
  return 0;
}

static void check_wrong(const char *variable, const char *value, const char *expected) {
  struct service service;
  char message[256] = "";
  setenv(variable, value, 1);
  assert_false(service_read(&service, message, sizeof message));
  assert_string_equal(message, expected);
  assert_null(getenv(variable));
}

static void test_an_empty_environment_asks_for_nothing(void **state) {
  (void)state;
  struct service service;
  char message[256];
  assert_true(service_read(&service, message, sizeof message));
  assert_int_equal(service.watchdog_us, 0);
  assert_int_equal(service.udp_count + service.tcp_count, 0);
  service_notify(&service, "READY=1"); /* to nobody */
}

static void test_wrong_variables_are_named(void **state) {
  (void)state;
  char path[200], expected[300];
  check_wrong("NOTIFY_SOCKET", "relative", "NOTIFY_SOCKET=relative: this is no Unix socket");
  memset(path, 'x', sizeof path - 1);
  path[0] = '/';
  path[sizeof path - 1] = 0;
  snprintf(expected, sizeof expected, "NOTIFY_SOCKET=%s: the path is too long", path);
  check_wrong("NOTIFY_SOCKET", path, expected);
  check_wrong("WATCHDOG_USEC", "0", "WATCHDOG_USEC=0: this is no number of microseconds");
  check_wrong("WATCHDOG_USEC", "-1", "WATCHDOG_USEC=-1: this is no number of microseconds");
  check_wrong("LISTEN_FDS", "2x", "LISTEN_FDS=2x: this is no number");
  check_wrong("LISTEN_FDS", "99999999999999999999", "LISTEN_FDS=99999999999999999999: this is no number");
  check_wrong("LISTEN_FDS", "17", "LISTEN_FDS=17: these are too many sockets");
}

static void test_variables_of_another_process_do_not_count(void **state) {
  (void)state;
  struct service service;
  char message[256];
  setenv("WATCHDOG_USEC", "1000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_PID", "1", 1);
  assert_true(service_read(&service, message, sizeof message));
  assert_int_equal(service.watchdog_us, 0);
  assert_int_equal(service.udp_count + service.tcp_count, 0);
  assert_null(getenv("LISTEN_FDS"));
}

static void test_the_watchdog_is_read(void **state) {
  (void)state;
  struct service service;
  char message[256], pid[32];
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", pid, 1);
  assert_true(service_read(&service, message, sizeof message));
  assert_int_equal(service.watchdog_us, 30000000);
}

/* Puts sockets at the descriptors from 3 on, whatever is there. */
static void test_sockets_are_sorted(void **state) {
  (void)state;
  struct service service;
  char message[256];
  int kept[3],
      made[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET6, SOCK_DGRAM, 0), socket(AF_UNIX, SOCK_DGRAM, 0)};
  if (made[1] < 0) made[1] = socket(AF_INET, SOCK_DGRAM, 0);
  for (int i = 0; i < 3; i++) {
    int fd = fcntl(made[i], F_DUPFD, 20); /* out of the way */
    close(made[i]);
    made[i] = fd;
  }
  for (int i = 0; i < 3; i++) kept[i] = fcntl(3 + i, F_DUPFD, 20);
  for (int i = 0; i < 3; i++) assert_int_equal(dup2(made[i], 3 + i), 3 + i);
  setenv("LISTEN_FDS", "2", 1);
  assert_true(service_read(&service, message, sizeof message));
  assert_int_equal(service.tcp_count, 1);
  assert_int_equal(service.tcp[0], 3);
  assert_int_equal(service.udp_count, 1);
  assert_int_equal(service.udp[0], 4);
  check_wrong("LISTEN_FDS", "3", "descriptor 5 of the service manager is no socket of UDP or TCP");
  for (int i = 0; i < 3; i++) {
    close(made[i]);
    close(3 + i);
    if (kept[i] < 0) continue;
    assert_int_equal(dup2(kept[i], 3 + i), 3 + i);
    close(kept[i]);
  }
}

static void check_told(const char *name, socklen_t len, const char *variable) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct service service;
  char message[256], got[256] = "";
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  assert_true(fd >= 0);
  memcpy(address.sun_path, name, len);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
  setenv("NOTIFY_SOCKET", variable, 1);
  assert_true(service_read(&service, message, sizeof message));
  service_ready(&service);
  assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 7);
  assert_string_equal(got, "READY=1");
  service_notify(&service, "STATUS=%d clients", 5);
  assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 16);
  assert_memory_equal(got, "STATUS=5 clients", 16);
  service_reloading(&service);
  assert_true(recv(fd, got, sizeof got - 1, MSG_DONTWAIT) > 27);
  assert_memory_equal(got, "RELOADING=1\nMONOTONIC_USEC=", 27);
  close(fd);
  service_notify(&service, "READY=1"); /* nobody reads any more: logged, and no more */
}

static void test_the_manager_is_told(void **state) {
  (void)state;
  char path[64], name[64];
  snprintf(path, sizeof path, "/tmp/test_service.%d", (int)getpid());
  check_told(path, (socklen_t)strlen(path) + 1, path);
  unlink(path);
  snprintf(name, sizeof name, "@test_service.%d", (int)getpid());
  char variable[64];
  strcpy(variable, name);
  name[0] = 0;
  check_told(name, (socklen_t)strlen(variable), variable);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_an_empty_environment_asks_for_nothing, environment_clear),
      cmocka_unit_test_setup(test_wrong_variables_are_named, environment_clear),
      cmocka_unit_test_setup(test_variables_of_another_process_do_not_count, environment_clear),
      cmocka_unit_test_setup(test_the_watchdog_is_read, environment_clear),
      cmocka_unit_test_setup(test_sockets_are_sorted, environment_clear),
      cmocka_unit_test_setup(test_the_manager_is_told, environment_clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
