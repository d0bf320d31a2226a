/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_PEER_INTERNAL_H
#define LOOPBACK_PEER_INTERNAL_H

/* What the two halves of the scripted peer share: peer.c sends, peer_events.c is told. */

#include "peer.h"

struct peer_stream *peer__stream_add(struct peer *peer, int64_t id);
void peer__stream_forget(struct peer *peer, struct peer_stream *stream);
/* The streams with something to send, round robin. */
void peer__queue_add(struct peer *peer, struct peer_stream *stream);
void peer__queue_remove(struct peer *peer, struct peer_stream *stream);
void peer__callbacks(ngtcp2_callbacks *callbacks);
/* ngtcp2's debug log: see the function. */
void peer__on_log(void *user_data, const char *format, ...);

#endif
