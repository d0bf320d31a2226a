/* SPDX-License-Identifier: MIT */

/*
 * Two servers of two workers each, and a broker between them: 200 subscribers in 20 topics, by all three deliveries. Every
 * message of both servers arrives in order exactly once, also at the subscribers of the other one. Then the broker is killed,
 * comes back, and what was lost is exactly what was counted. WT_BROKER_DOWN_MS=5000 in the environment lets it stay away for
 * longer.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nats/nats.h>
#include <uv.h>

#include <webtransport/backplane_nats.h>
#include <webtransport/backplane_redis.h>
#include <webtransport/webtransport.h>

#include "broker.h"

enum {
  SUBSCRIBERS = 200,
  TOPICS = 20,
  NUMBERS_MAX = 20000, /* rounds */
  RESUME_MS = 2000, /* from the broker's start to the first message; the test allows more where the machine is busy */
};

/* What is published: all of it in one message. */
struct text {
  uint32_t server, topic, number;
};

struct server {
  wt_server *server;
  struct wt_backplane *backplane;
  pthread_t thread;
  char url[96];
  atomic_uint ups, downs, subscribed, failed;
  atomic_uint missed[TOPICS];
};

struct receiver {
  unsigned server, topic;
  enum wt_delivery delivery;
  bool wrong, ready;
  struct {
    uint32_t first, last;
    size_t count;
    bool seen[NUMBERS_MAX];
  } from[2];
  uint8_t bytes[4096]; /* of the standing stream: what is not a whole message yet */
  size_t len;
  bool named;
};

/* A stream of a receiver. */
struct incoming {
  struct receiver *receiver;
  uint8_t bytes[sizeof(struct text)];
  size_t len;
};

struct bed {
  uint64_t resend_delay_ms;
  struct broker broker;
  struct server servers[2];
  wt_certificate *certificate;
  wt_client *client;
  struct receiver *receivers;
  uv_loop_t loop;
  uv_timer_t tick;
  uint32_t next; /* the number of the next round */
};

/* --- Receiving --- */

static void receive(struct receiver *r, const uint8_t *data, size_t len) {
  struct text text;
  if (len != sizeof(text)) {
    r->wrong = true;
    return;
  }
  memcpy(&text, data, len);
  if (text.server > 1 || text.topic != r->topic || text.number >= NUMBERS_MAX ||
      r->from[text.server].seen[text.number]) {
    r->wrong = true;
    return;
  }
  r->from[text.server].seen[text.number] = true;
  if (r->from[text.server].count++ == 0) r->from[text.server].first = text.number;
  if (r->delivery == WT_DELIVERY_STREAM && text.number < r->from[text.server].last) r->wrong = true;
  if (text.number < r->from[text.server].first) r->from[text.server].first = text.number;
  if (text.number > r->from[text.server].last) r->from[text.server].last = text.number;
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session;
  receive(user_data, data, len);
}

/* Takes whole messages from the beginning of the standing stream's bytes. */
static void receive_whole(struct receiver *r) {
  size_t at = 0, len;
  for (; r->len - at >= 4 && !r->wrong; at += 4 + len) {
    const uint8_t *p = r->bytes + at;
    len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (r->len - at < 4 + len) break;
    if (r->named) {
      receive(r, p + 4, len);
    } else {
      r->named = true; /* the topic's name comes first */
    }
  }
  memmove(r->bytes, r->bytes + at, r->len - at);
  r->len -= at;
}

static void standing_take(struct receiver *r, const uint8_t *data, size_t len) {
  while (len > 0 && !r->wrong) {
    size_t room = sizeof(r->bytes) - r->len, n = len < room ? len : room;
    memcpy(r->bytes + r->len, data, n);
    r->len += n;
    data += n;
    len -= n;
    receive_whole(r);
  }
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct incoming *incoming = user_data;
  struct receiver *r = incoming->receiver;
  (void)stream;
  if (r->delivery == WT_DELIVERY_STREAM) {
    standing_take(r, data, len);
  } else if (incoming->len + len > sizeof(incoming->bytes)) {
    r->wrong = true;
  } else {
    if (len > 0) memcpy(incoming->bytes + incoming->len, data, len);
    incoming->len += len;
    if (fin) receive(r, incoming->bytes, incoming->len);
  }
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  free(user_data);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_stream_close};
  struct incoming *incoming = calloc(1, sizeof(*incoming));
  (void)session;
  assert_non_null(incoming);
  incoming->receiver = user_data;
  wt_stream_set_callbacks(stream, &callbacks, incoming);
}

/* --- Servers --- */

/* /topic?name=N&delivery=D: the session subscribes. */
static void on_request(wt_request *request, void *user_data) {
  struct server *server = user_data;
  struct wt_upgrade_options options;
  struct wt_subscribe_options subscribe;
  wt_session *session;
  char name[16], delivery[4];
  wt_upgrade_options_default(&options);
  wt_subscribe_options_default(&subscribe);
  if (wt_request_get_query_value(request, "name", name, sizeof(name)) ||
      wt_request_get_query_value(request, "delivery", delivery, sizeof(delivery)) ||
      wt_upgrade(request, &options, &session)) {
    atomic_fetch_add(&server->failed, 1);
    return;
  }
  subscribe.delivery = (enum wt_delivery)atoi(delivery);
  subscribe.max_messages = 65536;
  subscribe.max_bytes = (size_t)64 * 1024 * 1024;
  atomic_fetch_add(
      wt_session_subscribe(session, name, strlen(name), &subscribe) ? &server->failed : &server->subscribed, 1);
}

static void on_event(const struct wt_backplane_event *event, void *user_data) {
  struct server *server = user_data;
  char name[16] = "";
  if (event->topic && event->topic_len < sizeof(name)) memcpy(name, event->topic, event->topic_len);
  switch (event->type) {
    case WT_BACKPLANE_UP: atomic_fetch_add(&server->ups, 1); break;
    case WT_BACKPLANE_DOWN: atomic_fetch_add(&server->downs, 1); break;
    case WT_BACKPLANE_GAP:
      if (name[0]) atomic_fetch_add(&server->missed[atoi(name)], (unsigned)event->count);
      break;
    default: break;
  }
}

static struct wt_backplane *backplane_new(struct bed *bed, struct server *server) {
  bool redis = bed->broker.kind == BROKER_REDIS;
  struct wt_backplane *backplane = NULL;
  struct wt_broker_config config;
  char url[64];
  (redis ? wt_backplane_redis_config_init : wt_backplane_nats_config_init)(&config, sizeof(config));
  snprintf(url, sizeof(url), "%s://127.0.0.1:%u", redis ? "redis" : "nats", bed->broker.port);
  config.url = url;
  config.timeout_ms = 20000;
  config.resend_delay_ms = bed->resend_delay_ms;
  config.on_event = on_event;
  config.user_data = server;
  assert_int_equal((redis ? wt_backplane_redis_new : wt_backplane_nats_new)(&config, &backplane), 0);
  return backplane;
}

static void on_log(enum wt_log_level level, const char *line, void *user_data) {
  (void)user_data;
  if (getenv("WT_TEST_LOG")) fprintf(stderr, "%d %s\n", (int)level, line);
}

static void *server_run(void *argument) {
  struct server *server = argument;
  return wt_server_run(server->server) ? argument : NULL;
}

static void server_start(struct bed *bed, struct server *server) {
  struct wt_server_config config;
  const char *listen = "127.0.0.1:0";
  char address[64];
  wt_server_config_default(&config);
  config.listen = &listen;
  config.workers = 2;
  config.log = on_log;
  config.log_level = WT_LOG_INFO;
  assert_int_equal(wt_server_new(&config, &server->server, NULL, 0), 0);
  assert_int_equal(wt_server_add_certificate(server->server, bed->certificate), 0);
  assert_int_equal(wt_server_handle(server->server, "/topic", on_request, server), 0);
  server->backplane = backplane_new(bed, server);
  assert_int_equal(wt_server_set_backplane(server->server, server->backplane), 0);
  assert_int_equal(wt_server_start(server->server), 0);
  assert_int_equal(wt_server_get_address(server->server, 0, address, sizeof(address)), 0);
  snprintf(server->url, sizeof(server->url), "https://%s/topic", address);
  assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_end(struct server *server) {
  void *result;
  wt_server_close(server->server);
  assert_int_equal(pthread_join(server->thread, &result), 0);
  assert_null(result);
  wt_server_free(server->server);
}

/* --- Running --- */

static void on_tick(uv_timer_t *timer) { (void)timer; }

/* Runs the clients' loop until the condition holds, and fails after a time that nothing here needs. */
#define RUN_UNTIL(bed, condition)                                            \
  for (uint64_t deadline_ = uv_hrtime() + 60000000000u; !(condition);) {     \
    if (uv_hrtime() > deadline_) fail_msg("did not happen: %s", #condition); \
    uv_run(&(bed)->loop, UV_RUN_ONCE);                                       \
  }

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct receiver *r = user_data;
  (void)dial;
  if (result->error) fail_msg("%s", result->message);
  r->ready = true;
}

static void receiver_dial(struct bed *bed, struct receiver *r) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {.on_stream = on_stream, .on_datagram = on_datagram};
  struct wt_dial_options options;
  char url[160];
  wt_dial *dial;
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  options.session_callbacks = &session_callbacks;
  options.user_data = options.session_user_data = r;
  options.timeout_ms = 60000;
  snprintf(url, sizeof(url), "%s?name=%u&delivery=%d", bed->servers[r->server].url, r->topic, (int)r->delivery);
  assert_int_equal(wt_client_dial(bed->client, url, &options, &dial), 0);
}

/* 25 at a time: each is a handshake. */
static void receivers_dial(struct bed *bed) {
  bed->receivers = calloc(SUBSCRIBERS, sizeof(*bed->receivers));
  assert_non_null(bed->receivers);
  for (unsigned i = 0; i < SUBSCRIBERS; i++) {
    struct receiver *r = &bed->receivers[i];
    r->server = i % 2;
    r->topic = i / 2 % TOPICS;
    r->delivery = (enum wt_delivery)(i / (2 * TOPICS) % 3);
    receiver_dial(bed, r);
    if (i % 25 == 24) RUN_UNTIL(bed, bed->receivers[i].ready);
  }
  for (unsigned i = 0; i < SUBSCRIBERS; i++) RUN_UNTIL(bed, bed->receivers[i].ready);
  RUN_UNTIL(bed, bed->servers[0].subscribed + bed->servers[1].subscribed == SUBSCRIBERS);
  assert_int_equal(bed->servers[0].failed + bed->servers[1].failed, 0);
}

static void bed_open(struct bed *bed, enum broker_kind kind, uint64_t resend_delay_ms) {
  struct wt_client_config config;
  uint8_t hash[1][32];
  memset(bed, 0, sizeof(*bed));
  bed->resend_delay_ms = resend_delay_ms;
  broker_init(&bed->broker, kind, false, false);
  broker_start(&bed->broker);
  uv_loop_init(&bed->loop);
  uv_timer_init(&bed->loop, &bed->tick);
  uv_timer_start(&bed->tick, on_tick, 20, 20); /* what other threads do is noticed at the next one */
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &bed->certificate), 0);
  wt_certificate_get_sha256(bed->certificate, hash[0]);
  server_start(bed, &bed->servers[0]);
  server_start(bed, &bed->servers[1]);
  wt_client_config_default(&config);
  config.loop = &bed->loop;
  config.certificate_hashes = (const uint8_t(*)[32])hash;
  config.certificate_hash_count = 1;
  config.log = on_log;
  assert_int_equal(wt_client_new(&config, &bed->client, NULL, 0), 0);
  receivers_dial(bed);
  RUN_UNTIL(bed, bed->servers[0].ups >= 1 && bed->servers[1].ups >= 1);
}

static void bed_close(struct bed *bed) {
  wt_client_free(bed->client);
  server_end(&bed->servers[0]);
  server_end(&bed->servers[1]);
  wt_certificate_free(bed->certificate);
  uv_close((uv_handle_t *)&bed->tick, NULL);
  while (uv_run(&bed->loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed->loop), 0);
  broker_free(&bed->broker);
  free(bed->receivers);
}

/* --- Publishing --- */

static void publish(struct bed *bed, uint32_t server, uint32_t topic, uint32_t number) {
  struct text text = {.server = server, .topic = topic, .number = number};
  char name[16];
  int error;
  int len = snprintf(name, sizeof(name), "%u", topic);
  while ((error = wt_server_publish(bed->servers[server].server, name, (size_t)len, &text, sizeof(text), NULL)) ==
         WT_ERR_AGAIN) {
    uv_run(&bed->loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(error, 0);
}

/* One message of each server to each topic. */
static void publish_round(struct bed *bed) {
  assert_true(bed->next < NUMBERS_MAX);
  for (uint32_t topic = 0; topic < TOPICS; topic++) {
    publish(bed, 0, topic, bed->next);
    publish(bed, 1, topic, bed->next);
  }
  bed->next++;
}

/* Whether each receiver on streams has the latest message of both servers. */
static bool all_have_latest(const struct bed *bed) {
  for (unsigned i = 0; i < SUBSCRIBERS; i++) {
    const struct receiver *r = &bed->receivers[i];
    if (r->delivery == WT_DELIVERY_DATAGRAM) continue;
    for (int s = 0; s < 2; s++) {
      if (!r->from[s].seen[bed->next - 1]) return false;
    }
  }
  return true;
}

/* Publishes until everybody has the latest message: before that somebody was not subscribed at the broker. */
static void settle(struct bed *bed) {
  uint64_t deadline = uv_hrtime() + 60000000000u;
  do {
    publish_round(bed);
    uint64_t patience = uv_hrtime() + 500000000u;
    while (!all_have_latest(bed) && uv_hrtime() < patience) uv_run(&bed->loop, UV_RUN_ONCE);
    if (uv_hrtime() > deadline) fail_msg("the latest message does not arrive");
  } while (!all_have_latest(bed));
}

/* Whether streams that come each for itself have all arrived, and what came fits what was counted. */
static bool is_complete(const struct bed *bed, const struct receiver *r, unsigned from) {
  size_t missed = from == r->server ? 0 : atomic_load(&bed->servers[r->server].missed[r->topic]);
  return r->from[from].count + missed == bed->next - r->from[from].first;
}

static void check(struct bed *bed) {
  for (unsigned i = 0; i < SUBSCRIBERS; i++) {
    struct receiver *r = &bed->receivers[i];
    assert_false(r->wrong);
    if (r->delivery == WT_DELIVERY_DATAGRAM) continue; /* the network may lose them; none came twice */
    assert_int_equal(r->from[r->server].first, 0);
    RUN_UNTIL(bed, is_complete(bed, r, 0) && is_complete(bed, r, 1));
  }
}

static size_t missed_sum(struct bed *bed) {
  size_t sum = 0;
  for (int s = 0; s < 2; s++) {
    for (int t = 0; t < TOPICS; t++) sum += atomic_load(&bed->servers[s].missed[t]);
  }
  return sum;
}

static struct wt_backplane_stats stats_of(struct server *server) {
  struct wt_backplane_stats stats = {.size = sizeof(stats)};
  assert_int_equal(server->backplane->get_stats(server->backplane, &stats), 0);
  return stats;
}

/* The broker stays away for WT_BROKER_DOWN_MS of the environment; without it, no longer than the servers need to notice. */
static void down_time(struct bed *bed) {
  const char *text = getenv("WT_BROKER_DOWN_MS");
  uint64_t end = uv_hrtime() + (text ? strtoull(text, NULL, 10) : 0) * 1000000, next = 0;
  while (uv_hrtime() < end) {
    if (uv_hrtime() >= next) publish_round(bed);
    if (uv_hrtime() >= next) next = uv_hrtime() + 20000000;
    uv_run(&bed->loop, UV_RUN_ONCE);
  }
}

/* Without `resend_delay_ms`, the server that is connected first sends while the other one has not subscribed again. */
static void servers_talk(enum broker_kind kind, uint64_t resend_delay_ms) {
  struct bed bed;
  bed_open(&bed, kind, resend_delay_ms);
  settle(&bed);
  for (int i = 0; i < 25; i++) publish_round(&bed);
  settle(&bed);
  check(&bed);
  assert_int_equal(missed_sum(&bed), 0);
  assert_int_equal(stats_of(&bed.servers[0]).subscriptions, TOPICS);

  unsigned ups[2] = {bed.servers[0].ups, bed.servers[1].ups}, downs[2] = {bed.servers[0].downs, bed.servers[1].downs};
  for (int i = 0; i < 10; i++) publish_round(&bed);
  broker_kill(&bed.broker);
  RUN_UNTIL(&bed, bed.servers[0].downs > downs[0] && bed.servers[1].downs > downs[1]);
  for (int i = 0; i < 25; i++) publish_round(&bed);
  down_time(&bed);
  broker_start(&bed.broker);
  uint64_t started = uv_hrtime();
  RUN_UNTIL(&bed, bed.servers[0].ups > ups[0] && bed.servers[1].ups > ups[1]);
  settle(&bed);
  print_message("count: %d ms from the broker's start to delivery, %zu messages missed\n",
                (int)((uv_hrtime() - started) / 1000000), missed_sum(&bed));
  check(&bed);
  assert_int_equal(stats_of(&bed.servers[0]).missed + stats_of(&bed.servers[1]).missed, missed_sum(&bed));
  assert_int_equal(stats_of(&bed.servers[0]).dropped + stats_of(&bed.servers[1]).dropped, 0);
  bed_close(&bed);
}

static void test_servers_over_redis(void **state) {
  (void)state;
  servers_talk(BROKER_REDIS, 500);
}

static void test_servers_over_redis_with_losses(void **state) {
  (void)state;
  servers_talk(BROKER_REDIS, 0);
}

static void test_servers_over_nats(void **state) {
  (void)state;
  servers_talk(BROKER_NATS, 500);
}

static void test_servers_over_nats_with_losses(void **state) {
  (void)state;
  servers_talk(BROKER_NATS, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_servers_over_redis),
      cmocka_unit_test(test_servers_over_redis_with_losses),
      cmocka_unit_test(test_servers_over_nats),
      cmocka_unit_test(test_servers_over_nats_with_losses),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (failed == 0) nats_CloseAndWait(10000); /* ends the threads of nats.c, whose memory would count as leaked */
  return failed;
}
