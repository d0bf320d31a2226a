/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_ERROR_CODE_H
#define WT_WIRE_ERROR_CODE_H

/* Error codes on the wire: those of HTTP/3 (RFC 9114, 9297), of WebTransport (draft section 9.5), and the
 * mapping of application codes (draft section 4.4). */

#include <stdbool.h>
#include <stdint.h>

#define WT__H3_ERROR_LIST(X)             \
  X(H3_DATAGRAM_ERROR, 0x33)             \
  X(H3_NO_ERROR, 0x100)                  \
  X(H3_GENERAL_PROTOCOL_ERROR, 0x101)    \
  X(H3_INTERNAL_ERROR, 0x102)            \
  X(H3_STREAM_CREATION_ERROR, 0x103)     \
  X(H3_CLOSED_CRITICAL_STREAM, 0x104)    \
  X(H3_FRAME_UNEXPECTED, 0x105)          \
  X(H3_FRAME_ERROR, 0x106)               \
  X(H3_EXCESSIVE_LOAD, 0x107)            \
  X(H3_ID_ERROR, 0x108)                  \
  X(H3_SETTINGS_ERROR, 0x109)            \
  X(H3_MISSING_SETTINGS, 0x10a)          \
  X(H3_REQUEST_REJECTED, 0x10b)          \
  X(H3_REQUEST_CANCELLED, 0x10c)         \
  X(H3_REQUEST_INCOMPLETE, 0x10d)        \
  X(H3_MESSAGE_ERROR, 0x10e)             \
  X(H3_CONNECT_ERROR, 0x10f)             \
  X(H3_VERSION_FALLBACK, 0x110)          \
  X(QPACK_DECOMPRESSION_FAILED, 0x200)   \
  X(QPACK_ENCODER_STREAM_ERROR, 0x201)   \
  X(QPACK_DECODER_STREAM_ERROR, 0x202)   \
  X(WT_FLOW_CONTROL_ERROR, 0x045d4487)   \
  X(WT_ALPN_ERROR, 0x0817b3dd)           \
  X(WT_SESSION_GONE, 0x170d7b68)         \
  X(WT_REQUIREMENTS_NOT_MET, 0x212c0d48) \
  X(WT_BUFFERED_STREAM_REJECTED, 0x3994bd84)

enum wt__wire_error {
#define WT__H3_ERROR_ENUM(name, value) WT__##name = (value),
  WT__H3_ERROR_LIST(WT__H3_ERROR_ENUM)
#undef WT__H3_ERROR_ENUM
};

#define WT__APPLICATION_ERROR_FIRST UINT64_C(0x52e4a40fa8db)
#define WT__APPLICATION_ERROR_LAST UINT64_C(0x52e5ac983162)

/* The name of a wire code, "H3_ID_ERROR", or NULL. */
const char *wt__wire_error_name(uint64_t wire_code);

/* An application's code as it travels. */
uint64_t wt__error_to_wire(uint32_t code);

/* The application's code for one that came; false if it is outside the range or a reserved codepoint. */
bool wt__error_from_wire(uint64_t wire_code, uint32_t *code);

#endif
