/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output on a thread of their own. The client's loop must not wait until a user types a line or a
 * slow reader takes output, so this thread waits for both, and for the clock:
 *
 *   stdin  --read-->  one buffer  --on_input-->  loop  --io_write-->  a ring  --write-->  stdout
 *
 * There is backpressure both ways. Input is read only when the loop asks for it, which it does when a stream has taken
 * the last bytes. The ring has a fixed size; when it is full, the loop pauses its streams until `on_room`.
 *
 * The descriptors stay blocking, because other programs may share them and do not expect O_NONBLOCK. So a write must
 * not be larger than what poll promises: PIPE_BUF bytes for a pipe. The thread reaches the loop by wt_client_post
 * alone. At most one call is posted at a time; when it runs, it handles everything that is due.
 *
 * The thread also serves as the loop's timer, because the library's public API has none.
 */
#include "connect/standard_io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/exits.h"

static void io_wake(struct standard_io *io) {
  uint64_t one = 1;
  while (write(io->wake, &one, sizeof one) < 0 && errno == EINTR) continue;
}

/* --- On the loop's thread: what is due. --- */

static void callbacks_run(wt_client *client, void *argument) {
  struct standard_io *io = argument;
  (void)client;
  pthread_mutex_lock(&io->mutex);
  bool input = io->input_due, room = io->room_due, alarm = io->alarm_due, failure = io->failure_due;
  io->input_due = io->room_due = io->alarm_due = io->failure_due = io->posted = false;
  int error = io->output_error;
  pthread_mutex_unlock(&io->mutex);
  if (failure) io->callbacks.on_output_failed(error, io->user_data);
  if (room) io->callbacks.on_room(io->user_data);
  /* Written before `input_due` was set, and not touched again until `io_request_input`. */
  if (input) io->callbacks.on_input(io->input, io->input_len, io->input_error, io->user_data);
  if (alarm) io->callbacks.on_alarm(io->user_data);
}

/* --- On the thread. The mutex is locked where these are called. --- */

/* Posts a call to the loop if something is due. */
static void io_post(struct standard_io *io) {
  bool due = io->input_due || io->room_due || io->alarm_due || io->failure_due;
  if (!due || io->posted || io->finishing) return;
  io->posted = true;
  if (wt_client_post(io->client, callbacks_run, io) != WT_ERR_NOMEM) return;
  fprintf(stderr, "webtransport: out of memory\n");
  _exit(EXIT_FAILED); /* the loop would wait for ever */
}

static void input_read(struct standard_io *io) {
  ssize_t len;
  pthread_mutex_unlock(&io->mutex);
  do len = read(STDIN_FILENO, io->input, sizeof io->input);
  while (len < 0 && errno == EINTR);
  int error = errno;
  pthread_mutex_lock(&io->mutex);
  if (len < 0 && error == EAGAIN) return; /* another program made it non-blocking, or read the line */
  io->input_len = len < 0 ? 0 : (size_t)len;
  io->input_error = len < 0 ? error : 0;
  io->reading = false;
  io->input_due = true;
}

/* How much a write may have so that it does not block after poll reported POLLOUT. */
static size_t write_size(void) {
  struct stat info;
  return !fstat(STDOUT_FILENO, &info) && S_ISREG(info.st_mode) ? IO_OUTPUT_SIZE : PIPE_BUF;
}

static void output_drop(struct standard_io *io, int error) {
  io->output_error = error;
  io->output_len = 0;
  io->failure_due = true;
}

static void output_write(struct standard_io *io, size_t most) {
  size_t len = IO_OUTPUT_SIZE - io->output_at;
  if (len > io->output_len) len = io->output_len;
  if (len > most) len = most;
  pthread_mutex_unlock(&io->mutex);
  /* Without the lock: the loop only writes behind these bytes. */
  ssize_t written = write(STDOUT_FILENO, io->output + io->output_at, len);
  int error = errno;
  pthread_mutex_lock(&io->mutex);
  if (written < 0) {
    if (error != EINTR && error != EAGAIN) output_drop(io, error);
    return;
  }
  io->output_at = (io->output_at + (size_t)written) % IO_OUTPUT_SIZE;
  io->output_len -= (size_t)written;
  if (io->room_wanted && io->output_len <= IO_OUTPUT_SIZE / 2) {
    io->room_wanted = false;
    io->room_due = true;
  }
}

/* How long poll may take; -1: until something happens. */
static int wait_ms(const struct standard_io *io) {
  int64_t left = -1;
  if (io->alarm_at) {
    left = io->alarm_at - clock_ms();
    if (left < 0) left = 0;
  }
  if (io->finishing) left = io->patience_ms;
  if (io->abandoned && io->output_len) left = 0;
  return left > INT_MAX ? INT_MAX : (int)left;
}

static void alarm_check(struct standard_io *io) {
  if (!io->alarm_at || clock_ms() < io->alarm_at) return;
  io->alarm_at = 0;
  io->alarm_due = true;
}

/* Ends the program: there is no other way to wait, and trying again at once would take a whole core. */
static void io_fail(int error) {
  fprintf(stderr, "webtransport: cannot wait for input and output: %s\n", strerror(error));
  _exit(EXIT_FAILED);
}

/* Waits once, then reads and writes what is possible. A broken descriptor counts as ready, and the call reports why. */
static void io_turn(struct standard_io *io, size_t most) {
  struct pollfd fds[3] = {
      {.fd = io->wake, .events = POLLIN},
      {.fd = io->reading && !io->finishing ? STDIN_FILENO : -1, .events = POLLIN},
      {.fd = io->output_len ? STDOUT_FILENO : -1, .events = POLLOUT},
  };
  int timeout = wait_ms(io);
  uint64_t count;
  pthread_mutex_unlock(&io->mutex);
  int ready = poll(fds, 3, timeout);
  if (ready > 0 && fds[0].revents && read(io->wake, &count, sizeof count) < 0) ready = -1;
  if (ready < 0 && errno != EINTR && errno != EAGAIN) io_fail(errno);
  pthread_mutex_lock(&io->mutex);
  if (ready > 0 && fds[1].revents) input_read(io);
  if (ready > 0 && fds[2].revents && io->output_len) output_write(io, most);
  if (ready == 0 && io->output_len && (io->finishing || io->abandoned)) output_drop(io, ETIMEDOUT);
  alarm_check(io);
}

static void *io_run(void *argument) {
  struct standard_io *io = argument;
  size_t most = write_size();
  pthread_mutex_lock(&io->mutex);
  while (!io->finishing || io->output_len) {
    io_turn(io, most);
    io_post(io);
  }
  pthread_mutex_unlock(&io->mutex);
  return NULL;
}

/* --- On the loop's thread. --- */

bool io_start(struct standard_io *io, wt_client *client, const struct standard_io_callbacks *callbacks,
              void *user_data) {
  io->client = client;
  io->callbacks = *callbacks;
  io->user_data = user_data;
  io->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (io->wake < 0) return false;
  pthread_mutex_init(&io->mutex, NULL);
  io->made = true;
  int error = pthread_create(&io->thread, NULL, io_run, io);
  if (error) errno = error;
  io->running = error == 0;
  return io->running;
}

void io_request_input(struct standard_io *io) {
  pthread_mutex_lock(&io->mutex);
  io->reading = true;
  pthread_mutex_unlock(&io->mutex);
  io_wake(io);
}

size_t io_output_room(struct standard_io *io, size_t wanted) {
  pthread_mutex_lock(&io->mutex);
  /* After a failure there is always room and output is dropped, so that streams reach their end. */
  size_t room = IO_OUTPUT_SIZE - io->output_len;
  if (room < wanted) io->room_wanted = true;
  pthread_mutex_unlock(&io->mutex);
  return room;
}

void io_write(struct standard_io *io, const void *data, size_t len) {
  if (!len) return;
  pthread_mutex_lock(&io->mutex);
  bool idle = !io->output_len;
  if (!io->output_error && len <= IO_OUTPUT_SIZE - io->output_len) {
    size_t at = (io->output_at + io->output_len) % IO_OUTPUT_SIZE;
    size_t first = IO_OUTPUT_SIZE - at < len ? IO_OUTPUT_SIZE - at : len;
    memcpy(io->output + at, data, first);
    memcpy(io->output, (const uint8_t *)data + first, len - first);
    io->output_len += len;
  }
  pthread_mutex_unlock(&io->mutex);
  if (idle) io_wake(io);
}

void io_set_alarm(struct standard_io *io, int64_t ms) {
  pthread_mutex_lock(&io->mutex);
  io->alarm_at = clock_ms() + ms;
  io->alarm_due = false;
  pthread_mutex_unlock(&io->mutex);
  io_wake(io);
}

int io_finish(struct standard_io *io, int64_t patience_ms) {
  if (!io->running) return 0;
  pthread_mutex_lock(&io->mutex);
  io->finishing = true;
  io->patience_ms = patience_ms;
  pthread_mutex_unlock(&io->mutex);
  io_wake(io);
  pthread_join(io->thread, NULL);
  io->running = false;
  return io->output_error;
}

void io_free(struct standard_io *io) {
  if (!io->made) return;
  close(io->wake);
  pthread_mutex_destroy(&io->mutex);
  io->made = false;
}

void io_abandon(struct standard_io *io) {
  pthread_mutex_lock(&io->mutex);
  io->abandoned = true;
  pthread_mutex_unlock(&io->mutex);
  io_wake(io);
}
