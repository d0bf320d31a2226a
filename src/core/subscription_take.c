/* SPDX-License-Identifier: MIT */

/*
 * What becomes of a message at one subscriber, and the policies for the slow.
 *
 * A subscriber that keeps up has nothing waiting: the message is handed to a stream at once, or joins the queue of
 * datagrams, which empties with the next packets. Only what waits counts towards the bounds, and only that can be dropped.
 *
 * Messages themselves are shared, so the bound on bytes is about what one subscriber can keep alive alone. While the
 * server's memory is short it is lower, as that of send queues (core/sendq.c).
 */

#include <string.h>

#include "core/datagram.h"
#include "core/subscription.h"
#include "wire/datagram.h"

#define BYTES_HIGH ((size_t)64 * 1024) /* that may wait while the server's memory is short */
#define BYTES_FULL ((size_t)16 * 1024)
#define CLOSE_REASON "too slow for its subscription"

static bool is_datagram(const struct wt__subscription *sub) { return sub->options.delivery == WT_DELIVERY_DATAGRAM; }

static bool fits_datagram(const struct wt__subscription *sub, size_t len) {
  size_t room = sizeof(sub->topic->topics->scratch) - wt__datagram_header_len(sub->session->id);
  return len <= wt_session_max_datagram_size(sub->session) && len <= room;
}

static size_t bytes_max(const struct wt__subscription *sub) {
  static const size_t most[] = {
      [WT__PRESSURE_NONE] = SIZE_MAX, [WT__PRESSURE_HIGH] = BYTES_HIGH, [WT__PRESSURE_FULL] = BYTES_FULL};
  size_t max = most[wt__gauge_pressure(sub->topic->topics->sum)];
  return sub->options.max_bytes < max ? sub->options.max_bytes : max;
}

static size_t messages_max(const struct wt__subscription *sub) {
  return sub->options.policy == WT_SLOW_LATEST ? 1 : sub->options.max_messages;
}

/* Whether a message of `len` bytes has no room behind those that wait. */
static bool is_full(const struct wt__subscription *sub, size_t len) {
  size_t messages = wt__subscription_messages(sub), bytes = wt__subscription_bytes(sub), max = bytes_max(sub);
  if (messages == 0) return false;
  return messages >= messages_max(sub) || bytes > max || len > max - bytes;
}

static void drop_oldest(struct wt__subscription *sub) {
  if (is_datagram(sub)) {
    wt__datagram_drop_oldest_of(sub);
    return;
  }
  WT__SUBSCRIPTION_COUNT(sub, dropped);
  wt__part_unref(wt__part_ring_take(&sub->waiting));
}

/* The session ends, and frees the subscription. */
static void close_slow(struct wt__subscription *sub) {
  wt_session *session = sub->session;
  uint32_t code = sub->options.close_code;
  WT__SUBSCRIPTION_COUNT(sub, dropped);
  wt__topic_count(&sub->topic->counts.closed, 1);
  wt__topic_count(&sub->topic->topics->counts.closed, 1);
  (void)wt_session_close(session, code, CLOSE_REASON, strlen(CLOSE_REASON));
}

/* Makes room for `len` bytes. False: the message is dropped, and perhaps the subscription is gone. */
static bool make_room(struct wt__subscription *sub, size_t len) {
  switch (sub->options.policy) {
    case WT_SLOW_CLOSE: close_slow(sub); return false;
    case WT_SLOW_DROP_NEWEST: WT__SUBSCRIPTION_COUNT(sub, dropped); return false;
    default: break;
  }
  while (is_full(sub, len)) drop_oldest(sub);
  return true;
}

static void wait_for_stream(struct wt__subscription *sub, struct wt__part *part) {
  if (wt__part_ring_push(&sub->waiting, part)) {
    WT__SUBSCRIPTION_COUNT(sub, dropped);
    return;
  }
  bool needs_stream = sub->options.delivery == WT_DELIVERY_STREAM_EACH || !sub->stream;
  if (needs_stream && !wt__link_linked(&sub->hungry)) wt__list_push_back(&sub->session->hungry, &sub->hungry);
}

/* The application may end the subscription in its callback, so this is the last that is done with it. The topic stays until
 * its walk is over. */
static void hand_over(struct wt__subscription *sub, const struct wt__part *part) {
  const struct wt_subscribe_options *options = &sub->options;
  WT__SUBSCRIPTION_COUNT(sub, delivered);
  options->on_message(sub->session, sub->topic->name, sub->topic->name_len, wt__part_payload(part), wt__part_len(part),
                      options->user_data);
}

void wt__subscription_take(struct wt__subscription *sub, struct wt__part *part) {
  size_t len = wt__part_len(part);
  if (sub->options.delivery == WT_DELIVERY_CALLBACK) {
    hand_over(sub, part);
    return;
  }
  if (is_datagram(sub) && !fits_datagram(sub, len)) {
    WT__SUBSCRIPTION_COUNT(sub, too_large);
    return;
  }
  if (!is_datagram(sub) && sub->waiting.len == 0) {
    int error = wt__subscription_begin(sub, part);
    if (error == 0) return;
    if (error != WT_ERR_AGAIN) {
      WT__SUBSCRIPTION_COUNT(sub, dropped);
      return;
    }
  }
  if (is_full(sub, len) && !make_room(sub, len)) return;
  if (!is_datagram(sub)) {
    wait_for_stream(sub, part);
  } else if (wt__datagram_send_part(sub, part)) {
    WT__SUBSCRIPTION_COUNT(sub, dropped);
  }
}
