/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_PEERS_H
#define WEBTRANSPORT_TOOL_COMPANION_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  PEERS_MAX = 128,            /* connections of the companion; each takes up to two descriptors, a socket and a file */
  PEERS_PER_ADDRESS = 64,     /* connections of an IPv4 address, or an IPv6 /64 */
  PEERS_MIN = 4,              /* the least that PEERS_MAX is lowered to when there are few descriptors */
  PEER_REQUESTS_MAX = 1000,   /* on one connection */
  PEER_BODY_MAX = 65536,      /* bytes of a request's body, which is read and dropped */
  PEER_HEAD_MS = 10000,       /* from the start of the connection to the end of the first request's header */
  PEER_KEEP_ALIVE_MS = 15000, /* from an answer to the end of the next header */
  PEER_BODY_MS = 10000,       /* from the end of the header to the end of the body */
  PEER_ANSWER_MS = 30000,     /* for an answer, and 1 s more for each PEER_ANSWER_RATE bytes */
  PEER_ANSWER_RATE = 8192,    /* bytes a second */
  PEER_YOUNG_MS = 1000,       /* connections that began so recently are displaced last */
};

enum peer_state {
  PEER_NONE = 0,
  PEER_WAITING,   /* for the whole header of a request */
  PEER_ANSWERING, /* the header is there */
  PEER_CLOSING,   /* shut down, not closed yet */
};

/* A connection of the companion. */
struct peer {
  enum peer_state state;
  int fd;
  uint8_t network[16]; /* its address; of an IPv6 address the first 64 bits */
  int64_t since_ms, deadline_ms;
  unsigned requests;
  uint64_t body;   /* bytes of the current request's body */
  unsigned status; /* of its answer; 0: none has begun */
  uint64_t answer; /* bytes of its body */
};

struct peers {
  size_t max, max_per_address;
  struct peer list[PEERS_MAX];
};

/* `descriptors` is how many this process may have; 0: not known. */
void peers_init(struct peers *peers, uint64_t descriptors);

/*
 * Whether there is room for a connection from `address`. If not, there will be when `*victim` is closed; NULL: all
 * connections are being closed.
 */
bool peers_room(struct peers *peers, const struct sockaddr *address, int64_t now_ms, struct peer **victim);

/* Adds a connection. There must be room. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address, int64_t now_ms);

/* Returns the connection with this descriptor, or NULL. */
struct peer *peers_find(struct peers *peers, int fd);

/* Sets the deadline: the header of a request has arrived; an answer of `len` bytes has begun; the answer was sent. */
void peer_request(struct peer *peer, int64_t now_ms);
void peer_answer(struct peer *peer, uint64_t len, int64_t now_ms);
void peer_wait(struct peer *peer, int64_t now_ms);

/* Shuts the connection down; libmicrohttpd then closes it. */
void peer_shutdown(struct peer *peer);

/* The connection was closed. */
void peer_closed(struct peer *peer);

/* Returns a connection whose deadline has passed, or NULL. */
struct peer *peers_overdue(struct peers *peers, int64_t now_ms);

/* Returns how long it is until the next deadline, at most `most_ms`. */
int64_t peers_next_ms(const struct peers *peers, int64_t now_ms, int64_t most_ms);

#endif
