/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SESSION_RELAY_H
#define WEBTRANSPORT_TOOL_SESSION_RELAY_H

#include <webtransport/client.h>

#include "common/client_settings.h"
#include "connect/message_reader.h"
#include "connect/printer.h"
#include "connect/standard_io.h"

/* What carries the input. */
enum input_carrier {
  CARRIER_BIDI,
  CARRIER_UNI,
  CARRIER_DATAGRAMS,
  CARRIER_NONE, /* there is no input */
};

enum {
  RELAY_LINE_SIZE = 65536, /* no datagram is larger */
  RELAY_REASON_SIZE = 4 * 1024 + 8,
};

/* What `webtransport connect` was asked for. */
struct connect_settings {
  struct client_settings client; /* first */
  enum input_carrier carrier;
  bool carrier_given;
  bool binary, quiet, verbose;
  size_t prefix;   /* one of PREFIX_WORDS */
  size_t messages; /* one of MESSAGES_WORDS */
  bool wait_given;
  int64_t wait_ms;
  bool reset_given, stop_given;
  uint32_t reset_code, stop_code, close_code;
  const char *close_reason; /* NULL: none */
};

#define PREFIX_WORDS "auto always never"
enum prefix_mode {
  PREFIX_AUTO,
  PREFIX_ALWAYS,
  PREFIX_NEVER
};

/* What messages on unidirectional streams of the server are: none, all of a stream, or with their length in front. */
#define MESSAGES_WORDS "none streams stream"
enum messages_mode {
  MESSAGES_NONE,
  MESSAGES_STREAMS,
  MESSAGES_STREAM
};

/* A stream of the session. What the server sends on it is printed. */
struct printed_stream {
  struct relay *relay;
  wt_stream *stream;
  struct printed_source source;
  enum messages_mode messages; /* what its bytes are */
  struct message_reader reader;
  bool paused; /* standard output had no room for its bytes */
  struct printed_stream *next;
};

/* Carries bytes between standard input and output and one session. All but `io` belongs to the thread of the loop. */
struct relay {
  const struct connect_settings *settings;
  struct standard_io io;
  struct printer printer;
  wt_session *session; /* NULL before it is open and after it has closed */
  struct printed_stream *streams;

  wt_stream *out;       /* the stream that carries the input; NULL: none, or it has closed */
  bool out_wanted;      /* `out` could not be opened yet: the peer must allow a stream first */
  const uint8_t *chunk; /* input that is not sent yet */
  size_t chunk_len;
  bool input_over; /* nothing more is sent */
  uint64_t sent;   /* bytes written to `out`, or datagrams given to the session */
  size_t line_len; /* length of the line in `line`, whose end was not read yet; more than fits: the line is too long */
  bool reset_due;  /* the input has ended, and `out` will be reset when all is delivered */
  bool reset;      /* we have reset `out`: the server's reaction is no failure */
  bool refused;    /* the server has reset `out` or stopped reading it */
  bool awaiting_quiet; /* the session closes when nothing has arrived for a while */
  int64_t quiet_since; /* when something arrived last */

  bool failed;      /* a message was printed that makes the exit status EXIT_FAILED */
  bool finishing;   /* we have closed the session */
  uint64_t dropped; /* datagrams that were not printed */

  bool closed; /* the members below say how */
  bool clean;
  enum wt_cause cause;
  uint32_t code;
  uint64_t wire_code;
  bool connection, wire_is_h3;
  char reason[RELAY_REASON_SIZE]; /* of the close, or the library's sentence; control characters are escaped */

  uint8_t line[RELAY_LINE_SIZE];
};

extern const struct wt_session_callbacks relay_session_callbacks; /* their user data is the relay */
extern const struct standard_io_callbacks relay_io_callbacks;

/* Begins to carry bytes: `session` is open. */
void relay_begin(struct relay *relay, wt_session *session);

/* Closes the session with the code and reason of the settings, if it is still open. */
void relay_close(struct relay *relay);

/* Print "webtransport connect: ..." on standard error. relay_fail also sets `failed`; relay_say prints nothing with
 * --quiet. */
void relay_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void relay_fail(struct relay *relay, const char *format, ...) __attribute__((format(printf, 2, 3)));
void relay_say(const struct relay *relay, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- Between session_relay.c and relay_input.c. --- */

/* Adds a stream to those whose bytes are printed. False: out of memory. */
bool relay_add_stream(struct relay *relay, wt_stream *stream);

/* Closes the session as soon as all is delivered and nothing has arrived for a while; see session_relay.c. */
void relay_await_quiet(struct relay *relay);

/* Opens the stream for the input, if there is one, and asks for input. */
void input_begin(struct relay *relay);
/* The peer allows more streams. */
void input_on_stream_credit(struct relay *relay);
void input_on_data(const uint8_t *data, size_t len, int error, void *user_data);
/* Sends input that waits, as much as the stream or the session takes now. */
void input_send(struct relay *relay);
/* Resets `out`, now or when all is delivered. */
void input_reset(struct relay *relay);
/* Drops input that waits: nothing more can be sent. */
void input_stop(struct relay *relay);
/* Whether the peer has acknowledged all bytes. Datagrams count when they have left: some may be lost. */
bool input_delivered(const struct relay *relay);

#endif
