/* SPDX-License-Identifier: MIT */
/*
 * Records of exchanges, and an upload that goes on as there is room.
 */
#include "exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void on_progress(wt_exchange *exchange, bool closed, void *owner) {
  struct client_exchange *record = owner;
  assert_ptr_equal(record->exchange, exchange);
  assert_ptr_equal(wt__exchange_owner(exchange), record);
  assert_int_equal(record->ended, 0);
  assert_int_equal(record->closes, 0);
  if (closed) {
    record->ended++;
  } else {
    assert_int_equal(record->responses, 0);
    record->told++;
  }
}

static void on_cancel(wt_exchange *exchange, void *owner) {
  struct client_exchange *record = owner;
  assert_ptr_equal(record->exchange, exchange);
  record->cancels++;
}

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  struct client_exchange *record = user_data;
  const char *type = wt_exchange_header(exchange, "content-type");
  assert_ptr_equal(wt_exchange_user_data(exchange), record);
  assert_int_equal(record->told, 1);
  assert_int_equal(wt_exchange_status(exchange), status);
  assert_null(wt_exchange_header(exchange, ":status"));
  record->responses++;
  record->status = status;
  snprintf(record->type, sizeof(record->type), "%s", type ? type : "");
}

static void on_body(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct client_exchange *record = user_data;
  assert_ptr_equal(record->exchange, exchange);
  assert_int_equal(record->responses, 1);
  assert_false(record->fin);
  bytes_add(&record->body, data, len);
  record->fin = fin;
  if (record->pause) wt_exchange_pause(exchange);
}

static void upload_pump(struct client_exchange *record) {
  size_t written = 0, left = record->upload_len - record->upload_at;
  if (record->upload == NULL || record->upload_ended) return;
  while (record->upload_exact) {
    size_t room = wt_exchange_writable(record->exchange);
    if (room >= left) break;
    if (room == 0) return;
    assert_int_equal(wt_exchange_write(record->exchange, record->upload + record->upload_at, room, &written), 0);
    assert_int_equal(written, room);
    record->upload_at += room;
    left -= room;
  }
  if (wt_exchange_write(record->exchange, record->upload + record->upload_at, left, &written) != 0) return;
  record->upload_at += written;
  if (written < left) return;
  record->upload_ended = true;
  assert_int_equal(wt_exchange_end(record->exchange), 0);
}

static void on_writable(wt_exchange *exchange, void *user_data) {
  struct client_exchange *record = user_data;
  assert_ptr_equal(record->exchange, exchange);
  record->writables++;
  upload_pump(record);
}

static void on_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct client_exchange *record = user_data;
  assert_ptr_equal(record->exchange, exchange);
  assert_int_equal(record->closes, 0);
  assert_int_equal(record->ended, 1);
  assert_int_equal(error == 0, message[0] == '\0');
  if (error == 0) assert_true(record->fin);
  record->closes++;
  record->error = error;
  snprintf(record->message, sizeof(record->message), "%s", message);
  record->exchange = NULL;
}

void exchange_options(struct wt__exchange_options *options, const char *method, const char *path) {
  memset(options, 0, sizeof(*options));
  options->method = method;
  options->authority = "localhost:4000";
  options->path = path;
  options->max_header_bytes = 16384;
  options->max_send_buffer = 1 << 20;
}

struct client_exchange *exchange_new(struct client *client, const char *method, const char *path,
                                     const struct wt__exchange_options *options, int *error) {
  struct client_exchange *record = calloc(1, sizeof(*record));
  struct wt__exchange_options all;
  assert_non_null(record);
  if (options)
    all = *options;
  else
    exchange_options(&all, method, path);
  static const struct wt_exchange_callbacks callbacks = {
      .on_response = on_response,
      .on_body = on_body,
      .on_writable = on_writable,
      .on_close = on_close,
  };
  all.callbacks = &callbacks;
  all.user_data = record;
  record->client = client;
  int rv = wt__exchange_new(&all, &record->exchange);
  if (error) *error = rv;
  if (rv) {
    free(record);
    return NULL;
  }
  wt__exchange_set_owner(record->exchange, on_progress, record);
  wt__exchange_set_on_cancel(record->exchange, on_cancel);
  record->next = client->exchanges;
  client->exchanges = record;
  return record;
}

struct client_exchange *exchange_on(struct client_link *link, const char *method, const char *path,
                                    const struct wt__exchange_options *options) {
  struct client_exchange *record = exchange_new(link->client, method, path, options, NULL);
  if (record) wt__exchange_attach(record->exchange, link->h3);
  return record;
}

void exchange_upload(struct client_exchange *record, size_t len, uint64_t seed) {
  record->upload = pattern_new(len, seed);
  record->upload_len = len;
  upload_pump(record);
}

void exchanges_free(struct client *client) {
  while (client->exchanges) {
    struct client_exchange *record = client->exchanges;
    client->exchanges = record->next;
    assert_int_equal(record->closes, 1);
    bytes_free(&record->body);
    free(record->upload);
    free(record);
  }
}
