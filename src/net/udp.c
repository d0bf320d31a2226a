/* SPDX-License-Identifier: MIT */

/*
 * A UDP socket that costs few system calls.
 *
 *   in:   recvmmsg, many messages in a call; with UDP_GRO each is several datagrams that the kernel joined
 *   out:  one sendmsg with UDP_SEGMENT (GSO) for many packets; where the kernel or the device refuses that,
 *         sendmmsg from then on
 *         one sendmmsg for packets to many peers, a message for each, which again may be many packets (GSO)
 *
 * A sandbox may refuse calls that most programs do not need. Then another one takes its place: udp_calls.c.
 *
 * With each message comes what QUIC must know: the address it was sent to (pktinfo), since on a wildcard
 * socket the answer has to leave from that address, and the ECN bits of its IP header (RFC 9000,
 * section 13.4). The same goes out as control messages.
 *
 * Packets are never fragmented: path MTU discovery is QUIC's (RFC 9000, section 14), so the kernel is told
 * to set "don't fragment" and to forget the path MTU that it believes in.
 *
 * Losing packets is what networks do and what QUIC repairs, so only a full socket and packets too large for the interface
 * are told to the caller. An unreachable network, a refusing firewall: such packets count as lost. When a
 * fallback send takes the first packets of a batch and then no more, the rest is lost too: the caller
 * would otherwise send the first ones again, perhaps for ever. Losses that no network explains are counted, so that
 * the caller can say why nobody hears it.
 *
 * It is not the event loop (net/loop.c) and knows nothing of connections.
 */

#include "net/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "net/udp_calls.h"

#define RECV_MAX 65536      /* a message that GRO joined fits */
#define SEND_MAX 65000      /* bytes in one GSO call: below the largest UDP payload */
#define SEND_PACKETS_MAX 64 /* segments that every kernel with GSO takes */

/* Control messages of one packet in either direction: address, ECN, segment size. */
#define CONTROL_MAX (CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)))

union control {
  struct cmsghdr align;
  uint8_t bytes[CONTROL_MAX];
};

struct wt__udp_batch {
  struct mmsghdr messages[WT__UDP_MESSAGES];
  struct iovec iovecs[WT__UDP_MESSAGES];
  struct wt__path paths[WT__UDP_MESSAGES];
  union control controls[WT__UDP_MESSAGES];
  uint8_t data[WT__UDP_MESSAGES][RECV_MAX];
};

struct wt__udp_batch *wt__udp_batch_new(void) {
  struct wt__udp_batch *batch = wt__malloc(sizeof(*batch)); /* not cleared: most pages are never touched */
  if (!batch) return NULL;
  memset(batch, 0, offsetof(struct wt__udp_batch, data));
  return batch;
}

void wt__udp_batch_free(struct wt__udp_batch *batch) { wt__free(batch); }

/* --- Opening --- */

static int option_set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value));
}

/* What the server cannot do without: on which address a packet came. */
static int options_require(struct wt__udp *udp, int family) {
  udp->refused = family == AF_INET ? "setsockopt IP_PKTINFO" : "setsockopt IPV6_RECVPKTINFO";
  if (family == AF_INET) return option_set(udp->fd, IPPROTO_IP, IP_PKTINFO, 1);
  return option_set(udp->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* IPv4 has a socket of its own. Only before the socket is bound. */
static int v6_alone(struct wt__udp *udp) {
  udp->refused = "setsockopt IPV6_V6ONLY";
  return udp->family == AF_INET6 ? option_set(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
}

/* What makes it better; an older kernel or a sandbox may lack each. */
static void options_prefer(int fd, int family) {
  if (family == AF_INET) {
    option_set(fd, IPPROTO_IP, IP_RECVTOS, 1);
    option_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  } else {
    option_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    option_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    option_set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  }
  option_set(fd, SOL_SOCKET, SO_RCVBUF, WT__UDP_SOCKET_BUFFER);
  option_set(fd, SOL_SOCKET, SO_SNDBUF, WT__UDP_SOCKET_BUFFER);
  option_set(fd, IPPROTO_UDP, UDP_GRO, 1);
}

static int udp_bind(struct wt__udp *udp, const struct wt__address *address) {
  udp->refused = "bind";
  return bind(udp->fd, (const struct sockaddr *)&address->storage, address->len);
}

static int udp_name(struct wt__udp *udp) {
  udp->refused = "getsockname";
  udp->bound.len = sizeof(udp->bound.storage);
  return getsockname(udp->fd, (struct sockaddr *)&udp->bound.storage, &udp->bound.len);
}

static int beside_allow(struct wt__udp *udp) {
  udp->refused = "setsockopt SO_REUSEPORT";
  return option_set(udp->fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* What can be known of a socket that is bound. */
static int udp_learn(struct wt__udp *udp) {
  int segment;
  socklen_t len = sizeof(segment);
  if (udp_name(udp) || wt__udp_probe(udp)) return -1;
  udp->gso = !udp->no_sendmsg && getsockopt(udp->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &len) == 0;
  return 0;
}

static int udp_open(struct wt__udp *udp, const struct wt__address *address, bool beside, int *os_error) {
  memset(udp, 0, sizeof(*udp));
  udp->family = address->storage.ss_family;
  udp->refused = "socket";
  udp->fd = socket(udp->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (udp->fd < 0 || v6_alone(udp) || options_require(udp, udp->family)) goto failed;
  options_prefer(udp->fd, udp->family);
  if ((beside && beside_allow(udp)) || udp_bind(udp, address) || udp_learn(udp)) goto failed;
  return 0;

failed:
  *os_error = errno;
  wt__udp_close(udp);
  return WT_ERR_IO;
}

int wt__udp_open(struct wt__udp *udp, const struct wt__address *address, int *os_error) {
  return udp_open(udp, address, false, os_error);
}

/* The first socket allows others only now that it is bound: a port that somebody else listens on is still an error. */
int wt__udp_open_beside(struct wt__udp *udp, struct wt__udp *first, int *os_error) {
  udp->fd = -1;
  if (beside_allow(first)) {
    udp->refused = first->refused;
    *os_error = errno;
    return WT_ERR_IO;
  }
  return udp_open(udp, &first->bound, true, os_error);
}

/* Whether a socket is one of UDP. Its options are those of the process that opened it: they are a part of the socket. */
static bool is_udp(int fd) {
  int type = 0, protocol = 0;
  socklen_t len = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_DGRAM) return false;
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_UDP;
}

/* Before anything is sent, which would bind it. */
static int bound_check(struct wt__udp *udp) {
  if (udp_name(udp)) return -1;
  udp->refused = "it is bound to no port";
  errno = EINVAL;
  return wt__address_port((const struct sockaddr *)&udp->bound.storage) ? 0 : -1;
}

int wt__udp_adopt(struct wt__udp *udp, int fd, int *os_error) {
  memset(udp, 0, sizeof(*udp));
  udp->fd = fd;
  udp->refused = "getsockopt SO_TYPE";
  errno = 0;
  bool good = is_udp(fd) && bound_check(udp) == 0 && udp_learn(udp) == 0;
  udp->family = udp->bound.storage.ss_family;
  if (good && (udp->family == AF_INET || udp->family == AF_INET6)) return 0;
  *os_error = errno ? errno : EPROTOTYPE;
  udp->fd = -1;
  return WT_ERR_IO;
}

/* Of a socket that somebody else has bound: an IPv6 one that takes IPv4 too would count all IPv4 clients as one address. */
static int v6_check(struct wt__udp *udp) {
  int alone = 1;
  socklen_t len = sizeof(alone);
  if (udp->family != AF_INET6) return 0;
  udp->refused = "it takes IPv4 too (IPV6_V6ONLY is not set)";
  if (getsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, &len)) return -1;
  errno = EINVAL;
  return alone ? 0 : -1;
}

int wt__udp_duplicate(struct wt__udp *udp, int fd, int *os_error) {
  *udp = (struct wt__udp){.fd = -1, .refused = "fcntl F_DUPFD_CLOEXEC"};
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    *os_error = errno;
    return WT_ERR_IO;
  }
  int error = wt__udp_adopt(udp, copy, os_error);
  udp->fd = copy;
  if (error) goto failed;
  if (v6_check(udp) || options_require(udp, udp->family)) goto option_failed;
  udp->refused = "fcntl O_NONBLOCK";
  int flags = fcntl(copy, F_GETFL);
  if (flags < 0 || fcntl(copy, F_SETFL, flags | O_NONBLOCK)) goto option_failed;
  options_prefer(copy, udp->family);
  return 0;

option_failed:
  *os_error = errno;
failed:
  wt__udp_close(udp);
  return WT_ERR_IO;
}

void wt__udp_close(struct wt__udp *udp) {
  if (udp->fd >= 0) close(udp->fd);
  udp->fd = -1;
}

/* --- Receiving --- */

static void batch_prepare(struct wt__udp_batch *batch, struct wt__udp *udp) {
  for (size_t i = 0; i < WT__UDP_MESSAGES; i++) {
    batch->iovecs[i] = (struct iovec){.iov_base = batch->data[i], .iov_len = RECV_MAX};
    batch->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &batch->paths[i].remote,
        .msg_namelen = sizeof(batch->paths[i].remote),
        .msg_iov = &batch->iovecs[i],
        .msg_iovlen = 1,
        .msg_control = &batch->controls[i],
        .msg_controllen = sizeof(batch->controls[i]),
    };
    batch->paths[i].socket = udp->stands_for ? udp->stands_for : udp;
    batch->paths[i].local = udp->bound.storage;
    batch->paths[i].local_len = udp->bound.len;
  }
}

static void local_set_v4(struct wt__path *path, const void *data) {
  struct in_pktinfo info;
  memcpy(&info, data, sizeof(info));
  ((struct sockaddr_in *)(void *)&path->local)->sin_addr = info.ipi_addr;
}

static void local_set_v6(struct wt__path *path, const void *data) {
  struct in6_pktinfo info;
  memcpy(&info, data, sizeof(info));
  struct sockaddr_in6 *local = (struct sockaddr_in6 *)(void *)&path->local;
  local->sin6_addr = info.ipi6_addr;
  /* A link-local address means something on its own link alone. */
  local->sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
}

static int control_int(const struct cmsghdr *control) {
  int value = 0;
  memcpy(&value, CMSG_DATA(control), sizeof(value));
  return value;
}

/* Reads address and ECN bits; returns the size of the datagrams, 0 if there is only one. */
static size_t controls_read(struct msghdr *header, struct wt__path *path, unsigned *ecn) {
  size_t segment = 0;
  *ecn = 0;
  for (struct cmsghdr *it = CMSG_FIRSTHDR(header); it; it = CMSG_NXTHDR(header, it)) {
    if (it->cmsg_level == IPPROTO_IP && it->cmsg_type == IP_PKTINFO) {
      local_set_v4(path, CMSG_DATA(it));
    } else if (it->cmsg_level == IPPROTO_IPV6 && it->cmsg_type == IPV6_PKTINFO) {
      local_set_v6(path, CMSG_DATA(it));
    } else if (it->cmsg_level == IPPROTO_IP && it->cmsg_type == IP_TOS) {
      *ecn = *CMSG_DATA(it) & 3; /* one byte, unlike the other way */
    } else if (it->cmsg_level == IPPROTO_IPV6 && it->cmsg_type == IPV6_TCLASS) {
      *ecn = (unsigned)control_int(it) & 3;
    } else if (it->cmsg_level == IPPROTO_UDP && it->cmsg_type == UDP_GRO) {
      int size = control_int(it);
      if (size > 0) segment = (size_t)size;
    }
  }
  return segment;
}

static void message_deliver(struct wt__udp_batch *batch, size_t index, wt__udp_receive receive, void *ctx) {
  struct msghdr *header = &batch->messages[index].msg_hdr;
  struct wt__path *path = &batch->paths[index];
  size_t len = batch->messages[index].msg_len;
  if (header->msg_flags & MSG_TRUNC) return;
  unsigned ecn;
  size_t segment = controls_read(header, path, &ecn);
  path->remote_len = header->msg_namelen;
  if (segment == 0 || segment > len) segment = len;
  for (size_t at = 0; at < len; at += segment) {
    receive(ctx, path, ecn, batch->data[index] + at, len - at < segment ? len - at : segment);
  }
}

/* Once. Where the call is refused, recvmsg is tried, and kept if it works. */
static int messages_recv(struct wt__udp *udp, struct wt__udp_batch *batch) {
  if (udp->no_recvmmsg) return wt__udp_recv_single(udp->fd, batch->messages, WT__UDP_MESSAGES);
  int count = recvmmsg(udp->fd, batch->messages, WT__UDP_MESSAGES, MSG_DONTWAIT, NULL);
  int refused = count < 0 && wt__call_refused(errno) ? errno : 0;
  if (!refused) return count;
  count = wt__udp_recv_single(udp->fd, batch->messages, WT__UDP_MESSAGES);
  if (count >= 0 || errno == EAGAIN) udp->no_recvmmsg = wt__call_refused_for_good(refused);
  return count;
}

bool wt__udp_recv(struct wt__udp *udp, struct wt__udp_batch *batch, wt__udp_receive receive, void *ctx) {
  batch_prepare(batch, udp);
  int count, tries = 0;
  do { /* an error may be one that the network told about an earlier packet: reading has cleared it */
    count = messages_recv(udp, batch);
  } while (count < 0 && errno != EAGAIN && ++tries < WT__UDP_TRIES);
  udp->recv_error = count < 0 ? errno : 0;
  for (int i = 0; i < count; i++) message_deliver(batch, (size_t)i, receive, ctx);
  return count == WT__UDP_MESSAGES;
}

/* --- Sending --- */

static void control_add(struct msghdr *header, int level, int type, const void *data, size_t len) {
  struct cmsghdr *control = (struct cmsghdr *)(void *)((uint8_t *)header->msg_control + header->msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(len);
  memcpy(CMSG_DATA(control), data, len);
  header->msg_controllen += CMSG_SPACE(len);
}

static void control_add_local(struct msghdr *header, const struct wt__path *path) {
  if (path->local.ss_family == AF_INET) {
    const struct sockaddr_in *local = (const struct sockaddr_in *)(const void *)&path->local;
    struct in_pktinfo info = {.ipi_spec_dst = local->sin_addr};
    control_add(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
  } else if (path->local.ss_family == AF_INET6) {
    const struct sockaddr_in6 *local = (const struct sockaddr_in6 *)(const void *)&path->local;
    struct in6_pktinfo info = {.ipi6_addr = local->sin6_addr, .ipi6_ifindex = local->sin6_scope_id};
    control_add(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
  }
}

/* The header that all packets of a batch share. */
static void header_init(struct msghdr *header, union control *control, const struct wt__path *path, unsigned ecn) {
  memset(control, 0, sizeof(*control));
  *header = (struct msghdr){
      .msg_name = (void *)(uintptr_t)&path->remote,
      .msg_namelen = path->remote_len,
      .msg_control = control,
  };
  control_add_local(header, path);
  if (ecn) {
    int bits = (int)ecn;
    bool v4 = path->remote.ss_family == AF_INET;
    control_add(header, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &bits, sizeof(bits));
  }
}

/* Whether the errno is one that the network told about an earlier packet, perhaps one to somebody else. */
static bool error_is_old(int os_error) {
  return os_error == ECONNREFUSED || os_error == EHOSTUNREACH || os_error == ENETUNREACH;
}

/* 0, or the errno. */
static int message_send(int fd, const struct msghdr *header) {
  ssize_t sent;
  int tries = 0;
  do { /* telling an old error has cleared it */
    sent = sendmsg(fd, header, MSG_NOSIGNAL);
  } while (sent < 0 && (errno == EINTR || error_is_old(errno)) && ++tries < WT__UDP_TRIES);
  return sent < 0 ? errno : 0;
}

static int batch_send_gso(int fd, const struct msghdr *shared, const uint8_t *data, size_t len, size_t segment) {
  struct msghdr header = *shared;
  struct iovec iovec = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
  uint16_t size = (uint16_t)segment;
  header.msg_iov = &iovec;
  header.msg_iovlen = 1;
  if (len > segment) control_add(&header, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
  return message_send(fd, &header);
}

/* One call of sendmmsg. Returns how many packets it took, or -1 with errno. */
static int messages_send(int fd, struct mmsghdr *messages, size_t count) {
  int sent, tries = 0;
  do {
    sent = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR && ++tries < WT__UDP_TRIES);
  return sent;
}

/* As many of the messages as go at once, by the call that the system allows. Returns how many, or -1 with errno. */
static int messages_some(struct wt__udp *udp, struct mmsghdr *messages, size_t count) {
  int sent = udp->no_sendmmsg ? -1 : messages_send(udp->fd, messages, count);
  int refused = udp->no_sendmmsg ? ENOSYS : errno;
  if (sent >= 0 || !wt__call_refused(refused) || udp->no_sendmsg) return sent;
  int error = message_send(udp->fd, &messages->msg_hdr);
  if (error == 0 && wt__call_refused_for_good(refused)) udp->no_sendmmsg = true;
  errno = error;
  return error ? -1 : 1;
}

/* Nothing is said of what the path did not carry: QUIC finds that out. */
static void packets_lost(struct wt__udp *udp, size_t count, int os_error) {
  if (os_error == EMSGSIZE) return;
  udp->send_error = os_error;
  udp->lost += count;
}

/* One message for each packet. `*taken` counts those that the kernel accepted; returns 0, EAGAIN, or EMSGSIZE if it has
 * found one too large, which is lost. */
static int batch_send_single(struct wt__udp *udp, const struct msghdr *shared, const uint8_t *data, size_t len,
                             size_t segment, size_t *taken) {
  struct mmsghdr messages[SEND_PACKETS_MAX];
  struct iovec iovecs[SEND_PACKETS_MAX];
  size_t count = 0;
  int result = 0;
  for (size_t at = 0; at < len && count < SEND_PACKETS_MAX; at += segment, count++) {
    size_t size = len - at < segment ? len - at : segment;
    iovecs[count] = (struct iovec){.iov_base = (void *)(uintptr_t)(data + at), .iov_len = size};
    messages[count] = (struct mmsghdr){.msg_hdr = *shared};
    messages[count].msg_hdr.msg_iov = &iovecs[count];
    messages[count].msg_hdr.msg_iovlen = 1;
  }
  *taken = 0;
  for (size_t at = 0; at < count;) {
    int sent = messages_some(udp, messages + at, count - at);
    if (sent < 0 && errno == EAGAIN) return EAGAIN;
    if (sent < 0 && errno == EMSGSIZE) result = EMSGSIZE;
    if (sent > 0) *taken += (size_t)sent;
    if (sent <= 0) {
      bool alone = errno == EMSGSIZE || error_is_old(errno); /* of the first packet: the others may pass */
      packets_lost(udp, alone ? 1 : count - at, errno);
      if (!alone) return result;
    }
    at += sent > 0 ? (size_t)sent : 1;
  }
  return result;
}

/* Kernels and drivers refuse joined packets with any errno. So whatever it is, packets by themselves are tried, unless it is
 * known that they would fare no better. */
static bool gso_refused(int error) { return error && error != EAGAIN && !error_is_old(error); }

/* Memory may be there again. */
static bool is_passing(int error) { return error == ENOMEM || error == ENOBUFS; }

/* Up to SEND_PACKETS_MAX packets. `*any`: the kernel took some. Returns 0, EAGAIN or EMSGSIZE. */
static int batch_send(struct wt__udp *udp, const struct msghdr *header, const uint8_t *data, size_t len, size_t segment,
                      bool *any) {
  size_t taken;
  int refused = 0;
  bool joined = len > segment;
  if (!udp->no_sendmsg && (udp->gso || !joined)) {
    refused = batch_send_gso(udp->fd, header, data, len, segment);
    if (refused == EAGAIN) return EAGAIN;
    if (refused == 0) *any = true;
    if (joined ? !gso_refused(refused) : !wt__call_refused(refused) || udp->no_sendmmsg) {
      if (refused) packets_lost(udp, (len + segment - 1) / segment, refused);
      return refused == EMSGSIZE ? EMSGSIZE : 0;
    }
  }
  int error = batch_send_single(udp, header, data, len, segment, &taken);
  if (taken) *any = true;
  /* The same packets pass another way: it was not the path or the size that the kernel disliked. */
  if (taken && joined && refused && !is_passing(refused) && error != EMSGSIZE) udp->gso = false;
  if (taken && !joined && wt__call_refused_for_good(refused)) udp->no_sendmsg = true;
  return error;
}

int wt__udp_send(struct wt__udp *udp, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                 size_t segment) {
  struct msghdr header;
  union control control;
  bool any = false;
  int result = 0;
  if (len == 0) return 0;
  if (segment == 0 || segment > len) segment = len;
  size_t batch = segment < SEND_MAX ? SEND_MAX / segment * segment : segment;
  if (batch > SEND_PACKETS_MAX * segment) batch = SEND_PACKETS_MAX * segment;
  header_init(&header, &control, path, ecn);
  for (size_t at = 0; at < len; at += batch) {
    size_t part = len - at < batch ? len - at : batch;
    int error = batch_send(udp, &header, data + at, part, segment, &any);
    if (error == EAGAIN && any) break;
    if (error == EAGAIN) return WT_ERR_AGAIN;
    if (error == EMSGSIZE) result = WT_ERR_TOO_LARGE;
  }
  return result;
}

/* Whether one message can carry the run. */
static bool run_is_message(const struct wt__udp *udp, const struct wt__packet_run *run) {
  size_t segment = run->segment;
  if (run->len <= segment) return true;
  return udp->gso && run->len <= SEND_PACKETS_MAX * segment && run->len <= SEND_MAX / segment * segment;
}

static void message_init(struct mmsghdr *message, struct iovec *iovec, union control *control,
                         const struct wt__packet_run *run) {
  uint16_t size = (uint16_t)run->segment;
  header_init(&message->msg_hdr, control, &run->path, run->ecn);
  *iovec = (struct iovec){.iov_base = (void *)(uintptr_t)run->data, .iov_len = run->len};
  message->msg_hdr.msg_iov = iovec;
  message->msg_hdr.msg_iovlen = 1;
  if (run->len > run->segment) control_add(&message->msg_hdr, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
}

size_t wt__udp_send_runs(struct wt__udp *udp, const struct wt__packet_run *runs, size_t count) {
  struct mmsghdr messages[WT__MAX_RUNS];
  struct iovec iovecs[WT__MAX_RUNS];
  union control controls[WT__MAX_RUNS];
  size_t prepared = 0;
  if (udp->no_sendmmsg) return 0;
  for (; prepared < count && prepared < WT__MAX_RUNS && run_is_message(udp, &runs[prepared]); prepared++)
    message_init(&messages[prepared], &iovecs[prepared], &controls[prepared], &runs[prepared]);
  int sent = prepared > 1 ? messages_some(udp, messages, prepared) : 0;
  return sent > 0 ? (size_t)sent : 0;
}
