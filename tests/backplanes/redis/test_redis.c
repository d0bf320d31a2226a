/* SPDX-License-Identifier: MIT */

/*
 * The backplane over Redis, with redis-server as a process of its own.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/backplane_redis.h>
#include <webtransport/error.h>

#include "cases.h"

static struct wt_backplane_redis_config config_of(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config;
  wt_backplane_redis_config_default(&config, sizeof(config));
  config.url = options->url;
  config.ca_file = options->ca_file;
  config.password = options->password;
  if (options->max_queue_bytes) config.max_queue_bytes = options->max_queue_bytes;
  config.timeout_ms = options->timeout_ms ? options->timeout_ms : 20000; /* however busy the machine is */
  config.on_event = hub_on_event;
  config.user_data = hub;
  return config;
}

static struct wt_backplane *make(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config = config_of(hub, options);
  struct wt_backplane *backplane = NULL;
  if (wt_backplane_redis_new(&config, &backplane) != 0) fail_msg("%s", wt_backplane_redis_error());
  return backplane;
}

static struct wt_backplane *make_sharded(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config = config_of(hub, options);
  struct wt_backplane *backplane = NULL;
  config.sharded = true;
  config.prefix = "wt:{1}:";
  assert_int_equal(wt_backplane_redis_new(&config, &backplane), 0);
  return backplane;
}

static const struct kind redis = {.broker = BROKER_REDIS, .scheme = "redis", .tls_scheme = "rediss", .make = make};
static const struct kind sharded = {
    .broker = BROKER_REDIS, .scheme = "redis", .tls_scheme = "rediss", .make = make_sharded};

static void test_both_ways(void **state) {
  (void)state;
  case_both_ways(&redis, false);
}

static void test_tls(void **state) {
  (void)state;
  case_both_ways(&redis, true);
}

static void test_sharded(void **state) {
  (void)state;
  case_both_ways(&sharded, false);
}

static void test_restart(void **state) {
  (void)state;
  case_restart(&redis);
}

static void test_frozen(void **state) {
  (void)state;
  case_frozen(&redis);
}

static void test_no_broker_at_start(void **state) {
  (void)state;
  case_no_broker_at_start(&redis);
}

static void test_wrong_password(void **state) {
  (void)state;
  case_wrong_password(&redis);
}

static void test_wrong_authority(void **state) {
  (void)state;
  case_wrong_authority(&redis);
}

static void test_silent_broker(void **state) {
  (void)state;
  case_silent_broker(&redis);
}

static void test_bounded_queue(void **state) {
  (void)state;
  case_bounded_queue(&redis);
}

static void test_publish_on_threads(void **state) {
  (void)state;
  case_publish_on_threads(&redis);
}

static void test_stopped_early(void **state) {
  (void)state;
  case_stopped_early(&redis);
}

/* --- A server that is played: its answer to each piece that arrives. --- */

struct node {
  uv_tcp_t listener;
  uv_tcp_t clients[64];
  size_t count;
  uint16_t other;             /* the port of the node that has our topics */
  unsigned moved;             /* how often it was named */
  const char *publish_answer; /* to PUBLISH */
  char in[4096];
};

static void on_node_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct node *node = handle->data;
  (void)size;
  *buffer = uv_buf_init(node->in, sizeof(node->in) - 1);
}

static void on_node_read(uv_stream_t *client, ssize_t n, const uv_buf_t *buffer) {
  struct node *node = client->data;
  char answer[64] = "+PONG\r\n";
  if (n <= 0) return;
  buffer->base[n] = 0;
  if (strstr(buffer->base, "SSUBSCRIBE")) {
    snprintf(answer, sizeof(answer), "-MOVED 866 127.0.0.1:%u\r\n", node->other);
    node->moved++;
  } else if (strstr(buffer->base, "PUBLISH")) {
    snprintf(answer, sizeof(answer), "%s", node->publish_answer);
  }
  uv_buf_t out = uv_buf_init(answer, (unsigned)strlen(answer));
  assert_int_equal(uv_try_write(client, &out, 1), strlen(answer));
}

static void on_node_connection(uv_stream_t *listener, int status) {
  struct node *node = listener->data;
  assert_int_equal(status, 0);
  assert_true(node->count < 64);
  uv_tcp_t *client = &node->clients[node->count++];
  uv_tcp_init(listener->loop, client);
  client->data = node;
  assert_int_equal(uv_accept(listener, (uv_stream_t *)client), 0);
  assert_int_equal(uv_read_start((uv_stream_t *)client, on_node_alloc, on_node_read), 0);
}

static void node_open(struct node *node, char *url, size_t size) {
  struct sockaddr_in address;
  int len = sizeof(address);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(uv_default_loop(), &node->listener);
  node->listener.data = node;
  assert_int_equal(uv_tcp_bind(&node->listener, (struct sockaddr *)&address, 0), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&node->listener, 8, on_node_connection), 0);
  assert_int_equal(uv_tcp_getsockname(&node->listener, (struct sockaddr *)&address, &len), 0);
  snprintf(url, size, "redis://127.0.0.1:%u", ntohs(address.sin_port));
}

static void node_close(struct node *node) {
  for (size_t i = 0; i < node->count; i++) uv_close((uv_handle_t *)&node->clients[i], NULL);
  uv_close((uv_handle_t *)&node->listener, NULL);
  while (uv_run(uv_default_loop(), UV_RUN_NOWAIT)) continue;
}

/* A node of a cluster that has not our topics names the one that has. */
static void test_moved(void **state) {
  struct node node = {0};
  struct broker broker;
  struct hub hub = {0};
  char url[64];
  (void)state;
  broker_init(&broker, BROKER_REDIS, false, false);
  broker_start(&broker);
  node.other = broker.port;
  node_open(&node, url, sizeof(url));
  hub_start(&hub, make_sharded(&hub, &(struct options){.url = url}), uv_default_loop());
  hub_subscribe(&hub, "topic");
  HUB_RUN_UNTIL(uv_default_loop(), hub.ups == 1);
  assert_true(node.moved >= 1);
  assert_non_null(strstr(hub.log, "MOVED"));
  hub_stop(&hub);
  node_close(&node);
  broker_free(&broker);
}

/* A message that the server refuses is counted; a server that cannot serve at present, or that speaks something else, is
 * lost, and the message waits. */
static void test_answers_to_publish(void **state) {
  struct node node = {.publish_answer = "-NOPERM no\r\n"};
  struct hub hub = {0};
  char url[64];
  (void)state;
  node_open(&node, url, sizeof(url));
  hub_start(&hub, make(&hub, &(struct options){.url = url}), uv_default_loop());
  HUB_RUN_UNTIL(uv_default_loop(), hub.ups == 1);
  assert_int_equal(hub_publish(&hub, "topic", 1, 10), 0);
  HUB_RUN_UNTIL(uv_default_loop(), hub.dropped == 1);
  assert_int_equal(hub_stats(&hub).queued_bytes, 0);
  assert_int_equal(hub_stats(&hub).sent, 0);
  assert_int_equal(hub.downs, 0);

  node.publish_answer = "-LOADING not yet\r\n";
  assert_int_equal(hub_publish(&hub, "topic", 2, 10), 0);
  HUB_RUN_UNTIL(uv_default_loop(), hub.downs == 1);
  assert_non_null(strstr(hub.reason, "LOADING"));
  node.publish_answer = "HTTP/1.1 400 Bad Request\r\n";
  HUB_RUN_UNTIL(uv_default_loop(), hub.downs == 2);
  assert_non_null(strstr(hub.reason, "protocol"));
  node.publish_answer = ":1\r\n";
  HUB_RUN_UNTIL(uv_default_loop(), hub_stats(&hub).sent == 1);
  assert_int_equal(hub_stats(&hub).dropped, 1);
  hub_stop(&hub);
  node_close(&node);
}

/* --- Configurations that are refused. --- */

static void refused(const struct wt_backplane_redis_config *config, int error, const char *word) {
  struct wt_backplane *backplane = (struct wt_backplane *)1;
  assert_int_equal(wt_backplane_redis_new(config, &backplane), error);
  assert_null(backplane);
  if (!strstr(wt_backplane_redis_error(), word)) fail_msg("%s has no '%s'", wt_backplane_redis_error(), word);
  assert_null(strstr(wt_backplane_redis_error(), "s3cr"));
}

static void test_refused(void **state) {
  struct wt_backplane_redis_config config, ok;
  (void)state;
  wt_backplane_redis_config_default(&ok, sizeof(ok));
#define REFUSED(member, value, error, word) \
  do {                                      \
    config = ok;                            \
    config.member = value;                  \
    refused(&config, error, word);          \
  } while (0)
  REFUSED(size, 8, WT_ERR_INVALID, "configuration");
  REFUSED(url, NULL, WT_ERR_INVALID, "url");
  REFUSED(url, "", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "http://u:s3cr@h", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "redis://u:s3cr@", WT_ERR_ADDRESS, "host");
  REFUSED(url, "redis://u:s3/cr@h", WT_ERR_ADDRESS, "host");
  REFUSED(url, "redis://u:s3cr%0@h", WT_ERR_ADDRESS, "percent");
  REFUSED(url, "redis://h,", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "redis://user@h", WT_ERR_INVALID, "no password");
  REFUSED(url, "redis://h/x", WT_ERR_INVALID, "number");
  REFUSED(prefix, NULL, WT_ERR_INVALID, "prefix");
  REFUSED(sharded, true, WT_ERR_INVALID, "hash tag");
  REFUSED(reconnect_min_ms, 0, WT_ERR_INVALID, "reconnect_min_ms");
  REFUSED(reconnect_max_ms, 1, WT_ERR_INVALID, "reconnect_max_ms");
  REFUSED(resend_delay_ms, 3600001, WT_ERR_INVALID, "resend_delay_ms");
  REFUSED(timeout_ms, 1, WT_ERR_INVALID, "timeout_ms");
  REFUSED(max_message_bytes, 0, WT_ERR_INVALID, "max_message_bytes");
  REFUSED(max_topics, 0, WT_ERR_INVALID, "max_topics");
  ok.url = "rediss://h";
  REFUSED(ca_file, "/nonexistent/ca.pem", WT_ERR_FILE, "/nonexistent/ca.pem");
  REFUSED(key_file, "/nonexistent/key.pem", WT_ERR_INVALID, "certificate_file");
  refused(NULL, WT_ERR_INVALID, "configuration");
  assert_int_equal(wt_backplane_redis_new(&ok, NULL), WT_ERR_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_ways),
      cmocka_unit_test(test_tls),
      cmocka_unit_test(test_sharded),
      cmocka_unit_test(test_restart),
      cmocka_unit_test(test_frozen),
      cmocka_unit_test(test_no_broker_at_start),
      cmocka_unit_test(test_wrong_password),
      cmocka_unit_test(test_wrong_authority),
      cmocka_unit_test(test_silent_broker),
      cmocka_unit_test(test_bounded_queue),
      cmocka_unit_test(test_publish_on_threads),
      cmocka_unit_test(test_stopped_early),
      cmocka_unit_test(test_moved),
      cmocka_unit_test(test_answers_to_publish),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
