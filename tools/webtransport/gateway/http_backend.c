/* SPDX-License-Identifier: MIT */
/* Back ends of plain HTTP, "http:": requests that are no sessions go there (plain_request.h), and sessions are refused. */
#include "gateway/backend.h"

enum {
  IDLE_TIMEOUT_MS = 60 * 1000, /* as long as a proxy usually waits for an answer */
};

const struct backend_kind http_backend = {
    .scheme = "http",
    .url_port = 80,
    .has_requests = true,
    .idle_timeout_ms = IDLE_TIMEOUT_MS,
};
