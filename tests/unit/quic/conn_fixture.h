/* SPDX-License-Identifier: MIT */
#ifndef UNIT_CONN_FIXTURE_H
#define UNIT_CONN_FIXTURE_H

/* A connection of a server, its handshake done, and its client. */

#include "quic/endpoint_state.h"
#include "quic_fixture.h"

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static struct wt__conn *conn;

static void begin(uint64_t max_datagram_frame_size) {
  net_init();
  server_config(&config);
  assert_int_equal(wt__endpoint_new(&endpoint, &config), 0);
  client_init(&client, &(struct client_options){.max_datagram_frame_size = max_datagram_frame_size});
  converse(&client, endpoint);
  conn = WT__CONTAINER_OF(wt__list_first(&endpoint->conns), struct wt__conn, link);
}

/* What most tests want. */
static inline int set_up(void **state) {
  (void)state;
  begin(65535);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  client_free(&client);
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  return 0;
}

#endif
