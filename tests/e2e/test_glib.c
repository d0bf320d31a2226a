/* SPDX-License-Identifier: MIT */

/* Server and client on GLib's main loop: a GSource each, made of descriptor, timeout and turn. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "bed.h"

#define DEADLINE_MS 30000

/* The source of a server or of a client. GLib asks `prepare` before each poll. */
struct source {
  GSource base;
  wt_server *server; /* one of the two */
  wt_client *client;
  gpointer tag;
};

static gboolean source_prepare(GSource *base, gint *timeout) {
  struct source *source = (struct source *)base;
  *timeout = source->server ? wt_server_timeout_ms(source->server) : wt_client_timeout_ms(source->client);
  return *timeout == 0;
}

static gboolean source_check(GSource *base) {
  struct source *source = (struct source *)base;
  gint timeout;
  return g_source_query_unix_fd(base, source->tag) != 0 || source_prepare(base, &timeout);
}

static gboolean source_dispatch(GSource *base, GSourceFunc function, gpointer user_data) {
  struct source *source = (struct source *)base;
  (void)function;
  (void)user_data;
  if (source->client) {
    (void)wt_client_turn(source->client);
    return G_SOURCE_CONTINUE;
  }
  return wt_server_turn(source->server) == 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static GSourceFuncs source_functions = {.prepare = source_prepare, .check = source_check, .dispatch = source_dispatch};

static GSource *source_new(GMainContext *context, wt_server *server, wt_client *client) {
  GSource *base = g_source_new(&source_functions, sizeof(struct source));
  struct source *source = (struct source *)base;
  source->server = server;
  source->client = client;
  source->tag = g_source_add_unix_fd(base, server ? wt_server_fd(server) : wt_client_fd(client), G_IO_IN);
  g_source_attach(base, context);
  return base;
}

static gboolean on_late(gpointer user_data) {
  (void)user_data;
  fail_msg("nothing came within %d ms", DEADLINE_MS);
  return G_SOURCE_REMOVE;
}

static void run_until(GMainContext *context, const size_t *left) {
  while (*left > 0) g_main_context_iteration(context, TRUE);
}

static void test_glib_echoes_and_ends(void **state) {
  (void)state;
  struct bed bed;
  struct wt_server_config server;
  struct wt_client_config client;
  struct guest guest = {.heard = 0};
  size_t left = 1;
  GMainContext *context = g_main_context_new();
  GSource *late = g_timeout_source_new(DEADLINE_MS);
  g_source_set_callback(late, on_late, NULL, NULL);
  g_source_attach(late, context);

  bed_config(&server, 1);
  bed_open(&bed, &server, false);
  pair_client_config(&bed.pair, &client);
  client.loop = NULL;
  pair_client(&bed.pair, &client);
  GSource *server_source = source_new(context, bed.server, NULL);
  GSource *client_source = source_new(context, NULL, bed.pair.client);

  guest_dial(&guest, &bed, bed.pair.url, &left, guest_on_done);
  run_until(context, &left);
  assert_int_equal(guest.dialed.error, 0);
  assert_true(guest.fin && !guest.wrong);
  left = 1;
  assert_int_equal(wt_session_send_datagram(guest.dialed.session, "x", 1), 0);
  run_until(context, &left);
  assert_int_equal(guest.heard, 1);

  wt_server_shutdown(bed.server, 400);
  while (!g_source_is_destroyed(server_source)) g_main_context_iteration(context, TRUE);
  while (!guest.dialed.closes) g_main_context_iteration(context, TRUE);
  assert_true(guest.dialed.close.clean);

  g_source_destroy(client_source);
  g_source_destroy(late);
  g_source_unref(client_source);
  g_source_unref(server_source);
  g_source_unref(late);
  bed_close(&bed);
  g_main_context_unref(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_glib_echoes_and_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
