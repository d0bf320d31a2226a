/* SPDX-License-Identifier: MIT */
/*
 * Lines of an access log on their way to a file. A disk may be slow, a pipe's reader may sleep, and neither may stop the loop
 * that serves. So threads that serve only copy a line into a buffer under a lock, and a thread of its own takes the buffer as a
 * whole and writes it, while a second one fills:
 *
 *   line_writer_add --> [filling] --swap--> [writing] --write--> file
 *
 * When `filling` is full, lines are dropped and counted, so memory is bounded and the loop never waits. The same happens to lines
 * that cannot be written, because the disk is full for example: the log says so once in a while, and the next lines are tried
 * again. If a line was cut by that, the next one begins on a line of its own.
 *
 * The file is open for appending, so a program that copies and truncates it (copytruncate of logrotate) does no harm. One that
 * renames it sends a signal, and then the file is opened again by its name.
 */
#include "common/line_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/privileges.h"
#include "common/tool_log.h"

enum {
  CLOSE_WAIT_S = 1,
  GATHER_MS = 5 /* the thread waits so long for more lines: far fewer wake-ups and writes under load */
};

struct line_writer {
  const char *name;
  char *path;
  int fd;    /* the thread's, once it runs */
  bool torn; /* likewise: the last line is not whole in the file */
  pthread_t thread;

  pthread_mutex_t lock;
  pthread_cond_t changed; /* there is something to write, to open again, or the end */
  char *filling, *writing;
  size_t filling_len;
  uint64_t dropped;
  bool reopen, ending;
  bool ended, abandoned; /* the thread is done; nobody waits for it, so that it frees all */
};

/* Without waiting for the reader of a FIFO. -1: errno. */
static int path_open(const char *path) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
  int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
  if (flags >= 0) (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

static bool is_stdout(const struct line_writer *writer) { return !strcmp(writer->path, "-"); }

static void drop(struct line_writer *writer, uint64_t count, const char *why) {
  static struct log_limit limit = LOG_LIMIT(1, 1);
  pthread_mutex_lock(&writer->lock);
  writer->dropped += count;
  pthread_mutex_unlock(&writer->lock);
  log_limited(&limit, WT_LOG_ERROR, "the %s cannot be written: %s; lines are dropped", writer->name, why);
}

static uint64_t lines_of(const char *text, size_t len) {
  uint64_t count = 0;
  for (size_t i = 0; i < len; i++) count += text[i] == '\n';
  return count;
}

/* --- The thread. --- */

static ssize_t write_some(int fd, const char *text, size_t len) {
  ssize_t written = write(fd, text, len);
  if (written < 0 && errno == EAGAIN) { /* standard output may be anything */
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    (void)poll(&wait, 1, -1);
    errno = EINTR;
  }
  return written;
}

/* Writes all of it, or drops the lines that are not whole in the file. */
static void write_lines(struct line_writer *writer, const char *text, size_t len) {
  size_t at = 0;
  if (writer->torn && write_some(writer->fd, "\n", 1) == 1) writer->torn = false;
  while (at < len) {
    ssize_t written = writer->torn ? -1 : write_some(writer->fd, text + at, len - at);
    if (written < 0 && !writer->torn && errno == EINTR) continue;
    if (written <= 0) {
      writer->torn = writer->torn || (at > 0 && text[at - 1] != '\n');
      drop(writer, lines_of(text + at, len - at), strerror(errno));
      return;
    }
    at += (size_t)written;
  }
}

static void open_again(struct line_writer *writer) {
  int fd = is_stdout(writer) ? -1 : path_open(writer->path);
  if (is_stdout(writer)) return;
  if (fd < 0) {
    log_line(WT_LOG_ERROR, "the %s %s cannot be opened again, the old file stays: %s", writer->name, writer->path,
             strerror(errno));
    return;
  }
  close(writer->fd);
  writer->fd = fd;
  writer->torn = false;
}

static void gather(struct line_writer *writer) {
  const struct timespec until = clock_timespec(clock_ns() + GATHER_MS * NS_PER_MS);
  while (!writer->ending && !writer->reopen && writer->filling_len < LINE_WRITER_QUEUE / 2 &&
         !pthread_cond_timedwait(&writer->changed, &writer->lock, &until))
    continue;
}

/* One turn. False: this was the last one. */
static bool turn(struct line_writer *writer) {
  pthread_mutex_lock(&writer->lock);
  while (!writer->filling_len && !writer->reopen && !writer->ending) pthread_cond_wait(&writer->changed, &writer->lock);
  gather(writer);
  char *text = writer->filling;
  size_t len = writer->filling_len;
  bool reopen = writer->reopen, ending = writer->ending;
  writer->filling = writer->writing;
  writer->writing = text;
  writer->filling_len = 0;
  writer->reopen = false;
  pthread_mutex_unlock(&writer->lock);
  if (reopen) open_again(writer);
  if (len) write_lines(writer, text, len);
  return !ending;
}

static void writer_free(struct line_writer *writer) {
  if (writer->fd > STDOUT_FILENO) close(writer->fd);
  pthread_mutex_destroy(&writer->lock);
  pthread_cond_destroy(&writer->changed);
  free(writer->path);
  free(writer->filling);
  free(writer->writing);
  free(writer);
}

static void *writer_run(void *argument) {
  struct line_writer *writer = argument;
  while (turn(writer)) continue;
  pthread_mutex_lock(&writer->lock);
  writer->ended = true;
  bool abandoned = writer->abandoned;
  pthread_mutex_unlock(&writer->lock);
  if (abandoned) writer_free(writer);
  return NULL;
}

/* --- What others call. --- */

static struct line_writer *writer_new(const char *name, const char *path) {
  struct line_writer *writer = calloc(1, sizeof *writer);
  pthread_condattr_t attr;
  if (!writer) return NULL;
  writer->name = name;
  writer->path = strdup(path);
  writer->fd = -1;
  pthread_mutex_init(&writer->lock, NULL);
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&writer->changed, &attr);
  pthread_condattr_destroy(&attr);
  writer->filling = malloc(LINE_WRITER_QUEUE);
  writer->writing = malloc(LINE_WRITER_QUEUE);
  if (writer->path && writer->filling && writer->writing) return writer;
  writer_free(writer);
  return NULL;
}

static struct line_writer *writer_refuse(struct line_writer *writer, int error, char *message, size_t size) {
  snprintf(message, size, "the %s %s cannot be opened: %s", writer->name, writer->path, strerror(error));
  writer_free(writer);
  return NULL;
}

struct line_writer *line_writer_open(const char *name, const char *path, const char *user, char *message, size_t size) {
  struct line_writer *writer = writer_new(name, path);
  if (!writer) {
    snprintf(message, size, "out of memory");
    return NULL;
  }
  writer->fd = is_stdout(writer) ? STDOUT_FILENO : path_open(path);
  if (writer->fd < 0) return writer_refuse(writer, errno, message, size);
  if (user && !is_stdout(writer)) privileges_give(writer->fd, user);
  int error = pthread_create(&writer->thread, NULL, writer_run, writer);
  return error ? writer_refuse(writer, error, message, size) : writer;
}

void line_writer_add(struct line_writer *writer, const char *line, size_t len) {
  pthread_mutex_lock(&writer->lock);
  size_t at = writer->filling_len;
  bool room = len < LINE_WRITER_QUEUE - at;
  if (room) {
    memcpy(writer->filling + at, line, len);
    writer->filling[at + len] = '\n';
    writer->filling_len = at + len + 1;
  }
  /* The thread waits for the first line; then it comes by itself, but earlier when half is full. */
  if (room && (!at || writer->filling_len >= LINE_WRITER_QUEUE / 2)) pthread_cond_signal(&writer->changed);
  pthread_mutex_unlock(&writer->lock);
  if (!room) drop(writer, 1, "it is too slow");
}

void line_writer_reopen(struct line_writer *writer) {
  if (!writer) return;
  pthread_mutex_lock(&writer->lock);
  writer->reopen = true;
  pthread_cond_signal(&writer->changed);
  pthread_mutex_unlock(&writer->lock);
}

uint64_t line_writer_dropped(struct line_writer *writer) {
  if (!writer) return 0;
  pthread_mutex_lock(&writer->lock);
  uint64_t dropped = writer->dropped;
  pthread_mutex_unlock(&writer->lock);
  return dropped;
}

/* Leaves the writer to its thread. False: that is done already. */
static bool abandon(struct line_writer *writer) {
  pthread_mutex_lock(&writer->lock);
  writer->abandoned = !writer->ended;
  bool abandoned = writer->abandoned;
  pthread_mutex_unlock(&writer->lock);
  return abandoned;
}

void line_writer_close(struct line_writer *writer) {
  if (!writer) return;
  const char *name = writer->name;
  pthread_t thread = writer->thread;
  pthread_mutex_lock(&writer->lock);
  writer->ending = true;
  pthread_cond_signal(&writer->changed);
  pthread_mutex_unlock(&writer->lock);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until); /* as the call wants it */
  until.tv_sec += CLOSE_WAIT_S;
  int error = pthread_timedjoin_np(thread, NULL, &until);
  if (error && abandon(writer)) {
    pthread_detach(thread); /* the reader of a pipe sleeps: the process ends without it */
    log_line(WT_LOG_ERROR, "the %s does not take its last lines", name);
    return;
  }
  if (error) pthread_join(thread, NULL);
  writer_free(writer);
}
