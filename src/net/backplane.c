/* SPDX-License-Identifier: MIT */

/*
 * A server and its backplane. What crosses between them:
 *
 *   hub.c      subscribe, unsubscribe --> backplane     the first subscriber of a topic, the last one, on all workers
 *   publish.c  publish                --> backplane     after the local sessions had it
 *   publish.c  <-- deliver                              what other servers publish
 *
 * Here is the rest: its beginning and its end. It may have handles on the loop of worker 0, so worker 0 does not end before
 * the backplane says that it has stopped. The others do not wait for it.
 */

#include "net/backplane.h"

#include <string.h>

#include <webtransport/topic.h>

#include "base/log.h"
#include "net/hub.h"
#include "net/loop.h"
#include "net/server_state.h"

static void host_deliver(void *user_data, const char *topic, size_t topic_len, const uint8_t *data, size_t len) {
  struct wt_server *server = user_data;
  if (!topic || topic_len < 1 || topic_len > WT__TOPIC_NAME_MAX || (len > 0 && !data)) return;
  if (wt__hub_publish(&server->hub, topic, topic_len, data, len, NULL)) atomic_fetch_add(&server->hub.refused, 1);
}

static void host_log(void *user_data, enum wt_log_level level, const char *line) {
  const struct wt_server *server = user_data;
  WT__LOG(&server->log, level, WT__EVENT("backplane"), "%s", line);
}

static void host_stopped(void *user_data) {
  struct wt_server *server = user_data;
  server->carrier.state = WT__CARRIER_STOPPED;
  wt__loop_wake(&server->workers[0].driver.loop); /* it may end now */
}

int wt__carrier_start(struct wt_server *server) {
  struct wt__carrier *carrier = &server->carrier;
  if (!carrier->backplane) return 0;
  carrier->host = (struct wt_backplane_host){
      .size = sizeof(carrier->host),
      .user_data = server,
      .loop = server->workers[0].driver.loop.uv,
      .deliver = host_deliver,
      .log = host_log,
      .stopped = host_stopped,
  };
  int error = carrier->backplane->start(carrier->backplane, &carrier->host);
  if (error) return wt__server_fail(server, error, "cannot start the backplane: %s", wt_error_string(error));
  carrier->state = WT__CARRIER_STARTED;
  return 0;
}

void wt__carrier_stop(struct wt_server *server) {
  struct wt__carrier *carrier = &server->carrier;
  if (carrier->state != WT__CARRIER_STARTED) return;
  carrier->state = WT__CARRIER_STOPPING;
  carrier->backplane->stop(carrier->backplane);
}

bool wt__carrier_is_idle(const struct wt_server *server) {
  return server->carrier.state == WT__CARRIER_NEW || server->carrier.state == WT__CARRIER_STOPPED;
}

void wt__carrier_free(struct wt_server *server) {
  struct wt_backplane *backplane = server->carrier.backplane;
  if (backplane) backplane->free(backplane);
}

static bool is_complete(const struct wt_backplane *backplane) {
  if (backplane->size < offsetof(struct wt_backplane, get_stats)) return false;
  return backplane->start && backplane->stop && backplane->free && backplane->publish && backplane->subscribe &&
         backplane->unsubscribe;
}

int wt_server_set_backplane(wt_server *server, struct wt_backplane *backplane) {
  if (!server || !backplane) return WT_ERR_INVALID;
  if (!is_complete(backplane)) return wt__server_fail(server, WT_ERR_INVALID, "the backplane lacks a function");
  if (server->workers[0].state != SERVER_NEW) {
    return wt__server_fail(server, WT_ERR_STATE, "the backplane is set before the start");
  }
  if (server->carrier.backplane) return wt__server_fail(server, WT_ERR_STATE, "the server has a backplane already");
  server->carrier.backplane = backplane;
  server->hub.backplane = backplane;
  return 0;
}
