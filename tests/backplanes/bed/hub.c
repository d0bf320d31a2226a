/* SPDX-License-Identifier: MIT */

/*
 * What a server is to its backplane: see hub.h.
 */

#include "hub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include <webtransport/error.h>

static void on_deliver(void *user_data, const char *topic, size_t topic_len, const uint8_t *data, size_t len) {
  struct hub *hub = user_data;
  assert_int_equal(hub->stopped, 0);
  if (hub->count == hub->cap) {
    hub->cap = hub->cap ? hub->cap * 2 : 64;
    hub->messages = realloc(hub->messages, hub->cap * sizeof(*hub->messages));
    assert_non_null(hub->messages);
  }
  struct hub_message *message = &hub->messages[hub->count++];
  *message =
      (struct hub_message){.topic = malloc(topic_len + 1), .topic_len = topic_len, .data = malloc(len + 1), .len = len};
  memcpy(message->topic, topic, topic_len);
  message->topic[topic_len] = 0;
  memcpy(message->data, data, len);
  message->data[len] = 0;
}

static void on_log(void *user_data, enum wt_log_level level, const char *line) {
  struct hub *hub = user_data;
  size_t used = strlen(hub->log);
  if (getenv("WT_TEST_LOG")) fprintf(stderr, "%p %d %s\n", user_data, (int)level, line);
  snprintf(hub->log + used, sizeof(hub->log) - used, "%s\n", line);
}

static void on_stopped(void *user_data) { ((struct hub *)user_data)->stopped++; }

void hub_on_event(const struct wt_backplane_event *event, void *user_data) {
  struct hub *hub = user_data;
  assert_non_null(event->reason);
  snprintf(hub->reason, sizeof(hub->reason), "%s", event->reason);
  if (getenv("WT_TEST_LOG")) {
    fprintf(stderr, "%p event %d: %.*s %llu %s\n", user_data, (int)event->type, (int)event->topic_len,
            event->topic ? event->topic : "", (unsigned long long)event->count, event->reason);
  }
  switch (event->type) {
    case WT_BACKPLANE_UP: hub->ups++; break;
    case WT_BACKPLANE_DOWN: hub->downs++; break;
    case WT_BACKPLANE_GAP:
      hub->gaps += event->topic == NULL;
      hub->missed += event->count;
      break;
    case WT_BACKPLANE_DROPPED:
      hub->drops++;
      hub->dropped += event->count;
      break;
  }
}

void hub_start(struct hub *hub, struct wt_backplane *backplane, uv_loop_t *loop) {
  hub->host = (struct wt_backplane_host){.size = sizeof(hub->host),
                                         .user_data = hub,
                                         .loop = loop,
                                         .deliver = on_deliver,
                                         .log = on_log,
                                         .stopped = on_stopped};
  hub->backplane = backplane;
  assert_int_equal(backplane->start(backplane, &hub->host), 0);
}

void hub_stop(struct hub *hub) {
  hub->backplane->stop(hub->backplane);
  HUB_RUN_UNTIL(hub->host.loop, hub->stopped == 1);
  assert_int_equal(hub->backplane->subscribe(hub->backplane, "late", 4), WT_ERR_STATE);
  assert_int_equal(hub_publish(hub, "late", 1, 10), WT_ERR_STATE);
  hub->backplane->free(hub->backplane);
  for (size_t i = 0; i < hub->count; i++) {
    free(hub->messages[i].topic);
    free(hub->messages[i].data);
  }
  free(hub->messages);
}

void hub_subscribe(struct hub *hub, const char *topic) {
  assert_int_equal(hub->backplane->subscribe(hub->backplane, topic, strlen(topic)), 0);
}

void hub_unsubscribe(struct hub *hub, const char *topic) {
  hub->backplane->unsubscribe(hub->backplane, topic, strlen(topic));
}

int hub_publish(struct hub *hub, const char *topic, unsigned number, size_t len) {
  char *text = malloc(len + 16);
  int n = snprintf(text, len + 16, "%u ", number);
  if ((size_t)n < len) memset(text + n, ' ', len - (size_t)n);
  int error =
      hub->backplane->publish(hub->backplane, topic, strlen(topic), (uint8_t *)text, len > (size_t)n ? len : (size_t)n);
  free(text);
  return error;
}

size_t hub_received(const struct hub *hub, const char *topic) {
  size_t count = 0;
  long before = -1;
  for (size_t i = 0; i < hub->count; i++) {
    const struct hub_message *message = &hub->messages[i];
    if (message->topic_len != strlen(topic) || memcmp(message->topic, topic, message->topic_len) != 0) continue;
    long number = strtol((const char *)message->data, NULL, 10);
    if (number <= before) fail_msg("%s: message %ld came after %ld", topic, number, before);
    before = number;
    count++;
  }
  return count;
}

struct wt_backplane_stats hub_stats(const struct hub *hub) {
  struct wt_backplane_stats stats = {.size = sizeof(stats)};
  assert_int_equal(hub->backplane->get_stats(hub->backplane, &stats), 0);
  return stats;
}

static void on_tick(uv_timer_t *timer) { (void)timer; }

void hub_turn(uv_loop_t *loop, uint64_t deadline, const char *what) {
  static uv_timer_t tick; /* lets the loop come back to look at the time */
  if (uv_hrtime() > deadline) fail_msg("did not happen: %s", what);
  if (!tick.loop) {
    uv_timer_init(loop, &tick);
    uv_unref((uv_handle_t *)&tick);
  }
  assert_ptr_equal(tick.loop, loop); /* all hubs of a program are on one loop */
  uv_timer_start(&tick, on_tick, 200, 0);
  uv_run(loop, UV_RUN_ONCE);
}
