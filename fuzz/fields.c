/* SPDX-License-Identifier: MIT */
/*
 * A field section as received, in either role: bytes of QPACK's encoder stream and of a HEADERS frame go in as they are,
 * and an application walks all that comes out. Every name and value it gets is allowed by RFC 9110 and ends where its
 * length says; what it gets by name is what a walk finds; one `origin` at most is there. The section comes whole or in two
 * pieces, before or behind the instructions, and again as trailers.
 */

#include "fields.h"

#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/exchange.h"
#include "h3/request.h"
#include "h3/routes.h"
#include "quic.h"
#include "wire/error_code.h"
#include "wire/field.h"
#include "wire/settings.h"
#include "wire/varint.h"

#define SECTION_MAX 4096
#define MAX_HEADER_BYTES 2048
#define CHOICE_SPLIT 1  /* in two pieces */
#define CHOICE_LATE 2   /* the instructions come behind the section */
#define CHOICE_AGAIN 4  /* the same section once more, as trailers or as the final answer behind an interim one */
#define CHOICE_STREAM 8 /* and on a second stream */

struct fields {
  bool client, over;
  struct quic quic;
  struct wt__h3_conn *h3;
  struct wt__h3_config config;
  struct wt__h3_counters counters;
  struct wt__routes routes;
  unsigned closes;
};

/* --- What the application checks --- */

static void field_check(const struct wt_header *header) {
  FUZZ_CHECK(wt__field_name_valid((const uint8_t *)header->name, strlen(header->name)));
  FUZZ_CHECK(wt__field_value_valid((const uint8_t *)header->value, strlen(header->value)));
}

static void request_walk(wt_request *request, void *user_data) {
  struct wt_header header;
  size_t count = 0, cost = 0, origins = 0;
  (void)user_data;
  for (; wt_request_get_header_at(request, count, &header) == 0; count++) {
    const char *value = header.name[0] == ':' ? NULL : wt_request_header(request, header.name);
    field_check(&header);
    bool joined = header.name[0] != ':' && strcmp(header.name, "set-cookie") != 0; /* no list, whoever sends it */
    FUZZ_CHECK(!joined || (value && strstr(value, header.value)));
    cost += strlen(header.name) + strlen(header.value) + 32;
    origins += strcmp(header.name, "origin") == 0;
  }
  FUZZ_CHECK(cost <= MAX_HEADER_BYTES && origins <= 1);
  FUZZ_CHECK((wt_request_origin(request) != NULL) == (origins == 1));
  FUZZ_CHECK(wt_request_method(request)[0] != '\0');
  if (wt_request_is_webtransport(request)) {
    (void)wt_upgrade(request, NULL, NULL);
  } else {
    (void)wt_request_respond(request, 200, NULL, 0, "ok", 2);
  }
}

static void response_walk(wt_exchange *exchange, int status, void *user_data) {
  struct wt_header header;
  (void)user_data;
  FUZZ_CHECK(status >= 200 && status <= 999);
  for (size_t i = 0; wt_exchange_get_header_at(exchange, i, &header) == 0; i++) {
    field_check(&header);
    FUZZ_CHECK(header.name[0] != ':' && wt_exchange_header(exchange, header.name));
  }
}

static void on_exchange_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct fields *f = user_data;
  (void)exchange, (void)error;
  FUZZ_CHECK(message != NULL && !f->over);
  f->closes++;
}

/* --- The connection --- */

static void on_end(const struct wt__h3_end *end, void *user_data) { (void)end, (void)user_data; }

static int fields_new(struct fields *f) {
  static const struct wt__h3_client_callbacks callbacks = {.on_end = on_end};
  const char *address = "192.0.2.1:4433";
  if (!f->client) return wt__h3_conn_new(&f->h3, &f->config, &quic_transport, &f->quic, address, f->quic.now);
  return wt__h3_conn_new_client(&f->h3, &f->config, &callbacks, f, &quic_transport, &f->quic, address, f->quic.now);
}

static void turn(struct fields *f) {
  quic_close_streams(&f->quic);
  if (!f->quic.closed) wt__h3_conn_run(f->h3, f->quic.now);
  if (!f->quic.closed) quic_send(&f->quic, 64, QUIC_WINDOW);
  if (!f->quic.closed) wt__h3_conn_run(f->h3, f->quic.now);
  FUZZ_CHECK(f->quic.gauge.bytes <= QUIC_MEMORY_MAX);
}

static void exchange_begin(struct fields *f) {
  static const struct wt_exchange_callbacks callbacks = {.on_response = response_walk, .on_close = on_exchange_close};
  struct wt__exchange_options options = {
      .method = "GET",
      .authority = "example.com",
      .path = "/",
      .max_header_bytes = MAX_HEADER_BYTES,
      .max_send_buffer = 1000,
      .callbacks = &callbacks,
      .user_data = f,
  };
  wt_exchange *exchange = NULL;
  FUZZ_CHECK(wt__exchange_new(&options, &exchange) == 0);
  wt__exchange_attach(exchange, f->h3);
}

static void settings_recv(struct fields *f) {
  const struct wt__setting settings[] = {{0x08, 1}, {0x33, 1}, {0x2b603742, 1}};
  uint8_t bytes[64] = {0x00};
  size_t len = 1 + wt__settings_write_frame(bytes + 1, sizeof(bytes) - 1, settings, 3);
  quic_recv(&f->quic, f->client ? 3 : 2, bytes, len, false);
}

static void begin(struct fields *f, bool client) {
  memset(f, 0, sizeof(*f));
  f->client = client;
  quic_init(&f->quic, client);
  wt__routes_init(&f->routes);
  FUZZ_CHECK(wt__routes_set(&f->routes, "/", request_walk, f, NULL) == 0);
  f->config = (struct wt__h3_config){
      .mux = {.max_stream_send_buffer = 8 * 1024, .max_datagrams_queued = 16},
      .routes = &f->routes,
      .counters = &f->counters,
      .max_sessions_per_connection = 3,
      .max_header_bytes = MAX_HEADER_BYTES,
      .drafts = WT_DRAFT_ALL,
      .max_streams_bidi = QUIC_STREAMS,
      .max_stream_data = QUIC_STREAM_WINDOW,
  };
  FUZZ_CHECK(fields_new(f) == 0);
  f->quic.h3 = f->h3;
  wt__h3_conn_start(f->h3, 65535);
  if (client) wt__h3_conn_connected(f->h3);
  settings_recv(f);
  if (client) exchange_begin(f);
  if (client) exchange_begin(f);
  turn(f);
}

static void end(struct fields *f) {
  wt__h3_conn_free(f->h3, &(struct wt__ending){WT_CAUSE_ERROR, true,
                                               f->quic.closed ? f->quic.close_code : WT__H3_NO_ERROR, "the end"});
  f->over = true;
  FUZZ_CHECK(f->closes == (f->client ? 2 : 0));
  wt__routes_free(&f->routes);
  FUZZ_CHECK(f->quic.gauge.bytes == 0 && f->quic.sum.bytes == 0);
  FUZZ_CHECK(wt__mem_live() == 0);
}

/* --- The peer --- */

static void encoder_send(struct fields *f, const uint8_t *instructions, size_t len) {
  const uint8_t type = 0x02;
  if (len == 0) return;
  quic_recv(&f->quic, f->client ? 7 : 6, &type, 1, false);
  if (!f->quic.closed) quic_recv(&f->quic, f->client ? 7 : 6, instructions, len, false);
}

static void section_send(struct fields *f, int64_t id, const uint8_t *section, size_t len, unsigned choice) {
  uint8_t head[16] = {0x01};
  size_t head_len = 1 + wt__varint_write(head + 1, len), first = choice & CHOICE_SPLIT ? len / 2 : len;
  if (!f->quic.closed) quic_recv(&f->quic, id, head, head_len, false);
  if (!f->quic.closed) quic_recv(&f->quic, id, section, first, false);
  if (!f->quic.closed && first < len) quic_recv(&f->quic, id, section + first, len - first, false);
  if (!f->quic.closed) turn(f);
}

void fields_play(bool client, const uint8_t *data, size_t size) {
  static struct fields f;
  if (size < 3 || size > SECTION_MAX) return;
  unsigned choice = data[0];
  size_t instructions_len = data[1] <= size - 2 ? data[1] : size - 2;
  const uint8_t *instructions = data + 2, *section = instructions + instructions_len;
  size_t section_len = size - 2 - instructions_len;
  begin(&f, client);
  if (!(choice & CHOICE_LATE)) encoder_send(&f, instructions, instructions_len);
  section_send(&f, 0, section, section_len, choice);
  if (choice & CHOICE_AGAIN) section_send(&f, 0, section, section_len, choice);
  if (choice & CHOICE_STREAM) section_send(&f, 4, section, section_len, choice);
  if (!f.quic.closed && (choice & CHOICE_LATE)) encoder_send(&f, instructions, instructions_len);
  if (!f.quic.closed) turn(&f);
  if (!f.quic.closed) quic_recv(&f.quic, 0, NULL, 0, true);
  if (!f.quic.closed) turn(&f);
  end(&f);
}
