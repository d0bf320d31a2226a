/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_RELAY_H
#define WEBTRANSPORT_TOOL_RELAY_H

#include <webtransport/client.h>

#include "common/client_settings.h"
#include "connect/standard_io.h"
#include "connect/printer.h"

/* What carries the input. */
enum talk_carrier {
  TALK_BIDI,
  TALK_UNI,
  TALK_DATAGRAMS,
  TALK_NONE, /* there is no input */
};

enum {
  TALK_LINE_SIZE = 65536, /* no datagram is larger */
  TALK_REASON_SIZE = 4 * 1024 + 8,
};

/* What `webtransport connect` was asked for. */
struct talk_settings {
  struct client_settings client; /* first */
  enum talk_carrier carrier;
  bool carrier_given;
  bool binary, quiet, verbose;
  size_t prefix; /* one of TALK_PREFIX_WORDS */
  bool wait_given;
  int64_t wait_ms;
  bool reset_given, stop_given;
  uint32_t reset_code, stop_code, close_code;
  const char *close_reason; /* NULL: none */
};

#define TALK_PREFIX_WORDS "auto always never"
enum talk_prefix {
  TALK_PREFIX_AUTO,
  TALK_PREFIX_ALWAYS,
  TALK_PREFIX_NEVER
};

/* A stream from which the session's end reads. */
struct channel {
  struct talk *talk;
  wt_stream *stream;
  struct source source;
  bool held; /* there was no room for its bytes */
  struct channel *next;
};

/* A session between standard input and output. All but `pipes` belongs to the loop's thread. */
struct talk {
  const struct talk_settings *settings;
  struct pipes pipes;
  struct printer printer;
  wt_session *session; /* NULL before and after */
  struct channel *channels;

  wt_stream *out;       /* the stream that the input goes to; NULL: none, or it is over */
  bool out_wanted;      /* the peer has to allow it first */
  const uint8_t *chunk; /* input that was not taken yet */
  size_t chunk_len;
  bool input_over;     /* nothing more is sent */
  uint64_t sent;       /* bytes given to `out`, or datagrams to the session */
  size_t line_len;     /* of a line for a datagram whose end was not read yet, or too long already */
  bool reset_due;      /* `out` is to be reset */
  bool reset;          /* `out` was reset from here: what the server does about it is no failure */
  bool refused;        /* the server reset `out`, or does not read it */
  bool settling;       /* the end is near: see talk_settle */
  int64_t quiet_since; /* when something happened last */

  bool failed;    /* something was told that makes the exit status EXIT_FAILED */
  bool finishing; /* the session was closed from here */
  uint64_t dropped;

  bool closed; /* `by` and so on say how */
  bool clean;
  enum wt_cause cause;
  uint32_t code;
  uint64_t wire_code;
  bool connection, wire_is_h3;
  char reason[TALK_REASON_SIZE]; /* its control characters made visible; without a close, the library's sentence */

  uint8_t line[TALK_LINE_SIZE];
};

extern const struct wt_session_callbacks talk_callbacks; /* their user data is the talk */
extern const struct pipes_callbacks talk_pipes_callbacks;

/* The session is there: begins. */
void talk_begin(struct talk *talk, wt_session *session);

/* Closes the session in order, if there still is one. */
void talk_finish(struct talk *talk);

/* Writes "webtransport connect: ..." to standard error; talk_fail also sets `failed`, talk_say is for --quiet to stop. */
void talk_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void talk_fail(struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));
void talk_say(const struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- Between relay.c and relay_input.c. --- */

/* Makes a channel of a stream, to print what it brings. False: out of memory. */
bool talk_listen(struct talk *talk, wt_stream *stream);

/* Watches for the moment from which nothing more is to be expected; see relay.c. */
void talk_settle(struct talk *talk);

/* Opens what carries the input, and reads it. */
void feed_begin(struct talk *talk);
/* The peer allows streams again. */
void feed_on_credit(struct talk *talk);
void feed_on_input(const uint8_t *data, size_t len, int error, void *user_data);
/* Sends what waits, as far as it is taken now. */
void feed_pump(struct talk *talk);
/* Resets the stream that the input went to, now or when all has been delivered. */
void feed_reset(struct talk *talk);
/* Nothing more can be sent. */
void feed_stop(struct talk *talk);
/* Says whether all that was sent is with the peer, or lost as datagrams may be. */
bool feed_delivered(const struct talk *talk);

#endif
