/* SPDX-License-Identifier: MIT */

/* The system refuses to send for a while, with whatever errno: an interface is down, a firewall's rules change, an address
 * is gone. Sessions go on afterwards, nothing spins meanwhile, and the log says it once or a few times. */

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "pair.h"

#define BYTES 400000
#define REFUSED_FOR (UINT64_C(150) * 1000000)
#define CALLS_MAX 3000 /* while it is refused; a loop that spins makes many times as many */
#define LINES_MAX 16

/* What is refused: packets to `port`, or, if `others`, to all other ports. */
static struct {
  int error;
  unsigned port;
  bool others;
  uint64_t until;
  unsigned calls;
} refusal;

static unsigned lines;

ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

static bool refuses(const struct msghdr *header) {
  const struct sockaddr_in *to = header->msg_name;
  if (!refusal.error || !to || (ntohs(to->sin_port) == refusal.port) == refusal.others) return false;
  if (!refusal.until) refusal.until = uv_hrtime() + REFUSED_FOR;
  if (uv_hrtime() >= refusal.until) refusal.error = 0;
  if (!refusal.error) return false;
  refusal.calls++;
  errno = refusal.error;
  return true;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags) {
  return refuses(header) ? -1 : __real_sendmsg(fd, header, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  return count && refuses(&messages->msg_hdr) ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

static void count_lines(enum wt_log_level level, const char *line, void *user_data) {
  (void)user_data;
  if (level <= WT_LOG_WARN && strstr(line, "cannot send")) lines++;
}

struct echo {
  struct pair *pair;
  size_t sent, received;
  bool server, refused, fin;
  int error;
};

static void echo_send(wt_stream *stream, struct echo *echo) {
  static const uint8_t chunk[4096];
  while (echo->sent < BYTES) {
    size_t len = BYTES - echo->sent < sizeof(chunk) ? BYTES - echo->sent : sizeof(chunk), written = 0;
    int error = wt_stream_write(stream, chunk, len, &written);
    echo->sent += written;
    if (error || written < len) return;
  }
  (void)wt_stream_end(stream);
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct echo *echo = user_data;
  (void)stream, (void)data;
  echo->received += len;
  echo->fin = fin;
  if (!echo->refused && echo->received > BYTES / 10) { /* in the midst of it */
    echo->refused = true;
    refusal.port = echo->pair->port;
    refusal.others = echo->server;
    refusal.error = echo->error;
    refusal.calls = 0;
    refusal.until = 0;
  }
  if (fin) pair_stop(echo->pair);
}

static void on_writable(wt_stream *stream, void *user_data) { echo_send(stream, user_data); }

static const struct wt_stream_callbacks callbacks = {
    .size = sizeof(callbacks), .on_data = on_data, .on_writable = on_writable};

static void configure_server(struct wt_server_config *config) {
  config->log = count_lines;
  config->log_level = WT_LOG_WARN;
  config->workers = 1;
}

static void one_refusal(int error, bool server) {
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  struct pair_options options = {.configure = configure_server};
  struct echo echo = {.pair = &pair, .server = server, .error = error};
  wt_stream *stream;
  lines = 0;
  pair_open(&pair, &options);
  pair_client_config(&pair, &config);
  config.log = count_lines;
  config.log_level = WT_LOG_WARN;
  pair_client(&pair, &config);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  assert_int_equal(wt_session_open_bidi(dialed.session, &stream), 0);
  wt_stream_set_callbacks(stream, &callbacks, &echo);
  echo_send(stream, &echo);
  while (!echo.fin) pair_run(&pair);
  assert_int_equal(echo.received, BYTES);
  assert_int_equal(dialed.closes, 0);
  assert_in_range(refusal.calls, 1, CALLS_MAX);
  assert_in_range(lines, 1, LINES_MAX);
  refusal.error = 0;
  pair_close(&pair);
}

static const int ERRORS[] = {EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EPERM, EINVAL, ENOBUFS, EACCES};

static void test_send_errors_of_the_server_pass(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(ERRORS) / sizeof(*ERRORS); i++) one_refusal(ERRORS[i], true);
}

static void test_send_errors_of_the_client_pass(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(ERRORS) / sizeof(*ERRORS); i++) one_refusal(ERRORS[i], false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_send_errors_of_the_server_pass),
      cmocka_unit_test(test_send_errors_of_the_client_pass),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
