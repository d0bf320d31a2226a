/* SPDX-License-Identifier: MIT */

/*
 * What a client asks the kernel about a destination, before and after it sends there.
 *
 * Before: which source address it would choose, or that there is no way at all (a machine without IPv6, no route).
 * A separate socket is connected for that; connecting a UDP socket sends nothing. QUIC has to know the address, because a
 * path is a pair of addresses.
 *
 * After: ICMP errors. A closed port answers with one at once, while QUIC alone would wait for a packet that never
 * comes. With IP_RECVERR the kernel keeps them in a queue, with the destination of the packet that each is about, so
 * that the socket can stay unconnected and serve all connections.
 *
 * An ICMP packet proves nothing about who sent it (RFC 9000, section 14.2.1), so callers believe it only about a
 * server that has not answered yet. The kernel's own errors about packets that are too large are no news: QUIC
 * finds out by itself what fits.
 */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h> /* before linux/errqueue.h, which wants struct timespec */
#include <unistd.h>

#include <linux/errqueue.h>
#include <uv.h>

#include <webtransport/error.h>

#include "net/udp.h"

/* Not by uv_strerror, which takes memory for each errno that it does not know, and never gives it back. */
const char *wt__os_error_text(int os_error) {
  static _Thread_local char text[128];
  return uv_strerror_r(uv_translate_sys_error(os_error), text, sizeof(text));
}

void wt__udp_want_errors(struct wt__udp *udp) {
  int on = 1;
  if (udp->family == AF_INET) {
    setsockopt(udp->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  } else {
    setsockopt(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
  }
}

/* The errno of a queued message that came from the network; 0: it is of another kind. */
static int message_error(struct msghdr *header) {
  for (struct cmsghdr *it = CMSG_FIRSTHDR(header); it; it = CMSG_NXTHDR(header, it)) {
    struct sock_extended_err told;
    bool v4 = it->cmsg_level == IPPROTO_IP && it->cmsg_type == IP_RECVERR;
    bool v6 = it->cmsg_level == IPPROTO_IPV6 && it->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    memcpy(&told, CMSG_DATA(it), sizeof(told));
    bool icmp = told.ee_origin == SO_EE_ORIGIN_ICMP || told.ee_origin == SO_EE_ORIGIN_ICMP6;
    if (icmp && told.ee_errno != EMSGSIZE) return (int)told.ee_errno;
  }
  return 0;
}

bool wt__udp_error(struct wt__udp *udp, struct wt__address *remote, int *os_error) {
  union {
    struct cmsghdr align;
    uint8_t bytes[256];
  } control;
  for (;;) {
    struct iovec none = {0};
    struct msghdr header = {
        .msg_name = &remote->storage,
        .msg_namelen = sizeof(remote->storage),
        .msg_iov = &none,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t len;
    int tries = 0;
    do {
      len = recvmsg(udp->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    } while (len < 0 && errno == EINTR && ++tries < WT__UDP_TRIES);
    udp->recv_error = len < 0 ? errno : 0;
    if (len < 0) return false;
    remote->len = header.msg_namelen;
    *os_error = message_error(&header);
    if (*os_error) return true;
  }
}

int wt__udp_source(const struct wt__address *remote, struct wt__address *local, int *os_error) {
  int fd = socket(remote->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  memset(local, 0, sizeof(*local));
  local->len = sizeof(local->storage);
  bool failed = fd < 0 || connect(fd, (const struct sockaddr *)&remote->storage, remote->len) ||
                getsockname(fd, (struct sockaddr *)&local->storage, &local->len);
  if (failed) *os_error = errno;
  if (fd >= 0) close(fd);
  wt__address_set_port(local, 0);
  return failed ? WT_ERR_IO : 0;
}
