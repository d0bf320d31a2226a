/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output beside the client's loop, which must neither wait for a line to be typed nor for a
 * reader of the output that takes its time. One thread polls both and the clock:
 *
 *   stdin  --read-->  one buffer  --on_input-->  loop  --pipes_write-->  a ring  --write-->  stdout
 *
 * Backpressure goes both ways: input is read only when the loop asks for it (it asks when the last bytes were taken
 * by a stream), and the ring has an end, so the loop pauses its streams until `on_room`.
 *
 * The descriptors stay blocking: they may be shared with other programs, which a changed flag would surprise. So a
 * write must not be larger than what poll promises, which for a pipe is PIPE_BUF bytes. The loop is reached by
 * wt_client_post alone; one call is under way at most, and takes along whatever is due when it is made.
 *
 * The thread is the loop's clock too, because the library's public interface has none.
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

static void pipes_wake(struct pipes *pipes) {
  uint64_t one = 1;
  while (write(pipes->wake, &one, sizeof one) < 0 && errno == EINTR) continue;
}

/* --- On the loop's thread: what is due. --- */

static void deliver(wt_client *client, void *argument) {
  struct pipes *pipes = argument;
  (void)client;
  pthread_mutex_lock(&pipes->mutex);
  bool input = pipes->input_due, room = pipes->room_due, alarm = pipes->alarm_due, failure = pipes->failure_due;
  pipes->input_due = pipes->room_due = pipes->alarm_due = pipes->failure_due = pipes->posted = false;
  int error = pipes->output_error;
  pthread_mutex_unlock(&pipes->mutex);
  if (failure) pipes->callbacks.on_output_failed(error, pipes->user_data);
  if (room) pipes->callbacks.on_room(pipes->user_data);
  /* Written before `input_due` was set, and not touched again until `pipes_read`. */
  if (input) pipes->callbacks.on_input(pipes->input, pipes->input_len, pipes->input_error, pipes->user_data);
  if (alarm) pipes->callbacks.on_alarm(pipes->user_data);
}

/* --- On the thread. The mutex is locked where these are called. --- */

/* Sees to it that the loop learns of what is due. */
static void pipes_post(struct pipes *pipes) {
  bool due = pipes->input_due || pipes->room_due || pipes->alarm_due || pipes->failure_due;
  if (!due || pipes->posted || pipes->finishing) return;
  pipes->posted = true;
  if (wt_client_post(pipes->client, deliver, pipes) != WT_ERR_NOMEM) return;
  fprintf(stderr, "webtransport: out of memory\n");
  _exit(EXIT_FAILED); /* the loop would wait for ever */
}

static void input_read(struct pipes *pipes) {
  ssize_t len;
  pthread_mutex_unlock(&pipes->mutex);
  do len = read(STDIN_FILENO, pipes->input, sizeof pipes->input);
  while (len < 0 && errno == EINTR);
  int error = errno;
  pthread_mutex_lock(&pipes->mutex);
  if (len < 0 && error == EAGAIN) return; /* somebody else made it non-blocking, or took the line */
  pipes->input_len = len < 0 ? 0 : (size_t)len;
  pipes->input_error = len < 0 ? error : 0;
  pipes->reading = false;
  pipes->input_due = true;
}

/* How much may be written without blocking once poll has said yes. */
static size_t write_size(void) {
  struct stat info;
  return !fstat(STDOUT_FILENO, &info) && S_ISREG(info.st_mode) ? PIPES_OUTPUT_SIZE : PIPE_BUF;
}

static void output_drop(struct pipes *pipes, int error) {
  pipes->output_error = error;
  pipes->output_len = 0;
  pipes->failure_due = true;
}

static void output_write(struct pipes *pipes, size_t most) {
  size_t len = PIPES_OUTPUT_SIZE - pipes->output_at;
  if (len > pipes->output_len) len = pipes->output_len;
  if (len > most) len = most;
  pthread_mutex_unlock(&pipes->mutex);
  /* The loop writes behind these bytes only. */
  ssize_t written = write(STDOUT_FILENO, pipes->output + pipes->output_at, len);
  int error = errno;
  pthread_mutex_lock(&pipes->mutex);
  if (written < 0) {
    if (error != EINTR && error != EAGAIN) output_drop(pipes, error);
    return;
  }
  pipes->output_at = (pipes->output_at + (size_t)written) % PIPES_OUTPUT_SIZE;
  pipes->output_len -= (size_t)written;
  if (pipes->room_wanted && pipes->output_len <= PIPES_OUTPUT_SIZE / 2) {
    pipes->room_wanted = false;
    pipes->room_due = true;
  }
}

/* How long poll may take; -1: until something happens. */
static int wait_ms(const struct pipes *pipes) {
  int64_t left = -1;
  if (pipes->alarm_at) {
    left = pipes->alarm_at - clock_ms();
    if (left < 0) left = 0;
  }
  if (pipes->finishing) left = pipes->patience_ms;
  if (pipes->abandoned && pipes->output_len) left = 0;
  return left > INT_MAX ? INT_MAX : (int)left;
}

static void alarm_check(struct pipes *pipes) {
  if (!pipes->alarm_at || clock_ms() < pipes->alarm_at) return;
  pipes->alarm_at = 0;
  pipes->alarm_due = true;
}

/* There is no other way to wait, and to try it again at once would take a core. */
static void pipes_fail(int error) {
  fprintf(stderr, "webtransport: cannot wait for input and output: %s\n", strerror(error));
  _exit(EXIT_FAILED);
}

/* One turn: waits, then does what can be done. A descriptor that is closed or broken is ready: its error is told. */
static void pipes_turn(struct pipes *pipes, size_t most) {
  struct pollfd fds[3] = {
      {.fd = pipes->wake, .events = POLLIN},
      {.fd = pipes->reading && !pipes->finishing ? STDIN_FILENO : -1, .events = POLLIN},
      {.fd = pipes->output_len ? STDOUT_FILENO : -1, .events = POLLOUT},
  };
  int timeout = wait_ms(pipes);
  uint64_t count;
  pthread_mutex_unlock(&pipes->mutex);
  int ready = poll(fds, 3, timeout);
  if (ready > 0 && fds[0].revents && read(pipes->wake, &count, sizeof count) < 0) ready = -1;
  if (ready < 0 && errno != EINTR && errno != EAGAIN) pipes_fail(errno);
  pthread_mutex_lock(&pipes->mutex);
  if (ready > 0 && fds[1].revents) input_read(pipes);
  if (ready > 0 && fds[2].revents && pipes->output_len) output_write(pipes, most);
  if (ready == 0 && pipes->output_len && (pipes->finishing || pipes->abandoned)) output_drop(pipes, ETIMEDOUT);
  alarm_check(pipes);
}

static void *pipes_run(void *argument) {
  struct pipes *pipes = argument;
  size_t most = write_size();
  pthread_mutex_lock(&pipes->mutex);
  while (!pipes->finishing || pipes->output_len) {
    pipes_turn(pipes, most);
    pipes_post(pipes);
  }
  pthread_mutex_unlock(&pipes->mutex);
  return NULL;
}

/* --- On the loop's thread. --- */

bool pipes_start(struct pipes *pipes, wt_client *client, const struct pipes_callbacks *callbacks, void *user_data) {
  pipes->client = client;
  pipes->callbacks = *callbacks;
  pipes->user_data = user_data;
  pipes->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (pipes->wake < 0) return false;
  pthread_mutex_init(&pipes->mutex, NULL);
  pipes->made = true;
  pipes->running = !pthread_create(&pipes->thread, NULL, pipes_run, pipes);
  return pipes->running;
}

void pipes_read(struct pipes *pipes) {
  pthread_mutex_lock(&pipes->mutex);
  pipes->reading = true;
  pthread_mutex_unlock(&pipes->mutex);
  pipes_wake(pipes);
}

size_t pipes_room(struct pipes *pipes, size_t wanted) {
  pthread_mutex_lock(&pipes->mutex);
  /* After a failure everything is taken and dropped, so that streams go on to their end. */
  size_t room = PIPES_OUTPUT_SIZE - pipes->output_len;
  if (room < wanted) pipes->room_wanted = true;
  pthread_mutex_unlock(&pipes->mutex);
  return room;
}

void pipes_write(struct pipes *pipes, const void *data, size_t len) {
  if (!len) return;
  pthread_mutex_lock(&pipes->mutex);
  bool idle = !pipes->output_len;
  if (!pipes->output_error && len <= PIPES_OUTPUT_SIZE - pipes->output_len) {
    size_t at = (pipes->output_at + pipes->output_len) % PIPES_OUTPUT_SIZE;
    size_t first = PIPES_OUTPUT_SIZE - at < len ? PIPES_OUTPUT_SIZE - at : len;
    memcpy(pipes->output + at, data, first);
    memcpy(pipes->output, (const uint8_t *)data + first, len - first);
    pipes->output_len += len;
  }
  pthread_mutex_unlock(&pipes->mutex);
  if (idle) pipes_wake(pipes);
}

void pipes_alarm(struct pipes *pipes, int64_t ms) {
  pthread_mutex_lock(&pipes->mutex);
  pipes->alarm_at = clock_ms() + ms;
  pipes->alarm_due = false;
  pthread_mutex_unlock(&pipes->mutex);
  pipes_wake(pipes);
}

int pipes_finish(struct pipes *pipes, int64_t patience_ms) {
  if (!pipes->running) return 0;
  pthread_mutex_lock(&pipes->mutex);
  pipes->finishing = true;
  pipes->patience_ms = patience_ms;
  pthread_mutex_unlock(&pipes->mutex);
  pipes_wake(pipes);
  pthread_join(pipes->thread, NULL);
  pipes->running = false;
  return pipes->output_error;
}

void pipes_free(struct pipes *pipes) {
  if (!pipes->made) return;
  close(pipes->wake);
  pthread_mutex_destroy(&pipes->mutex);
  pipes->made = false;
}

void pipes_abandon(struct pipes *pipes) {
  pthread_mutex_lock(&pipes->mutex);
  pipes->abandoned = true;
  pthread_mutex_unlock(&pipes->mutex);
  pipes_wake(pipes);
}
