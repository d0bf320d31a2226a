/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TOPIC_SESSION_H
#define WEBTRANSPORT_TOOL_TOPIC_SESSION_H

#include <webtransport/session.h>
#include <webtransport/stream.h>

#include "common/rate.h"
#include "serve/endpoint_session.h"
#include "serve/tick_clock.h"
#include "serve/topic_name.h"
#include "serve/topics.h"

/* Between topic.c, which has the sessions, and topic_stream.c, which has what they send on streams. */

enum {
  TOPIC_HZ = 50 /* how often a second streams that wait are looked at */
};

struct topic_stream;

struct topic_session {
  struct endpoint_session base; /* first */
  struct topics *topics;
  wt_server *server;
  wt_session *session;
  struct rate messages, bytes;                        /* what it published */
  struct topic_stream *first_waiting, **last_waiting; /* streams that may not publish yet, longest first */
  struct tick_player player;                          /* in the clock while there are such streams */
  unsigned worker;
  uint64_t collecting; /* its part of that of `topics` */
  size_t name_len;
  char name[];
};

enum topic_verdict {
  TOPIC_PUBLISHED,
  TOPIC_LATER, /* the rate, or a worker that cannot keep up: try again in a while */
  TOPIC_LOST,  /* it cannot be published at all */
};

/* Publishes a message to all but its session, if the rate allows it. */
enum topic_verdict topic_publish(struct topic_session *state, const void *data, size_t len);

/* Returns how many of `wanted` messages the rate allows now, if the first one has `len` bytes. */
size_t topic_room(struct topic_session *state, size_t wanted, size_t len);

/* Receives the messages on a new stream. */
void topic_on_stream(wt_session *session, wt_stream *stream, void *user_data);

/* Lets streams that wait go on, as far as the rate allows. */
void topic_on_tick(struct tick_player *player, uint64_t number);

#endif
