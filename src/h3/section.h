/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_SECTION_H
#define WT_H3_SECTION_H

/* Field sections of the peer, decoded and checked by us before nghttp3's connection sees them (RFC 9204). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "h3/fields.h"

/* QPACK's limits, in our SETTINGS and in nghttp3's configuration. */
#define WT__QPACK_TABLE_CAPACITY 4096
#define WT__QPACK_BLOCKED_STREAMS 100

/* The decoder of a connection. */
struct wt__sections {
  const nghttp3_mem *mem;
  nghttp3_qpack_decoder *decoder;        /* NULL while the peer has not used the dynamic table */
  nghttp3_qpack_stream_context *context; /* likewise; of the section that is being decoded */
};

enum wt__section_result {
  WT__SECTION_DONE,
  WT__SECTION_BLOCKED,   /* it refers to entries that the encoder stream has not brought yet */
  WT__SECTION_MALFORMED, /* a character that is not allowed (RFC 9114, section 10.3) */
  WT__SECTION_TOO_LARGE, /* more than `fields->max`; what is behind was not decoded */
  WT__SECTION_NO_MEMORY,
  WT__SECTION_BROKEN, /* an error of the connection: `*error` is nghttp3's */
};

/* `mem` is borrowed. */
void wt__sections_init(struct wt__sections *sections, const nghttp3_mem *mem);
void wt__sections_free(struct wt__sections *sections);

/* Takes bytes of the peer's encoder stream, without the stream's type. Returns 0, or nghttp3's error. */
int wt__sections_recv_encoder(struct wt__sections *sections, const uint8_t *data, size_t len);

/* Decodes a whole section and adds its fields to `fields`. After BLOCKED nothing was
 * added; after any other result than DONE or BLOCKED the fields must not be used. */
enum wt__section_result wt__section_decode(struct wt__sections *sections, const uint8_t *data, size_t len,
                                           struct wt__fields *fields, int *error);

#endif
