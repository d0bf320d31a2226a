/* SPDX-License-Identifier: MIT */

/*
 * The backplane over Redis. One connection subscribes, the other one publishes: in RESP2 a connection that subscribes may
 * do nothing else. The server answers each PUBLISH with a number, in order, which confirms the message. Commands of the
 * application go between them.
 *
 *     engine.c   when to connect, what waits, what is subscribed
 *     redis.c    commands and what their replies mean
 *     command.c  those of the application
 *     conn.c     logging in, RESP2 by hiredis
 *     stream.c   TCP, TLS
 */

#include "webtransport/backplane_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker_setup.h"
#include "command.h"
#include "conn.h"

#define WORDS_MAX 256 /* of a command of the application */
/* What such commands without a reply are told. */
#define LOST "the connection to Redis was lost"

struct redis {
  struct wt__engine engine; /* first */
  struct wt__redis_conn sub, pub;
  struct wt__redis_tls_credentials *credentials;
  struct wt__broker_url url; /* of this connection */
  unsigned ready;            /* connections that are */

  bool sharded;
  char moved_host[WT__BROKER_HOST_MAX]; /* the node that has our topics; "": that of the URL */
  uint16_t moved_port;

  bool sub_pinged, pub_pinged, is_syncing;
  size_t unanswered;                  /* messages */
  size_t before_ping;                 /* those of them that were sent before the PING that has no answer */
  size_t leaving;                     /* topics whose end the server has not confirmed */
  uint64_t sub_commands, sub_replies; /* of the connection that subscribes */
  uint64_t pub_commands, pub_replies; /* of the one that publishes */
  struct wt__redis_commands commands; /* of the application */
};

static struct redis *redis_of(struct wt__engine *engine) { return (struct redis *)engine; }

/* --- Errors of the server. --- */

static bool begins(const char *text, const char *word) { return strncmp(text, word, strlen(word)) == 0; }

/* "MOVED slot host:port": a cluster names the node that has our topics. */
static void moved_read(struct redis *redis, const char *text) {
  const char *host = strrchr(text, ' '), *colon = strrchr(text, ':');
  if (!host || !colon || colon < host) return;
  size_t len = (size_t)(colon - host - 1);
  long port = strtol(colon + 1, NULL, 10);
  if (len >= sizeof(redis->moved_host) || port < 1 || port > UINT16_MAX) return;
  if (len > 0) { /* an empty one means the host that was asked */
    memcpy(redis->moved_host, host + 1, len);
    redis->moved_host[len] = 0;
  } else {
    memcpy(redis->moved_host, redis->url.host, sizeof(redis->moved_host));
  }
  redis->moved_port = (uint16_t)port;
}

/* Whether the server as a whole cannot serve us at present, so that to wait and connect again may help. */
static bool error_ends(struct redis *redis, const char *text) {
  if (begins(text, "MOVED ")) moved_read(redis, text);
  return begins(text, "MOVED ") || begins(text, "LOADING ") || begins(text, "MASTERDOWN ") ||
         begins(text, "CLUSTERDOWN ") || begins(text, "NOAUTH ");
}

static void redis_lost(struct redis *redis, const char *text) {
  char reason[256];
  snprintf(reason, sizeof(reason), "the broker refuses: %s", text);
  wt__engine_lost(&redis->engine, reason);
}

/* --- Topics in, topics out. --- */

/* Sends a command with a channel and perhaps a payload. */
static void channel_command(struct redis *redis, struct wt__redis_conn *conn, const char *command, const char *topic,
                            size_t topic_len, const char *payload, size_t payload_len) {
  char channel[WT__PREFIX_MAX + WT__TOPIC_MAX];
  size_t prefix_len = redis->engine.prefix_len;
  memcpy(channel, redis->engine.prefix, prefix_len);
  memcpy(channel + prefix_len, topic, topic_len);
  wt__redis_conn_command(conn, payload ? 3 : 2, (const char *[]){command, channel, payload},
                         (size_t[]){strlen(command), prefix_len + topic_len, payload_len});
}

static uint64_t redis_subscribe(struct wt__engine *engine, const char *topic, size_t len) {
  struct redis *redis = redis_of(engine);
  channel_command(redis, &redis->sub, redis->sharded ? "SSUBSCRIBE" : "SUBSCRIBE", topic, len, NULL, 0);
  wt__redis_conn_flush(&redis->sub);
  return ++redis->sub_commands;
}

static void redis_unsubscribe(struct wt__engine *engine, const char *topic, size_t len) {
  struct redis *redis = redis_of(engine);
  redis->leaving++;
  redis->sub_commands++;
  channel_command(redis, &redis->sub, redis->sharded ? "SUNSUBSCRIBE" : "UNSUBSCRIBE", topic, len, NULL, 0);
  wt__redis_conn_flush(&redis->sub);
}

static bool redis_publish(struct wt__engine *engine, const struct wt__message *message) {
  struct redis *redis = redis_of(engine);
  redis->unanswered++;
  redis->pub_commands++;
  channel_command(redis, &redis->pub, redis->sharded ? "SPUBLISH" : "PUBLISH", message->bytes, message->topic_len,
                  wt__message_payload(message), message->len);
  return true;
}

static void redis_flush(struct wt__engine *engine) { wt__redis_conn_flush(&redis_of(engine)->pub); }

static void conn_ping(struct wt__redis_conn *conn) {
  wt__redis_conn_command(conn, 1, (const char *[]){"PING"}, (size_t[]){4});
  wt__redis_conn_flush(conn);
}

static void redis_sync(struct wt__engine *engine) {
  struct redis *redis = redis_of(engine);
  redis->is_syncing = redis->sub_pinged = true;
  redis->sub_commands++;
  conn_ping(&redis->sub);
}

static bool redis_ping(struct wt__engine *engine) {
  struct redis *redis = redis_of(engine);
  if (redis->sub_pinged || redis->pub_pinged) return false;
  redis->sub_pinged = redis->pub_pinged = true;
  redis->before_ping = redis->unanswered;
  redis->sub_commands++;
  redis->pub_commands++;
  conn_ping(&redis->sub);
  conn_ping(&redis->pub);
  return true;
}

/* --- Replies of the connection that subscribes. --- */

static void message_received(struct redis *redis, const redisReply *reply) {
  const redisReply *channel = reply->element[1], *payload = reply->element[2];
  size_t prefix_len = redis->engine.prefix_len;
  if (payload->type != REDIS_REPLY_STRING || channel->type != REDIS_REPLY_STRING || channel->len < prefix_len ||
      memcmp(channel->str, redis->engine.prefix, prefix_len) != 0) {
    return;
  }
  wt__engine_received(&redis->engine, channel->str + prefix_len, channel->len - prefix_len, payload->str, payload->len);
}

static void sub_answered(struct redis *redis) {
  redis->sub_pinged = false;
  if (!redis->is_syncing) return;
  redis->is_syncing = false;
  wt__engine_synced(&redis->engine);
}

static void sub_array(struct redis *redis, const redisReply *reply) {
  const char *kind = reply->elements > 0 && reply->element[0]->type == REDIS_REPLY_STRING ? reply->element[0]->str : "";
  if (reply->elements == 3 && (strcmp(kind, "message") == 0 || strcmp(kind, "smessage") == 0)) {
    message_received(redis, reply);
    return;
  }
  wt__engine_progress(&redis->engine, ++redis->sub_replies);
  if (strcmp(kind, "pong") == 0) {
    sub_answered(redis);
  } else if (strcmp(kind, "unsubscribe") == 0 || strcmp(kind, "sunsubscribe") == 0) {
    if (redis->leaving == 0) {
      wt__engine_lost(&redis->engine, "the cluster has moved the topics to another node");
    } else {
      redis->leaving--;
    }
  }
}

static void on_sub_replied(struct wt__redis_conn *conn, const redisReply *reply) {
  struct redis *redis = conn->owner;
  if (reply->type == REDIS_REPLY_ARRAY) {
    sub_array(redis, reply);
    return;
  }
  wt__engine_progress(&redis->engine, ++redis->sub_replies); /* each command has one reply, in order */
  if (reply->type == REDIS_REPLY_STATUS) {
    sub_answered(redis); /* to a PING before the first topic */
  } else if (reply->type == REDIS_REPLY_ERROR && error_ends(redis, reply->str)) {
    redis_lost(redis, reply->str);
  } else if (reply->type == REDIS_REPLY_ERROR) {
    wt__engine_log(&redis->engine, WT_LOG_WARN, "backplane: the broker refuses a topic: %s", reply->str);
  }
}

/* --- Replies of the connection that publishes. --- */

static void on_pub_replied(struct wt__redis_conn *conn, const redisReply *reply) {
  struct redis *redis = conn->owner;
  if (wt__redis_commands_replied(&redis->commands, ++redis->pub_replies, reply)) return;
  if (redis->pub_pinged && redis->before_ping == 0) {
    redis->pub_pinged = false;
    return;
  }
  if (reply->type == REDIS_REPLY_ERROR && error_ends(redis, reply->str)) {
    redis_lost(redis, reply->str);
    return;
  }
  if (redis->unanswered == 0) return;
  redis->unanswered--;
  if (redis->pub_pinged) redis->before_ping--;
  if (reply->type == REDIS_REPLY_ERROR) {
    wt__engine_log(&redis->engine, WT_LOG_DEBUG, "backplane: the broker refuses a message: %s", reply->str);
    wt__engine_refused(&redis->engine);
  } else {
    wt__engine_confirmed(&redis->engine, 1);
  }
}

/* --- Connections. --- */

static void on_ready(struct wt__redis_conn *conn) {
  struct redis *redis = conn->owner;
  if (++redis->ready == 2) wt__engine_opened(&redis->engine);
}

static void on_failed(struct wt__redis_conn *conn, const char *reason) {
  struct redis *redis = conn->owner;
  wt__engine_lost(&redis->engine, reason);
}

static void on_closed(struct wt__redis_conn *conn) {
  struct redis *redis = conn->owner;
  if (!redis->sub.is_open && !redis->pub.is_open) wt__engine_closed(&redis->engine);
}

static const struct wt__redis_conn_calls sub_calls = {
    .ready = on_ready, .replied = on_sub_replied, .failed = on_failed, .closed = on_closed};
static const struct wt__redis_conn_calls pub_calls = {
    .ready = on_ready, .replied = on_pub_replied, .failed = on_failed, .closed = on_closed};

static void redis_open(struct wt__engine *engine, const struct wt__broker_url *url) {
  struct redis *redis = redis_of(engine);
  size_t max_reply = engine->config.max_message_bytes + WT__ENVELOPE_HEAD + WT__TOPIC_MAX + 65536;
  wt__redis_commands_fail(&redis->commands, LOST); /* of the connection before */
  redis->url = *url;
  if (redis->moved_host[0]) { /* for one try */
    memcpy(redis->url.host, redis->moved_host, sizeof(redis->url.host));
    redis->url.port = redis->moved_port;
    redis->moved_host[0] = 0;
  }
  redis->ready = 0;
  redis->sub_pinged = redis->pub_pinged = redis->is_syncing = false;
  redis->unanswered = redis->before_ping = redis->leaving = 0;
  redis->sub_commands = redis->sub_replies = redis->pub_commands = redis->pub_replies = 0;
  wt__redis_conn_open(&redis->sub, engine->host->loop, &redis->url, redis->credentials, max_reply, &sub_calls, redis);
  if (!wt__engine_is_open(engine)) return;
  wt__redis_conn_open(&redis->pub, engine->host->loop, &redis->url, redis->credentials, max_reply, &pub_calls, redis);
}

static void redis_close(struct wt__engine *engine) {
  struct redis *redis = redis_of(engine);
  wt__redis_conn_close(&redis->sub);
  wt__redis_conn_close(&redis->pub); /* the one that ends last reports it */
}

/* Commands of the application wait to be sent. */
static void redis_woken(struct wt__engine *engine) {
  if (engine->state == WT__ENGINE_UP) redis_flush(engine);
}

static void redis_ended(struct wt__engine *engine) { wt__redis_commands_fail(&redis_of(engine)->commands, LOST); }

static void redis_free(struct wt__engine *engine) {
  struct redis *redis = redis_of(engine);
  if (redis->sub.reader) redisReaderFree(redis->sub.reader);
  if (redis->pub.reader) redisReaderFree(redis->pub.reader);
  wt__redis_tls_credentials_free(redis->credentials);
  wt__engine_free(engine);
  wt__wipe(redis, sizeof(*redis)); /* the password */
  wt__free(redis);
}

/* --- Configuration. --- */

/* "{x}": what is between the first brace and the next one after it. */
static bool has_hash_tag(const char *prefix) {
  const char *open = strchr(prefix, '{'), *close = open ? strchr(open, '}') : NULL;
  return close && close > open + 1;
}

static const char *config_fault(const struct wt_broker_config *config) {
  if (config->credentials_file) return "credentials_file is for NATS";
  if (config->sharded && !has_hash_tag(config->prefix)) {
    return "sharded needs a prefix with a hash tag, such as \"{wt}:\"";
  }
  return NULL;
}

static const char *url_fault(const struct wt__broker_url *url) {
  if (url->user[0] && !url->password[0]) return "there is a user name but no password";
  if (url->path[strspn(url->path, "0123456789")]) {
    return "what follows the slash in the URL must be a database's number";
  }
  return NULL;
}

static int redis_set_up(struct wt__engine *engine, const struct wt_broker_config *config, char why[WT__WHY_MAX]) {
  struct redis *redis = redis_of(engine);
  const char *fault = config_fault(config);
  bool tls = false;
  for (size_t i = 0; i < engine->url_count && !fault; i++) {
    fault = url_fault(&engine->urls[i]);
    tls = tls || engine->urls[i].tls;
  }
  if (fault) return wt__broker_refuse(why, WT_ERR_INVALID, fault);
  redis->sharded = config->sharded;
  wt__redis_commands_init(&redis->commands);
  return tls ? wt__redis_tls_credentials_new(&redis->credentials, config->ca_file, config->certificate_file,
                                             config->key_file, why, WT__WHY_MAX)
             : 0;
}

static const struct wt__broker redis_broker = {
    .size = sizeof(struct redis),
    .schemes = {.plain = "redis", .tls = "rediss", .port = 6379},
    .url = "redis://localhost",
    .prefix = "wt:",
    .set_up = redis_set_up,
    .open = redis_open,
    .close = redis_close,
    .subscribe = redis_subscribe,
    .unsubscribe = redis_unsubscribe,
    .sync = redis_sync,
    .publish = redis_publish,
    .flush = redis_flush,
    .woken = redis_woken,
    .ended = redis_ended,
    .ping = redis_ping,
    .free = redis_free,
};

/* --- What the library exports. --- */

static _Thread_local char last_error[WT__WHY_MAX];

const char *wt_backplane_redis_error(void) { return last_error; }

void wt_backplane_redis_config_init(struct wt_broker_config *config, size_t size) {
  wt__broker_config_init(&redis_broker, config, size);
}

int wt_backplane_redis_new(const struct wt_broker_config *config, struct wt_backplane **backplane) {
  return wt__broker_new(&redis_broker, config, backplane, last_error);
}

int wt_backplane_redis_command(struct wt_backplane *backplane, const char *const *words, const size_t *lens,
                               size_t count, wt_redis_reply_callback on_reply, void *user_data) {
  struct redis *redis = (struct redis *)backplane;
  size_t bytes = 0;
  if (!redis || !words || count < 1 || count > WORDS_MAX) return WT_ERR_INVALID;
  size_t measured[WORDS_MAX];
  for (size_t i = 0; i < count; i++) {
    if (!words[i]) return WT_ERR_INVALID;
    measured[i] = lens ? lens[i] : strlen(words[i]);
    bytes += measured[i];
  }
  if (redis->engine.state != WT__ENGINE_UP || !wt__redis_commands_have_room(&redis->commands, bytes))
    return WT_ERR_AGAIN;
  if (!wt__redis_commands_add(&redis->commands, redis->pub_commands + 1, bytes, on_reply, user_data))
    return WT_ERR_NOMEM;
  redis->pub_commands++;
  wt__redis_conn_command(&redis->pub, (int)count, (const char **)words, measured);
  wt__engine_poke(&redis->engine); /* sent from the loop, because nothing may fail in here */
  return 0;
}
