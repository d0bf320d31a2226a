/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_WORLD_H
#define LOOPBACK_WORLD_H

/* What nearly every test starts with: a network, a server and one scripted peer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http.h"
#include "net.h"
#include "peer.h"
#include "server.h"
#include "wire/capsule.h"
#include "wire/error_code.h"

struct world {
  struct net net;
  struct server server;
  struct peer_options options;
  struct peer *peer;
  struct server_session *session; /* of `world_session` */
  int64_t id;
};

/* Network and server, not started: change `server.config` and `options` now. */
void world_init(struct world *world, uint64_t seed);
/* Starts the server, and a peer that has done its handshake. */
void world_start(struct world *world);
/* All in one, with a session at `path`. */
void world_session(struct world *world, const char *path);
/* The peer goes without a word, then the server; the fixture's rules are checked. */
void world_free(struct world *world);

/* Whether stream `id` of the peer holds exactly the `len` bytes of pattern `seed` from `offset` on, and a FIN. */
bool world_received(struct world *world, int64_t id, size_t offset, size_t len, uint64_t seed);

#endif
