/* SPDX-License-Identifier: MIT */
/*
 * Who may use a route. The token comes first, because it needs nobody else; then the server that is asked:
 *
 *   request --> token: 401, 403 --> question in flight --> 2xx: admitted
 *                                   |        |             3xx, 4xx: to the client
 *                                   |        no answer, 5xx: 503
 *                                   client gone: the question is given up
 *
 * Whatever goes wrong on the way refuses the request. While a question is in flight, the request is paused, so that what
 * the client has sent already is kept for later, up to the stream's window.
 *
 * Questions at once are bounded for each route, and an address may have a quarter of them: somebody with many requests
 * then keeps only himself out.
 */
#include "gateway/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/tool_log.h"
#include "gateway/auth_request.h"
#include "gateway/identity.h"
#include "gateway/token_find.h"

/* A request whose question is in flight. */
struct admission {
  struct gateway *gateway;
  struct route *route;
  struct peer *peer;
  wt_request *request; /* NULL: answered, or gone */
  struct auth_request *asked;
  struct identity identity;
};

/* --- The token. --- */

static void token_time(struct identity *identity, const struct gateway *gateway, const struct token_claims *claims,
                       int64_t now_s) {
  identity->expires_ms = gateway_now(gateway) + (uint64_t)(claims->expires_s - now_s) * 1000;
  snprintf(identity->user, sizeof identity->user, "%s", claims->user);
}

/* Returns 0 or a status. */
static int token_admit(struct gateway *gateway, struct route *route, const wt_request *request, const char *path,
                       struct identity *identity, const char **why) {
  const struct auth_settings *auth = &route->settings.auth;
  char token[TOKEN_MAX + 1];
  struct token_claims claims;
  int64_t now_s = time(NULL);
  if (auth->algorithm == TOKEN_NONE) return 0;
  enum token_found found = token_find(request, &auth->places, token, sizeof token);
  int status = 401;
  if (found == TOKEN_FOUND) {
    token_keys_refresh(route->keys, gateway_now(gateway));
    status = token_check(token, route->keys, &auth->rules, path, now_s, &claims, why);
    if (!status) token_time(identity, gateway, &claims, now_s);
  } else {
    *why = found == TOKEN_MISSING ? "the request has no token" : "the token is too long, or its encoding is broken";
  }
  explicit_bzero(token, sizeof token);
  return status;
}

static void token_refuse(struct gateway *gateway, struct route *route, wt_request *request, int status,
                         const char *why) {
  static const struct wt_header challenge = {"www-authenticate", "Bearer"};
  char text[256];
  snprintf(text, sizeof text, "%s: %s.", status == 403 ? "Forbidden" : "Unauthorized", why);
  route->counts->auth_refused++;
  gateway_refuse(gateway, route, request, status, text, &challenge, status == 401 ? 1 : 0);
}

/* --- The server that is asked. --- */

static void admission_free(struct admission *admission) {
  admission->route->counts->auth_open--;
  admission->peer->questions--;
  peers_put(admission->peer);
  route_release(admission->route);
  identity_free(&admission->identity);
  free(admission);
}

/* The client gave up, or the gateway ends. */
static void admission_on_close(wt_request *request, int error, void *user_data) {
  struct admission *admission = user_data;
  const struct access_request known = {.route = admission->route, .user = admission->identity.user};
  (void)error;
  access_log_request(&admission->gateway->access_log, request, &known);
  auth_request_cancel(admission->asked);
  admission_free(admission);
}

static const struct wt_request_callbacks admission_callbacks = {.on_close = admission_on_close};

static void question_failed(struct admission *admission, const char *why) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  struct route *route = admission->route;
  route->counts->auth_failed++;
  log_limited(&limit, WT_LOG_ERROR, "%s: the authorization server does not answer: %s; requests are refused",
              route->settings.path, why);
  gateway_refuse(admission->gateway, route, admission->request, 503, "The authorization server does not answer.", NULL,
                 0);
}

/* Fields that are not the back end's do not go there. False: no memory; a field that is missing could be the one that
 * restricts the client. */
static bool identity_take(struct admission *admission, struct auth_answer *answer) {
  const struct auth_settings *auth = &admission->route->settings.auth;
  struct identity *identity = &admission->identity;
  const char *user = field_list_find(&answer->fields, auth->user_header);
  if (user) snprintf(identity->user, sizeof identity->user, "%s", user);
  for (size_t i = 0; i < answer->fields.count; i++) {
    const struct wt_header *field = &answer->fields.headers[i];
    if (!text_list_has(&auth->response_headers, field->name)) continue;
    if (!field_list_add(&identity->fields, field->name, strlen(field->name), field->value, strlen(field->value)))
      return false;
  }
  return true;
}

/* Of the answer, those fields that tell a client how to be let in. */
static void question_refused(struct admission *admission, const struct auth_answer *answer) {
  static const char *const names[] = {"www-authenticate", "retry-after", "location", "set-cookie"};
  struct wt_header headers[FIELD_LIST_COUNT];
  size_t count = 0;
  for (size_t i = 0; i < answer->fields.count; i++)
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
      if (!strcmp(answer->fields.headers[i].name, names[k])) headers[count++] = answer->fields.headers[i];
  admission->route->counts->auth_refused++;
  gateway_refuse(admission->gateway, admission->route, admission->request, answer->status,
                 "The authorization server does not let this request in.", headers, count);
}

static void admission_on_answer(struct auth_answer *answer, void *user_data) {
  struct admission *admission = user_data;
  wt_request *request = admission->request;
  wt_request_set_callbacks(request, NULL, NULL); /* it stays paused until somebody takes its body */
  if (answer->status >= 200 && answer->status <= 299) {
    if (identity_take(admission, answer))
      gateway_admitted(admission->gateway, admission->route, request, &admission->identity);
    else
      question_failed(admission, "there is no memory for its answer");
  } else if (answer->status >= 300) {
    question_refused(admission, answer);
  } else {
    question_failed(admission, answer->why);
  }
  admission_free(admission);
}

/* Returns 0 or a status. */
static int bounds_check(const struct route *route, const struct peer *peer, const char **why) {
  uint64_t most = route->settings.auth.max_requests, of_address = (most + 3) / 4;
  *why = "Too many requests wait for the authorization server (auth-max-requests).";
  if (route->counts->auth_open >= most) return 503;
  return peer->questions >= of_address ? 429 : 0;
}

static struct admission *admission_new(struct gateway *gateway, struct route *route, wt_request *request,
                                       struct peer *peer, struct identity *identity) {
  struct admission *admission = calloc(1, sizeof *admission);
  if (!admission) return NULL;
  admission->gateway = gateway;
  admission->route = route;
  admission->request = request;
  admission->peer = peer;
  identity_move(&admission->identity, identity);
  route_use(route);
  route->counts->auth_open++;
  peer->questions++;
  return admission;
}

static void question_begin(struct gateway *gateway, struct route *route, wt_request *request,
                           struct identity *identity) {
  const char *why = "The gateway has no memory.";
  struct peer *peer = peers_get(&gateway->peers, route->counts, wt_request_peer_address(request));
  int status = peer ? bounds_check(route, peer, &why) : 503;
  struct admission *admission = status ? NULL : admission_new(gateway, route, request, peer, identity);
  if (!admission) {
    if (peer) peers_put(peer);
    gateway_refuse(gateway, route, request, status ? status : 503, why, NULL, 0);
    return;
  }
  admission->asked = auth_request_start(gateway->http_client, route->auth_lookup, &route->settings.auth, request,
                                        admission_on_answer, admission);
  if (!admission->asked) {
    question_failed(admission, "it could not be asked: its name is not known, or there is no memory");
    admission_free(admission);
    return;
  }
  wt_request_pause(request);
  wt_request_set_callbacks(request, &admission_callbacks, admission);
  gateway_hurry(gateway); /* the timer looks after the peers */
}

void admission_begin(struct gateway *gateway, struct route *route, wt_request *request, const char *path) {
  struct identity identity = {0};
  const char *why = "";
  int status = token_admit(gateway, route, request, path, &identity, &why);
  if (status)
    token_refuse(gateway, route, request, status, why);
  else if (route->settings.auth.url.text[0])
    question_begin(gateway, route, request, &identity);
  else
    gateway_admitted(gateway, route, request, &identity);
  identity_free(&identity);
}
