/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_NET_H
#define LOOPBACK_NET_H

/*
 * A network in memory with a clock of its own. Nodes hand it packets; it loses, delays, swaps, doubles
 * and damages them as a seed says, and delivers them when their time comes. The clock jumps from event
 * to event, so a test of a thirty-second timeout takes no time.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MS UINT64_C(1000000)

/* What a path does with ECN marks (RFC 3168; RFC 9000, section 13.4). */
enum net_ecn {
  NET_ECN_KEPT,
  NET_ECN_CLEARED,
  NET_ECN_CONGESTED,     /* marked ones become CE */
  NET_ECN_CE_EVERYWHERE, /* ecn_disabled ones, too */
  NET_ECN_SWAPPED,       /* ECT(0) becomes ECT(1) */
  NET_ECN_DROPPED        /* marked ones are lost */
};

/* One direction. Chances are in thousandths. */
struct net_link {
  uint64_t delay; /* nanoseconds */
  unsigned loss, duplicate, corrupt;
  unsigned reorder;    /* these packets take up to `reorder_by` longer, so later ones overtake them */
  uint64_t reorder_by; /* nanoseconds */
  uint64_t bandwidth;  /* bytes a second, behind a queue of `queue_max`; 0: unbounded */
  uint64_t queue_max;  /* nanoseconds that a packet may wait; over it, it is lost */
  size_t mtu;          /* larger packets (UDP payloads) vanish; 0: none is too large */
  size_t interface;    /* the sender is told that larger ones are too large, WT_ERR_TOO_LARGE; 0: it is not */
  enum net_ecn ecn;    /* what becomes of packets by their ECN mark */
  uint64_t free_at;    /* when what was sent before has left */
};

enum net_direction {
  NET_TO_SERVER = 0,
  NET_TO_CLIENT = 1
};

/* What a filter wants done with a packet. */
enum net_verdict {
  NET_PASS,
  NET_DROP,
  NET_LATE /* half a round trip later than others */
};

/* Sees each packet as it is sent; `index` counts those of its direction from 0. It may change bytes. */
typedef enum net_verdict (*net_filter)(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                       size_t len);

/* Someone with an address. `recv` gets a packet; `run` is called after that and when `expiry` is due. */
struct net_node {
  struct sockaddr_in address; /* as the node itself knows it */
  struct sockaddr_in seen;    /* as others see it: a NAT stands between where the two differ */
  bool is_server;
  void (*recv)(void *ctx, const struct sockaddr_in *local, const struct sockaddr_in *remote, unsigned ecn,
               const uint8_t *data, size_t len, uint64_t now);
  void (*run)(void *ctx, uint64_t now);
  uint64_t (*expiry)(void *ctx);
  void *ctx;
  struct net_node *next;
};

struct net_counts {
  uint64_t sent, delivered, lost, duplicated, reordered, corrupted, marked;
};

struct net {
  uint64_t now;
  uint64_t random;
  struct net_link link[2];
  net_filter filter;
  void *filter_ctx;
  struct net_counts counts[2];
  uint64_t steps; /* calls of a node's `run`; a busy loop shows here */
  uint64_t sequence;
  struct net_node *nodes;
  struct net_packet *queue; /* by arrival time, then by sequence */
  struct net_packet *tail;
  unsigned stuck; /* steps without the clock moving */
};

/* Both directions take 10 ms and lose nothing. */
void net_init(struct net *net, uint64_t seed);
void net_free(struct net *net);

/* The next number of the network's generator (splitmix64). */
uint64_t net_random(struct net *net);

/* The `index`th address: 192.0.2.(index % 256):(4000 + index), so that 1 and 257 are one host. */
struct sockaddr_in net_address(unsigned index);

void net_attach(struct net *net, struct net_node *node);
void net_detach(struct net *net, struct net_node *node);
/* From now on others see `node` at `seen`: what a NAT does that lost its table. */
void net_rebind(struct net_node *node, const struct sockaddr_in *seen);

/* `node`, speaking from `local`, sends one packet. */
void net_send(struct net *net, struct net_node *node, const struct sockaddr_in *local, const struct sockaddr_in *to,
              unsigned ecn, const uint8_t *data, size_t len);

/* Whether the interface of `node` takes no packet of `len` bytes. */
bool net_refuses(const struct net *net, const struct net_node *node, size_t len);

/* Does what is due next, no later than `limit`. False when the clock stands at `limit`. */
bool net_step(struct net *net, uint64_t limit);
/* Lets `ms` milliseconds pass. */
void net_run_for(struct net *net, uint64_t ms);

/* Goes on until `condition` holds; fails the test if it does not within `ms` milliseconds. */
#define NET_UNTIL(net, ms, condition)                                                                          \
  do {                                                                                                         \
    uint64_t until_ = (net)->now + (ms)*NET_MS;                                                                \
    while (!(condition) && net_step((net), until_)) continue;                                                  \
    if (!(condition)) fail_msg("%s:%d: not within %u ms: %s", __FILE__, __LINE__, (unsigned)(ms), #condition); \
  } while (0)

#endif
