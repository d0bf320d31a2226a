/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_LANE_H
#define INTEROP_LANE_H

/*
 * What both ends of the interop cases are made of. A lane is one stream with its job: what is to be sent on it,
 * how it is to end, and who is told once the peer's bytes are complete. A party is one session with its lanes,
 * also those that wait until the peer allows a further stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <webtransport/session.h>

enum {
  LANE_READ_MAX = 4 << 20, /* bytes kept of one stream; more is a failure of the peer */
  DIGEST_TEXT = 96,        /* room for what `digest_text` writes */
  TINY_DATA = 4096,        /* of the flow-control case: bytes, streams of each kind */
  TINY_STREAMS = 2,
};

enum lane_ending {
  LANE_OPEN = 0, /* send no more for the time being */
  LANE_FIN,
  LANE_RESET,
};

struct lane;

/* One session. */
struct party {
  wt_session *session; /* NULL before and after */
  void *owner;
  void (*accept)(struct lane *lane); /* the peer opened a stream: gives it its job; NULL: such are refused */
  struct lane *waiting[2], **waiting_end[2];
};

/* One stream. */
struct lane {
  struct party *party;
  wt_stream *stream; /* NULL until it is open */
  enum wt_stream_kind kind;
  struct lane *next;

  uint8_t *out; /* what to send; NULL: the pattern */
  size_t out_len, out_at;
  enum lane_ending ending; /* what follows it */
  uint32_t code;           /* of LANE_RESET */

  bool echoes; /* what arrives goes back at once, and is not kept */
  uint8_t *in; /* what arrived */
  size_t in_len, in_size;
  bool received, was_reset, has_code;
  uint32_t reset_code;
  bool lost; /* it ended without FIN or reset */

  void *user;
  uint64_t number;
  void (*on_received)(struct lane *lane); /* FIN, reset, or lost; once; may be NULL */
  void (*on_part)(struct lane *lane);     /* more has arrived; may be NULL */
};

/* The pattern: byte `at` of it. And whether `data` is its first `len` bytes. */
uint8_t pattern_at(uint64_t at);
bool pattern_is(const uint8_t *data, size_t len);
/* The code that the stream of this number is reset with. */
uint32_t reset_code_of(uint64_t number);
/* "BYTES SHA256\n" of what a lane received, or of the pattern's first bytes. */
bool digest_text(const uint8_t *data, size_t len, char text[DIGEST_TEXT]);
bool digest_text_of_pattern(size_t len, char text[DIGEST_TEXT]);

/* Whether the peer's SETTINGS have the limits of the flow-control case: without them it would show nothing. */
bool limits_are_tiny(const wt_session *session);

void party_init(struct party *party, void *owner, void (*accept)(struct lane *lane));
/* Opens a stream now or once the peer allows it. `out` is copied; NULL stands for the pattern. NULL if there is
 * no memory. The job may be completed until the loop turns. */
struct lane *party_open(struct party *party, enum wt_stream_kind kind, const void *out, size_t len,
                        enum lane_ending ending, uint32_t code);
/* Sends on an accepted bidirectional lane; as above. */
bool lane_send(struct lane *lane, const void *out, size_t len, enum lane_ending ending);
/* Sends so many bytes more of the pattern. */
void lane_send_more(struct lane *lane, size_t len);
/* What waits is dropped; in the session's `on_close`. */
void party_closed(struct party *party);

/* For wt_session_callbacks; the user data is the party. */
void party_on_stream(wt_session *session, wt_stream *stream, void *user_data);
void party_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data);

#endif
