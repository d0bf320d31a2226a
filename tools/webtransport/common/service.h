/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVICE_H
#define WEBTRANSPORT_TOOL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  SERVICE_SOCKETS_MAX = 16, /* as many as --listen */
  SERVICE_ADDRESS_MAX = 108 /* of a Unix socket */
};

/* What a service manager wants of this process. All zero: nothing. */
struct service {
  char notify[SERVICE_ADDRESS_MAX]; /* where it is told how the process does; empty: nowhere */
  uint64_t watchdog_us;             /* it kills a process that says nothing for so long; 0: it does not */
  int udp[SERVICE_SOCKETS_MAX], tcp[SERVICE_SOCKETS_MAX]; /* sockets that it has bound */
  size_t udp_count, tcp_count;
};

/* Reads what the environment says, and removes it from there. False: `message` says what is wrong with it. */
bool service_read(struct service *service, char *message, size_t size);

/* Tells a state, such as "READY=1". Does nothing where nobody listens. A failure is logged, each kind once. Any thread. */
void service_notify(const struct service *service, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The configuration is being read again; `service_ready` ends that. */
void service_reloading(const struct service *service);
void service_ready(const struct service *service);

#endif
