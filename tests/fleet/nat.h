/* SPDX-License-Identifier: MIT */
#ifndef WT_FLEET_NAT_H
#define WT_FLEET_NAT_H

/* A NAT for one client on the loopback addresses: what comes in goes out from a port that can be changed at any time. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct nat {
  uv_loop_t *loop;
  uv_udp_t inside, *outside; /* towards the client, towards the server */
  struct sockaddr_in client, server;
  bool has_client;
  uint16_t port;    /* where the client finds it, on 127.0.0.1 */
  unsigned rebinds; /* changes of the port outside */
};

/* False: the system has no more sockets. */
bool nat_open(struct nat *nat, uv_loop_t *loop, uint16_t server_port);
/* From now on the server sees the client at another port. What is on its way to the old one is lost. */
bool nat_rebind(struct nat *nat);
void nat_close(struct nat *nat);

#endif
