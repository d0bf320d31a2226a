/* SPDX-License-Identifier: MIT */
/* Which header fields of a request go to a back end: requests of a real client to a server that makes the list. */
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

#include "gateway/forwarded.h"

static struct bed {
  uv_loop_t loop;
  wt_server *server;
  wt_client *client;
  uint8_t hash[32];
  char address[64];
  bool trusted, done, good;
  struct header_list fields;
} bed;

static void handle(wt_request *request, void *user_data) {
  (void)user_data;
  header_list_free(&bed.fields);
  bed.good = forwarded_request(request, bed.trusted, &bed.fields);
  wt_request_respond(request, 204, NULL, 0, NULL, 0);
}

static void on_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  (void)exchange, (void)message, (void)user_data;
  assert_int_equal(error, 0);
  bed.done = true;
}

static void ask(const struct wt_header *headers, size_t count) {
  static const struct wt_exchange_callbacks callbacks = {.on_close = on_close};
  struct wt_exchange_options options;
  char url[128];
  wt_exchange_options_default(&options);
  options.callbacks = &callbacks;
  options.headers = headers;
  options.header_count = count;
  snprintf(url, sizeof url, "https://%s/", bed.address);
  bed.done = false;
  assert_int_equal(wt_client_request(bed.client, url, &options, NULL), 0);
  while (!bed.done) uv_run(&bed.loop, UV_RUN_ONCE);
}

static int setup(void **state) {
  wt_certificate *certificate;
  struct wt_server_config config;
  struct wt_client_config client;
  const char *listen = "127.0.0.1:0";
  (void)state;
  assert_int_equal(uv_loop_init(&bed.loop), 0);
  wt_server_config_default(&config);
  config.listen = &listen;
  config.loop = &bed.loop;
  assert_int_equal(wt_server_new(&config, &bed.server, NULL, 0), 0);
  assert_int_equal(wt_server_handle(bed.server, "/", handle, NULL), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  wt_certificate_get_sha256(certificate, bed.hash);
  assert_int_equal(wt_server_add_certificate(bed.server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(bed.server), 0);
  assert_int_equal(wt_server_get_address(bed.server, 0, bed.address, sizeof bed.address), 0);
  wt_client_config_default(&client);
  client.loop = &bed.loop;
  client.certificate_hashes = &bed.hash;
  client.certificate_hash_count = 1;
  assert_int_equal(wt_client_new(&client, &bed.client, NULL, 0), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  header_list_free(&bed.fields);
  wt_client_free(bed.client);
  wt_server_free(bed.server);
  uv_run(&bed.loop, UV_RUN_NOWAIT);
  assert_int_equal(uv_loop_close(&bed.loop), 0);
  return 0;
}

static void assert_field(const char *name, const char *value) {
  const char *found = header_list_get(&bed.fields, name);
  if (!value) {
    assert_null(found);
    return;
  }
  assert_non_null(found);
  assert_string_equal(found, value);
}

static char *element(char text[128]) {
  snprintf(text, 128, "for=127.0.0.1;proto=https;host=\"%s\"", bed.address);
  return text;
}

static const struct wt_header liar[] = {
    {"forwarded", "for=10.0.0.1"},
    {"x-forwarded-for", "10.0.0.1"},
    {"x-forwarded-host", "evil.example"},
    {"x-forwarded-proto", "http"},
    {"x_forwarded_for", "10.0.0.1"},
    {"x-real-ip", "10.0.0.1"},
    {"x-forwarded-user", "admin"},
    {"via", "2 other"},
    {"cookie", "a=1"},
    {"cookie", "b=2"},
    {"x-game", "7"},
    {"origin", "https://play.example"},
};

static void test_a_client_cannot_say_who_it_is(void **state) {
  char text[128];
  (void)state;
  bed.trusted = false;
  ask(liar, sizeof liar / sizeof liar[0]);
  assert_true(bed.good);
  assert_field("forwarded", element(text));
  assert_field("x-forwarded-for", "127.0.0.1");
  assert_field("x-forwarded-proto", "https");
  assert_field("x-forwarded-host", bed.address);
  assert_field("x_forwarded_for", NULL);
  assert_field("x-real-ip", NULL);
  assert_field("x-forwarded-user", NULL);
}

static void test_other_fields_go_through(void **state) {
  (void)state;
  bed.trusted = false;
  ask(liar, sizeof liar / sizeof liar[0]);
  assert_field("x-game", "7");
  assert_field("origin", "https://play.example");
  assert_field("cookie", "a=1; b=2");
  assert_field("via", "2 other, 3 webtransport-gateway");
  for (size_t i = 0; i < bed.fields.count; i++) assert_int_not_equal(bed.fields.list[i].name[0], ':');
}

static void test_a_proxy_is_continued(void **state) {
  char text[128], whole[160];
  (void)state;
  bed.trusted = true;
  ask(liar, sizeof liar / sizeof liar[0]);
  snprintf(whole, sizeof whole, "for=10.0.0.1, %s", element(text));
  assert_field("forwarded", whole);
  assert_field("x-forwarded-for", "10.0.0.1, 127.0.0.1");
  assert_field("x-forwarded-proto", "http");
  assert_field("x-forwarded-host", "evil.example");
  assert_field("x-real-ip", "10.0.0.1");
}

static void test_fields_of_the_connection_stay(void **state) {
  static const struct wt_header mine[] = {{"wt-available-protocols", "\"a\""},
                                          {"trailer", "x"},
                                          {"early-data", "1"},
                                          {"proxy-authorization", "Basic eA=="}};
  (void)state;
  bed.trusted = true;
  ask(mine, sizeof mine / sizeof mine[0]);
  for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++) assert_field(mine[i].name, NULL);
}

static void test_too_many_fields_are_refused(void **state) {
  struct wt_header many[HEADER_LIST_MAX - 3];
  char names[HEADER_LIST_MAX][8];
  (void)state;
  for (size_t i = 0; i < HEADER_LIST_MAX - 3; i++) {
    snprintf(names[i], sizeof names[i], "x-%zu", i);
    many[i] = (struct wt_header){names[i], "1"};
  }
  bed.trusted = false;
  ask(many, HEADER_LIST_MAX - 5);
  assert_true(bed.good);
  ask(many, HEADER_LIST_MAX - 3);
  assert_false(bed.good);
}

static void test_fields_of_an_answer(void **state) {
  (void)state;
  assert_true(forwarded_answer_passes("x-room"));
  assert_true(forwarded_answer_passes("set-cookie"));
  assert_false(forwarded_answer_passes(":status"));
  assert_false(forwarded_answer_passes("wt-protocol"));
  assert_false(forwarded_answer_passes("alt-svc"));
  assert_false(forwarded_answer_passes("content-length"));
  assert_false(forwarded_answer_passes("keep-alive"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_client_cannot_say_who_it_is), cmocka_unit_test(test_other_fields_go_through),
      cmocka_unit_test(test_a_proxy_is_continued),          cmocka_unit_test(test_fields_of_the_connection_stay),
      cmocka_unit_test(test_too_many_fields_are_refused),   cmocka_unit_test(test_fields_of_an_answer),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
