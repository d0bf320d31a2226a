/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TOPICS_H
#define WEBTRANSPORT_TOOL_TOPICS_H

#include <stdatomic.h>
#include <stdint.h>

#include <webtransport/topic.h>

struct tick_clock;

/* The bounds of /topic. */
struct topic_settings {
  uint64_t max_topics;      /* with a subscriber at a time; 0: there is no /topic */
  uint64_t max_message;     /* bytes of a message */
  uint64_t max_queue;       /* messages that wait for a subscriber */
  uint64_t rate, byte_rate; /* messages, and their bytes, that a session may publish in a second; 0: no limit */
};

/* What the sessions at /topic share. */
struct topics {
  struct topic_settings settings;
  struct tick_clock *clock; /* wakes streams that had to wait */
  /* Counts; any thread. */
  _Atomic uint64_t over_rate;  /* datagrams that were not published, because their session sent too many */
  _Atomic uint64_t refused;    /* messages that were not published for another reason */
  _Atomic uint64_t collecting; /* bytes kept of messages on streams whose end has not come */
};

/* Codes with which /topic ends a session or refuses a stream. docs/guide/topics.md lists them. */
enum topic_code {
  TOPIC_TOO_SLOW = 1,  /* session: it stopped the stream of its messages, or took too little of it */
  TOPIC_NONE = 2,      /* session: it could not be subscribed */
  TOPIC_TOO_LARGE = 3, /* stream: a message is larger than --topic-max-message */
  TOPIC_NO_MEMORY = 4, /* stream: too many unfinished messages, or out of memory */
};

void topic_settings_default(struct topic_settings *settings);

/* Gives the bounds to the server. Returns 0 or an error of the library. */
int topics_configure(wt_server *server, const struct topic_settings *settings);

#endif
