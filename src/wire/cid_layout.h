/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_CID_LAYOUT_H
#define WT_WIRE_CID_LAYOUT_H

/* Where load balancers other than QUIC-LB's look for the server in a connection id: AWS's and Katran. */

#include <stddef.h>
#include <stdint.h>

#include "wire/lb_cid.h"

#define WT__NLB_SERVER_ID_LEN 8
#define WT__NLB_CID_LEN 16
#define WT__KATRAN_CID_MIN 8 /* Katran looks into no shorter id of a long header */

/* AWS Network Load Balancer: 8 bytes of server id in the clear behind the first octet. That is QUIC-LB without encryption.
 * `block_and_first_len` is the length of the id without the bytes that its server appends, WT__NLB_CID_LEN by default.
 * WT_ERR_INVALID for a length that leaves no nonce, or that no id has. */
int wt__cid_layout_nlb(size_t block_and_first_len, struct wt__lb_config *config);

/* Katran: two bits of version, then the number of the host. */
enum wt__katran {
  WT__KATRAN_V1 = 1, /* 16 bits, directly behind the version: they are not on a byte's border */
  WT__KATRAN_V2 = 2, /* 24 bits, from the second byte on */
  WT__KATRAN_V3 = 3, /* 32 bits, from the second byte on */
};

/* The largest number of a host: Katran takes 0, and what is negative in 32 bits, for "none". */
uint32_t wt__katran_host_max(enum wt__katran version);

/* Puts the host's number into an id that has random bytes so far, and leaves the other bits as they are. WT_ERR_INVALID if
 * the id is shorter than WT__KATRAN_CID_MIN, or the number is 0 or too large. */
int wt__katran_write(enum wt__katran version, uint32_t host, uint8_t *id, size_t len);

/* The host's number; 0 if the id is too short or has another version. */
uint32_t wt__katran_read(enum wt__katran version, const uint8_t *id, size_t len);

#endif
