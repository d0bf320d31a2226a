/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H
#define WEBTRANSPORT_TOOL_ENDPOINT_SESSION_H

#include <webtransport/request.h>
#include <webtransport/session.h>

#include "serve/recorder.h"

struct endpoints;

/* A session at an endpoint. The first member of the endpoint's own state. */
struct endpoint_session {
  struct recorder *recorder;
  struct recorded_end resets[RECORDER_ENDS], stops[RECORDER_ENDS];
  uint64_t reset_count, stop_count; /* all, also those that were not kept */
};

/*
 * Accepts the session, with `state`, which is the caller's and all zero, as its user data. On failure
 * `request` is answered, NULL returned, and `state` can be freed.
 */
wt_session *endpoint_session_accept(struct endpoint_session *state, const struct endpoints *endpoints,
                                    wt_request *request, const struct wt_session_callbacks *callbacks);

/* Records the end of the session; to be called in its `on_close`. */
void endpoint_session_closed(struct endpoint_session *state, wt_session *session, const struct wt_close_info *info);

/* Records what the peer did to a stream. */
void endpoint_session_record_reset(struct endpoint_session *state, const struct wt_stream_error *error);
void endpoint_session_record_stop(struct endpoint_session *state, const struct wt_stream_error *error);

/* The code to pass on for `error`; 0 where it has none. */
uint32_t stream_error_code(const struct wt_stream_error *error);

#endif
