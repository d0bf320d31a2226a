/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_PAIR_H
#define LOOPBACK_PAIR_H

/* Our client and our server on a good network: two whole stacks, one connection. */

#include "client.h"
#include "world.h"

struct pair {
  struct net net;
  struct server server;
  struct client client;
  struct client_link *link;
};

/* Configurations can be changed between `pair_init` and `pair_connect`. */
void pair_init(struct pair *p);
/* Starts both; the handshake is to come. */
void pair_connect(struct pair *p);
/* All of it, up to the server's SETTINGS. */
void pair_ready(struct pair *p);
void pair_free(struct pair *p);

#endif
