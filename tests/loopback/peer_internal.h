/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_PEER_INTERNAL_H
#define LOOPBACK_PEER_INTERNAL_H

/* What the parts of the scripted peer share: peer.c sends, peer_events.c is told, peer_reset_at.c does one frame. */

#include "peer.h"

struct peer_stream *peer__stream_add(struct peer *peer, int64_t id);
void peer__stream_forget(struct peer *peer, struct peer_stream *stream);
/* The streams with something to send, round robin. */
void peer__queue_add(struct peer *peer, struct peer_stream *stream);
void peer__queue_remove(struct peer *peer, struct peer_stream *stream);
void peer__callbacks(ngtcp2_callbacks *callbacks);
/* ngtcp2's debug log: see the function. */
void peer__on_log(void *user_data, const char *format, ...);

/* peer_reset_at.c */
/* Whose packets are being read or written, for ngtcp2's callbacks without user data. */
void peer__set_current(struct peer *peer);
void peer__reset_at_callbacks(ngtcp2_callbacks *callbacks);
/* What ngtcp2's own set-up of a TLS session does, and the transport parameters of `options.reset_at`. */
int peer__configure_tls(void *tls);
bool peer__has_raw(struct peer *peer, bool behind);
ngtcp2_ssize peer__write_raw(struct peer *peer, bool behind, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *packet,
                             size_t room);
uint64_t peer__raws_expiry(const struct peer *peer);
void peer__raws_expire(struct peer *peer);
void peer__raws_free(struct peer *peer);

#endif
