/* SPDX-License-Identifier: MIT */

/*
 * The backplane over NATS. NATS confirms no messages, so the backplane sends itself an echo: a message to a subject that
 * only it subscribes to. The server works in order, so when the echo is back, all that was sent before it has been passed
 * on.
 *
 *     PREFIX.t.TOPIC     messages of a topic; TOPIC by subject.c
 *     PREFIX.e.SERVER    echoes; SERVER is the random id of the envelope in hexadecimal digits
 *
 *     engine.c  when to connect, what waits, what is subscribed
 *     nats.c    subjects, echoes
 *     link.c    one connection of nats.c
 *     inbox.c   from the thread of nats.c to the loop
 */

#include "webtransport/backplane_nats.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "broker_setup.h"
#include "link.h"
#include "subject.h"

#define SUBJECT_MAX (WT__PREFIX_MAX + 3 + WT__SUBJECT_MAX(WT__TOPIC_MAX))
/* Bytes that arrived and wait for the loop. */
#define INBOX_MAX (16 * 1024 * 1024)

/* A topic that is subscribed on the present connection. */
struct topic {
  struct wt__name name;       /* first: names.h */
  struct topic *next, **back; /* of all */
  natsSubscription *subscription;
  char bytes[];
};

struct nats {
  struct wt__engine engine;   /* first */
  struct wt__nats_link *link; /* NULL: none */
  struct wt__nats_link_config config;
  char *files[4]; /* the copies that `config` points to */

  struct wt__names topics;
  struct topic *all;
  natsSubscription *echo;
  char echo_subject[WT__PREFIX_MAX + 3 + 2 * WT__PUBLISHER_LEN + 1];

  bool is_syncing;
  uint64_t echo_sent, echo_received; /* numbers of echoes; 0: none yet */
  uint64_t echo_checked;             /* the latest one that was sent when `ping` was called before */
  uint64_t sent, confirmed;          /* messages on this connection */
  bool left;                         /* a topic was left after the latest echo was sent */
  uint64_t left_echo;                /* the first echo after a topic was left */
  char complaint[256];               /* the latest error of the server that was logged */
};

static struct nats *nats_of(struct wt__engine *engine) { return (struct nats *)engine; }

/* --- Echoes. --- */

static void number_put(char *to, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8) to[i] = (char)(value & 255);
}

static uint64_t number_get(const char *from) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | (unsigned char)from[i];
  return value;
}

/* After a call of nats.c that failed. */
static void nats_lost(struct nats *nats, natsStatus status) {
  wt__engine_lost(&nats->engine, natsStatus_GetText(status));
}

/* Sends the number of the echo and how many messages were sent before it. */
static void echo_send(struct nats *nats) {
  char data[16];
  number_put(data, ++nats->echo_sent);
  number_put(data + 8, nats->sent);
  if (nats->left) nats->left_echo = nats->echo_sent;
  nats->left = false;
  natsStatus status = wt__nats_link_publish(nats->link, nats->echo_subject, data, sizeof(data));
  if (status != NATS_OK) nats_lost(nats, status);
}

/* Logs what the server did not like, a topic that is not allowed for example: once. */
static void complaint_look(struct nats *nats) {
  const char *text = NULL;
  natsConnection_GetLastError(nats->link->connection, &text);
  if (!text || !text[0] || strncmp(text, nats->complaint, sizeof(nats->complaint) - 1) == 0) return;
  snprintf(nats->complaint, sizeof(nats->complaint), "%s", text);
  wt__engine_log(&nats->engine, WT_LOG_WARN, "backplane: the broker refuses: %s", nats->complaint);
}

static void echo_received(struct nats *nats, const char *data, size_t len) {
  if (len != 16) return;
  uint64_t number = number_get(data), sent = number_get(data + 8);
  if (number <= nats->echo_received || number > nats->echo_sent || sent < nats->confirmed || sent > nats->sent) return;
  size_t count = (size_t)(sent - nats->confirmed);
  nats->echo_received = number;
  nats->confirmed = sent;
  wt__engine_progress(&nats->engine, number);
  complaint_look(nats);
  if (nats->is_syncing) {
    nats->is_syncing = false;
    wt__engine_synced(&nats->engine);
  }
  if (count > 0) wt__engine_confirmed(&nats->engine, count);
  /* What was sent after this echo needs another one. */
  if (nats->engine.state == WT__ENGINE_UP && nats->echo_sent == nats->echo_received && nats->sent > nats->confirmed) {
    echo_send(nats);
  }
}

static void nats_sync(struct wt__engine *engine) {
  nats_of(engine)->is_syncing = true;
  echo_send(nats_of(engine));
}

static void nats_flush(struct wt__engine *engine) {
  struct nats *nats = nats_of(engine);
  if (nats->echo_sent == nats->echo_received) echo_send(nats);
}

static bool nats_ping(struct wt__engine *engine) {
  struct nats *nats = nats_of(engine);
  if (nats->echo_checked > nats->echo_received) return false;
  if (nats->echo_sent == nats->echo_received) echo_send(nats);
  nats->echo_checked = nats->echo_sent;
  return true;
}

/* --- Topics. --- */

static void subject_write(const struct nats *nats, char subject[SUBJECT_MAX], const char *topic, size_t len) {
  int n = snprintf(subject, SUBJECT_MAX, "%s.t.", nats->engine.prefix);
  wt__subject_encode(subject + n, topic, len);
}

static void topic_free(struct nats *nats, struct topic *topic) {
  wt__names_remove(&nats->topics, &topic->name);
  *topic->back = topic->next;
  if (topic->next) topic->next->back = topic->back;
  wt__nats_link_unsubscribe(topic->subscription);
  wt__free(topic);
}

/* NULL: out of memory. */
static struct topic *topic_new(struct nats *nats, const char *bytes, size_t len) {
  struct topic *topic = wt__calloc(1, sizeof(*topic) + len);
  if (!topic) return NULL;
  memcpy(topic->bytes, bytes, len);
  topic->name = (struct wt__name){.bytes = topic->bytes, .len = len};
  if (!wt__names_add(&nats->topics, &topic->name)) {
    wt__free(topic);
    return NULL;
  }
  topic->next = nats->all;
  topic->back = &nats->all;
  if (topic->next) topic->next->back = &topic->next;
  nats->all = topic;
  return topic;
}

static uint64_t nats_subscribe(struct wt__engine *engine, const char *bytes, size_t len) {
  struct nats *nats = nats_of(engine);
  char subject[SUBJECT_MAX];
  struct topic *topic = topic_new(nats, bytes, len);
  subject_write(nats, subject, bytes, len);
  if (topic) topic->subscription = wt__nats_link_subscribe(nats->link, subject, false);
  if (!topic || !topic->subscription) wt__engine_lost(engine, "a topic cannot be subscribed");
  /* Messages of a subscription that has ended may still be on their way; they are before the echo. */
  if (nats->left && wt__engine_is_open(engine)) echo_send(nats);
  return nats->left_echo > nats->echo_received ? nats->left_echo : 0;
}

static void nats_unsubscribe(struct wt__engine *engine, const char *bytes, size_t len) {
  struct nats *nats = nats_of(engine);
  struct topic *topic = wt__names_find(&nats->topics, bytes, len);
  if (topic) topic_free(nats, topic);
  nats->left = true;
}

static bool nats_publish(struct wt__engine *engine, const struct wt__message *message) {
  struct nats *nats = nats_of(engine);
  char subject[SUBJECT_MAX];
  subject_write(nats, subject, message->bytes, message->topic_len);
  natsStatus status = wt__nats_link_publish(nats->link, subject, wt__message_payload(message), message->len);
  if (status == NATS_MAX_PAYLOAD) return false;
  if (status == NATS_OK) {
    nats->sent++;
  } else {
    nats_lost(nats, status);
  }
  return true;
}

/* --- Connections. --- */

static void on_opened(struct wt__nats_link *link) {
  struct nats *nats = link->owner;
  nats->echo = wt__nats_link_subscribe(link, nats->echo_subject, true);
  if (nats->echo) {
    wt__engine_opened(&nats->engine);
  } else {
    wt__engine_lost(&nats->engine, "the subject of echoes cannot be subscribed");
  }
}

static void on_received(struct wt__nats_link *link, const char *subject, const char *data, size_t len) {
  struct nats *nats = link->owner;
  char topic[SUBJECT_MAX];
  size_t subject_len = strlen(subject), head = nats->engine.prefix_len + 3;
  if (strcmp(subject, nats->echo_subject) == 0) {
    echo_received(nats, data, len);
  } else if (subject_len > head && subject_len - head <= sizeof(topic)) {
    size_t n = wt__subject_decode(topic, subject + head, subject_len - head);
    if (n > 0) wt__engine_received(&nats->engine, topic, n, data, len);
  }
}

static void on_failed(struct wt__nats_link *link, const char *reason) {
  struct nats *nats = link->owner;
  wt__engine_lost(&nats->engine, reason);
}

static void on_closed(struct wt__nats_link *link) {
  struct nats *nats = link->owner;
  nats->link = NULL;
  wt__engine_closed(&nats->engine);
}

static const struct wt__nats_link_calls link_calls = {
    .opened = on_opened, .received = on_received, .failed = on_failed, .closed = on_closed};

static void echo_subject_write(struct nats *nats) {
  int n = snprintf(nats->echo_subject, sizeof(nats->echo_subject), "%s.e.", nats->engine.prefix);
  for (size_t i = 0; i < WT__PUBLISHER_LEN; i++, n += 2) {
    snprintf(nats->echo_subject + n, 3, "%02x", nats->engine.publisher[i]);
  }
}

static void nats_open(struct wt__engine *engine, const struct wt__broker_url *url) {
  struct nats *nats = nats_of(engine);
  char why[WT__WHY_MAX];
  echo_subject_write(nats);
  nats->is_syncing = nats->left = false;
  nats->echo_sent = nats->echo_received = nats->echo_checked = nats->left_echo = 0;
  nats->sent = nats->confirmed = 0;
  nats->link = wt__nats_link_open(engine->host->loop, &nats->config, url, &link_calls, nats, why, sizeof(why));
  if (!nats->link) wt__engine_lost(engine, why);
}

static void nats_close(struct wt__engine *engine) {
  struct nats *nats = nats_of(engine);
  while (nats->all) topic_free(nats, nats->all);
  if (nats->echo) wt__nats_link_unsubscribe(nats->echo);
  nats->echo = NULL;
  if (nats->link) {
    wt__nats_link_close(nats->link);
  } else {
    wt__engine_closed(engine);
  }
}

static void nats_free(struct wt__engine *engine) {
  struct nats *nats = nats_of(engine);
  for (int i = 0; i < 4; i++) wt__free(nats->files[i]);
  wt__engine_free(engine);
  wt__free(nats);
}

/* --- Configuration. --- */

static const char *config_fault(const struct wt_broker_config *config) {
  if (config->sharded) return "sharded is for Redis";
  if (!wt__subject_is_prefix(config->prefix)) {
    return "prefix must be words of letters, digits, '-' and '_' with dots between";
  }
  return NULL;
}

/* False: out of memory. */
static bool files_set(struct nats *nats, const struct wt_broker_config *config) {
  const char *given[4] = {config->credentials_file, config->ca_file, config->certificate_file, config->key_file};
  for (int i = 0; i < 4; i++) {
    if (given[i] && !(nats->files[i] = wt__strdup(given[i]))) return false;
  }
  nats->config = (struct wt__nats_link_config){.credentials_file = nats->files[0],
                                               .ca_file = nats->files[1],
                                               .certificate_file = nats->files[2],
                                               .key_file = nats->files[3],
                                               .timeout_ms = config->timeout_ms,
                                               .max_inbox_bytes = INBOX_MAX};
  return true;
}

/* Tries whether nats.c takes the URL and can read the files. */
static int url_try(struct nats *nats, const struct wt__broker_url *url, char why[WT__WHY_MAX]) {
  int error = 0;
  if (url->path[0]) {
    return wt__broker_refuse(why, WT_ERR_ADDRESS, "the URL of the broker has a path, and NATS knows none");
  }
  natsOptions *options = wt__nats_link_options(&nats->config, url, why, WT__WHY_MAX, &error);
  if (options) natsOptions_Destroy(options);
  return error;
}

static int nats_set_up(struct wt__engine *engine, const struct wt_broker_config *config, char why[WT__WHY_MAX]) {
  struct nats *nats = nats_of(engine);
  const char *fault = config_fault(config);
  int error = 0;
  if (fault) return wt__broker_refuse(why, WT_ERR_INVALID, fault);
  if (!files_set(nats, config)) return wt__broker_refuse(why, WT_ERR_NOMEM, "out of memory");
  for (size_t i = 0; i < engine->url_count && !error; i++) error = url_try(nats, &engine->urls[i], why);
  return error;
}

static const struct wt__broker nats_broker = {
    .size = sizeof(struct nats),
    .schemes = {.plain = "nats", .tls = "tls", .port = 4222},
    .url = "nats://localhost",
    .prefix = "wt",
    .set_up = nats_set_up,
    .open = nats_open,
    .close = nats_close,
    .subscribe = nats_subscribe,
    .unsubscribe = nats_unsubscribe,
    .sync = nats_sync,
    .publish = nats_publish,
    .flush = nats_flush,
    .ping = nats_ping,
    .free = nats_free,
};

/* --- What the library exports. --- */

static _Thread_local char last_error[WT__WHY_MAX];

const char *wt_backplane_nats_error(void) { return last_error; }

void wt_backplane_nats_config_init(struct wt_broker_config *config, size_t size) {
  wt__broker_config_init(&nats_broker, config, size);
}

int wt_backplane_nats_new(const struct wt_broker_config *config, struct wt_backplane **backplane) {
  return wt__broker_new(&nats_broker, config, backplane, last_error);
}
