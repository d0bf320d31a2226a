/* SPDX-License-Identifier: MIT */
#ifndef UNIT_RESET_AT_FIXTURE_H
#define UNIT_RESET_AT_FIXTURE_H

/* A connection of a server, its handshake done, for the two halves of RESET_STREAM_AT. */

#include "quic_fixture.h"

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static struct wt__conn *conn;

static int set_up(void **state) {
  (void)state;
  net_init();
  server_config(&config);
  if (wt__endpoint_new(&endpoint, &config)) return -1;
  client_init(&client, &(struct client_options){.max_datagram_frame_size = 65535});
  converse(&client, endpoint);
  conn = WT__CONTAINER_OF(wt__list_first(&endpoint->conns), struct wt__conn, link);
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
