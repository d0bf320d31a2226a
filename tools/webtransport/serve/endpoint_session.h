/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H
#define WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H

#include <webtransport/request.h>
#include <webtransport/session.h>

#include "serve/recorder.h"

struct endpoints;

/* A session at an endpoint. It is the first member of the endpoint's own state. */
struct endpoint_session {
  struct recorder *recorder;
  struct recorded_end resets[RECORDER_ENDS], stops[RECORDER_ENDS];
  uint64_t reset_count, stop_count; /* all, also those that are not kept */
};

/*
 * Accepts the session with `state` as its user data, which the caller has allocated and zeroed. On failure it answers
 * `request` and returns NULL, and the caller frees `state`.
 */
wt_session *endpoint_session_accept(struct endpoint_session *state, const struct endpoints *endpoints,
                                    wt_request *request, const struct wt_session_callbacks *callbacks);

/* Records the end of the session. To be called in its `on_close`. */
void endpoint_session_closed(struct endpoint_session *state, wt_session *session, const struct wt_close_info *info);

/* Record a RESET_STREAM and a STOP_SENDING of the peer. */
void endpoint_session_record_reset(struct endpoint_session *state, const struct wt_stream_error *error);
void endpoint_session_record_stop(struct endpoint_session *state, const struct wt_stream_error *error);

/* Returns the application's code of `error`, or 0 if it has none. */
uint32_t stream_error_code(const struct wt_stream_error *error);

#endif
