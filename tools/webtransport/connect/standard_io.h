/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_STANDARD_IO_H
#define WEBTRANSPORT_TOOL_STANDARD_IO_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

enum {
  IO_INPUT_SIZE = 65536,
  IO_OUTPUT_SIZE = 262144,
};

/* Called on the thread of the client's loop. */
struct standard_io_callbacks {
  /* Input that `io_request_input` asked for. `data` is valid until the next such call. `len` 0: the input has ended,
   * with the `errno` of a failed read or 0. */
  void (*on_input)(const uint8_t *data, size_t len, int error, void *user_data);
  void (*on_room)(
      void *user_data); /* half of the output queue is free again, after `io_output_room` returned too little */
  void (*on_alarm)(void *user_data);                    /* the time of `io_set_alarm` is over */
  void (*on_output_failed)(int error, void *user_data); /* `error` is an `errno`; output is dropped from now on */
};

/* Standard input and output on a thread of their own; see standard_io.c. The caller zeroes it before `io_start`. */
struct standard_io {
  wt_client *client;
  struct standard_io_callbacks callbacks;
  void *user_data;
  pthread_t thread;
  bool made;    /* `io_start` was called: there is something to free */
  bool running; /* the thread runs */
  int wake;     /* an eventfd: wakes the thread when something below has changed */

  pthread_mutex_t mutex; /* protects all members below */
  bool posted;           /* a call to the loop is posted and has not run yet */
  bool finishing;        /* the thread ends when the output is written */
  int64_t patience_ms;   /* how long the thread then waits for stuck output; negative: for ever */
  bool abandoned;        /* output that cannot be written at once is dropped */

  bool reading;    /* the loop has asked for input */
  bool input_due;  /* `on_input` is due */
  int input_error; /* of the read that ended it */
  size_t input_len;

  size_t output_at, output_len; /* the queue, a ring */
  bool room_wanted, room_due;
  int output_error; /* of the write that failed; 0: none */
  bool failure_due;

  int64_t alarm_at; /* by clock_ms; 0: none is set */
  bool alarm_due;

  uint8_t input[IO_INPUT_SIZE];
  uint8_t output[IO_OUTPUT_SIZE];
};

/* Starts the thread; nothing is read until `io_request_input`. */
bool io_start(struct standard_io *io, wt_client *client, const struct standard_io_callbacks *callbacks,
              void *user_data);

/* Asks for input. The bytes of the last `on_input` are no longer valid. */
void io_request_input(struct standard_io *io);

/* Returns how many bytes `io_write` takes now. If that is less than `wanted`, `on_room` follows. */
size_t io_output_room(struct standard_io *io, size_t wanted);

/* Queues output that `io_output_room` has room for. Never blocks. */
void io_write(struct standard_io *io, const void *data, size_t len);

/* `on_alarm` follows after `ms` milliseconds. Replaces an alarm that was set before. */
void io_set_alarm(struct standard_io *io, int64_t ms);

/*
 * Writes what is queued and ends the thread. If nothing can be written for `patience_ms`, drops the rest; negative:
 * waits for ever. Returns 0 or an `errno`: ETIMEDOUT if the rest was dropped. Call it when the loop has ended.
 */
int io_finish(struct standard_io *io, int64_t patience_ms);

/* Drops output that cannot be written at once, also while `io_finish` waits. May be called on any thread. */
void io_abandon(struct standard_io *io);

/* Frees what `io_start` made. Call it after `io_finish` and after wt_client_free, which may still run callbacks. */
void io_free(struct standard_io *io);

#endif
