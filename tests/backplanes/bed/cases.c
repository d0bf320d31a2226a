/* SPDX-License-Identifier: MIT */

/*
 * What each backplane has to do: see cases.h. Two servers, A and B, are hubs on one loop.
 */

#include "cases.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include <webtransport/error.h>

/* Names with all that a broker might take for something else. */
static const char *const topics[] = {"plain", "with space", "a.b.*.>", "caf\xc3\xa9 \xe2\x82\xac", "\x01\x7f\xff=3D"};
#define TOPICS (sizeof(topics) / sizeof(topics[0]))

struct two {
  const struct kind *kind;
  struct broker broker;
  struct hub a, b;
  uv_loop_t *loop;
  unsigned next; /* the number of the next message */
};

struct wt_backplane *kind_make(const struct kind *kind, struct hub *hub, const struct options *options) {
  struct wt_broker_config config;
  struct wt_backplane *backplane = NULL;
  kind->config_init(&config, sizeof(config));
  config.url = options->url;
  config.ca_file = options->ca_file;
  config.password = options->password;
  config.sharded = kind->sharded;
  if (kind->prefix) config.prefix = kind->prefix;
  if (options->max_queue_bytes) config.max_queue_bytes = options->max_queue_bytes;
  config.timeout_ms = options->timeout_ms ? options->timeout_ms : 20000;
  config.on_event = hub_on_event;
  config.user_data = hub;
  if (kind->new (&config, &backplane) != 0) fail_msg("%s", kind->error());
  assert_string_equal(kind->error(), "");
  return backplane;
}

/* With user and password if the broker has them. */
static void broker_url(const struct broker *broker, const struct kind *kind, char *url, size_t size) {
  snprintf(url, size, "%s://%s127.0.0.1:%u", broker->tls ? kind->tls_scheme : kind->scheme,
           broker->has_password ? "bus:s3cr%25t@" : "", broker->port);
}

static void two_start(struct two *two, const struct options *more) {
  char url[128];
  struct options options = more ? *more : (struct options){0};
  broker_url(&two->broker, two->kind, url, sizeof(url));
  options.url = url;
  if (two->broker.tls && !options.ca_file) options.ca_file = two->broker.ca_file;
  hub_start(&two->a, kind_make(two->kind, &two->a, &options), two->loop);
  hub_start(&two->b, kind_make(two->kind, &two->b, &options), two->loop);
}

static void two_init(struct two *two, const struct kind *kind, bool has_password, bool tls) {
  *two = (struct two){.kind = kind, .loop = uv_default_loop(), .next = 1};
  broker_init(&two->broker, kind->broker, has_password, tls);
}

static void two_up(struct two *two, unsigned times) {
  HUB_RUN_UNTIL(two->loop, two->a.ups >= times && two->b.ups >= times);
}

static void two_free(struct two *two) {
  hub_stop(&two->a);
  hub_stop(&two->b);
  broker_free(&two->broker);
}

/* Publishes one more message from A and from B to each topic. */
static void two_publish(struct two *two) {
  for (size_t i = 0; i < TOPICS; i++) {
    assert_int_equal(hub_publish(&two->a, topics[i], two->next, 100), 0);
    assert_int_equal(hub_publish(&two->b, topics[i], two->next, 100), 0);
  }
  two->next++;
}

static void two_subscribe(struct two *two) {
  for (size_t i = 0; i < TOPICS; i++) {
    hub_subscribe(&two->a, topics[i]);
    hub_subscribe(&two->b, topics[i]);
  }
}

/* Whether the latest message of each topic is there. */
static bool hub_has_latest(const struct hub *hub, unsigned number) {
  size_t found = 0;
  char text[16];
  snprintf(text, sizeof(text), "%u ", number);
  for (size_t i = hub->count; i-- > 0 && found < TOPICS;) {
    found += strncmp((char *)hub->messages[i].data, text, strlen(text)) == 0;
  }
  return found == TOPICS;
}

static bool two_have_latest(const struct two *two) {
  return hub_has_latest(&two->a, two->next - 1) && hub_has_latest(&two->b, two->next - 1);
}

/* Publishes until the latest message of each topic is with both: before that, one of them was not subscribed yet. */
static void two_settle(struct two *two) {
  uint64_t deadline = uv_hrtime() + 60000000000u;
  do {
    two_publish(two);
    uint64_t patience = uv_hrtime() + 500000000u;
    while (!two_have_latest(two) && uv_hrtime() < patience) hub_turn(two->loop, deadline, "a message arrives");
  } while (!two_have_latest(two));
}

/* Each message that came did so once and in order, and the counts fit. */
static void hub_check(const struct hub *hub) {
  size_t received = 0;
  for (size_t i = 0; i < TOPICS; i++) received += hub_received(hub, topics[i]);
  assert_int_equal(received, hub->count);
  struct wt_backplane_stats stats = hub_stats(hub);
  assert_int_equal(stats.received, hub->count);
  assert_int_equal(stats.missed, hub->missed);
  assert_int_equal(stats.invalid, 0);
  assert_int_equal(stats.subscriptions, TOPICS);
}

/* A broker answers, both are subscribed, and each has had a message of the other to each topic. */
static void two_begin(struct two *two, const struct kind *kind, const struct options *options, bool tls) {
  two_init(two, kind, true, tls);
  broker_start(&two->broker);
  two_start(two, options);
  two_subscribe(two);
  two_up(two, 1);
  two_settle(two);
  /* The first tries may have come before the broker listened. */
  two->a.downs = two->b.downs = two->a.gaps = two->b.gaps = 0;
}

static void hub_has_no_secret(const struct hub *hub) {
  assert_null(strstr(hub->log, "s3cr"));
  assert_null(strstr(hub->reason, "s3cr"));
  assert_null(strstr(hub->log, "wrong-one"));
}

static void check_both_ways(const struct kind *kind, bool tls) {
  struct two two;
  two_begin(&two, kind, NULL, tls);
  for (int i = 0; i < 500; i++) two_publish(&two);
  HUB_RUN_UNTIL(two.loop, two_have_latest(&two));
  hub_publish(&two.a, topics[0], two.next++, 300000); /* larger than any buffer */
  HUB_RUN_UNTIL(two.loop, two.b.messages[two.b.count - 1].len == 300000);
  assert_int_equal(hub_stats(&two.a).missed, 0);
  hub_check(&two.a);
  hub_check(&two.b);

  /* Who has left gets nothing more, and who comes again does. */
  hub_unsubscribe(&two.b, topics[1]);
  size_t before = hub_received(&two.b, topics[1]);
  two_publish(&two);
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes == 0 && hub_received(&two.b, topics[0]) > before);
  assert_int_equal(hub_received(&two.b, topics[1]), before);
  assert_int_equal(hub_stats(&two.b).subscriptions, TOPICS - 1);
  hub_subscribe(&two.b, topics[1]);
  two_settle(&two);
  assert_int_equal(hub_stats(&two.b).missed, 0);
  assert_int_equal(two.a.downs + two.b.downs, 0);

  /* What is too large is refused and counted. */
  assert_int_equal(hub_publish(&two.a, "plain", two.next, 2000000), WT_ERR_TOO_LARGE);
  assert_int_equal(hub_stats(&two.a).dropped, 1);
  HUB_RUN_UNTIL(two.loop, two.a.dropped == 1);
  two_free(&two);
}

void test_both_ways(void **state) { check_both_ways(*state, false); }

void test_tls(void **state) { check_both_ways(*state, true); }

/* What was published until the broker is back arrives, or is counted: at each server `received + missed` is what the other
 * one published since its first message that arrived. */
static void two_check_losses(struct two *two, size_t before_a, size_t before_b, unsigned first) {
  two_settle(two);
  size_t published = (two->next - first) * TOPICS;
  size_t a = two->a.count - before_a + hub_stats(&two->a).missed,
         b = two->b.count - before_b + hub_stats(&two->b).missed;
  assert_int_equal(a, published);
  assert_int_equal(b, published);
  hub_check(&two->a);
  hub_check(&two->b);
}

void test_restart(void **state) {
  const struct kind *kind = *state;
  struct two two;
  two_begin(&two, kind, NULL, false);
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes + hub_stats(&two.b).queued_bytes == 0);
  for (unsigned round = 1; round <= 3; round++) {
    size_t before_a = two.a.count, before_b = two.b.count;
    uint64_t missed_a = hub_stats(&two.a).missed, missed_b = hub_stats(&two.b).missed;
    unsigned first = two.next;
    for (int i = 0; i < 200; i++) two_publish(&two); /* some of it may be on its way when the broker dies */
    uv_run(two.loop, UV_RUN_NOWAIT);
    broker_kill(&two.broker);
    HUB_RUN_UNTIL(two.loop, two.a.downs == round && two.b.downs == round);
    assert_int_equal(hub_stats(&two.a).up, 0);
    for (int i = 0; i < 200; i++) two_publish(&two);
    broker_start(&two.broker);
    uint64_t started = uv_hrtime();
    two_up(&two, round + 1);
    two_check_losses(&two, before_a + missed_a, before_b + missed_b, first);
    if (uv_hrtime() - started > 10000000000u) fail_msg("delivery did not go on");
    assert_int_equal(two.a.gaps, round);
    HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes + hub_stats(&two.b).queued_bytes == 0);
  }
  assert_int_equal(hub_stats(&two.a).dropped, 0);
  hub_has_no_secret(&two.a);
  two_free(&two);
}

void test_frozen(void **state) {
  const struct kind *kind = *state;
  struct two two;
  two_begin(&two, kind, &(struct options){.timeout_ms = 1000}, false);
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes + hub_stats(&two.b).queued_bytes == 0);
  size_t before_a = two.a.count, before_b = two.b.count;
  uint64_t missed_a = hub_stats(&two.a).missed, missed_b = hub_stats(&two.b).missed;
  unsigned first = two.next;
  broker_signal(&two.broker, SIGSTOP);
  for (int i = 0; i < 200; i++) two_publish(&two);
  HUB_RUN_UNTIL(two.loop, two.a.downs > 0 && two.b.downs > 0);
  assert_non_null(strstr(two.a.reason, "no answer"));
  for (int i = 0; i < 200; i++) two_publish(&two);
  broker_signal(&two.broker, SIGCONT);
  two_up(&two, 2);
  two_check_losses(&two, before_a + missed_a, before_b + missed_b, first);
  two_free(&two);
}

void test_no_broker_at_start(void **state) {
  const struct kind *kind = *state;
  struct two two;
  two_init(&two, kind, false, false);
  two_start(&two, NULL);
  two_subscribe(&two);
  for (int i = 0; i < 10; i++) two_publish(&two);
  HUB_RUN_UNTIL(two.loop, two.a.downs == 1 && two.b.downs == 1);
  broker_start(&two.broker);
  two_up(&two, 1);
  two_settle(&two);
  assert_int_equal(two.a.downs, 1); /* one event, however often it was tried */
  assert_int_equal(hub_stats(&two.a).connects, 1);
  hub_check(&two.a);
  two_free(&two);
}

void test_wrong_password(void **state) {
  const struct kind *kind = *state;
  struct two two;
  two_init(&two, kind, true, false);
  broker_start(&two.broker);
  two_start(&two, &(struct options){.password = "wrong-one"});
  /* The first try may come before the broker listens. */
  HUB_RUN_UNTIL(two.loop,
                two.a.downs == 1 && two.b.downs == 1 && (strstr(two.a.log, "assword") || strstr(two.a.log, "uthor")));
  assert_int_equal(two.a.ups, 0);
  hub_has_no_secret(&two.a);
  two_free(&two);
}

void test_wrong_authority(void **state) {
  const struct kind *kind = *state;
  struct two two;
  struct broker other;
  two_init(&two, kind, true, true);
  broker_init(&other, kind->broker, false, true);
  broker_start(&two.broker);
  two_start(&two, &(struct options){.ca_file = other.ca_file});
  HUB_RUN_UNTIL(two.loop, strstr(two.a.log, "TLS") || strstr(two.a.log, "SSL") || strstr(two.a.log, "certificate"));
  assert_int_equal(two.a.ups, 0);
  two_free(&two);
  broker_free(&other);
}

void test_silent_broker(void **state) {
  const struct kind *kind = *state;
  struct hub hub = {0};
  uint16_t port;
  char url[64];
  int listener = listener_new(&port); /* the system accepts; nobody answers */
  snprintf(url, sizeof(url), "%s://127.0.0.1:%u", kind->scheme, port);
  hub_start(&hub, kind_make(kind, &hub, &(struct options){.url = url, .timeout_ms = 100}), uv_default_loop());
  HUB_RUN_UNTIL(uv_default_loop(), hub.downs == 1);
  assert_int_equal(hub.ups, 0);
  hub_stop(&hub);
  close(listener);
}

void test_bounded_queue(void **state) {
  const struct kind *kind = *state;
  struct two two;
  unsigned taken = 0, refused = 0;
  two_begin(&two, kind, &(struct options){.max_queue_bytes = 100000, .timeout_ms = 60000}, false);
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes == 0);
  size_t before = hub_received(&two.b, "plain");
  broker_signal(&two.broker, SIGSTOP);
  for (unsigned i = 0; i < 1000; i++) {
    int error = hub_publish(&two.a, "plain", two.next + i, 1000);
    taken += error == 0;
    refused += error == WT_ERR_AGAIN;
    if (i % 10 == 0) uv_run(two.loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(taken + refused, 1000);
  assert_in_range(taken, 80, 100);
  assert_in_range(hub_stats(&two.a).queued_bytes, 90000, 100000);
  assert_int_equal(hub_stats(&two.a).dropped, refused);
  HUB_RUN_UNTIL(two.loop, two.a.dropped == refused);
  broker_signal(&two.broker, SIGCONT);
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).queued_bytes == 0);
  assert_int_equal(hub_publish(&two.a, "plain", two.next + 1000, 10), 0);
  HUB_RUN_UNTIL(two.loop, hub_received(&two.b, "plain") == before + taken + 1);
  assert_int_equal(two.b.missed, refused); /* the other side knows exactly what it lacks */
  two_free(&two);
}

/* --- Several threads at once. --- */

struct publisher {
  struct hub *hub;
  char topic[32];
  uv_thread_t thread;
};

static void publisher_run(void *argument) {
  struct publisher *publisher = argument;
  for (unsigned i = 1; i <= 500; i++) {
    char other[64];
    if (hub_publish(publisher->hub, publisher->topic, i, 50) != 0) return;
    snprintf(other, sizeof(other), "%s-%u", publisher->topic, i);
    hub_subscribe(publisher->hub, other);
    hub_unsubscribe(publisher->hub, other);
  }
}

void test_publish_on_threads(void **state) {
  const struct kind *kind = *state;
  struct two two;
  struct publisher publishers[4];
  two_begin(&two, kind, NULL, false);
  for (int i = 0; i < 4; i++) {
    publishers[i].hub = &two.a;
    snprintf(publishers[i].topic, sizeof(publishers[i].topic), "thread %d", i);
    hub_subscribe(&two.b, publishers[i].topic);
  }
  two_settle(&two);
  size_t before = two.b.count;
  for (int i = 0; i < 4; i++)
    assert_int_equal(uv_thread_create(&publishers[i].thread, publisher_run, &publishers[i]), 0);
  HUB_RUN_UNTIL(two.loop, two.b.count == before + 4 * 500);
  for (int i = 0; i < 4; i++) {
    uv_thread_join(&publishers[i].thread);
    assert_int_equal(hub_received(&two.b, publishers[i].topic), 500);
  }
  HUB_RUN_UNTIL(two.loop, hub_stats(&two.a).subscriptions == TOPICS);
  two_free(&two);
}

void test_stopped_early(void **state) {
  const struct kind *kind = *state;
  uint16_t port;
  char url[64];
  int listener = listener_new(&port);
  snprintf(url, sizeof(url), "%s://127.0.0.1:%u", kind->scheme, port);
  for (int turns = 0; turns < 5; turns++) {
    struct hub hub = {0};
    hub_start(&hub, kind_make(kind, &hub, &(struct options){.url = url, .timeout_ms = 200}), uv_default_loop());
    hub_subscribe(&hub, "topic");
    assert_int_equal(hub_publish(&hub, "topic", 1, 10), 0);
    for (int i = 0; i < turns; i++) uv_run(uv_default_loop(), UV_RUN_NOWAIT);
    hub_stop(&hub);
  }
  struct hub never = {0};
  struct wt_backplane *backplane = kind_make(kind, &never, &(struct options){.url = url});
  assert_int_equal(backplane->publish(backplane, "topic", 5, (const uint8_t *)"x", 1), WT_ERR_STATE);
  backplane->free(backplane);
  close(listener);
}

/* --- Configurations that are refused. --- */

void kind_refuses(const struct kind *kind, const struct wt_broker_config *config, int error, const char *word) {
  struct wt_backplane *backplane = (struct wt_backplane *)1;
  assert_int_equal(kind->new (config, &backplane), error);
  assert_null(backplane);
  if (!strstr(kind->error(), word)) fail_msg("'%s' has no '%s'", kind->error(), word);
  assert_null(strstr(kind->error(), "s3cr"));
}

void test_refused_by_all(void **state) {
  const struct kind *kind = *state;
  char url[64], long_text[2000];
  memset(long_text, 'a', sizeof(long_text) - 1);
  long_text[sizeof(long_text) - 1] = 0;
  kind_refuses(kind, NULL, WT_ERR_INVALID, "configuration");
  REFUSED(kind, "configuration", WT_ERR_INVALID, config.size = 8);
  REFUSED(kind, "url", WT_ERR_INVALID, config.url = NULL);
  REFUSED(kind, "scheme", WT_ERR_ADDRESS, config.url = "");
  REFUSED(kind, "scheme", WT_ERR_ADDRESS, config.url = "http://u:s3cr@h");
  snprintf(url, sizeof(url), "%s://h,", kind->scheme);
  REFUSED(kind, "scheme", WT_ERR_ADDRESS, config.url = url);
  snprintf(url, sizeof(url), "%s://u:s3cr@", kind->scheme);
  REFUSED(kind, "host", WT_ERR_ADDRESS, config.url = url);
  snprintf(url, sizeof(url), "%s://u:s3/cr@h", kind->scheme);
  REFUSED(kind, "host", WT_ERR_ADDRESS, config.url = url);
  snprintf(url, sizeof(url), "%s://u:s3cr%%0@h", kind->scheme);
  REFUSED(kind, "percent", WT_ERR_ADDRESS, config.url = url);
  REFUSED(kind, "username", WT_ERR_INVALID, config.username = long_text);
  REFUSED(kind, "password", WT_ERR_INVALID, config.password = long_text);
  REFUSED(kind, "prefix", WT_ERR_INVALID, config.prefix = NULL);
  REFUSED(kind, "prefix", WT_ERR_INVALID, config.prefix = long_text);
  REFUSED(kind, "reconnect_min_ms", WT_ERR_INVALID, config.reconnect_min_ms = 0);
  REFUSED(kind, "reconnect_max_ms", WT_ERR_INVALID, config.reconnect_max_ms = 1);
  REFUSED(kind, "resend_delay_ms", WT_ERR_INVALID, config.resend_delay_ms = 3600001);
  REFUSED(kind, "timeout_ms", WT_ERR_INVALID, config.timeout_ms = 1);
  REFUSED(kind, "max_message_bytes", WT_ERR_INVALID, config.max_message_bytes = 0);
  REFUSED(kind, "max_topics", WT_ERR_INVALID, config.max_topics = 0);
  REFUSED(kind, "certificate_file", WT_ERR_INVALID, config.key_file = "/nonexistent/key.pem");
  snprintf(url, sizeof(url), "%s://h", kind->tls_scheme);
  REFUSED(kind, "/nonexistent/ca.pem", WT_ERR_FILE, config.url = url, config.ca_file = "/nonexistent/ca.pem");
  assert_int_equal(kind->new (NULL, NULL), WT_ERR_INVALID);
}
