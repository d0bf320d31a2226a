/* SPDX-License-Identifier: MIT */
/* Back ends of streams, "tcp:" and "unix:": each bidirectional stream is a connection (connection.h). */
#include "common/clock.h"
#include "gateway/backend.h"
#include "gateway/connection.h"

static void stream_backend_on_stream(struct gateway_session *session, wt_stream *stream) {
  connection_open(session, stream, &session->connections);
}

static void stream_backend_tick(struct gateway_session *session, uint64_t now_ms) {
  connections_tick(session->connections, now_ms);
}

#define STREAM_IDLE_TIMEOUT_MS (3600 * NS_PER_S / NS_PER_MS)

const struct backend_kind tcp_backend = {
    .scheme = "tcp",
    .has_streams = true,
    .has_sessions = true,
    .idle_timeout_ms = STREAM_IDLE_TIMEOUT_MS,
    .on_stream = stream_backend_on_stream,
    .tick = stream_backend_tick,
};

const struct backend_kind unix_backend = {
    .scheme = "unix",
    .has_path = true,
    .has_streams = true,
    .has_sessions = true,
    .idle_timeout_ms = STREAM_IDLE_TIMEOUT_MS,
    .on_stream = stream_backend_on_stream,
    .tick = stream_backend_tick,
};
