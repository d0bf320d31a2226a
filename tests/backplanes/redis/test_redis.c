/* SPDX-License-Identifier: MIT */

/*
 * The backplane over Redis, with redis-server as a process of its own.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/backplane_redis.h>
#include <webtransport/error.h>

#include "cases.h"

static const struct kind redis = {.broker = BROKER_REDIS,
                                  .scheme = "redis",
                                  .tls_scheme = "rediss",
                                  .config_init = wt_backplane_redis_config_init,
                                  .new = wt_backplane_redis_new,
                                  .error = wt_backplane_redis_error};

/* The same with SPUBLISH. */
static struct kind sharded_kind(void) {
  struct kind kind = redis;
  kind.sharded = true;
  kind.prefix = "wt:{1}:";
  return kind;
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
  struct kind sharded = sharded_kind();
  char url[64];
  (void)state;
  broker_init(&broker, BROKER_REDIS, false, false);
  broker_start(&broker);
  node.other = broker.port;
  node_open(&node, url, sizeof(url));
  hub_start(&hub, kind_make(&sharded, &hub, &(struct options){.url = url}), uv_default_loop());
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
  hub_start(&hub, kind_make(&redis, &hub, &(struct options){.url = url}), uv_default_loop());
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

/* --- Commands of the application. --- */

struct answers {
  size_t count, lost;
  char last[256];
};

static void on_reply(const struct wt_redis_reply *reply, void *user_data) {
  struct answers *answers = user_data;
  size_t at = 0;
  answers->count++;
  answers->lost += reply->error && strstr(reply->error, "lost");
  answers->last[0] = 0;
  if (reply->error) snprintf(answers->last, sizeof(answers->last), "%s", reply->error);
  for (size_t i = 0; i < reply->count; i++) {
    at += (size_t)snprintf(answers->last + at, sizeof(answers->last) - at, "%s ", reply->values[i].bytes);
  }
}

#define COMMAND(hub, answers, ...)                                                       \
  wt_backplane_redis_command((hub)->backplane, (const char *const[]){__VA_ARGS__}, NULL, \
                             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), on_reply, answers)

/* Commands go between messages, in order, and each gets its own reply. */
static void test_commands(void **state) {
  struct broker broker;
  struct hub hub = {0};
  struct answers answers = {0};
  char url[64];
  (void)state;
  broker_init(&broker, BROKER_REDIS, false, false);
  snprintf(url, sizeof(url), "redis://127.0.0.1:%u", broker.port);
  hub_start(&hub, kind_make(&redis, &hub, &(struct options){.url = url}), uv_default_loop());
  assert_int_equal(COMMAND(&hub, &answers, "PING"), WT_ERR_AGAIN); /* not connected */
  broker_start(&broker);
  HUB_RUN_UNTIL(uv_default_loop(), hub.ups == 1);
  assert_int_equal(COMMAND(&hub, &answers, "RPUSH", "said", "one"), 0);
  assert_int_equal(hub_publish(&hub, "topic", 1, 10), 0);
  assert_int_equal(COMMAND(&hub, &answers, "RPUSH", "said", "two"), 0);
  assert_int_equal(COMMAND(&hub, &answers, "LRANGE", "said", "0", "-1"), 0);
  assert_int_equal(answers.count, 0); /* never inside the call */
  HUB_RUN_UNTIL(uv_default_loop(), answers.count == 3 && hub_stats(&hub).sent == 1);
  assert_string_equal(answers.last, "one two ");
  assert_int_equal(COMMAND(&hub, &answers, "HGET", "said", "x"), 0);
  HUB_RUN_UNTIL(uv_default_loop(), answers.count == 4);
  assert_non_null(strstr(answers.last, "WRONGTYPE"));
  assert_int_equal(wt_backplane_redis_command(hub.backplane, NULL, NULL, 1, on_reply, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_backplane_redis_command(NULL, (const char *[]){"PING"}, NULL, 1, on_reply, NULL), WT_ERR_INVALID);

  /* Those without a reply are told, after a loss and at the end. */
  broker_signal(&broker, SIGSTOP);
  assert_int_equal(COMMAND(&hub, &answers, "PING"), 0);
  broker_kill(&broker);
  HUB_RUN_UNTIL(uv_default_loop(), answers.lost == 1);
  assert_int_equal(COMMAND(&hub, &answers, "PING"), WT_ERR_AGAIN);
  broker_start(&broker);
  HUB_RUN_UNTIL(uv_default_loop(), hub.ups == 2);
  assert_int_equal(COMMAND(&hub, &answers, "PING"), 0);
  hub_stop(&hub);
  assert_int_equal(answers.lost, 2);
  assert_int_equal(answers.count, 6);
  broker_free(&broker);
}

static void test_defaults(void **state) {
  struct wt_broker_config config;
  (void)state;
  wt_backplane_redis_config_default(&config);
  assert_int_equal(config.size, sizeof(config));
  assert_string_equal(config.url, "redis://localhost");
  assert_string_equal(config.prefix, "wt:");
}

static void test_refused(void **state) {
  (void)state;
  REFUSED(&redis, "no password", WT_ERR_INVALID, config.url = "redis://user@h");
  REFUSED(&redis, "number", WT_ERR_INVALID, config.url = "redis://h/x");
  REFUSED(&redis, "hash tag", WT_ERR_INVALID, config.sharded = true);
  REFUSED(&redis, "NATS", WT_ERR_INVALID, config.credentials_file = "/nonexistent/file.creds");
}

int main(void) {
  struct kind sharded = sharded_kind();
  const struct CMUnitTest tests[] = {
      TESTS_OF(&redis),
      TEST_OF(test_both_ways, &sharded),
      cmocka_unit_test(test_moved),
      cmocka_unit_test(test_answers_to_publish),
      cmocka_unit_test(test_commands),
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
