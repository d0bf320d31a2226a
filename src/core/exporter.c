/* SPDX-License-Identifier: MIT */
/*
 * Keying material for an application (draft section 4.8; RFC 8446, section 7.5).
 *
 * The exporter of TLS belongs to the connection, and a connection may have many sessions. Two sessions must never get
 * the same bytes. So the draft uses one label for all of WebTransport. What differs between sessions and between uses
 * is in the context:
 *
 *     session id (8 bytes, not a varint) | length (1) label | length (1) context
 */

#include <string.h>

#include "core/session.h"

#define EXPORTER_LABEL "EXPORTER-WebTransport"
#define EXPORTER_PART_MAX 255 /* what a length of one byte can say */

static size_t part_write(uint8_t *dst, const void *part, size_t len) {
  dst[0] = (uint8_t)len;
  if (len > 0) memcpy(dst + 1, part, len);
  return 1 + len;
}

int wt_session_export_keying_material(const wt_session *session, const char *label, const void *context,
                                      size_t context_len, void *out, size_t out_len) {
  uint8_t bytes[8 + 2 * (1 + EXPORTER_PART_MAX)];
  size_t label_len = label ? strlen(label) : 0, len;
  if (!session || label_len == 0 || label_len > EXPORTER_PART_MAX || context_len > EXPORTER_PART_MAX ||
      (context_len > 0 && !context) || !out || out_len == 0) {
    return WT_ERR_INVALID;
  }
  const struct wt_transport *transport = session->mux->transport;
  if (session->ended) return WT_ERR_CLOSED;
  if (!transport->export_keys) return WT_ERR_UNSUPPORTED;
  for (len = 0; len < 8; len++) bytes[len] = (uint8_t)((uint64_t)session->id >> (56 - 8 * len));
  len += part_write(bytes + len, label, label_len);
  len += part_write(bytes + len, context, context_len);
  return transport->export_keys(session->mux->ctx, EXPORTER_LABEL, bytes, len, out, out_len);
}
