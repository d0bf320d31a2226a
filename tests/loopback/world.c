/* SPDX-License-Identifier: MIT */
/*
 * Setting up and taking down what a test plays in. Kept apart from the server's fixture, because some
 * tests have many peers, or a server that is started twice.
 *
 * A test that wants something else than the defaults calls `world_init`, changes what it wants changed,
 * and goes on with `world_start`.
 */
#include "world.h"

void world_init(struct world *world, uint64_t seed) {
  memset(world, 0, sizeof(*world));
  net_init(&world->net, seed);
  server_init(&world->server, &world->net);
  peer_options_default(&world->options);
}

void world_start(struct world *world) {
  struct sockaddr_in address = server_address();
  server_start(&world->server);
  world->peer = peer_new(&world->net, &address, &world->options);
  NET_UNTIL(&world->net, 5000, world->peer->handshake_done);
  NET_UNTIL(&world->net, 5000, world->peer->handshake_confirmed);
}

void world_session(struct world *world, const char *path) {
  world_init(world, 1);
  world_start(world);
  world->session = server_connect(&world->server, world->peer, path, &world->id);
}

void world_free(struct world *world) {
  peer_free(world->peer);
  server_free(&world->server);
  net_free(&world->net);
}

bool world_received(struct world *world, int64_t id, size_t offset, size_t len, uint64_t seed) {
  const struct peer_stream *stream = peer_stream(world->peer, id);
  if (!stream || !stream->fin || stream->rx_len != offset + len) return false;
  return pattern_matches(stream->rx + offset, len, 0, seed);
}
