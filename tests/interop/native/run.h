/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_RUN_H
#define INTEROP_RUN_H

/*
 * One run of one case by the client: steps that begin things, and a count of what has not ended yet. When it is
 * zero the next step is taken. client.c turns the crank, cases.c has the steps.
 */

#include <uv.h>
#include <webtransport/webtransport.h>

#include "lane.h"
#include "peer.h"

enum {
  PARTIES_MAX = 8,
  STEPS_MAX = 8,
  COUNT = 1000, /* streams of the reset cases */
  DATAGRAMS = 100,
};

struct run;

struct play {
  const char *name;
  void (*steps[STEPS_MAX])(struct run *run);
  bool tiny;
};

struct run {
  const struct options *options;
  const struct play *play;
  wt_client *client;
  uv_loop_t loop;
  uv_timer_t deadline, datagram_timer;
  size_t step;
  unsigned int left; /* things that this step waits for */
  bool over;
  int status;

  struct party parties[PARTIES_MAX];
  int expected_status; /* a dial that is refused with it is what the case wants */
  bool may_refuse;     /* a dial may be refused */
  bool refused;
  bool closing;           /* lanes that end with their session are no failure */
  char protocol_text[64]; /* the subprotocol of the last session */

  struct wt_close_info close; /* of the last session that ended */
  char close_reason[64];

  bool seen[COUNT];                               /* reset codes */
  unsigned int sent, answered, outstanding, lost; /* datagrams */
  unsigned int sharing;                           /* sessions that send them in turn; 0: the first alone sends */
  bool echoed[DATAGRAMS];
};

extern const struct play plays[];

/* The case has failed: says why, once, and ends the run. */
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something that the step waits for has ended well. */
void run_done(struct run *run);
/* Asks for a session at the path for parties[index], pooled with the others of the run or not. */
void run_dial(struct run *run, size_t index, const char *path, const char *const *protocols, size_t protocol_count,
              bool pooled, void (*accept)(struct lane *lane));
/* Closes the session of parties[index] and waits for its end. */
void run_close(struct run *run, size_t index, uint32_t code, const char *reason);
struct run *lane_run(const struct lane *lane);
/* In cases.c: a datagram came. */
void datagram_arrived(struct run *run, const uint8_t *data, size_t len);

#endif
