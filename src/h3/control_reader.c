/* SPDX-License-Identifier: MIT */
/*
 * The one reader of the peer's control stream.
 *
 * nghttp3 reads all frames on it. We need two of them as well:
 *
 *   SETTINGS          nghttp3 does not show settings that it does not know (settings.c). We copy the payload. nghttp3 gets
 *                     the bytes as they come: if we held them back, a small window of the stream could keep the rest out.
 *   PRIORITY_UPDATE   nghttp3 would ignore one for a session (priority.c). Only servers read it. We hold it back until it is
 *                     whole: nghttp3 (1.8) has an assertion that fails if the bytes it gets end right behind the stream id,
 *                     and it takes the rest of one that was too long for the beginning of the next.
 *
 * We hold back heads of frames, too, since only a whole head tells the type. Everything else passes as it comes:
 *
 *            +--> HEAD --+-- SETTINGS, as the first frame ----> COPY --+-- whole: SETTINGS
 *   type --> |           +-- PRIORITY_UPDATE, of a server ----> HOLD --+-- whole: PRIORITY_UPDATE
 *            |           |                     too long ------> DROP --+
 *            |           +-- all others ----------------------> PASS --+
 *            +---------------------------------------------------------+
 *
 * If the first frame is not SETTINGS, nghttp3 ends the connection with H3_MISSING_SETTINGS. It has to see that frame for
 * this, so a PRIORITY_UPDATE that comes first is passed.
 *
 * A payload that arrives in one chunk is not copied. Other payloads are kept until they are whole: short ones inside the
 * reader, longer ones on the heap. WT__SETTINGS_PAYLOAD_MAX bounds them.
 */

#include "h3/control_reader.h"

#include <string.h>

#include "base/mem.h"
#include "wire/stream_header.h"

#define FRAME_SETTINGS 0x04
#define FRAME_PRIORITY_UPDATE 0xf0700 /* of a request stream (RFC 9218, section 7.2) */

enum taken {
  PASS = 0,
  COPY,
  HOLD,
  DROP
};

void wt__control_reader_init(struct wt__control_reader *reader, size_t type_len, bool takes_updates) {
  *reader = (struct wt__control_reader){.frames.left = type_len, .takes_updates = takes_updates};
}

void wt__control_reader_free(struct wt__control_reader *reader) {
  if (reader->kept != reader->small) wt__free(reader->kept);
  reader->kept = NULL;
  reader->kept_len = 0;
}

/* Keeps bytes of the frame that goes by; false: out of memory. */
static bool frame_keep(struct wt__control_reader *reader, const uint8_t *data, size_t len) {
  size_t whole = reader->kept_len + len + (size_t)reader->frames.left; /* `left` is behind `data` */
  if (!reader->kept) reader->kept = whole <= sizeof(reader->small) ? reader->small : wt__malloc(whole);
  if (!reader->kept) return false;
  memcpy(reader->kept + reader->kept_len, data, len);
  reader->kept_len += len;
  return true;
}

/* What becomes of a frame, told by its head. */
static enum taken frame_judge(struct wt__control_reader *reader, uint64_t type) {
  bool first = !reader->first_seen;
  reader->first_seen = true;
  if (first) return type == FRAME_SETTINGS ? COPY : PASS;
  if (type != FRAME_PRIORITY_UPDATE || !reader->takes_updates || reader->frames.left == 0) return PASS;
  return reader->frames.left > WT__PRIORITY_UPDATE_MAX ? DROP : HOLD;
}

static enum wt__control_event frame_begun(struct wt__control_reader *reader, uint64_t type,
                                          struct wt__control_piece *piece) {
  const struct wt__frames *frames = &reader->frames;
  if (type == WT__SIGNAL_BIDI) return WT__CONTROL_SIGNAL;
  reader->taken = frame_judge(reader, type);
  piece->bytes = frames->head;
  piece->len = frames->head_len;
  switch ((enum taken)reader->taken) {
    case PASS: return WT__CONTROL_PASS;
    case DROP: return WT__CONTROL_DROP;
    case HOLD: return frame_keep(reader, frames->head, frames->head_len) ? WT__CONTROL_KEPT : WT__CONTROL_NO_MEMORY;
    case COPY: break;
  }
  if (frames->left > WT__SETTINGS_PAYLOAD_MAX) return WT__CONTROL_SETTINGS_TOO_LONG;
  if (frames->left > 0) return WT__CONTROL_PASS;
  piece->payload = (const uint8_t *)"";
  return WT__CONTROL_SETTINGS;
}

/* Bytes of SETTINGS. */
static enum wt__control_event settings_recv(struct wt__control_reader *reader, struct wt__control_piece *piece) {
  bool whole = reader->frames.left == 0;
  if (whole && !reader->kept) {
    piece->payload = piece->bytes;
    piece->payload_len = piece->len;
    return WT__CONTROL_SETTINGS;
  }
  if (!frame_keep(reader, piece->bytes, piece->len)) return WT__CONTROL_NO_MEMORY;
  if (!whole) return WT__CONTROL_PASS;
  piece->payload = reader->kept;
  piece->payload_len = reader->kept_len;
  return WT__CONTROL_SETTINGS;
}

/* Bytes of a PRIORITY_UPDATE. Its head is kept already. */
static enum wt__control_event update_recv(struct wt__control_reader *reader, struct wt__control_piece *piece) {
  if (!frame_keep(reader, piece->bytes, piece->len)) return WT__CONTROL_NO_MEMORY;
  if (reader->frames.left > 0) return WT__CONTROL_KEPT;
  piece->bytes = reader->kept;
  piece->len = reader->kept_len;
  piece->payload = reader->kept + reader->frames.head_len;
  piece->payload_len = reader->kept_len - reader->frames.head_len;
  return WT__CONTROL_PRIORITY_UPDATE;
}

enum wt__control_event wt__control_read(struct wt__control_reader *reader, const uint8_t *data, size_t len,
                                        size_t *used, struct wt__control_piece *piece) {
  uint64_t type = 0;
  enum wt__frames_step step;
  if (reader->frames.left == 0) wt__control_reader_free(reader); /* what was kept of the frame before */
  step = wt__frames_step(&reader->frames, data, len, used, &type);
  *piece = (struct wt__control_piece){.bytes = data, .len = *used};
  if (step == WT__FRAMES_HEAD) return WT__CONTROL_KEPT;
  if (step == WT__FRAMES_BEGUN) return frame_begun(reader, type, piece);
  switch ((enum taken)reader->taken) {
    case COPY: return settings_recv(reader, piece);
    case HOLD: return update_recv(reader, piece);
    case DROP: return WT__CONTROL_DROP;
    case PASS: break;
  }
  return WT__CONTROL_PASS;
}
