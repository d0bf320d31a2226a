/* SPDX-License-Identifier: MIT */
/*
 * The three protocols of systemd for services, which other managers speak too. They are a datagram on a Unix socket and
 * a few environment variables, so no library is needed:
 *
 *     NOTIFY_SOCKET                  takes "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."
 *     WATCHDOG_USEC, WATCHDOG_PID    how often the last but one has to come, if the process is this one
 *     LISTEN_FDS, LISTEN_PID         how many bound sockets there are from descriptor 3 on, likewise
 */
#include "common/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/tool_log.h"

enum {
  FIRST_SOCKET = 3,
  STATE_SIZE = 512
};

_Static_assert(SERVICE_ADDRESS_MAX == sizeof(((struct sockaddr_un *)0)->sun_path), "");

/* Reads a number; false also if there is none. */
static bool number_read(const char *text, uint64_t *number) {
  char *end;
  if (!text || *text < '0' || *text > '9') return false;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  *number = value;
  return !*end && !errno;
}

/* Whether `variable` names this process. A variable that is not there means whoever reads it. */
static bool is_for_us(const char *variable) {
  const char *text = getenv(variable);
  uint64_t pid;
  return !text || (number_read(text, &pid) && pid == (uint64_t)getpid());
}

static bool wrong(char *message, size_t size, const char *variable, const char *why) {
  snprintf(message, size, "%s=%s: %s", variable, getenv(variable), why);
  return false;
}

static bool notify_read(struct service *service, char *message, size_t size) {
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path || !*path) return true;
  if (*path != '/' && *path != '@') return wrong(message, size, "NOTIFY_SOCKET", "this is no Unix socket");
  if (strlen(path) >= sizeof service->notify) return wrong(message, size, "NOTIFY_SOCKET", "the path is too long");
  strcpy(service->notify, path);
  return true;
}

static bool watchdog_read(struct service *service, char *message, size_t size) {
  const char *text = getenv("WATCHDOG_USEC");
  if (!text || !is_for_us("WATCHDOG_PID")) return true;
  if (number_read(text, &service->watchdog_us) && service->watchdog_us) return true;
  return wrong(message, size, "WATCHDOG_USEC", "this is no number of microseconds");
}

/* Sorts a socket by its kind. */
static bool socket_read(struct service *service, int fd, char *message, size_t size) {
  int type = 0, domain = 0;
  socklen_t len = sizeof type;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK) ||
      getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len)) {
    snprintf(message, size, "descriptor %d of the service manager: %s", fd, strerror(errno));
    return false;
  }
  bool internet = domain == AF_INET || domain == AF_INET6;
  if (internet && type == SOCK_DGRAM)
    service->udp[service->udp_count++] = fd;
  else if (internet && type == SOCK_STREAM)
    service->tcp[service->tcp_count++] = fd;
  else
    snprintf(message, size, "descriptor %d of the service manager is no socket of UDP or TCP", fd);
  return internet && (type == SOCK_DGRAM || type == SOCK_STREAM);
}

static bool sockets_read(struct service *service, char *message, size_t size) {
  const char *text = getenv("LISTEN_FDS");
  uint64_t count;
  if (!text || !is_for_us("LISTEN_PID")) return true;
  if (!number_read(text, &count)) return wrong(message, size, "LISTEN_FDS", "this is no number");
  if (count > SERVICE_SOCKETS_MAX) return wrong(message, size, "LISTEN_FDS", "these are too many sockets");
  for (int i = 0; i < (int)count; i++)
    if (!socket_read(service, FIRST_SOCKET + i, message, size)) return false;
  return true;
}

bool service_read(struct service *service, char *message, size_t size) {
  static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                          "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
  memset(service, 0, sizeof *service);
  bool good = notify_read(service, message, size) && watchdog_read(service, message, size) &&
              sockets_read(service, message, size);
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) unsetenv(variables[i]);
  return good;
}

/* Returns 0 or an errno. */
static int state_send(const char *path, const char *state) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  memcpy(address.sun_path, path, len);
  if (*path == '@') address.sun_path[0] = 0; /* a name, not a file */
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
  /* A manager that does not read must not stop the server. */
  ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size);
  int error = sent < 0 ? errno : 0;
  close(fd);
  return error;
}

void service_notify(const struct service *service, const char *format, ...) {
  static atomic_int told; /* the last error: it comes again with each beat of the watchdog */
  char state[STATE_SIZE];
  va_list arguments;
  if (!service->notify[0]) return;
  va_start(arguments, format);
  vsnprintf(state, sizeof state, format, arguments);
  va_end(arguments);
  int error = state_send(service->notify, state);
  if (atomic_exchange(&told, error) != error && error)
    log_line(WT_LOG_ERROR, "the service manager cannot be told '%.*s': %s: %s", (int)strcspn(state, "\n"), state,
             service->notify, strerror(error));
}

void service_reloading(const struct service *service) {
  service_notify(service, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_ns() / NS_PER_US);
}

void service_ready(const struct service *service) { service_notify(service, "READY=1"); }
