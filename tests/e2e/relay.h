/* SPDX-License-Identifier: MIT */
#ifndef WT_E2E_RELAY_H
#define WT_E2E_RELAY_H

/* A NAT in a test: UDP packets of one client to a server and back, over a port that can be changed at any time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <uv.h>

struct relay {
  uv_loop_t *loop;
  int inside, outside; /* sockets: towards the client, towards the server */
  uv_poll_t inside_poll, *outside_poll;
  struct sockaddr_in client, server;
  bool has_client, is_cut;
  unsigned port;    /* where the client finds it, on 127.0.0.1 */
  size_t retries;   /* Retry packets of the server that came through */
  size_t rebounds;  /* changes of the port */
  uint8_t last[32]; /* how the client's last packet with a short header begins */
};

/* Between 127.0.0.1:`relay->port` and 127.0.0.1:`server_port`. */
void relay_open(struct relay *relay, uv_loop_t *loop, unsigned server_port);
/* From now on the server sees the client at another port. What is on its way to the old one is lost. */
void relay_rebind(struct relay *relay);
/* From now on nothing comes through. */
void relay_cut(struct relay *relay);
void relay_close(struct relay *relay);

#endif
