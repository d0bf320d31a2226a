/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_QUIC_PARAMS_H
#define WT_WIRE_QUIC_PARAMS_H

/* The transport parameter reset_stream_at (draft-ietf-quic-reliable-stream-reset, section 3) among others. */

#include <stddef.h>
#include <stdint.h>

#define WT__PARAM_RESET_STREAM_AT 0x1d
#define WT__PARAM_RESET_STREAM_AT_DRAFT UINT64_C(0x17f7586d2cb571) /* what the drafts used before that */

enum wt__reset_at_param {
  WT__RESET_AT_ABSENT,
  WT__RESET_AT_PRESENT,
  WT__RESET_AT_MALFORMED, /* not empty: TRANSPORT_PARAMETER_ERROR */
};

/* Looks for either number in the encoded transport parameters `data`. Parameters that cannot be read are left
 * to ngtcp2 to refuse. */
enum wt__reset_at_param wt__quic_params_find_reset_at(const uint8_t *data, size_t len);

/* Writes both, empty. Returns the length, WT__RESET_AT_PARAMS_LEN. */
#define WT__RESET_AT_PARAMS_LEN (1 + 1 + 8 + 1)
size_t wt__quic_params_write_reset_at(uint8_t *dst);

#endif
