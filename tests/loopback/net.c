/* SPDX-License-Identifier: MIT */
/*
 * The network in memory.
 *
 * Each packet is copied into a queue sorted by arrival time. What happens to it is drawn from one
 * generator, in the order of sending, so a run is named by its seed: with the same packets it makes the
 * same decisions. What does not repeat is what the packets hold: keys, connection ids and some of
 * ngtcp2's choices come from GnuTLS's generator. So a failing seed repeats closely, not to the byte.
 *
 * The clock only moves when nobody has anything to do. A node that is due again and again at one instant
 * is a bug (a loop that burns a processor), and fails the test.
 */
#include "net.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NET_STUCK_MAX 200000
#define NET_PACKET_MAX 65535

struct net_packet {
  struct net_packet *next, *prev;
  uint64_t arrival, sequence;
  struct sockaddr_in from, to;
  unsigned ecn;
  enum net_direction direction;
  size_t len;
  uint8_t data[];
};

void net_init(struct net *net, uint64_t seed) {
  memset(net, 0, sizeof(*net));
  net->now = 1000 * NET_MS; /* not 0: a zero timestamp is a value of its own in places */
  net->random = seed;
  net->link[0].delay = net->link[1].delay = 10 * NET_MS;
}

void net_free(struct net *net) {
  while (net->queue) {
    struct net_packet *packet = net->queue;
    net->queue = packet->next;
    free(packet);
  }
  net->tail = NULL;
}

uint64_t net_random(struct net *net) {
  uint64_t z = (net->random += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static bool net_chance(struct net *net, unsigned thousandths) {
  return thousandths && net_random(net) % 1000 < thousandths;
}

struct sockaddr_in net_address(unsigned index) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof(address));
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)(4000 + index));
  address.sin_addr.s_addr = htonl(0xc0000200u + index % 256);
  return address;
}

static bool address_equal(const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

void net_attach(struct net *net, struct net_node *node) {
  node->seen = node->address;
  node->next = net->nodes;
  net->nodes = node;
}

void net_detach(struct net *net, struct net_node *node) {
  struct net_node **at = &net->nodes;
  while (*at && *at != node) at = &(*at)->next;
  if (*at) *at = node->next;
}

void net_rebind(struct net_node *node, const struct sockaddr_in *seen) { node->seen = *seen; }

static void queue_insert(struct net *net, struct net_packet *packet) {
  struct net_packet *before = net->tail;
  while (before && before->arrival > packet->arrival) before = before->prev;
  packet->prev = before;
  packet->next = before ? before->next : net->queue;
  if (packet->next)
    packet->next->prev = packet;
  else
    net->tail = packet;
  if (before)
    before->next = packet;
  else
    net->queue = packet;
}

static struct net_packet *queue_take(struct net *net) {
  struct net_packet *packet = net->queue;
  net->queue = packet->next;
  if (net->queue)
    net->queue->prev = NULL;
  else
    net->tail = NULL;
  return packet;
}

static struct net_packet *packet_new(const struct sockaddr_in *from, const struct sockaddr_in *to, unsigned ecn,
                                     enum net_direction direction, const uint8_t *data, size_t len) {
  struct net_packet *packet = calloc(1, sizeof(*packet) + len);
  assert_non_null(packet);
  packet->from = *from;
  packet->to = *to;
  packet->ecn = ecn;
  packet->direction = direction;
  packet->len = len;
  memcpy(packet->data, data, len);
  return packet;
}

#define ECN_ECT_1 1
#define ECN_ECT_0 2
#define ECN_CE 3

/* The mark with which a packet arrives that was sent with `ecn`. */
static unsigned link_mark(const struct net_link *link, unsigned ecn) {
  switch (link->ecn) {
    case NET_ECN_CLEARED: return 0;
    case NET_ECN_CONGESTED: return ecn ? ECN_CE : 0;
    case NET_ECN_CE_EVERYWHERE: return ECN_CE;
    case NET_ECN_SWAPPED: return ecn == ECN_ECT_0 ? ECN_ECT_1 : ecn;
    default: return ecn;
  }
}

/* How long a packet of `len` bytes takes to leave, behind those before it; UINT64_MAX: the queue is full. */
static uint64_t link_serialize(struct net *net, struct net_link *link, size_t len) {
  if (link->bandwidth == 0) return 0;
  uint64_t start = link->free_at > net->now ? link->free_at : net->now;
  if (start - net->now > link->queue_max) return UINT64_MAX;
  link->free_at = start + len * UINT64_C(1000000000) / link->bandwidth;
  return link->free_at - net->now;
}

/* Decides when `packet` arrives, and damages it if its luck is out. */
static void packet_schedule(struct net *net, struct net_packet *packet, bool late, uint64_t queued) {
  const struct net_link *link = &net->link[packet->direction];
  struct net_counts *counts = &net->counts[packet->direction];
  packet->sequence = net->sequence++;
  packet->arrival = net->now + queued + link->delay + (late ? link->delay : 0);
  if (net_chance(net, link->reorder)) {
    packet->arrival += link->reorder_by ? net_random(net) % link->reorder_by : 0;
    counts->reordered++;
  }
  if (net_chance(net, link->corrupt)) {
    packet->data[net_random(net) % packet->len] ^= (uint8_t)(1 + net_random(net) % 255);
    counts->corrupted++;
  }
  queue_insert(net, packet);
}

void net_send(struct net *net, struct net_node *node, const struct sockaddr_in *local, const struct sockaddr_in *to,
              unsigned ecn, const uint8_t *data, size_t len) {
  enum net_direction direction = node->is_server ? NET_TO_CLIENT : NET_TO_SERVER;
  struct net_link *link = &net->link[direction];
  struct net_counts *counts = &net->counts[direction];
  assert_true(len > 0 && len <= NET_PACKET_MAX);
  /* The NAT: what the node sends from its own address appears to come from `seen`. */
  const struct sockaddr_in *from = address_equal(local, &node->address) ? &node->seen : local;
  struct net_packet *packet = packet_new(from, to, link_mark(link, ecn), direction, data, len);
  enum net_verdict verdict = NET_PASS;
  if (net->filter) verdict = net->filter(net->filter_ctx, direction, counts->sent, packet->data, len);
  counts->sent++;
  counts->marked += ecn != 0;
  bool lost = net_chance(net, link->loss) || (link->mtu && len > link->mtu) || (link->ecn == NET_ECN_DROPPED && ecn);
  bool twice = net_chance(net, link->duplicate);
  uint64_t queued = link_serialize(net, link, len);
  if (lost || queued == UINT64_MAX || verdict == NET_DROP) {
    counts->lost++;
    free(packet);
    return;
  }
  if (twice) {
    counts->duplicated++;
    packet_schedule(net, packet_new(from, to, packet->ecn, direction, packet->data, len), false, queued);
  }
  packet_schedule(net, packet, verdict == NET_LATE, queued);
}

bool net_refuses(const struct net *net, const struct net_node *node, size_t len) {
  const struct net_link *link = &net->link[node->is_server ? NET_TO_CLIENT : NET_TO_SERVER];
  return link->interface && len > link->interface;
}

static void net_deliver(struct net *net, struct net_packet *packet) {
  for (struct net_node *node = net->nodes; node; node = node->next) {
    bool behind_nat = address_equal(&packet->to, &node->seen);
    if (!behind_nat && !address_equal(&packet->to, &node->address)) continue;
    /* Once it was rebound, nothing reaches a node at the address it had. */
    if (!behind_nat && !address_equal(&node->seen, &node->address)) continue;
    net->counts[packet->direction].delivered++;
    node->recv(node->ctx, behind_nat ? &node->address : &packet->to, &packet->from, packet->ecn, packet->data,
               packet->len, net->now);
    node->run(node->ctx, net->now);
    net->steps++;
    break;
  }
  free(packet);
}

static struct net_node *net_due(struct net *net, uint64_t *when) {
  struct net_node *first = NULL;
  for (struct net_node *node = net->nodes; node; node = node->next) {
    uint64_t expiry = node->expiry(node->ctx);
    if (expiry != UINT64_MAX && (!first || expiry < *when)) {
      first = node;
      *when = expiry;
    }
  }
  return first;
}

bool net_step(struct net *net, uint64_t limit) {
  uint64_t when = UINT64_MAX;
  struct net_node *node = net_due(net, &when);
  bool packet = net->queue && net->queue->arrival <= when;
  if (packet) when = net->queue->arrival;
  if (when < net->now) when = net->now;
  if (when > limit || (!packet && !node)) {
    net->now = limit;
    return false;
  }
  net->stuck = when > net->now ? 0 : net->stuck + 1;
  if (net->stuck > NET_STUCK_MAX) fail_msg("%s is due again and again", packet ? "a packet" : "a node");
  net->now = when;
  if (packet) {
    net_deliver(net, queue_take(net));
  } else {
    node->run(node->ctx, net->now);
    net->steps++;
  }
  return true;
}

void net_run_for(struct net *net, uint64_t ms) {
  uint64_t limit = net->now + ms * NET_MS;
  while (net_step(net, limit)) continue;
}
