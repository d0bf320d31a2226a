/* SPDX-License-Identifier: MIT */
/*
 * Field sections of the peer, from QPACK's bytes to fields (RFC 9204, section 4.5), with a decoder of our own beside the
 * one in nghttp3's connection.
 *
 * Why decode twice? nghttp3's connection drops a field with a forbidden character and does not say so: a request with a
 * foreign but dirty `origin` then looks like one without. And it decodes a section to its end, however large the fields
 * become: one byte can stand for an entry of 4,000 bytes in the dynamic table. Here every field is seen, checked and
 * counted, and decoding stops at the first one that is too much. nghttp3's connection gets the bytes afterwards (headers.c),
 * and never those of a section that was refused. The decoder itself is nghttp3's, too.
 *
 *    encoder stream --+--> wt__sections_recv_encoder   our dynamic table
 *                     +--> nghttp3's connection        its own; it also writes the decoder stream
 *    request stream -----> wt__section_decode --done--> nghttp3's connection
 *
 * Both tables are always the same, since only the encoder stream changes them. What our decoder would send to the peer
 * (acknowledgements) is dropped.
 *
 * A section is decoded in one go, when all of it is there. So a decoder keeps nothing of it, and an announced length costs
 * nothing before the bytes have come. Most peers use only QPACK's static table. Then the decoder has nothing to remember,
 * and lives only during the call.
 */

#include "h3/section.h"

#include <string.h>

#include <webtransport/error.h>

void wt__sections_init(struct wt__sections *sections, const nghttp3_mem *mem) {
  *sections = (struct wt__sections){.mem = mem};
}

void wt__sections_free(struct wt__sections *sections) {
  if (sections->context) nghttp3_qpack_stream_context_del(sections->context);
  if (sections->decoder) nghttp3_qpack_decoder_del(sections->decoder);
  sections->context = NULL;
  sections->decoder = NULL;
}

/* Makes what is not there yet. The context's stream id shows in acknowledgements alone. */
static bool sections_open(struct wt__sections *sections) {
  if (sections->decoder) return true;
  if (nghttp3_qpack_decoder_new(&sections->decoder, WT__QPACK_TABLE_CAPACITY, WT__QPACK_BLOCKED_STREAMS,
                                sections->mem) != 0) {
    sections->decoder = NULL;
    return false;
  }
  if (nghttp3_qpack_stream_context_new(&sections->context, 0, sections->mem) == 0) return true;
  sections->context = NULL;
  wt__sections_free(sections);
  return false;
}

int wt__sections_recv_encoder(struct wt__sections *sections, const uint8_t *data, size_t len) {
  nghttp3_ssize used;
  if (!sections_open(sections)) return NGHTTP3_ERR_NOMEM;
  used = nghttp3_qpack_decoder_read_encoder(sections->decoder, data, len);
  return used < 0 ? (int)used : 0;
}

/* Acknowledgements of one section at most: it is emptied after each. */
static bool decoder_stream_discard(nghttp3_qpack_decoder *decoder) {
  uint8_t bytes[64];
  nghttp3_buf buf = {bytes, bytes + sizeof(bytes), bytes, bytes};
  if (nghttp3_qpack_decoder_get_decoder_streamlen(decoder) > sizeof(bytes)) return false;
  nghttp3_qpack_decoder_write_decoder(decoder, &buf);
  return true;
}

static enum wt__section_result field_take(struct wt__fields *fields, const nghttp3_qpack_nv *nv) {
  nghttp3_vec name = nghttp3_rcbuf_get_buf(nv->name), value = nghttp3_rcbuf_get_buf(nv->value);
  int error = wt__fields_add(fields, name.base, name.len, value.base, value.len);
  nghttp3_rcbuf_decref(nv->name);
  nghttp3_rcbuf_decref(nv->value);
  switch (error) {
    case 0: return WT__SECTION_DONE;
    case WT_ERR_INVALID: return WT__SECTION_MALFORMED;
    case WT_ERR_TOO_LARGE: return WT__SECTION_TOO_LARGE;
    default: return WT__SECTION_NO_MEMORY;
  }
}

static enum wt__section_result section_read(const struct wt__sections *sections, const uint8_t *data, size_t len,
                                            struct wt__fields *fields, int *error) {
  enum wt__section_result result = WT__SECTION_DONE;
  while (result == WT__SECTION_DONE) {
    nghttp3_qpack_nv nv;
    uint8_t flags = 0;
    nghttp3_ssize n =
        nghttp3_qpack_decoder_read_request(sections->decoder, sections->context, &nv, &flags, data, len, 1);
    if (n < 0) {
      *error = (int)n;
      return WT__SECTION_BROKEN;
    }
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED) return WT__SECTION_BLOCKED;
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) return WT__SECTION_DONE;
    if (!(flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT)) {
      *error = NGHTTP3_ERR_QPACK_DECOMPRESSION_FAILED;
      return WT__SECTION_BROKEN;
    }
    data += n;
    len -= (size_t)n;
    result = field_take(fields, &nv);
  }
  return result;
}

enum wt__section_result wt__section_decode(struct wt__sections *sections, const uint8_t *data, size_t len,
                                           struct wt__fields *fields, int *error) {
  bool lasting = sections->decoder != NULL;
  enum wt__section_result result;
  *error = 0;
  if (!sections_open(sections)) return WT__SECTION_NO_MEMORY;
  result = section_read(sections, data, len, fields, error);
  /* After an error the context may hold a half of a field, which a reset would forget to free. */
  if (!lasting || result == WT__SECTION_BROKEN) {
    wt__sections_free(sections);
    return result;
  }
  nghttp3_qpack_stream_context_reset(sections->context);
  if (decoder_stream_discard(sections->decoder)) return result;
  *error = NGHTTP3_ERR_QPACK_FATAL;
  return WT__SECTION_BROKEN;
}
