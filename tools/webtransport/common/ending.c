/* SPDX-License-Identifier: MIT */
/*
 * The end of a server, from the signal on:
 *
 *   SIGTERM --> draining: /healthz says 503, new clients are served --drain-delay--> shutdown --> end, after 5 s as a rule
 *   SIGINT -------------------------------------------------------------------------^
 *   a second signal, at any time: the server is closed at once
 *
 * The delay is for balancers. They learn from /healthz or from their cluster's list that a server goes away, and send it new
 * clients until then: these must be served, not refused. Who presses Ctrl-C has no balancer, so SIGINT does not wait.
 */
#include "common/ending.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/exits.h"
#include "common/service.h"
#include "common/signals.h"
#include "common/tool_log.h"

enum {
  END_AT_ONCE_MS = 4500, /* after a second signal, until the process ends in any case */
  MANAGER_MS = 2000      /* the service manager waits so much longer */
};

static void shutdown_begin(struct ending *ending, wt_server *server) {
  ending->waits = false;
  signals_deadline(ending->signals, ENDING_MS);
  wt_server_shutdown(server, ENDING_SHUTDOWN_MS);
}

/* A manager whose patience is shorter than the delay would kill the process, so it is asked for more. */
static void manager_tell(const struct ending *ending, uint64_t delay_ms) {
  if (!delay_ms) {
    service_notify(ending->service, "STOPPING=1");
    return;
  }
  service_notify(ending->service, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=Draining",
                 (delay_ms + ENDING_MS + MANAGER_MS) * (NS_PER_MS / NS_PER_US));
}

static void ending_begin(struct ending *ending, wt_server *server, int signal) {
  const char *name = signal == SIGINT ? "SIGINT" : "SIGTERM";
  uint64_t delay_ms = signal == SIGINT ? 0 : ending->drain_delay_ms;
  atomic_store(&ending->begun, true);
  atomic_store(ending->draining, true);
  manager_tell(ending, delay_ms);
  if (!delay_ms) {
    log_line(WT_LOG_INFO, "%s: ending within %d s", name, ENDING_WITHIN_S);
    shutdown_begin(ending, server);
    return;
  }
  log_line(WT_LOG_INFO, "%s: draining for %" PRIu64 " ms, while new clients are served; then ending within %d s", name,
           delay_ms, ENDING_WITHIN_S);
  ending->waits = true;
  signals_deadline(ending->signals, (int64_t)delay_ms);
}

static void ending_deadline(struct ending *ending, wt_server *server) {
  if (ending->waits) {
    log_line(WT_LOG_INFO, "the delay is over: ending within %d s", ENDING_WITHIN_S);
    shutdown_begin(ending, server);
    return;
  }
  log_line(WT_LOG_ERROR, "the orderly end takes too long: ended without it");
  _exit(EXIT_FAILED);
}

void ending_on_signal(struct ending *ending, wt_server *server, int signal) {
  if (!signal) {
    ending_deadline(ending, server);
    return;
  }
  if (!ending->signals_seen++) {
    ending_begin(ending, server, signal);
    return;
  }
  if (ending->waits) signals_no_deadline(ending->signals); /* it was that of the delay */
  ending->waits = false;
  signals_deadline(ending->signals, END_AT_ONCE_MS);
  wt_server_close(server);
}
