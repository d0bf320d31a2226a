/* SPDX-License-Identifier: MIT */

/*
 * Several sockets on one address (SO_REUSEPORT), one for each worker: the kernel picks by a hash of the addresses.
 * That serves a connection until its client moves, and several connections of one client over one socket of its own
 * all fall on the same worker. So it is told to go by the connection id, with a program of the kernel's packet filter
 * that is run for each packet and returns the index of a socket:
 *
 *     short header     last byte of the id, whose length is that of all our ids     modulo the number of workers
 *     long header      likewise, by the length of the id that the packet tells (an empty id names worker 0)
 *
 * Our ids name their worker in this way (quic/cid.c). The id that a client makes up for its first packets is random, so
 * that new connections spread evenly, and a copy of such a packet comes to the same worker as the packet did.
 *
 * A packet too short to have the byte makes the program return 0: worker 0 drops it. An index beyond the sockets, while
 * they are being closed, makes the kernel go by the addresses again.
 *
 * It is not what correctness rests on: a packet that comes to a wrong worker (an older kernel, a sandbox, packets of
 * two connections that the kernel joined) is handed over in the process: quic/endpoint.c, net/inbox.c.
 */

#include "net/steer.h"

#include <linux/filter.h>
#include <sys/socket.h>

#define LONG_HEADER 0x80
#define SHORT_ID_AT 1
#define LONG_ID_LEN_AT 5 /* the id follows it */

bool wt__steer(const struct wt__udp *first, size_t cid_len, unsigned workers) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, LONG_HEADER, 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, LONG_ID_LEN_AT),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, LONG_ID_LEN_AT),
      BPF_STMT(BPF_JMP | BPF_JA, 1),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SHORT_ID_AT + cid_len - 1)),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog all = {.len = sizeof(program) / sizeof(*program), .filter = program};
  return setsockopt(first->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &all, sizeof(all)) == 0;
}
