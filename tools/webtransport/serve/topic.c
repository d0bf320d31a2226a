/* SPDX-License-Identifier: MIT */
/*
 * /topic/NAME for sessions: each is subscribed to NAME and publishes there what it sends, to all others. A datagram is a
 * message; topic_stream.c has what comes on streams. "?delivery=datagram", "streams" or "stream" says how a session gets
 * messages: these are the three deliveries of webtransport/topic.h, which does all the rest.
 *
 * A session may publish so many messages and bytes a second. Datagrams beyond that are dropped, because nobody waits for
 * them; streams wait, so that flow control holds their sender back.
 */
#include "serve/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webtransport/topic.h>

#include "common/clock.h"
#include "common/tool_log.h"
#include "serve/respond.h"
#include "serve/topic_session.h"

enum {
  TOPIC_RATE_DEFAULT = 100,
  TOPIC_MESSAGE_DEFAULT = 64 * 1024,
  TOPIC_BYTE_RATE_DEFAULT = 1024 * 1024,
};

void topic_settings_default(struct topic_settings *settings) {
  struct wt_topic_limits limits;
  struct wt_subscribe_options options;
  wt_topic_limits_default(&limits);
  wt_subscribe_options_default(&options);
  *settings = (struct topic_settings){
      .max_topics = limits.max_topics,
      .max_message = TOPIC_MESSAGE_DEFAULT,
      .max_queue = options.max_messages,
      .rate = TOPIC_RATE_DEFAULT,
      .byte_rate = TOPIC_BYTE_RATE_DEFAULT,
  };
}

int topics_configure(wt_server *server, const struct topic_settings *settings) {
  struct wt_topic_limits limits;
  wt_topic_limits_default(&limits);
  limits.max_topics = settings->max_topics;
  limits.max_message = settings->max_message;
  limits.max_subscriptions_per_session = 1;
  return wt_server_set_topic_limits(server, &limits);
}

/* --- Publishing. --- */

size_t topic_room(struct topic_session *state, size_t wanted, size_t len) {
  const struct topic_settings *settings = &state->topics->settings;
  uint64_t now = (uint64_t)clock_ms();
  if (rate_room(&state->bytes, settings->byte_rate, now, len) < len) return 0;
  return rate_room(&state->messages, settings->rate, now, wanted);
}

enum topic_verdict topic_publish(struct topic_session *state, const void *data, size_t len) {
  const struct topic_settings *settings = &state->topics->settings;
  if (!topic_room(state, 1, len)) return TOPIC_LATER;
  int error = wt_server_publish(state->server, state->name, state->name_len, data, len, state->session);
  if (error == WT_ERR_AGAIN) return TOPIC_LATER;
  if (error) return TOPIC_LOST;
  rate_take(&state->messages, settings->rate, 1);
  rate_take(&state->bytes, settings->byte_rate, len);
  return TOPIC_PUBLISHED;
}

static void topic_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  struct topic_session *state = user_data;
  switch (topic_publish(state, data, len)) {
    case TOPIC_PUBLISHED: return;
    case TOPIC_LATER: atomic_fetch_add(&state->topics->over_rate, 1); break;
    case TOPIC_LOST: atomic_fetch_add(&state->topics->refused, 1); break;
  }
  log_limited(&limit, WT_LOG_WARN, "%s: a datagram to %s was not published: too many, or too large",
              wt_session_peer_address(session), wt_session_path(session));
}

/* --- The session. --- */

static void topic_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct topic_session *state = user_data;
  tick_clock_remove(state->topics->clock, &state->player);
  endpoint_session_closed(&state->base, session, info);
  free(state);
}

static void session_end(wt_session *session, enum topic_code code, const char *why) {
  wt_session_close(session, code, why, strlen(why));
}

static void topic_on_end(wt_session *session, const void *topic, size_t topic_len, void *user_data) {
  (void)topic, (void)topic_len, (void)user_data;
  session_end(session, TOPIC_TOO_SLOW, "the stream of the topic's messages was stopped, or is too slow");
}

static const char *refusal(int error) {
  switch (error) {
    case WT_ERR_AGAIN: return "there are too many topics";
    case WT_ERR_UNSUPPORTED: return "you take no datagrams: use ?delivery=streams or ?delivery=stream";
    default: return wt_error_string(error);
  }
}

static void subscribe(struct topic_session *state, enum wt_delivery delivery) {
  const struct topic_settings *settings = &state->topics->settings;
  struct wt_subscribe_options options;
  wt_subscribe_options_default(&options);
  options.delivery = delivery;
  options.max_messages = settings->max_queue;
  if (options.max_bytes < settings->max_message) options.max_bytes = settings->max_message;
  options.on_end = topic_on_end;
  int error = wt_session_subscribe(state->session, state->name, state->name_len, &options);
  if (error) session_end(state->session, TOPIC_NONE, refusal(error));
}

static struct topic_session *state_new(wt_request *request, struct topics *topics, const struct topic_name *name) {
  struct topic_session *state = calloc(1, sizeof *state + name->len);
  if (!state) return NULL;
  state->topics = topics;
  state->server = wt_request_server(request);
  state->worker = wt_request_worker(request);
  state->last_waiting = &state->first_waiting;
  state->player.on_tick = topic_on_tick;
  state->name_len = name->len;
  memcpy(state->name, name->bytes, name->len);
  return state;
}

static bool delivery_read(wt_request *request, enum wt_delivery *delivery) {
  static const char *const words[] = {
      [WT_DELIVERY_DATAGRAM] = "datagram", [WT_DELIVERY_STREAM_EACH] = "streams", [WT_DELIVERY_STREAM] = "stream"};
  char word[16];
  int error = wt_request_get_query_value(request, "delivery", word, sizeof word);
  *delivery = WT_DELIVERY_DATAGRAM;
  if (error == WT_ERR_NOT_FOUND) return true;
  for (int i = 0; !error && i < (int)(sizeof words / sizeof words[0]); i++) {
    *delivery = (enum wt_delivery)i;
    if (!strcmp(words[i], word)) return true;
  }
  respond_text(request, 400, "delivery must be datagram, streams or stream.");
  return false;
}

void topic_accept(wt_request *request, const struct endpoints *endpoints) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = topic_on_stream,
      .on_datagram = topic_on_datagram,
      .on_close = topic_on_close,
  };
  struct topic_name name;
  enum wt_delivery delivery;
  if (!endpoints->topics || !endpoints->topics->settings.max_topics) {
    respond_text(request, 404, "There are no topics here.");
    return;
  }
  const char *wrong = topic_name_read(wt_request_path(request), &name);
  if (wrong) {
    respond_text(request, wt_request_path(request)[strlen(TOPIC_PATH)] ? 400 : 404, wrong);
    return;
  }
  if (!delivery_read(request, &delivery)) return;
  struct topic_session *state = state_new(request, endpoints->topics, &name);
  if (!state) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  state->session = state->player.session = endpoint_session_accept(&state->base, endpoints, request, &callbacks);
  if (state->session)
    subscribe(state, delivery);
  else
    free(state);
}
