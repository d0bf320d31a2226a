/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_STANDARD_IO_H
#define WEBTRANSPORT_TOOL_STANDARD_IO_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

enum {
  PIPES_INPUT_SIZE = 65536,
  PIPES_OUTPUT_SIZE = 262144,
};

/* What the loop is told. All are called on its thread. */
struct pipes_callbacks {
  /* Input, after `pipes_read`; `data` stays as it is until the next `pipes_read`. No bytes: the input has ended, with
   * the `errno` of a failed read or 0. */
  void (*on_input)(const uint8_t *data, size_t len, int error, void *user_data);
  void (*on_room)(void *user_data);                     /* half of the output's queue is free again, see `pipes_room` */
  void (*on_alarm)(void *user_data);                    /* the time of `pipes_alarm` has passed */
  void (*on_output_failed)(int error, void *user_data); /* an `errno`; all output is dropped from now on */
};

/* Standard input and output on a thread of their own; see standard_io.c. To be zeroed before `pipes_start`. */
struct pipes {
  wt_client *client;
  struct pipes_callbacks callbacks;
  void *user_data;
  pthread_t thread;
  bool made;    /* there is something to free */
  bool running; /* there is a thread */
  int wake;     /* an eventfd: something below has changed */

  pthread_mutex_t mutex; /* of all that follows */
  bool posted;           /* a call of `callbacks` is on its way */
  bool finishing;        /* the thread ends when the output is written */
  int64_t patience_ms;   /* how long output may be stuck then; negative: for ever */
  bool abandoned;        /* output is not waited for any more */

  bool reading;    /* input is wanted */
  bool input_due;  /* `input` is to be given to the loop */
  int input_error; /* of the read that ended it */
  size_t input_len;

  size_t output_at, output_len; /* the queue, a ring */
  bool room_wanted, room_due;
  int output_error; /* of the write that failed; 0: none */
  bool failure_due;

  int64_t alarm_at; /* by clock_ms; 0: none is set */
  bool alarm_due;

  uint8_t input[PIPES_INPUT_SIZE];
  uint8_t output[PIPES_OUTPUT_SIZE];
};

/* Starts the thread; nothing is read until `pipes_read`. */
bool pipes_start(struct pipes *pipes, wt_client *client, const struct pipes_callbacks *callbacks, void *user_data);

/* Asks for input, of which the loop has no use for any more when it asks. */
void pipes_read(struct pipes *pipes);

/* Returns how many bytes `pipes_write` takes. If that is less than `wanted`, `on_room` follows. */
size_t pipes_room(struct pipes *pipes, size_t wanted);

/* Queues output; at most as much as there is room. Never blocks. */
void pipes_write(struct pipes *pipes, const void *data, size_t len);

/* `on_alarm` follows after so many milliseconds; an alarm that was set before does not. */
void pipes_alarm(struct pipes *pipes, int64_t ms);

/*
 * Writes what is queued and ends the thread, if there is one. Gives up if nothing can be written for `patience_ms`,
 * unless that is negative. Returns 0, or an `errno`: ETIMEDOUT when it gave up. After the loop's end.
 */
int pipes_finish(struct pipes *pipes, int64_t patience_ms);

/* Drops output that cannot be written at once, also in a `pipes_finish` that waits. Any thread. */
void pipes_abandon(struct pipes *pipes);

/* Frees what `pipes_start` made. After `pipes_finish`, and after the client was freed, which may call back. */
void pipes_free(struct pipes *pipes);

#endif
