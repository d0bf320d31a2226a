/* SPDX-License-Identifier: MIT */
/* /topic/NAME with a server and a client on one loop: who is let in, what is a message, who gets it, and each bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <uv.h>

#include <webtransport/client.h>

#include "common/origins.h"
#include "common/tool_log.h"
#include "serve/endpoints.h"
#include "serve/tick_clock.h"
#include "serve/topics.h"

enum {
  GUESTS = 4,
  TEXT_MAX = 64 * 1024
};

/* A session of the client. Messages are added to `text`, each with a '|' behind it. */
struct guest {
  wt_session *session;
  wt_stream *incoming; /* the last one of the server */
  bool answered, closed, stopped;
  int status, error;
  uint32_t code, stream_code; /* of the session's end; with which the server stopped a stream */
  char text[TEXT_MAX], part[TEXT_MAX];
  size_t len, part_len, messages;
};

static struct bed {
  uv_loop_t loop;
  struct hosts hosts;
  struct origins origins;
  struct site site;
  struct endpoints endpoints;
  struct topics topics;
  wt_server *server;
  wt_client *client;
  uint8_t hash[32];
  char address[64];
  struct guest guests[GUESTS];
} bed;

static void turn_until(const bool *done) {
  while (!*done) uv_run(&bed.loop, UV_RUN_ONCE);
}

/* --- The client. --- */

static void message_add(struct guest *guest, const void *data, size_t len) {
  assert_true(guest->len + len + 1 < TEXT_MAX);
  if (len) memcpy(guest->text + guest->len, data, len);
  guest->len += len;
  guest->text[guest->len++] = '|';
  guest->text[guest->len] = 0;
  guest->messages++;
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session;
  message_add(user_data, data, len);
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct guest *guest = user_data;
  (void)stream;
  if (len) memcpy(guest->part + guest->part_len, data, len);
  guest->part_len += len;
  if (fin && !wt_stream_is_remote(stream)) guest->stopped = true;
  if (!fin || !wt_stream_is_remote(stream)) return;
  message_add(guest, guest->part, guest->part_len);
  guest->part_len = 0;
}

static void on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct guest *guest = user_data;
  (void)stream;
  guest->stopped = true;
  guest->stream_code = error->code;
}

static const struct wt_stream_callbacks stream_callbacks = {.on_data = on_data, .on_stop_sending = on_stop_sending};

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  (void)session;
  ((struct guest *)user_data)->incoming = stream;
  wt_stream_set_callbacks(stream, &stream_callbacks, user_data);
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct guest *guest = user_data;
  (void)session;
  guest->session = NULL;
  guest->closed = true;
  guest->code = info->code;
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct guest *guest = user_data;
  (void)dial;
  guest->answered = true;
  guest->status = result->status;
  guest->error = result->error;
  guest->session = result->session;
}

/* Asks for a session at `path`; returns the status of the answer. */
static int dial(size_t i, const char *path, const char *origin) {
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks callbacks = {
      .on_datagram = on_datagram, .on_stream = on_stream, .on_close = on_close};
  struct guest *guest = &bed.guests[i];
  struct wt_dial_options options;
  wt_dial *dial;
  char url[1200];
  memset(guest, 0, sizeof *guest);
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.user_data = options.session_user_data = guest;
  options.session_callbacks = &callbacks;
  options.origin = origin;
  snprintf(url, sizeof url, "https://%s%s", bed.address, path);
  assert_int_equal(wt_client_dial(bed.client, url, &options, &dial), 0);
  turn_until(&guest->answered);
  return guest->status;
}

static struct guest *come(size_t i, const char *path) {
  assert_int_equal(dial(i, path, NULL), 200);
  return &bed.guests[i];
}

static void wait_messages(const struct guest *guest, size_t count) {
  while (guest->messages < count) uv_run(&bed.loop, UV_RUN_ONCE);
}

static wt_stream *send_stream(struct guest *guest, bool both, const char *text, size_t len, bool fin) {
  wt_stream *stream;
  size_t written;
  assert_int_equal(both ? wt_session_open_bidi(guest->session, &stream) : wt_session_open_uni(guest->session, &stream),
                   0);
  wt_stream_set_callbacks(stream, &stream_callbacks, guest);
  assert_int_equal(wt_stream_write(stream, text, len, &written), 0);
  assert_int_equal(written, len);
  if (fin) assert_int_equal(wt_stream_end(stream), 0);
  return stream;
}

/* --- Set-up. --- */

static int get_status;
static bool get_done;

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  (void)exchange, (void)user_data;
  get_status = status;
}

static void on_exchange_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  (void)exchange, (void)error, (void)message, (void)user_data;
  get_done = true;
}

static int get(const char *path) {
  static const struct wt_exchange_callbacks callbacks = {.on_response = on_response, .on_close = on_exchange_close};
  struct wt_exchange_options options;
  wt_exchange *exchange;
  char url[128];
  wt_exchange_options_default(&options);
  options.callbacks = &callbacks;
  snprintf(url, sizeof url, "https://%s%s", bed.address, path);
  get_done = false;
  assert_int_equal(wt_client_request(bed.client, url, &options, &exchange), 0);
  turn_until(&get_done);
  return get_status;
}

static void server_open(void) {
  static const char *const listen = "127.0.0.1:0";
  struct wt_server_config config;
  wt_certificate *certificate;
  wt_server_config_default(&config);
  config.listen = &listen;
  config.loop = &bed.loop;
  config.check_origin = origins_check;
  config.check_origin_user_data = &bed.origins;
  assert_int_equal(wt_server_new(&config, &bed.server, NULL, 0), 0);
  assert_int_equal(endpoints_add(bed.server, &bed.endpoints), 0);
  assert_int_equal(topics_configure(bed.server, &bed.topics.settings), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  wt_certificate_get_sha256(certificate, bed.hash);
  assert_int_equal(wt_server_add_certificate(bed.server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(bed.server), 0);
  assert_int_equal(wt_server_get_address(bed.server, 0, bed.address, sizeof bed.address), 0);
}

static void client_open(void) {
  struct wt_client_config config;
  wt_client_config_default(&config);
  config.loop = &bed.loop;
  config.certificate_hashes = (const uint8_t(*)[32]) & bed.hash;
  config.certificate_hash_count = 1;
  assert_int_equal(wt_client_new(&config, &bed.client, NULL, 0), 0);
}

/* A test opens the server after it has changed the bounds. */
static int setup(void **state) {
  (void)state;
  memset(&bed, 0, sizeof bed);
  log_set_level(WT_LOG_NONE);
  assert_int_equal(uv_loop_init(&bed.loop), 0);
  hosts_init(&bed.hosts);
  bed.site.recorder = bed.endpoints.recorder = recorder_new(false);
  bed.endpoints.site = &bed.site;
  bed.endpoints.hosts = &bed.hosts;
  bed.endpoints.topics = &bed.topics;
  topic_settings_default(&bed.topics.settings);
  assert_non_null(bed.topics.clock = tick_clock_new(1));
  return 0;
}

static void open_both(void) {
  server_open();
  client_open();
}

static int teardown(void **state) {
  (void)state;
  tick_clock_stop(bed.topics.clock);
  wt_client_free(bed.client);
  wt_server_free(bed.server);
  tick_clock_free(bed.topics.clock);
  recorder_free(bed.site.recorder);
  hosts_free(&bed.hosts);
  while (uv_run(&bed.loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed.loop), 0);
  assert_int_equal(bed.topics.collecting, 0);
  return 0;
}

/* --- Tests. --- */

static void test_bad_requests_are_refused(void **state) {
  (void)state;
  open_both();
  assert_int_equal(dial(0, "/topic/", NULL), 404);
  assert_int_equal(dial(0, "/topic", NULL), 404);
  assert_int_equal(dial(0, "/topic/a/b", NULL), 400);
  assert_int_equal(dial(0, "/topic/%ff", NULL), 400);
  assert_int_equal(dial(0, "/topic/a?delivery=mail", NULL), 400);
  assert_int_equal(dial(0, "/topic/a?delivery=a-word-that-is-too-long", NULL), 400);
  assert_int_equal(dial(0, "/topic/a?delivery=%", NULL), 400);
  assert_int_equal(dial(0, "/topic/a?delivery=datagram", NULL), 200);
  assert_int_equal(get("/topic/a"), 405);
}

static void test_pages_of_other_origins_are_refused(void **state) {
  char own[80];
  (void)state;
  open_both();
  snprintf(own, sizeof own, "https://%s", bed.address);
  assert_int_equal(dial(0, "/topic/a", "https://example.com"), 403);
  assert_int_equal(dial(0, "/topic/a", own), 200);
}

static void test_no_topics_no_endpoint(void **state) {
  (void)state;
  bed.topics.settings.max_topics = 0;
  open_both();
  assert_int_equal(dial(0, "/topic/a", NULL), 404);
}

static void test_all_but_the_sender_get_a_message(void **state) {
  (void)state;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *datagrams = come(1, "/topic/%61"),
               *streams = come(2, "/topic/a?delivery=streams"), *other = come(3, "/topic/b");
  assert_int_equal(wt_session_send_datagram(sender->session, (const uint8_t *)"one", 3), 0);
  wait_messages(datagrams, 1);
  wait_messages(streams, 1);
  send_stream(sender, false, "two\nlines", 9, true);
  wait_messages(datagrams, 2);
  wait_messages(streams, 2);
  send_stream(sender, true, "three\n\nfour\nfive", 16, true);
  wait_messages(datagrams, 6);
  wait_messages(streams, 6);
  send_stream(sender, false, "", 0, true);
  wait_messages(datagrams, 7);
  wait_messages(streams, 7);
  assert_string_equal(datagrams->text, "one|two\nlines|three||four|five||");
  assert_string_equal(streams->text, datagrams->text);
  assert_int_equal(wt_session_send_datagram(other->session, (const uint8_t *)"b", 1), 0);
  assert_int_equal(wt_session_send_datagram(datagrams->session, (const uint8_t *)"back", 4), 0);
  wait_messages(sender, 1);
  assert_string_equal(sender->text, "back|");
  assert_int_equal(other->messages, 0);
}

static void test_a_message_may_come_in_parts(void **state) {
  (void)state;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a?delivery=streams");
  wt_stream *uni = send_stream(sender, false, "be", 2, false), *lines = send_stream(sender, true, "1\n2", 3, false);
  size_t written;
  wait_messages(receiver, 1);
  assert_int_equal(wt_stream_write(lines, "2\n3", 3, &written), 0);
  wait_messages(receiver, 2);
  assert_int_equal(wt_stream_write(uni, "gin", 3, &written), 0);
  wt_stream_end(uni);
  wait_messages(receiver, 3);
  wt_stream_reset(lines, 9); /* "3" was not finished */
  send_stream(sender, true, "end\n", 4, true);
  wait_messages(receiver, 4);
  assert_string_equal(receiver->text, "1|22|begin|end|");
}

static void test_the_stream_of_lines_is_ended_in_return(void **state) {
  (void)state;
  open_both();
  struct guest *sender = come(0, "/topic/a");
  send_stream(sender, true, "x\n", 2, true);
  turn_until(&sender->stopped);
  assert_int_equal(sender->stream_code, 0);
}

static void test_a_message_that_is_too_large_is_refused(void **state) {
  static char text[200];
  (void)state;
  bed.topics.settings.max_message = 100;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a");
  memset(text, 'x', sizeof text);
  send_stream(sender, false, text, 101, false); /* before its end */
  turn_until(&sender->stopped);
  assert_int_equal(sender->stream_code, TOPIC_TOO_LARGE);
  sender->stopped = false;
  text[150] = '\n';
  send_stream(sender, true, text, 151, false);
  turn_until(&sender->stopped);
  assert_int_equal(sender->stream_code, TOPIC_TOO_LARGE);
  assert_int_equal(wt_session_send_datagram(sender->session, (const uint8_t *)text, 101), 0);
  send_stream(sender, false, text, 100, true);
  wait_messages(receiver, 1);
  assert_int_equal(receiver->len, 101);
  while (bed.topics.refused < 3) uv_run(&bed.loop, UV_RUN_ONCE);
  assert_int_equal(receiver->messages, 1);
}

static void test_unfinished_messages_are_bounded(void **state) {
  static char text[48 * 1024];
  (void)state;
  open_both();
  struct guest *sender = come(0, "/topic/a");
  size_t count = 0;
  memset(text, 'x', sizeof text);
  for (; !sender->stopped; count++) {
    uint64_t before = bed.topics.collecting;
    send_stream(sender, false, text, sizeof text, false);
    while (bed.topics.collecting < before + sizeof text && !sender->stopped) uv_run(&bed.loop, UV_RUN_ONCE);
    assert_true(bed.topics.collecting <= 1024 * 1024);
  }
  assert_int_equal(sender->stream_code, TOPIC_NO_MEMORY);
  assert_int_equal(count, 17); /* each takes 64 KiB */
}

static void test_topics_are_bounded(void **state) {
  (void)state;
  bed.topics.settings.max_topics = 1;
  open_both();
  come(0, "/topic/a");
  come(1, "/topic/a");
  struct guest *third = come(2, "/topic/b");
  turn_until(&third->closed);
  assert_int_equal(third->code, TOPIC_NONE);
  assert_false(bed.guests[0].closed || bed.guests[1].closed);
}

static void test_datagrams_beyond_the_rate_are_dropped(void **state) {
  (void)state;
  bed.topics.settings.rate = 5;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a");
  struct wt_topic_stats stats = {.size = sizeof stats};
  for (int i = 0; i < 50; i++) assert_int_equal(wt_session_send_datagram(sender->session, (const uint8_t *)"x", 1), 0);
  do {
    uv_run(&bed.loop, UV_RUN_ONCE);
    assert_int_equal(wt_server_get_topic_stats(bed.server, NULL, 0, &stats), 0);
  } while (stats.published + bed.topics.over_rate < 50);
  assert_true(stats.published >= 5 && bed.topics.over_rate > 0);
  wait_messages(receiver, stats.published);
}

/* The text of "0|1|2|..." */
static void expect_numbers(const struct guest *guest, int count) {
  char expected[TEXT_MAX];
  size_t len = 0;
  for (int i = 0; i < count; i++) len += (size_t)snprintf(expected + len, sizeof expected - len, "%d|", i);
  assert_string_equal(guest->text, expected);
}

static void test_streams_beyond_the_rate_wait(void **state) {
  char text[256];
  size_t len = 0;
  (void)state;
  bed.topics.settings.rate = 50;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a?delivery=datagram");
  for (int i = 0; i < 70; i++) len += (size_t)snprintf(text + len, sizeof text - len, "%d\n", i);
  send_stream(sender, true, text, len - 1, true); /* without the last line end */
  wait_messages(receiver, 70);
  expect_numbers(receiver, 70);
  turn_until(&sender->stopped); /* the server ends its side */
  for (int i = 70; i < 90; i++) {
    len = (size_t)snprintf(text, sizeof text, "%d", i);
    send_stream(sender, false, text, len, true);
  }
  wait_messages(receiver, 90);
  assert_int_equal(bed.topics.refused + bed.topics.over_rate, 0);
}

static void test_bytes_have_a_rate_too(void **state) {
  static char text[1000];
  (void)state;
  bed.topics.settings.max_message = 1000;
  bed.topics.settings.byte_rate = 4000;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a?delivery=streams");
  memset(text, 'x', sizeof text);
  uint64_t begun = uv_hrtime();
  for (int i = 0; i < 6; i++) send_stream(sender, false, text, sizeof text, true);
  wait_messages(receiver, 6);
  assert_true(uv_hrtime() - begun >= 400 * UINT64_C(1000000)); /* 2,000 bytes more than a second has */
}

/* Streams wait while their session ends, and while the server does. */
static void test_what_waits_ends_with_its_session(void **state) {
  (void)state;
  bed.topics.settings.rate = 1;
  open_both();
  struct guest *first = come(0, "/topic/a"), *second = come(1, "/topic/a");
  for (int i = 0; i < 10; i++) send_stream(first, false, "x", 1, true);
  send_stream(second, true, "x\nx\nx\nx\n", 8, false);
  wait_messages(first, 1);
  wait_messages(second, 1);
  wt_session_close(first->session, 0, "", 0);
  turn_until(&first->closed);
  wait_messages(second, 1);
}

static void test_a_stopped_stream_of_messages_ends_the_session(void **state) {
  wt_stream *stream;
  (void)state;
  open_both();
  struct guest *sender = come(0, "/topic/a"), *receiver = come(1, "/topic/a?delivery=stream");
  size_t written;
  assert_int_equal(wt_session_open_uni(sender->session, &stream), 0);
  assert_int_equal(wt_stream_write(stream, "hello", 5, &written), 0);
  wt_stream_end(stream);
  while (receiver->part_len < 4 + 1 + 4 + 5) uv_run(&bed.loop, UV_RUN_ONCE);
  assert_memory_equal(receiver->part, "\0\0\0\1a\0\0\0\5hello", 14);
  wt_stream_stop_sending(receiver->incoming, 7);
  turn_until(&receiver->closed);
  assert_int_equal(receiver->code, TOPIC_TOO_SLOW);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_bad_requests_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_pages_of_other_origins_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_topics_no_endpoint, setup, teardown),
      cmocka_unit_test_setup_teardown(test_all_but_the_sender_get_a_message, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_message_may_come_in_parts, setup, teardown),
      cmocka_unit_test_setup_teardown(test_the_stream_of_lines_is_ended_in_return, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_message_that_is_too_large_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_unfinished_messages_are_bounded, setup, teardown),
      cmocka_unit_test_setup_teardown(test_topics_are_bounded, setup, teardown),
      cmocka_unit_test_setup_teardown(test_datagrams_beyond_the_rate_are_dropped, setup, teardown),
      cmocka_unit_test_setup_teardown(test_streams_beyond_the_rate_wait, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bytes_have_a_rate_too, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_waits_ends_with_its_session, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_stopped_stream_of_messages_ends_the_session, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
