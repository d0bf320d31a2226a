/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HOSTS_H
#define WEBTRANSPORT_TOOL_HOSTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/certificate.h>

enum {
  HOST_SIZE = 254,      /* the longest DNS name, with its NUL */
  HOSTS_MAX = 64,       /* names that --host gives */
  HOSTS_OWN_MAX = 20,   /* names from --listen, from --http and of the machine */
  INTERFACES_MAX = 256, /* addresses of the machine */
};

/* The host of a URL: a name in lower case without a final dot, or an address. */
struct host {
  bool is_address;
  char name[HOST_SIZE]; /* "" for an address */
  uint8_t address[16];  /* IPv4 as ::ffff:a.b.c.d */
};

/* Reads "example.com", "192.0.2.1" or "[2001:db8::1]". False: the text is no host. */
bool host_parse(const char *text, size_t len, struct host *host);

/* Reads a host with or without ":PORT", as in the Host field and in `:authority`. `*port` is 0 if there is none. */
bool authority_parse(const char *text, struct host *host, uint16_t *port);

enum host_verdict {
  HOST_OURS,
  HOST_FOREIGN,
  HOST_MALFORMED,
};

/* The names and addresses that a server answers for. */
struct hosts {
  bool any;
  size_t count, given; /* entries of `list`; how many of them are from --host */
  struct host list[HOSTS_MAX + HOSTS_OWN_MAX];
  pthread_mutex_t lock; /* protects all below: workers and the companion ask at the same time */
  wt_certificate *certificate;
  uint8_t interfaces[INTERFACES_MAX][16];
  size_t interface_count;
  int64_t looked_ms; /* when `interfaces` was read; 0: never */
  bool has_recent;
  struct host recent; /* the host that was found last: most requests are for one host */
};

/* Begins with "localhost", the loopback addresses, the machine's name and its addresses. */
void hosts_init(struct hosts *hosts);
void hosts_free(struct hosts *hosts);

/*
 * Adds a value of --host: a name, "*.example.com" for the names one label below, an address with or without brackets,
 * or "any". Returns NULL, or what is wrong with it. Must be called before other threads ask, as must `hosts_add_own`.
 */
const char *hosts_add(struct hosts *hosts, const char *text);

/* Adds the host of --listen or --http. A text that is no host is ignored. */
void hosts_add_own(struct hosts *hosts, const char *text);

/* The names of `certificate` replace those of the certificate before. Takes it over. Any thread. */
void hosts_set_certificate(struct hosts *hosts, wt_certificate *certificate);

/* The sentences for the client and for the log if a host is not ours. */
#define HOSTS_REFUSAL "This server does not answer for that host. Start it with --host NAME to add one."
#define HOSTS_REFUSAL_LOG "it is none of this server's names and addresses; --host adds one"

/* Whether the host of `authority`, which is a request's, is ours. The port does not matter. Any thread. */
enum host_verdict hosts_check(struct hosts *hosts, const char *authority);

#endif
