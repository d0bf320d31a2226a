/* SPDX-License-Identifier: MIT */
/*
 * Which hosts are this server. A page of evil.example can give its own name the address of this machine (DNS
 * rebinding). The browser then sends the page's requests here and counts them as same-origin: the page may read every
 * answer, and its origin equals the authority of the request. The only thing that is different is the name. So a
 * request is answered only if it names a host that is ours:
 *
 *   localhost, 127.0.0.0/8, ::1             always
 *   the addresses of the machine            read again when an unknown one is asked for: they change
 *   the machine's name, and NAME.local      as the system has it
 *   the hosts of --listen and --http
 *   the names of the certificate            with its wildcards and addresses; a reload changes them
 *   what --host gives                       names behind a proxy, addresses behind a NAT
 *
 * The port is not compared: it may be another one in front of a proxy or a NAT, and rebinding does not change it.
 */
#include "common/hosts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum {
  LOOK_AGAIN_MS = 1000
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_name_char(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; }

/* --- Reading. --- */

static void address_map(const struct in_addr *v4, uint8_t out[16]) {
  static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
  memcpy(out, prefix, sizeof prefix);
  memcpy(out + sizeof prefix, v4, 4);
}

static bool bracketed_parse(const char *text, size_t len, struct host *host) {
  char inside[INET6_ADDRSTRLEN];
  if (len < 4 || len - 2 >= sizeof inside || text[len - 1] != ']') return false;
  memcpy(inside, text + 1, len - 2);
  inside[len - 2] = 0;
  host->is_address = true;
  return inet_pton(AF_INET6, inside, host->address) == 1;
}

/* Labels of letters, digits, '-' and '_'; one final dot is dropped. */
static bool name_parse(const char *text, size_t len, struct host *host) {
  size_t label = 0;
  if (len && text[len - 1] == '.') len--;
  if (!len || len >= HOST_SIZE) return false;
  for (size_t i = 0; i < len; i++) {
    char c = lower(text[i]);
    if (c == '.' ? !label : !is_name_char(c)) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
    host->name[i] = c;
  }
  host->name[len] = 0;
  return label > 0;
}

bool host_parse(const char *text, size_t len, struct host *host) {
  struct in_addr v4;
  memset(host, 0, sizeof *host);
  if (len && text[0] == '[') return bracketed_parse(text, len, host);
  if (!name_parse(text, len, host)) return false;
  if (inet_pton(AF_INET, host->name, &v4) != 1) return true;
  host->is_address = true;
  host->name[0] = 0;
  address_map(&v4, host->address);
  return true;
}

bool authority_parse(const char *text, struct host *host, uint16_t *port) {
  const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
  const char *colon = strchr(bracket ? bracket : text, ':');
  size_t len = colon ? (size_t)(colon - text) : strlen(text);
  uint32_t number = 0;
  *port = 0;
  if (!host_parse(text, len, host)) return false;
  if (!colon) return true;
  if (!colon[1]) return false;
  for (const char *at = colon + 1; *at; at++) {
    if (!is_digit(*at) || (number = number * 10 + (uint32_t)(*at - '0')) > UINT16_MAX) return false;
  }
  *port = (uint16_t)number;
  return number > 0;
}

/* --- Our hosts. --- */

void hosts_init(struct hosts *hosts) {
  char name[HOST_SIZE], local[HOST_SIZE + 8];
  memset(hosts, 0, sizeof *hosts);
  pthread_mutex_init(&hosts->lock, NULL);
  hosts_add_own(hosts, "localhost");
  if (gethostname(name, sizeof name)) return;
  name[sizeof name - 1] = 0;
  hosts_add_own(hosts, name);
  snprintf(local, sizeof local, "%s.local", name);
  if (!strchr(name, '.')) hosts_add_own(hosts, local); /* the name in mDNS */
}

void hosts_free(struct hosts *hosts) {
  wt_certificate_free(hosts->certificate);
  hosts->certificate = NULL;
  pthread_mutex_destroy(&hosts->lock);
}

/* Reads the host of an option, in which an IPv6 address needs no brackets. */
static bool option_parse(const char *text, struct host *host) {
  char bracketed[INET6_ADDRSTRLEN + 2];
  if (!strchr(text, ':') || text[0] == '[') return host_parse(text, strlen(text), host);
  int len = snprintf(bracketed, sizeof bracketed, "[%s]", text);
  return len > 0 && (size_t)len < sizeof bracketed && host_parse(bracketed, (size_t)len, host);
}

const char *hosts_add(struct hosts *hosts, const char *text) {
  struct host host;
  char name[HOST_SIZE];
  bool wildcard = !strncmp(text, "*.", 2);
  if (!strcmp(text, "any")) {
    hosts->any = true;
    return NULL;
  }
  if (!option_parse(wildcard ? text + 2 : text, &host) || (wildcard && host.is_address))
    return "expected a name or an address without a port, such as example.com, *.example.com or 192.0.2.1, or any";
  if (hosts->given == HOSTS_MAX) return "too many names";
  if (wildcard) {
    int len = snprintf(name, sizeof name, "*.%s", host.name);
    if (len >= (int)sizeof name) return "the name is too long";
    memcpy(host.name, name, sizeof name);
  }
  hosts->given++;
  hosts->list[hosts->count++] = host;
  return NULL;
}

void hosts_add_own(struct hosts *hosts, const char *text) {
  struct host host;
  if (hosts->count - hosts->given < HOSTS_OWN_MAX && option_parse(text, &host)) hosts->list[hosts->count++] = host;
}

void hosts_set_certificate(struct hosts *hosts, wt_certificate *certificate) {
  pthread_mutex_lock(&hosts->lock);
  wt_certificate *before = hosts->certificate;
  hosts->certificate = certificate;
  hosts->has_recent = false;
  pthread_mutex_unlock(&hosts->lock);
  wt_certificate_free(before);
}

/* --- Asking. --- */

static bool address_is_loopback(const uint8_t address[16]) {
  static const uint8_t v6[16] = {[15] = 1}, v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
  return !memcmp(address, v6, sizeof v6) || !memcmp(address, v4, sizeof v4);
}

/* 0.0.0.0 and :: mean "every address" for a listening socket. They are no address of a host. */
static bool address_is_unspecified(const uint8_t address[16]) {
  static const uint8_t v6[16] = {0}, v4[16] = {[10] = 0xff, [11] = 0xff};
  return !memcmp(address, v6, sizeof v6) || !memcmp(address, v4, sizeof v4);
}

static bool host_equal(const struct host *ours, const struct host *asked) {
  if (ours->is_address != asked->is_address) return false;
  if (ours->is_address) return !memcmp(ours->address, asked->address, sizeof ours->address);
  if (strncmp(ours->name, "*.", 2)) return !strcmp(ours->name, asked->name);
  const char *dot = strchr(asked->name, '.');
  return dot && !strcmp(ours->name + 1, dot);
}

static bool list_has(const struct hosts *hosts, const struct host *host) {
  for (size_t i = 0; i < hosts->count; i++)
    if (host_equal(&hosts->list[i], host)) return true;
  return false;
}

static void interface_add(struct hosts *hosts, const struct sockaddr *address) {
  if (!address || hosts->interface_count == INTERFACES_MAX) return;
  uint8_t *out = hosts->interfaces[hosts->interface_count];
  if (address->sa_family == AF_INET)
    address_map(&((const struct sockaddr_in *)(const void *)address)->sin_addr, out);
  else if (address->sa_family == AF_INET6)
    memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
  else
    return;
  hosts->interface_count++;
}

static void interfaces_read(struct hosts *hosts, int64_t now_ms) {
  struct ifaddrs *list;
  hosts->looked_ms = now_ms;
  if (getifaddrs(&list)) return; /* the addresses read before stay */
  hosts->interface_count = 0;
  hosts->has_recent = false;
  for (struct ifaddrs *at = list; at; at = at->ifa_next) interface_add(hosts, at->ifa_addr);
  freeifaddrs(list);
}

static bool interfaces_have(const struct hosts *hosts, const uint8_t address[16]) {
  for (size_t i = 0; i < hosts->interface_count; i++)
    if (!memcmp(hosts->interfaces[i], address, 16)) return true;
  return false;
}

/* The caller holds the lock. Requests for unknown addresses make us read the interfaces once a second at most. */
static bool address_is_own(struct hosts *hosts, const uint8_t address[16]) {
  if (interfaces_have(hosts, address)) return true;
  int64_t now_ms = clock_ms();
  if (hosts->looked_ms && now_ms - hosts->looked_ms < LOOK_AGAIN_MS) return false;
  interfaces_read(hosts, now_ms);
  return interfaces_have(hosts, address);
}

static bool certificate_has(const wt_certificate *certificate, const struct host *host) {
  char text[INET6_ADDRSTRLEN];
  static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
  if (!certificate) return false;
  if (!host->is_address) return wt_certificate_matches(certificate, host->name);
  bool is_v4 = !memcmp(host->address, v4, sizeof v4);
  return inet_ntop(is_v4 ? AF_INET : AF_INET6, host->address + (is_v4 ? 12 : 0), text, sizeof text) &&
         wt_certificate_matches(certificate, text);
}

/* The caller holds the lock. */
static bool host_is_known(struct hosts *hosts, const struct host *host) {
  if (hosts->has_recent && host_equal(&hosts->recent, host)) return true;
  if (!certificate_has(hosts->certificate, host) && !(host->is_address && address_is_own(hosts, host->address)))
    return false;
  hosts->recent = *host;
  return hosts->has_recent = true;
}

enum host_verdict hosts_check(struct hosts *hosts, const char *authority) {
  struct host host;
  uint16_t port;
  if (!authority || !authority_parse(authority, &host, &port)) return HOST_MALFORMED;
  if (hosts->any || list_has(hosts, &host)) return HOST_OURS;
  if (host.is_address && address_is_loopback(host.address)) return HOST_OURS;
  if (host.is_address && address_is_unspecified(host.address)) return HOST_FOREIGN;
  pthread_mutex_lock(&hosts->lock);
  bool ours = host_is_known(hosts, &host);
  pthread_mutex_unlock(&hosts->lock);
  return ours ? HOST_OURS : HOST_FOREIGN;
}
