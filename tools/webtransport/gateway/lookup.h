/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_LOOKUP_H
#define WEBTRANSPORT_TOOL_GATEWAY_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/host_port.h"

enum {
  LOOKUP_ADDRESSES = 8,    /* of a name; further ones are not used */
  LOOKUP_FRESH_MS = 10000, /* how long an answer is used without another question */
};

struct uv_loop_s;

/* The addresses of a back end's name. It counts its users, because a question in flight is one. */
struct lookup;

/* One of its addresses. */
struct lookup_address {
  struct sockaddr_storage address;
  socklen_t len;
};

/*
 * Begins with the addresses of a literal, or with none. `done` is called once, when the first question for a name is
 * answered, or at once for a literal. NULL: out of memory; `done` is not called.
 */
struct lookup *lookup_new(struct uv_loop_s *loop, const struct host_port *name, int socket_type,
                          void (*done)(void *user_data), void *user_data);
/* Gives it back. `done` is not called any more if this was the last user. */
void lookup_release(struct lookup *lookup);

/*
 * Copies address number `index`; false if there are not so many. For index 0 this asks for the name again if the last
 * answer is old; what is known is used until the new answer is there.
 */
bool lookup_get(struct lookup *lookup, unsigned index, struct lookup_address *address);

#endif
