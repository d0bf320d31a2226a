/* SPDX-License-Identifier: MIT */
/*
 * /tick?hz=N&bytes=M for sessions: what the server of a game does. It sends each player a datagram of M bytes, N times a
 * second, to all at the same time (tick_clock.c), and takes the datagrams that the players send. A datagram begins with
 * the numbers of common/tick.h, so that a player can tell how late it is and what was lost on either way.
 */
#include "serve/endpoint_session.h"
#include "serve/endpoints.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"
#include "common/tick.h"
#include "serve/respond.h"
#include "serve/tick_clock.h"

struct tick_session {
  struct endpoint_session base; /* first */
  struct tick_clock *clock;
  struct tick_player player;
  uint64_t bytes;          /* of each datagram */
  uint64_t next, received; /* of the player's own datagrams; as in common/tick.h */
};

static void tick_send(struct tick_player *player, uint64_t number) {
  struct tick_session *state = (struct tick_session *)((char *)player - offsetof(struct tick_session, player));
  uint8_t data[TICK_BYTES_MAX];
  size_t len;
  const struct tick tick = {.number = number, .next = state->next, .received = state->received};
  memcpy(data, pattern_bytes(0, state->bytes, &len), state->bytes);
  tick_write(data, &tick);
  /* A datagram that cannot be sent is one that is lost. */
  (void)wt_session_send_datagram(player->session, data, state->bytes);
}

static void tick_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct tick_session *state = user_data;
  (void)session;
  if (len < MOVE_BYTES_MIN) return;
  uint64_t next = move_read(data) + 1;
  if (next > state->next) state->next = next;
  state->received++;
}

static void tick_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct tick_session *state = user_data;
  tick_clock_remove(state->clock, &state->player);
  endpoint_session_closed(&state->base, session, info);
  free(state);
}

static void tick_open(wt_request *request, struct tick_session *state, const struct endpoints *endpoints, uint64_t hz) {
  static const struct wt_session_callbacks callbacks = {
      .on_datagram = tick_on_datagram,
      .on_close = tick_on_close,
  };
  unsigned worker = wt_request_worker(request);
  wt_session *session = endpoint_session_accept(&state->base, endpoints, request, &callbacks);
  if (!session) {
    free(state);
    return;
  }
  state->player.session = session;
  state->player.on_tick = tick_send;
  const char *why = tick_clock_add(state->clock, worker, hz, &state->player);
  if (why) wt_session_close(session, 0, why, strlen(why));
}

void tick_accept(wt_request *request, const struct endpoints *endpoints) {
  uint64_t hz, bytes;
  if (!query_number(request, "hz", TICK_HZ_DEFAULT, TICK_HZ_MAX, &hz)) return;
  if (!query_number(request, "bytes", TICK_BYTES_DEFAULT, TICK_BYTES_MAX, &bytes)) return;
  if (hz == 0 || bytes < TICK_BYTES_MIN) {
    respond_text(request, 400, "hz must be at least 1, and bytes at least 24.");
    return;
  }
  struct tick_session *state = endpoints->tick_clock ? calloc(1, sizeof *state) : NULL;
  if (!state) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  state->clock = endpoints->tick_clock;
  state->bytes = bytes;
  tick_open(request, state, endpoints, hz);
}
