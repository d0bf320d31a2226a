/* SPDX-License-Identifier: MIT */

/*
 * One connection of nats.c: see link.h.
 */

#include "link.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <webtransport/error.h>

#include "base/mem.h"

static void link_fail(struct wt__nats_link *link, const char *reason) {
  if (link->has_failed || link->is_closing) return;
  link->has_failed = true;
  link->calls->failed(link, reason);
}

/* What nats.c knows about the end of a connection. */
static void link_fail_gone(struct wt__nats_link *link) {
  const char *text = NULL;
  char reason[256];
  natsStatus status = natsConnection_GetLastError(link->connection, &text);
  snprintf(reason, sizeof(reason), "%s", text && text[0] ? text : natsStatus_GetText(status));
  link_fail(link, status == NATS_OK ? "the broker closed the connection" : reason);
}

/* --- What nats.c asks of the loop. --- */

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct wt__nats_link *link = poll->data;
  if (status < 0) events = UV_READABLE; /* the call there notices it */
  if (events & UV_READABLE) natsConnection_ProcessReadEvent(link->connection);
  if ((events & UV_WRITABLE) && !link->is_gone && !link->is_closing) {
    natsConnection_ProcessWriteEvent(link->connection);
  }
  if (link->is_gone) link_fail_gone(link);
}

/* Before the loop watches, on the thread that connects; then on the loop's. */
static void events_set(struct wt__nats_link *link, int events) {
  link->events = events;
  if (!link->is_watched) return;
  if (events == 0) {
    uv_poll_stop(&link->poll);
  } else {
    uv_poll_start(&link->poll, events, on_poll);
  }
}

static natsStatus on_attach(void **user_data, void *loop, natsConnection *connection, natsSock socket) {
  struct wt__nats_link *link = loop; /* what wt__nats_link_options' caller gave for the loop */
  (void)connection;
  link->fd = (int)socket;
  link->events = UV_READABLE;
  *user_data = link;
  return NATS_OK;
}

static natsStatus on_want_read(void *user_data, bool add) {
  struct wt__nats_link *link = user_data;
  events_set(link, add ? link->events | UV_READABLE : link->events & ~UV_READABLE);
  return NATS_OK;
}

static natsStatus on_want_write(void *user_data, bool add) {
  struct wt__nats_link *link = user_data;
  events_set(link, add ? link->events | UV_WRITABLE : link->events & ~UV_WRITABLE);
  return NATS_OK;
}

static natsStatus on_detach(void *user_data) {
  ((struct wt__nats_link *)user_data)->is_gone = true;
  return NATS_OK;
}

/* nats.c would write errors to standard error. What they mean is learned elsewhere. */
static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure) {
  (void)connection;
  (void)subscription;
  (void)status;
  (void)closure;
}

/* --- Options. --- */

static natsStatus options_set_files(natsOptions *options, const struct wt__nats_link_config *config,
                                    const char **what) {
  natsStatus status = NATS_OK;
  *what = config->ca_file;
  if (config->ca_file) status = natsOptions_LoadCATrustedCertificates(options, config->ca_file);
  if (status == NATS_OK && config->certificate_file) {
    *what = config->certificate_file;
    status = natsOptions_LoadCertificatesChain(options, config->certificate_file, config->key_file);
  }
  return status;
}

static natsStatus options_set_login(natsOptions *options, const struct wt__nats_link_config *config,
                                    const struct wt__broker_url *url) {
  if (config->credentials_file) return natsOptions_SetUserCredentialsFromFiles(options, config->credentials_file, NULL);
  if (!url->user[0]) return NATS_OK;
  return url->password[0] ? natsOptions_SetUserInfo(options, url->user, url->password)
                          : natsOptions_SetToken(options, url->user);
}

static natsStatus options_set(natsOptions *options, const struct wt__nats_link_config *config,
                              const struct wt__broker_url *url, const char **what) {
  char address[WT__BROKER_HOST_MAX + 32];
  bool is_v6 = strchr(url->host, ':') != NULL;
  snprintf(address, sizeof(address), "nats://%s%s%s:%u", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", url->port);
  *what = url->host;
  natsStatus status = natsOptions_SetURL(options, address);
  if (status == NATS_OK) status = natsOptions_SetAllowReconnect(options, false);
  if (status == NATS_OK) status = natsOptions_SetTimeout(options, (int64_t)config->timeout_ms);
  /* Its timer would close the socket on another thread, while the loop watches it. */
  if (status == NATS_OK) status = natsOptions_SetPingInterval(options, 0);
  /* No thread for the connection, and one for the messages of all. */
  if (status == NATS_OK) status = natsOptions_SetSendAsap(options, true);
  if (status == NATS_OK) status = natsOptions_UseGlobalMessageDelivery(options, true);
  if (status == NATS_OK) status = natsOptions_SetErrorHandler(options, on_error, NULL);
  if (status == NATS_OK) status = options_set_login(options, config, url);
  if (status != NATS_OK || !url->tls) return status;
  status = natsOptions_SetSecure(options, true);
  if (status == NATS_OK) status = natsOptions_SetExpectedHostname(options, url->host);
  return status == NATS_OK ? options_set_files(options, config, what) : status;
}

natsOptions *wt__nats_link_options(const struct wt__nats_link_config *config, const struct wt__broker_url *url,
                                   char *why, size_t why_size, int *error) {
  natsOptions *options = NULL;
  const char *what = "nats.c";
  natsStatus status = natsOptions_Create(&options);
  if (status == NATS_OK) status = options_set(options, config, url, &what);
  if (status == NATS_OK) return options;
  snprintf(why, why_size, "%s: %s", what, natsStatus_GetText(status));
  *error = status == NATS_NO_MEMORY ? WT_ERR_NOMEM : what == url->host ? WT_ERR_INVALID : WT_ERR_FILE;
  natsOptions_Destroy(options);
  return NULL;
}

/* --- The end. --- */

static void link_free(struct wt__nats_link *link) {
  link->calls->closed(link);
  natsOptions_Destroy(link->options);
  wt__nats_inbox_unref(link->inbox);
  wt__free(link);
}

static void on_handle_closed(uv_handle_t *handle) {
  struct wt__nats_link *link = handle->data;
  if (--link->handles == 0) link_free(link);
}

/* Without waiting for an answer of the broker, as natsConnection_Close does while bytes wait to be sent. */
static void connection_end(struct wt__nats_link *link) {
  if (!link->connection) return;
  if (!link->is_gone && link->is_watched) {
    shutdown(link->fd, SHUT_RDWR);
    if (natsConnection_Buffered(link->connection) > 0) natsConnection_ProcessWriteEvent(link->connection);
  }
  natsConnection_Destroy(link->connection);
  link->connection = NULL;
}

static void link_end(struct wt__nats_link *link) {
  wt__nats_inbox_close(link->inbox);
  connection_end(link);
  if (link->is_watched) uv_close((uv_handle_t *)&link->poll, on_handle_closed);
  uv_close((uv_handle_t *)&link->wake, on_handle_closed);
  link->is_watched = false;
}

void wt__nats_link_close(struct wt__nats_link *link) {
  if (link->is_closing) return;
  link->is_closing = true;
  if (!link->is_connecting) {
    link_end(link);
  } else {
    uv_cancel((uv_req_t *)&link->work); /* if it runs already, on_connected comes when it is done */
  }
}

/* --- Connecting. --- */

/* On a thread of libuv's pool. */
static void connect_run(uv_work_t *work) {
  struct wt__nats_link *link = work->data;
  natsStatus status;
  link->status = natsConnection_Connect(&link->connection, link->options);
  if (link->status == NATS_OK) return;
  const char *text = nats_GetLastError(&status); /* of this thread */
  snprintf(link->reason, sizeof(link->reason), "%s", text && text[0] ? text : natsStatus_GetText(link->status));
}

/* Lets the loop watch the socket. */
static void connection_watch(struct wt__nats_link *link) {
  if (uv_poll_init_socket(link->loop, &link->poll, link->fd) != 0) {
    link_fail(link, "the loop cannot watch the connection");
    return;
  }
  link->poll.data = link;
  link->handles++;
  link->is_watched = true;
  events_set(link, link->events);
  link->calls->opened(link);
}

static void on_connected(uv_work_t *work, int status) {
  struct wt__nats_link *link = work->data;
  link->is_connecting = false;
  if (link->is_closing) {
    link_end(link);
  } else if (status != 0 || link->status != NATS_OK) {
    link_fail(link, link->reason);
  } else {
    connection_watch(link);
  }
}

static void on_wake(uv_async_t *wake) {
  struct wt__nats_link *link = wake->data;
  if (!link->is_connecting && !link->is_watched) link_fail(link, link->reason);
  for (natsMsg *message; !link->is_closing && (message = wt__nats_inbox_take(link->inbox));) {
    link->calls->received(link, natsMsg_GetSubject(message), natsMsg_GetData(message),
                          (size_t)natsMsg_GetDataLength(message));
    natsMsg_Destroy(message);
  }
}

static struct wt__nats_link *link_new(uv_loop_t *loop, const struct wt__nats_link_config *config) {
  struct wt__nats_link *link = wt__calloc(1, sizeof(*link));
  if (!link) return NULL;
  link->inbox = wt__nats_inbox_new(&link->wake, config->max_inbox_bytes);
  if (link->inbox && uv_async_init(loop, &link->wake, on_wake) == 0) return link;
  if (link->inbox) wt__nats_inbox_unref(link->inbox);
  wt__free(link);
  return NULL;
}

struct wt__nats_link *wt__nats_link_open(uv_loop_t *loop, const struct wt__nats_link_config *config,
                                         const struct wt__broker_url *url, const struct wt__nats_link_calls *calls,
                                         void *owner, char *why, size_t why_size) {
  int error = 0;
  natsOptions *options = wt__nats_link_options(config, url, why, why_size, &error);
  if (!options) return NULL;
  struct wt__nats_link *link = link_new(loop, config);
  snprintf(why, why_size, "out of memory");
  if (!link) {
    natsOptions_Destroy(options);
    return NULL;
  }
  link->calls = calls;
  link->owner = owner;
  link->loop = loop;
  link->options = options;
  link->wake.data = link->work.data = link;
  link->handles = 1;
  snprintf(link->reason, sizeof(link->reason), "out of memory");
  link->is_connecting = true;
  /* `link` takes the loop's place: nats.c only hands it to on_attach. */
  link->status = natsOptions_SetEventLoop(options, link, on_attach, on_want_read, on_want_write, on_detach);
  if (link->status == NATS_OK && uv_queue_work(loop, &link->work, connect_run, on_connected) == 0) return link;
  link->is_connecting = false;
  uv_async_send(&link->wake); /* on_wake tells it, because nothing may be called from here */
  return link;
}

/* --- Messages. --- */

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  (void)connection;
  (void)subscription;
  wt__nats_inbox_put(closure, message, false);
}

static void on_message_kept(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                            void *closure) {
  (void)connection;
  (void)subscription;
  wt__nats_inbox_put(closure, message, true);
}

static void on_complete(void *closure) { wt__nats_inbox_unref(closure); }

natsSubscription *wt__nats_link_subscribe(struct wt__nats_link *link, const char *subject, bool must) {
  natsSubscription *subscription = NULL;
  natsStatus status = natsConnection_Subscribe(&subscription, link->connection, subject,
                                               must ? on_message_kept : on_message, link->inbox);
  if (status != NATS_OK) return NULL;
  wt__nats_inbox_ref(link->inbox);
  if (natsSubscription_SetOnCompleteCB(subscription, on_complete, link->inbox) == NATS_OK) return subscription;
  /* It is closed already: it does not call again, so the reference is given back. */
  wt__nats_inbox_unref(link->inbox);
  natsSubscription_Destroy(subscription);
  return NULL;
}

void wt__nats_link_unsubscribe(natsSubscription *subscription) { natsSubscription_Destroy(subscription); }

natsStatus wt__nats_link_publish(struct wt__nats_link *link, const char *subject, const void *data, size_t len) {
  return natsConnection_Publish(link->connection, subject, data, (int)len);
}
