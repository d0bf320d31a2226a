/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_MESSAGE_H
#define WT_NET_TAKEOVER_MESSAGE_H

/* What two processes say to each other while one takes over from the other, as bytes. See takeover_message.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WT__TAKEOVER_VERSION 1
#define WT__TAKEOVER_MESSAGE_MAX 65536 /* bytes of a message */
#define WT__TAKEOVER_FDS_MAX 64        /* descriptors that come with one */
#define WT__TAKEOVER_NAME_MAX 32       /* bytes of a descriptor's name, without a NUL */
#define WT__TAKEOVER_TEXT_MAX 200      /* bytes of a refusal's reason */
#define WT__TAKEOVER_KEY_LEN 32
#define WT__TAKEOVER_ADDRESSES_MAX 1024 /* that a server listens on */
#define WT__TAKEOVER_SLOTS_MAX 8        /* older processes that one may ask */
#define WT__TAKEOVER_HEADER_LEN 4
#define WT__TAKEOVER_RECORD_MAX 64 /* bytes of a packet's record before the packet */
#define WT__TAKEOVER_PACKET_MAX (WT__TAKEOVER_MESSAGE_MAX - WT__TAKEOVER_HEADER_LEN - WT__TAKEOVER_RECORD_MAX)

enum wt__takeover_type {
  WT__TAKEOVER_HELLO = 1,    /* new to old: may I have the sockets? */
  WT__TAKEOVER_OFFER = 2,    /* old to new: what I am; that many messages with descriptors follow */
  WT__TAKEOVER_SOCKETS = 3,  /* old to new: descriptors */
  WT__TAKEOVER_REFUSAL = 4,  /* old to new: no, because */
  WT__TAKEOVER_READY = 5,    /* new to old: all that can fail has succeeded; these addresses are mine from now on */
  WT__TAKEOVER_YOURS = 6,    /* old to new: I do not read them any more */
  WT__TAKEOVER_ASK = 7,      /* new to old: packets whose connection I do not know */
  WT__TAKEOVER_NOT_MINE = 8, /* old to new: packets of yours whose connection I do not know either */
  WT__TAKEOVER_LEAVING = 9,  /* new to old: I end in order, and nobody is to take new connections */
};

struct wt__takeover_hello {
  uint32_t pid;
};

struct wt__takeover_offer {
  uint32_t pid;
  uint32_t handshake_ms; /* so long first packets may belong to a handshake of the old process, or of one before it */
  uint32_t connections;  /* open now */
  uint16_t messages;     /* with descriptors, that follow */
  uint8_t token_key[WT__TAKEOVER_KEY_LEN], reset_key[WT__TAKEOVER_KEY_LEN];
};

/* What the descriptors of a message are. */
enum wt__takeover_kind {
  WT__TAKEOVER_UDP = 1,   /* sockets of the address `index`, in the kernel's order, some more of them */
  WT__TAKEOVER_LINK = 2,  /* one: the way to a process that is older still, `pid` */
  WT__TAKEOVER_NAMED = 3, /* one: the application's, by `name` */
};

struct wt__takeover_sockets {
  enum wt__takeover_kind kind;
  uint16_t index;
  uint32_t pid;
  char name[WT__TAKEOVER_NAME_MAX + 1];
};

/* Each writes a whole message to `dst`, which has WT__TAKEOVER_MESSAGE_MAX bytes, and returns its length. */
size_t wt__takeover_write_hello(uint8_t *dst, const struct wt__takeover_hello *hello);
size_t wt__takeover_write_offer(uint8_t *dst, const struct wt__takeover_offer *offer);
size_t wt__takeover_write_sockets(uint8_t *dst, const struct wt__takeover_sockets *sockets);
size_t wt__takeover_write_refusal(uint8_t *dst, const char *text); /* cut to WT__TAKEOVER_TEXT_MAX */
size_t wt__takeover_write_ready(uint8_t *dst, const uint16_t *indexes, size_t count);
size_t wt__takeover_write_plain(uint8_t *dst, enum wt__takeover_type type); /* YOURS, LEAVING */

/* The type of a message; 0: it is none of ours. `*version` is what its sender speaks, 0 if unknown. */
enum wt__takeover_type wt__takeover_read_type(const uint8_t *data, size_t len, unsigned *version);

/* Each reads a message of its type. False: it is not well-formed, and what was filled in means nothing. */
bool wt__takeover_read_hello(const uint8_t *data, size_t len, struct wt__takeover_hello *hello);
bool wt__takeover_read_offer(const uint8_t *data, size_t len, struct wt__takeover_offer *offer);
bool wt__takeover_read_sockets(const uint8_t *data, size_t len, struct wt__takeover_sockets *sockets);
/* `text` has WT__TAKEOVER_TEXT_MAX + 1 bytes. What is not printable ASCII becomes '?'. */
bool wt__takeover_read_refusal(const uint8_t *data, size_t len, char *text);
/* `indexes` has WT__TAKEOVER_ADDRESSES_MAX of them; none comes twice. */
bool wt__takeover_read_ready(const uint8_t *data, size_t len, uint16_t *indexes, size_t *count);

/* --- Packets --- */

/* A packet on its way between processes. */
struct wt__takeover_packet {
  struct sockaddr_storage local, remote; /* of one family, AF_INET or AF_INET6 */
  socklen_t local_len, remote_len;
  uint8_t ecn;
  uint8_t slot;    /* which of the older processes is asked: the asker's business, and comes back as it went */
  uint16_t worker; /* of the asker, likewise */
  const uint8_t *data;
  size_t len;
};

/* Begins a message of packets (ASK or NOT_MINE) in `dst`; returns its length so far. */
size_t wt__takeover_begin_packets(uint8_t *dst, enum wt__takeover_type type);
/* Adds a packet to a message that has `at` bytes; returns its new length, or 0: there is no room for it. */
size_t wt__takeover_add_packet(uint8_t *dst, size_t at, const struct wt__takeover_packet *packet);
/* The next packet of such a message: `*at` is WT__TAKEOVER_HEADER_LEN at first. False: there is none, or what follows is
 * not well-formed. `packet->data` points into `data`. */
bool wt__takeover_next_packet(const uint8_t *data, size_t len, size_t *at, struct wt__takeover_packet *packet);

#endif
