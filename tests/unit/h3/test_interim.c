/* SPDX-License-Identifier: MIT */

/* src/h3/interim.c: who gets 100 (Continue) and when, who never does, and what else an application may send first. */

#include "h3_fixture.h"

static wt_request *asked;
static size_t got;
static bool got_fin;
static void (*act)(wt_request *request);

static void on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  (void)request, (void)data, (void)user_data;
  got += len;
  got_fin = fin;
}

static const struct wt_request_callbacks takes_body = {.size = sizeof(takes_body), .on_body = on_body};
static const struct wt_request_callbacks takes_none = {.size = sizeof(takes_none)};

static void handler(wt_request *request, void *user_data) {
  (void)user_data;
  asked = request;
  if (act) act(request);
}

static struct h3_fixture *started(void (*then)(wt_request *)) {
  struct h3_fixture *f = h3_new();
  asked = NULL;
  got = 0;
  got_fin = false;
  act = then;
  assert_int_equal(wt__routes_set(&f->routes, "/a", handler, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  return f;
}

static void post(struct h3_fixture *f, int64_t id, const char *expect) {
  h3_send_request(f, id, H3_FIELDS(H3_PLAIN("POST", "/a"), "expect", expect), false);
  h3_run(f);
}

/* All fields of all header sections on stream `id`, in order. */
static void assert_heads(struct h3_fixture *f, int64_t id, const char *fields) {
  struct h3_answer answer = h3_answer(f, id);
  assert_string_equal(answer.fields, fields);
  h3_answer_free(&answer);
}

static void act_take(wt_request *request) { wt_request_set_callbacks(request, &takes_body, NULL); }

static void test_interim_continue_when_the_body_is_taken(void **state) {
  (void)state;
  static const char *const values[] = {"100-continue", "100-Continue", "100-continue ,", "100-continue, 100-continue"};
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    struct h3_fixture *f = started(act_take);
    post(f, 0, values[i]);
    assert_heads(f, 0, ":status: 100\n");
    assert_false(f->streams[0].fin);
    h3_data(f, 0, "body", 4, true);
    h3_run(f);
    assert_int_equal(got, 4);
    assert_true(got_fin);
    assert_int_equal(wt_request_respond(asked, 200, NULL, 0, NULL, 0), 0);
    h3_run(f);
    assert_heads(f, 0, ":status: 100\n:status: 200\ncontent-length: 0\n");
    assert_true(f->streams[0].fin);
    h3_finish(f, 0);
    h3_free(f);
  }
}

static void act_later(wt_request *request) { (void)request; }

static void act_hint(wt_request *request) { assert_int_equal(wt_request_inform(request, 103, NULL, 0), 0); }

static void act_continue(wt_request *request) { assert_int_equal(wt_request_inform(request, 100, NULL, 0), 0); }

/* Another interim answer is none that the client waits for; a 100 of the application's is. */
static void test_interim_hints_leave_the_continue_to_come(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_hint);
  post(f, 0, "100-continue");
  assert_heads(f, 0, ":status: 103\n");
  act_take(asked);
  h3_run(f);
  assert_heads(f, 0, ":status: 103\n:status: 100\n");
  h3_free(f);

  f = started(act_continue);
  post(f, 0, "100-continue");
  act_take(asked);
  h3_run(f);
  assert_heads(f, 0, ":status: 100\n");
  h3_free(f);
}

/* The application decides in its own time, once. */
static void test_interim_continue_waits_for_the_application(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_later);
  post(f, 0, "100-continue");
  assert_heads(f, 0, "");
  wt_request_set_callbacks(asked, &takes_none, NULL); /* it does not say that it wants a body */
  h3_run(f);
  assert_heads(f, 0, "");
  wt_request_pause(asked);
  wt_request_set_callbacks(asked, &takes_body, NULL);
  h3_run(f);
  assert_heads(f, 0, "");
  wt_request_resume(asked);
  assert_heads(f, 0, ""); /* not from inside the call */
  h3_run(f);
  assert_heads(f, 0, ":status: 100\n");
  wt_request_pause(asked);
  wt_request_resume(asked);
  wt_request_set_callbacks(asked, &takes_body, NULL);
  h3_run(f);
  assert_heads(f, 0, ":status: 100\n");
  h3_free(f);
}

static void act_begin(wt_request *request) {
  wt_request_set_callbacks(request, &takes_body, NULL);
  assert_int_equal(wt_request_begin(request, 200, &(struct wt_header){"connection", "x"}, 1), WT_ERR_INVALID);
  assert_int_equal(wt_request_begin(request, 200, NULL, 0), 0);
}

/* An echo begins its answer before it has the body. */
static void test_interim_continue_comes_before_an_answer_that_begins(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_begin);
  post(f, 0, "100-continue");
  assert_heads(f, 0, ":status: 100\n:status: 200\n");
  h3_data(f, 0, "body", 4, true);
  h3_run(f);
  assert_int_equal(got, 4);
  h3_free(f);
}

static void act_refuse(wt_request *request) {
  assert_int_equal(wt_request_respond(request, 403, NULL, 0, NULL, 0), 0);
  wt_request_set_callbacks(request, &takes_body, NULL);
}

static void act_begin_alone(wt_request *request) {
  assert_int_equal(wt_request_begin(request, 403, NULL, 0), 0);
  wt_request_set_callbacks(request, &takes_body, NULL);
}

static void act_begin_paused(wt_request *request) {
  wt_request_pause(request);
  wt_request_set_callbacks(request, &takes_body, NULL);
  assert_int_equal(wt_request_begin(request, 200, NULL, 0), 0);
  wt_request_resume(request);
}

static void test_interim_continue_is_not_sent_with_or_after_an_answer(void **state) {
  (void)state;
  static const struct {
    void (*act)(wt_request *request);
    const char *fields;
  } cases[] = {{act_refuse, ":status: 403\ncontent-length: 0\n"},
               {act_begin_alone, ":status: 403\n"},
               {act_begin_paused, ":status: 200\n"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct h3_fixture *f = started(cases[i].act);
    post(f, 0, "100-continue");
    h3_run(f);
    assert_heads(f, 0, cases[i].fields);
    if (cases[i].act != act_refuse) assert_int_equal(wt_request_end(asked), 0);
    h3_run(f);
    assert_true(f->streams[0].fin);
    assert_heads(f, 0, cases[i].fields); /* nor behind the answer, as trailers */
    h3_free(f);
  }
}

/* A client that does not wait is not told to go on. */
static void test_interim_continue_is_not_sent_once_the_body_comes(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_take);
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a"), "expect", "100-continue"), false);
  h3_data(f, 0, "b", 1, false);
  h3_run(f);
  h3_send_request(f, 4, H3_FIELDS(H3_PLAIN("POST", "/a"), "expect", "100-continue"), true);
  h3_run(f);
  assert_heads(f, 0, "");
  assert_heads(f, 4, "");
  assert_true(got_fin);
  h3_send_request(f, 8, H3_FIELDS(H3_PLAIN("POST", "/a")), false); /* and neither is one that does not ask */
  h3_run(f);
  assert_heads(f, 8, "");
  h3_free(f);
}

static void act_inform_fails(wt_request *request) {
  wt_request_set_callbacks(request, &takes_body, NULL);
  assert_int_equal(wt_request_inform(request, 103, NULL, 0), WT_ERR_INVALID);
  assert_non_null(strstr(wt_request_error(request), "CONNECT"));
}

/* Chromium gives up a session that gets any interim answer. */
static void test_interim_never_on_connect(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_inform_fails);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/a"), "expect", "100-continue"), false);
  h3_send_request(f, 4, H3_FIELDS(H3_CONNECT("other", "/a"), "expect", "something"), false);
  h3_run(f);
  assert_heads(f, 0, "");
  assert_heads(f, 4, "");
  h3_free(f);
}

static void test_interim_unknown_expectation_is_refused(void **state) {
  (void)state;
  static const char *const values[] = {"200-ok", "100-continue, x", "100-continue;q=1", "100",
                                       "100-continue 100-continues"};
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    struct h3_fixture *f = started(act_take);
    post(f, 0, values[i]);
    assert_int_equal(h3_status(f, 0), 417);
    assert_null(asked);
    h3_free(f);
  }
}

static void act_inform(wt_request *request) {
  static const struct wt_header links[] = {{"link", "</a.css>; rel=preload"}, {"link", "</b.js>; rel=preload"}};
  static const int bad[] = {-1, 0, 99, 101, 200, 204, 404, 1000};
  assert_int_equal(wt_request_inform(request, 103, links, 2), 0);
  assert_int_equal(wt_request_inform(request, 102, NULL, 0), 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(wt_request_inform(request, bad[i], NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_request_inform(request, 103, &(struct wt_header){"content-length", "1"}, 1), WT_ERR_INVALID);
  assert_int_equal(wt_request_inform(request, 103, &(struct wt_header){"x", "a\nb"}, 1), WT_ERR_INVALID);
  assert_int_equal(wt_request_inform(request, 103, NULL, 1), WT_ERR_INVALID);
  assert_int_equal(wt_request_respond(request, 200, NULL, 0, "x", 1), 0);
  assert_int_equal(wt_request_inform(request, 103, NULL, 0), WT_ERR_STATE);
}

static void test_interim_answers_of_the_application(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_inform);
  h3_get(f, 0, "/a");
  h3_run(f);
  assert_heads(f, 0,
               ":status: 103\nlink: </a.css>; rel=preload\nlink: </b.js>; rel=preload\n:status: 102\n"
               ":status: 200\ncontent-length: 1\n");
  assert_true(f->streams[0].fin);
  h3_finish(f, 0);
  h3_free(f);
}

/* The application may say 100 by itself; nobody says it twice. And there is a bound. */
static void test_interim_answers_are_bounded(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_later);
  post(f, 0, "100-continue");
  assert_int_equal(wt_request_inform(asked, 100, NULL, 0), 0);
  wt_request_set_callbacks(asked, &takes_body, NULL);
  h3_run(f);
  assert_heads(f, 0, ":status: 100\n");
  for (int i = 1; i < WT__INTERIM_MAX; i++) assert_int_equal(wt_request_inform(asked, 102, NULL, 0), 0);
  assert_int_equal(wt_request_inform(asked, 102, NULL, 0), WT_ERR_STATE);
  assert_int_equal(wt_request_respond(asked, 200, NULL, 0, NULL, 0), 0);
  h3_free(f);
}

static void test_interim_to_a_client_that_is_gone(void **state) {
  (void)state;
  struct h3_fixture *f = started(act_later);
  post(f, 0, "100-continue");
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 100);
  assert_int_equal(wt_request_inform(asked, 103, NULL, 0), WT_ERR_CLOSED);
  wt_request_set_callbacks(asked, &takes_body, NULL);
  h3_run(f);
  assert_heads(f, 0, "");
  h3_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_interim_hints_leave_the_continue_to_come),
      cmocka_unit_test(test_interim_continue_when_the_body_is_taken),
      cmocka_unit_test(test_interim_continue_waits_for_the_application),
      cmocka_unit_test(test_interim_continue_comes_before_an_answer_that_begins),
      cmocka_unit_test(test_interim_continue_is_not_sent_with_or_after_an_answer),
      cmocka_unit_test(test_interim_continue_is_not_sent_once_the_body_comes),
      cmocka_unit_test(test_interim_never_on_connect),
      cmocka_unit_test(test_interim_unknown_expectation_is_refused),
      cmocka_unit_test(test_interim_answers_of_the_application),
      cmocka_unit_test(test_interim_answers_are_bounded),
      cmocka_unit_test(test_interim_to_a_client_that_is_gone),
  };
  return cmocka_run_group_tests_name("interim", tests, NULL, NULL);
}
