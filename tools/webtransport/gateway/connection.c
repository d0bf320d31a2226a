/* SPDX-License-Identifier: MIT */
/*
 * A stream of a session and its connection to the back end.
 *
 *     connecting --> open --> gone           of the socket
 *          \___________________/ \           the stream may live longer: `connection` is freed with its on_close
 *
 * Bytes go from one side's buffer to the other's; the gateway keeps at most what outgoing.h gathers. If the socket
 * takes no more, the stream gets its bytes back and is paused (wt_stream_unread), so QUIC's flow control holds the
 * client. If the stream takes no more, the socket is not read, so TCP's holds the back end. While the socket connects,
 * the stream is paused.
 *
 * Ends are translated like this:
 *
 *     client                             back end
 *     FIN                          -->   shutdown(SHUT_WR)
 *     RESET_STREAM, STOP_SENDING   -->   RST (SO_LINGER of 0), and the other direction ends with CODE_CLIENT
 *     end of the session           -->   likewise, if a direction is still open
 *     FIN                          <--   end of file
 *     reset and stop, CODE_RESET   <--   RST
 *
 * TCP has one RST for both directions. A STOP_SENDING after the back end's own end of file concerns nothing any more,
 * and the rest of the client's bytes still go through.
 */
#include "gateway/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/tool_log.h"
#include "gateway/outgoing.h"
#include "gateway/proxy_header.h"
#include "gateway/watch.h"

enum {
  READS_AT_ONCE = 8,      /* then others have their turn */
  NEXT_ADDRESS_MS = 1000, /* of a name: an address that does not answer must not use up the time of the others */
};

enum connection_state {
  CONNECTION_CONNECTING,
  CONNECTION_OPEN,
  CONNECTION_GONE,
};

struct connection {
  struct gateway_session *session;
  wt_stream *stream;
  struct watch *watch; /* NULL when it is gone */
  struct outgoing outgoing;
  enum connection_state state;
  unsigned address;                       /* number of the one that is tried */
  int connect_error;                      /* `errno` of the last one */
  uint64_t began_ms, tried_ms, active_ms; /* `tried_ms`: when the present attempt to connect began */
  bool read_done;                         /* the back end has sent its last byte */
  bool write_done;                        /* and so has the client */
  int write_error;                        /* `errno` of a write that failed; reading goes on until the end */
  bool socket_full;                       /* the stream waits for the socket */
  bool stream_full;                       /* the socket waits for the stream */
  bool rate_in, rate_out;                 /* one of them waits for the rate */
  enum gateway_code code;                 /* why it ended early */
  struct connection *next, **link;
};

static const struct route_settings *settings_of(const struct connection *connection) {
  return &connection->session->route->settings;
}

static struct gather *gather_of(const struct connection *connection) { return &connection->session->gateway->gather; }

/* --- The socket's end. --- */

static void socket_close(struct connection *connection, bool reset) {
  if (connection->state == CONNECTION_GONE) return;
  connection->state = CONNECTION_GONE;
  outgoing_drop(&connection->outgoing, gather_of(connection));
  if (reset)
    watch_close_with_reset(connection->watch);
  else
    watch_close(connection->watch);
  connection->watch = NULL;
}

static void log_failure(const struct connection *connection, enum gateway_code code, int error) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  const char *name = settings_of(connection)->target.text;
  log_limited(&limit, WT_LOG_WARN, "%s -> %s: %s%s%s", settings_of(connection)->path, name, gateway_code_reason(code),
              error ? ": " : "", error ? strerror(error) : "");
}

/* Ends both sides: the client gets the code, the back end a RST. If the back end has sent its last byte before, the
 * client still gets all of its bytes: only what the client sends is stopped. */
static void connection_fail(struct connection *connection, enum gateway_code code, int error) {
  if (connection->state == CONNECTION_GONE) return;
  if (code != CODE_RESET && code != CODE_CLIENT) log_failure(connection, code, error);
  connection->code = code;
  socket_close(connection, true);
  if (connection->read_done && code != CODE_IDLE)
    wt_stream_stop_sending(connection->stream, (uint32_t)code);
  else
    wt_stream_abort(connection->stream, (uint32_t)code);
}

/* Closes the socket when both directions have ended in order. */
static void connection_check_end(struct connection *connection) {
  if (connection->read_done && connection->write_done) socket_close(connection, false);
}

static void connection_update(struct connection *connection) {
  if (!connection->watch) return;
  bool connecting = connection->state == CONNECTION_CONNECTING;
  bool read = !connecting && !connection->read_done && !connection->stream_full && !connection->rate_out;
  watch_set(connection->watch, read, connecting || connection->socket_full);
}

/* --- From the back end to the client. --- */

static void connection_on_end_of_file(struct connection *connection) {
  if (connection->write_error == ECONNRESET) { /* the end comes from a RST, not from a FIN */
    connection_fail(connection, CODE_RESET, ECONNRESET);
    return;
  }
  connection->read_done = true;
  wt_stream_end(connection->stream);
  connection_check_end(connection);
}

/* How many bytes may be read now, at most a block's. */
static size_t connection_read_room(struct connection *connection) {
  size_t room = wt_stream_writable(connection->stream);
  connection->stream_full = room == 0;
  if (room > BLOCK_SIZE) room = BLOCK_SIZE;
  size_t allowed = room ? gateway_session_room(connection->session, room) : 0;
  connection->rate_out = room && !allowed;
  return allowed;
}

/* Gives bytes to the stream. False: the block is still the caller's. */
static bool connection_pass_on(struct connection *connection, uint8_t *block, size_t len) {
  struct blocks *blocks = &connection->session->gateway->blocks;
  bool owned = len >= BLOCK_OWNED_MIN;
  int error = owned ? wt_stream_write_owned(connection->stream, block, len, blocks_release, blocks)
                    : wt_stream_write(connection->stream, block, len, NULL);
  if (error)
    connection_fail(connection, CODE_FAILED, 0); /* out of memory; after other errors on_close follows anyway */
  return owned && !error;
}

/* Reads into a block. Returns how many bytes came; 0: none, and `read_done` or the state says why. */
static size_t connection_receive(struct connection *connection, uint8_t *block, size_t size) {
  ssize_t len = recv(watch_fd(connection->watch), block, size, 0);
  if (len < 0 && errno != EAGAIN && errno != EINTR)
    connection_fail(connection, gateway_code_of_connection(errno), errno);
  if (len == 0) connection_on_end_of_file(connection);
  if (len <= 0) return 0;
  connection->active_ms = gateway_now(connection->session->gateway);
  gateway_session_count_out(connection->session, (size_t)len);
  return (size_t)len;
}

/* Reads once. False: nothing more can be read now. */
static bool connection_read_once(struct connection *connection) {
  struct blocks *blocks = &connection->session->gateway->blocks;
  size_t room = connection_read_room(connection);
  if (!room) return false;
  uint8_t *block = blocks_take(blocks);
  if (!block) {
    connection_fail(connection, CODE_FAILED, ENOMEM);
    return false;
  }
  size_t len = connection_receive(connection, block, room);
  if (!len || !connection_pass_on(connection, block, len)) blocks_give(blocks, block);
  return len == room && connection->state == CONNECTION_OPEN;
}

static void connection_read(struct connection *connection) {
  if (connection->state != CONNECTION_OPEN || connection->read_done) return;
  for (int i = 0; i < READS_AT_ONCE; i++)
    if (!connection_read_once(connection)) break;
  connection_update(connection);
}

static void stream_on_writable(wt_stream *stream, void *user_data) {
  struct connection *connection = user_data;
  (void)stream;
  connection->stream_full = false;
  connection_read(connection);
}

/* --- From the client to the back end. --- */

/* Nothing more can be sent. What the back end has sent before is still read. */
static void connection_on_write_error(struct connection *connection, int error) {
  enum gateway_code code = error == ENOMEM ? CODE_FAILED : gateway_code_of_connection(error);
  outgoing_drop(&connection->outgoing, gather_of(connection));
  connection->write_error = error;
  connection->write_done = true;
  connection->code = code;
  connection->socket_full = false;
  wt_stream_stop_sending(connection->stream, (uint32_t)code);
  if (connection->read_done || error == ENOMEM)
    connection_fail(connection, code, error);
  else
    connection_read(connection);
}

/* The bytes before the end have to leave first. If the socket has no room for them, the end comes again. */
static void connection_on_client_end(struct connection *connection) {
  int error = outgoing_flush(&connection->outgoing, gather_of(connection));
  if (!error && connection->outgoing.rest) {
    connection->socket_full = true;
    wt_stream_unread(connection->stream, 0);
    connection_update(connection);
    return;
  }
  if (!error && shutdown(watch_fd(connection->watch), SHUT_WR) && errno != ENOTCONN) error = errno;
  connection->write_done = true;
  if (error)
    connection_on_write_error(connection, error);
  else
    connection_check_end(connection);
}

/* What was gathered has been sent at the end of the turn, or because another stream's bytes came. */
static void connection_on_flush(void *user_data, int error) {
  struct connection *connection = user_data;
  if (error) {
    connection_on_write_error(connection, error);
  } else if (connection->outgoing.rest) {
    connection->socket_full = true;
    wt_stream_pause(connection->stream);
    connection_update(connection);
  }
}

/* The socket has room again. */
static void connection_on_room(struct connection *connection) {
  int error = outgoing_send_rest(&connection->outgoing);
  if (error) {
    connection_on_write_error(connection, error);
  } else if (!connection->outgoing.rest) {
    connection->socket_full = false;
    wt_stream_resume(connection->stream);
  }
}

/* Takes what the rate and the socket allow; returns how many bytes that was, or -1 if the connection is broken. */
static ssize_t connection_write(struct connection *connection, const uint8_t *data, size_t len) {
  size_t allowed = gateway_session_room(connection->session, len);
  connection->rate_in = allowed < len;
  if (!allowed) return 0;
  ssize_t taken = outgoing_put(&connection->outgoing, gather_of(connection), data, allowed);
  if (taken >= 0 && (size_t)taken < allowed) {
    connection->rate_in = false;
    connection->socket_full = true;
  }
  return taken;
}

static void stream_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct connection *connection = user_data;
  if (connection->state != CONNECTION_OPEN || connection->write_done) return;
  ssize_t taken = len ? connection_write(connection, data, len) : 0;
  if (taken < 0) {
    connection_on_write_error(connection, errno);
    return;
  }
  if (taken) {
    connection->active_ms = gateway_now(connection->session->gateway);
    gateway_session_count_in(connection->session, (size_t)taken);
  }
  if ((size_t)taken < len) {
    wt_stream_unread(stream, len - (size_t)taken);
    connection_update(connection);
  } else if (fin) {
    connection_on_client_end(connection);
  }
}

/* --- The client's other events. --- */

static void stream_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  connection_fail(user_data, CODE_CLIENT, 0);
}

static void stream_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct connection *connection = user_data;
  (void)stream, (void)error;
  if (!connection->read_done) connection_fail(connection, CODE_CLIENT, 0);
}

static void stream_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct connection *connection = user_data;
  (void)stream;
  if (connection->state != CONNECTION_GONE && error) connection->code = CODE_CLIENT;
  socket_close(connection, true);
  gateway_session_end_stream(connection->session, connection->code);
  *connection->link = connection->next;
  if (connection->next) connection->next->link = connection->link;
  free(connection);
}

static const struct wt_stream_callbacks stream_callbacks = {
    .on_data = stream_on_data,
    .on_writable = stream_on_writable,
    .on_reset = stream_on_reset,
    .on_stop_sending = stream_on_stop_sending,
    .on_close = stream_on_close,
};

/* --- Connecting. --- */

static void connection_try_next(struct connection *connection);

/* Sends the PROXY header. A new socket has room for it; if not, the connection is of no use. */
static bool connection_introduce(struct connection *connection) {
  struct wt_connection_info info = {.size = sizeof info};
  uint8_t header[PROXY_HEADER_MAX];
  char version[16] = "";
  wt_session *wt = connection->session->wt;
  if (!settings_of(connection)->proxy_protocol) return true;
  if (wt_session_get_connection_info(wt, &info)) return false;
  if (info.tls_version && !strncmp(info.tls_version, "TLS1.", 5))
    snprintf(version, sizeof version, "TLSv%s", info.tls_version + 3); /* as OpenSSL and so HAProxy write it */
  struct wt_header field;
  const char *authority = "";
  for (size_t i = 0; !wt_session_get_header_at(wt, i, &field); i++)
    if (!strcmp(field.name, ":authority")) authority = field.value;
  struct proxy_client client = {
      .peer = info.peer_address,
      .local = info.local_address,
      .authority = authority,
      .tls_version = version,
      .cipher = info.cipher,
      .certificate = info.certificate != NULL,
      .certificate_verified = info.certificate_verified,
  };
  size_t len = proxy_header_write(&client, header);
  return len && send(watch_fd(connection->watch), header, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void connection_on_connected(struct connection *connection) {
  connection->state = CONNECTION_OPEN;
  connection->outgoing =
      (struct outgoing){.fd = watch_fd(connection->watch), .on_flush = connection_on_flush, .user_data = connection};
  connection->active_ms = gateway_now(connection->session->gateway);
  if (!connection_introduce(connection)) {
    connection_fail(connection, CODE_BROKEN, 0);
    return;
  }
  wt_stream_resume(connection->stream);
  connection_update(connection);
}

static void connection_on_socket(bool readable, bool writable, void *user_data) {
  struct connection *connection = user_data;
  if (connection->state == CONNECTION_CONNECTING) {
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(watch_fd(connection->watch), SOL_SOCKET, SO_ERROR, &error, &len)) error = errno;
    connection->connect_error = error;
    if (error)
      connection_try_next(connection);
    else
      connection_on_connected(connection);
    return;
  }
  if (writable && connection->socket_full) connection_on_room(connection);
  if (readable)
    connection_read(connection);
  else
    connection_update(connection);
}

/* Copies the address that is to be tried now. False: there is none left. */
static bool connection_address(struct connection *connection, struct lookup_address *address) {
  const struct route *route = connection->session->route;
  if (route->lookup) return lookup_get(route->lookup, connection->address++, address);
  struct sockaddr_un *path = (struct sockaddr_un *)(void *)&address->address;
  if (connection->address++) return false;
  memset(path, 0, sizeof *path);
  path->sun_family = AF_UNIX;
  snprintf(path->sun_path, sizeof path->sun_path, "%s", route->settings.target.path);
  address->len = sizeof *path;
  return true;
}

/* Bytes are passed on at once, and a back end whose machine has gone is noticed within two minutes. */
static void socket_tune(int fd, int family) {
  int on = 1, idle = 60, interval = 10, count = 6;
  if (family == AF_UNIX) return;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* without them it works, too */
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* Begins to connect. Returns 0 or an `errno`. */
static int connection_begin(struct connection *connection, const struct lookup_address *address) {
  int family = address->address.ss_family;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  socket_tune(fd, family);
  connection->watch = watch_new(&connection->session->gateway->loop, fd, connection_on_socket, connection);
  if (!connection->watch) return ENOMEM;
  if (!connect(fd, (const struct sockaddr *)&address->address, address->len) || errno == EINPROGRESS) {
    connection_update(connection); /* writable when it is connected, or has failed */
    return 0;
  }
  int error = errno;
  watch_close(connection->watch);
  connection->watch = NULL;
  return error;
}

static void connection_try_next(struct connection *connection) {
  struct lookup_address address;
  watch_close(connection->watch);
  connection->watch = NULL;
  connection->tried_ms = gateway_now(connection->session->gateway);
  while (connection_address(connection, &address)) {
    connection->connect_error = connection_begin(connection, &address);
    if (!connection->connect_error) return;
    if (connection->connect_error == EAGAIN) { /* the queue of a Unix socket is full: `connection_tick` tries again */
      connection->address--;
      return;
    }
  }
  int error = connection->connect_error;
  connection_fail(connection, error ? gateway_code_of_connect(error) : CODE_UNREACHABLE, error);
}

void connection_open(struct gateway_session *session, wt_stream *stream, struct connection **list) {
  if (!gateway_session_begin_stream(session)) {
    wt_stream_abort(stream, CODE_LIMIT);
    return;
  }
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection || wt_stream_set_callbacks(stream, &stream_callbacks, connection)) {
    free(connection);
    gateway_session_end_stream(session, CODE_FAILED);
    wt_stream_abort(stream, CODE_FAILED);
    return;
  }
  connection->session = session;
  connection->stream = stream;
  connection->began_ms = connection->active_ms = gateway_now(session->gateway);
  connection->next = *list;
  connection->link = list;
  if (connection->next) connection->next->link = &connection->next;
  *list = connection;
  wt_stream_pause(stream);
  connection_try_next(connection);
  if (connection->state == CONNECTION_CONNECTING) gateway_hurry(session->gateway);
}

/* --- Time. --- */

/* Whether it is time to try the next address, if there is one. */
static bool connection_should_move_on(const struct connection *connection, uint64_t now_ms) {
  struct lookup *lookup = connection->session->route->lookup;
  uint64_t patience = settings_of(connection)->connect_timeout_ms, share = NEXT_ADDRESS_MS;
  struct lookup_address next;
  if (patience && patience / 2 < share) share = patience / 2;
  return lookup && now_ms - connection->tried_ms >= share && lookup_get(lookup, connection->address, &next);
}

static void connecting_tick(struct connection *connection, uint64_t now_ms) {
  uint64_t patience = settings_of(connection)->connect_timeout_ms;
  if (patience && now_ms - connection->began_ms >= patience)
    connection_fail(connection, CODE_CONNECT_TIMEOUT, 0);
  else if (!connection->watch || connection_should_move_on(connection, now_ms))
    connection_try_next(connection);
  if (connection->state == CONNECTION_CONNECTING) gateway_hurry(connection->session->gateway);
}

static void connection_tick(struct connection *connection, uint64_t now_ms) {
  if (connection->state == CONNECTION_CONNECTING) {
    connecting_tick(connection, now_ms);
    return;
  }
  if (gateway_session_is_idle(connection->session, connection->active_ms, now_ms)) {
    if (connection->state == CONNECTION_GONE) /* the client does not take the last bytes */
      wt_stream_abort(connection->stream, CODE_IDLE);
    connection_fail(connection, CODE_IDLE, 0);
    return;
  }
  if (connection->state == CONNECTION_GONE) return;
  if (connection->rate_in) {
    connection->rate_in = false;
    wt_stream_resume(connection->stream);
  }
  if (connection->rate_out) connection_read(connection);
}

void connections_tick(struct connection *list, uint64_t now_ms) {
  for (; list; list = list->next) connection_tick(list, now_ms);
}
