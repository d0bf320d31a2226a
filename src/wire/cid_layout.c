/* SPDX-License-Identifier: MIT */

/*
 * Two families of balancers with layouts of their own, both in the clear.
 *
 * AWS's Network Load Balancer for QUIC documents 8 bytes of server id behind a first octet that it does not look at. QUIC-LB
 * without encryption writes just that, so the layout is a configuration of QUIC-LB.
 *
 * Katran (github.com/facebookincubator/katran, katran/lib/bpf/pckt_parsing.h) tells three versions apart by the two
 * highest bits of the id:
 *
 *     version 1    01hhhhhh hhhhhhhh hh......                         16 bits, across three bytes
 *     version 2    10...... hhhhhhhh hhhhhhhh hhhhhhhh                24 bits
 *     version 3    11...... hhhhhhhh hhhhhhhh hhhhhhhh hhhhhhhh       32 bits
 *
 * All dots are the server's. Katran keeps the host in a signed integer and takes only positive ones. It reads no id of an
 * Initial or 0-RTT packet: these go by the addresses.
 */

#include "wire/cid_layout.h"

#include <webtransport/error.h>

#define VERSION_SHIFT 6

int wt__cid_layout_nlb(size_t block_and_first_len, struct wt__lb_config *config) {
  if (block_and_first_len < 1 + WT__NLB_SERVER_ID_LEN + WT__LB_NONCE_MIN || block_and_first_len > WT__LB_CID_MAX) {
    return WT_ERR_INVALID;
  }
  *config = (struct wt__lb_config){
      .server_id_len = WT__NLB_SERVER_ID_LEN,
      .nonce_len = (uint8_t)(block_and_first_len - 1 - WT__NLB_SERVER_ID_LEN),
  };
  return 0;
}

uint32_t wt__katran_host_max(enum wt__katran version) {
  switch (version) {
    case WT__KATRAN_V1: return 0xffff;
    case WT__KATRAN_V2: return 0xffffff;
    case WT__KATRAN_V3: return 0x7fffffff;
  }
  return 0;
}

int wt__katran_write(enum wt__katran version, uint32_t host, uint8_t *id, size_t len) {
  if (len < WT__KATRAN_CID_MIN || host == 0 || host > wt__katran_host_max(version)) return WT_ERR_INVALID;
  id[0] = (uint8_t)((unsigned)version << VERSION_SHIFT | (id[0] & 0x3f));
  if (version == WT__KATRAN_V1) {
    id[0] = (uint8_t)((id[0] & 0xc0) | host >> 10);
    id[1] = (uint8_t)(host >> 2);
    id[2] = (uint8_t)(host << 6 | (id[2] & 0x3f));
    return 0;
  }
  unsigned bytes = version == WT__KATRAN_V2 ? 3 : 4;
  for (unsigned i = 0; i < bytes; i++) id[1 + i] = (uint8_t)(host >> 8 * (bytes - 1 - i));
  return 0;
}

uint32_t wt__katran_read(enum wt__katran version, const uint8_t *id, size_t len) {
  if (len < WT__KATRAN_CID_MIN || id[0] >> VERSION_SHIFT != (uint8_t)version) return 0;
  if (version == WT__KATRAN_V1) return (id[0] & 0x3fu) << 10 | (uint32_t)id[1] << 2 | id[2] >> 6;
  uint32_t host = 0;
  unsigned bytes = version == WT__KATRAN_V2 ? 3 : 4;
  for (unsigned i = 0; i < bytes; i++) host = host << 8 | id[1 + i];
  return host <= wt__katran_host_max(version) ? host : 0;
}
