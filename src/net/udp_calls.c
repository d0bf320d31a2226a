/* SPDX-License-Identifier: MIT */

/*
 * Which of the system's calls for packets can be used.
 *
 * A sandbox (a seccomp filter, an emulated kernel) may refuse recvmmsg and sendmmsg, which not every program needs, with
 * any errno it likes, and allow recvmsg and sendmsg. So each socket is asked when it is opened, in a way that neither
 * reads nor sends a packet:
 *
 *     recvmmsg, recvmsg    look at the next packet and leave it there: EAGAIN, or a packet
 *     sendmmsg, sendmsg    a packet without a destination: EDESTADDRREQ
 *
 * Any other answer counts as a refusal. Where both calls of a direction are refused the socket is of no use, and the
 * start fails with a sentence: a server that hears nobody would be hard to notice.
 *
 * A call may also be refused later (a filter that the program sets up after its start). udp.c then does the same as
 * here: it takes the other call, and stays with it once that has worked.
 */

#include "net/udp_calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define TRIES 16 /* an errno that says "again" is believed so many times */

bool wt__call_refused(int os_error) {
  return os_error == ENOSYS || os_error == EPERM || os_error == EACCES || os_error == EINVAL ||
         os_error == EOPNOTSUPP || os_error == ENOMEM;
}

bool wt__call_refused_for_good(int os_error) { return wt__call_refused(os_error) && os_error != ENOMEM; }

int wt__udp_recv_single(int fd, struct mmsghdr *messages, int max) {
  int count = 0;
  for (int tries = 0; count < max && tries < TRIES;) {
    ssize_t len = recvmsg(fd, &messages[count].msg_hdr, MSG_DONTWAIT);
    if (len >= 0) {
      messages[count++].msg_len = (unsigned)len;
    } else if (errno == EINTR) {
      tries++;
    } else {
      break;
    }
  }
  return count > 0 ? count : -1;
}

/* --- The probe --- */

static int probe_recv(struct wt__udp *udp) {
  uint8_t byte;
  struct iovec iovec = {.iov_base = &byte, .iov_len = 1};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &iovec, .msg_iovlen = 1}};
  const int flags = MSG_PEEK | MSG_DONTWAIT;
  udp->no_recvmmsg = recvmmsg(udp->fd, &message, 1, flags, NULL) < 0 && errno != EAGAIN;
  if (!udp->no_recvmmsg || recvmsg(udp->fd, &message.msg_hdr, flags) >= 0 || errno == EAGAIN) return 0;
  udp->refused = "recvmsg";
  return -1;
}

static int probe_send(struct wt__udp *udp) {
  uint8_t byte = 0;
  struct iovec iovec = {.iov_base = &byte, .iov_len = 1};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &iovec, .msg_iovlen = 1}};
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  udp->no_sendmmsg = sendmmsg(udp->fd, &message, 1, flags) < 0 && errno != EDESTADDRREQ;
  udp->no_sendmsg = sendmsg(udp->fd, &message.msg_hdr, flags) < 0 && errno != EDESTADDRREQ;
  if (!udp->no_sendmmsg || !udp->no_sendmsg) return 0;
  udp->refused = "sendmsg";
  return -1;
}

int wt__udp_probe(struct wt__udp *udp) { return probe_recv(udp) || probe_send(udp) ? -1 : 0; }
