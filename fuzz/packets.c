/* SPDX-License-Identifier: MIT */
/*
 * The interpreter of the packet targets. As in conn.c a script is a list of steps, but here they are frames of QUIC in
 * real packets: the decryption with its look at the frames, ngtcp2, RESET_STREAM_AT, streams with gaps, flow control,
 * connection ids, paths and keys are all there. Steps put frames into a packet, which leaves behind a step without
 * HOLD; the victim then has its turn. make_corpus.py has the same list of steps.
 */

#include "packets.h"

#include <string.h>

#include "app.h"
#include "base/mem.h"
#include "bytes.h"
#include "fuzz.h"
#include "hostile.h"
#include "wire/quic_frame.h"

#define HOLD 0x80     /* bit of a step: the packet waits for more frames */
#define STREAMS 32    /* of each of the four types */
#define STEPS_MAX 300 /* of a script: sealing packets takes time */

enum step {
  STEP_FRAMES = 0,   /* bytes: frames as they are */
  STEP_STREAM,       /* stream, bytes: what comes next on a stream */
  STEP_STREAM_AT,    /* stream, offset, bytes: also with gaps, or again */
  STEP_FIN,          /* stream */
  STEP_FIELDS,       /* stream, preset, fields */
  STEP_DATA,         /* stream, bytes */
  STEP_CAPSULE,      /* stream, type, bytes */
  STEP_WEBTRANSPORT, /* stream, session's stream, bytes */
  STEP_SETTINGS,     /* preset */
  STEP_CONTROL,      /* type, bytes */
  STEP_RESET,        /* stream, code, final size, reliable size; 0: a plain one */
  STEP_STOP,         /* stream, code */
  STEP_NUMBERS,      /* type, three numbers: a frame of varints */
  STEP_DATAGRAM,     /* session's stream, bytes */
  STEP_PATH,         /* answers or asks: eight bytes */
  STEP_NEW_ID,       /* sequence number, retire prior to, id */
  STEP_CRYPTO,       /* offset, bytes */
  STEP_CLOSE,        /* code, reason */
  STEP_REPEAT,       /* place, change: the last packet again */
  STEP_UDP,          /* bytes: a datagram that nobody sealed */
  STEP_KEYS,         /* new ones */
  STEP_MIGRATE,
  STEP_LISTEN, /* whether the victim's packets are acknowledged */
  STEP_TIME,   /* milliseconds, times 16 */
  STEP_APP,    /* object, action */
  STEP_ASK,
  STEP_REQUEST,
  STEP_SHUTDOWN,
  STEP_MUTATE,    /* place, value: of the packet that leaves next */
  STEP_NO_MEMORY, /* count */
  STEP_ROTATE,    /* configuration of connection ids */
  STEPS
};

struct play {
  bool client;
  struct script script;
  struct app app;
  struct hostile *hostile;
  struct chunk out;
  uint64_t sent[4][STREAMS]; /* how far each stream is */
  bool mutate;
  size_t mutate_at;
  uint8_t mutate_value;
};

/* --- Frames --- */

static int64_t script_stream(struct script *script) {
  uint8_t byte = script_byte(script);
  return (int64_t)(byte & 3) + 4 * (byte >> 2 & (STREAMS - 1));
}

static void put_stream(struct chunk *out, int64_t id, uint64_t offset, const struct chunk *bytes, bool fin) {
  chunk_byte(out, (uint8_t)(0x0e | fin)); /* with offset and length */
  chunk_varint(out, (uint64_t)id);
  chunk_varint(out, offset);
  chunk_varint(out, bytes->len);
  chunk_bytes(out, bytes->data, bytes->len);
}

static void put_next(struct play *play, int64_t id, const struct chunk *bytes, bool fin) {
  uint64_t *sent = &play->sent[id & 3][id / 4];
  put_stream(&play->out, id, *sent, bytes, fin);
  *sent += bytes->len;
}

static int64_t stream_control(const struct play *play) { return play->client ? 3 : 2; }

static void step_frame_of_http(struct play *play, int64_t id, uint64_t type) {
  struct chunk payload = {.len = 0}, frame = {.len = 0};
  chunk_script(&payload, &play->script);
  chunk_frame(&frame, type, &payload);
  put_next(play, id, &frame, false);
}

static void step_capsule(struct play *play, int64_t id) {
  uint64_t type = script_some_capsule(&play->script);
  struct chunk value = {.len = 0}, capsule = {.len = 0}, frame = {.len = 0};
  chunk_script(&value, &play->script);
  chunk_frame(&capsule, type, &value);
  chunk_frame(&frame, 0x00, &capsule);
  put_next(play, id, &frame, false);
}

static void step_webtransport(struct play *play, int64_t id) {
  struct chunk bytes = {.len = 0};
  chunk_varint(&bytes, id & 2 ? 0x54 : 0x41);
  chunk_varint(&bytes, (uint64_t)script_stream(&play->script));
  chunk_script(&bytes, &play->script);
  put_next(play, id, &bytes, false);
}

static void step_reset(struct play *play, int64_t id) {
  struct script *script = &play->script;
  struct wt__quic_frame frame = {.id = (uint64_t)id, .code = script_some_code(script)};
  uint8_t bytes[WT__FRAME_RESET_MAX];
  frame.final_size = play->sent[id & 3][id / 4] + script_byte(script);
  frame.reliable_size = script_byte(script);
  frame.type = frame.reliable_size ? WT__FRAME_RESET_STREAM_AT : WT__FRAME_RESET_STREAM;
  chunk_bytes(&play->out, bytes, wt__quic_frame_write_reset(bytes, &frame));
}

/* Small ones, and those at the borders. */
static uint64_t script_some_number(struct script *script) {
  static const uint64_t numbers[] = {UINT64_C(1) << 60,
                                     (UINT64_C(1) << 62) - 1,
                                     UINT64_C(1) << 31,
                                     16383,
                                     (UINT64_C(1) << 60) + 1,
                                     UINT64_C(1) << 32,
                                     65536,
                                     1073741824};
  uint8_t byte = script_byte(script);
  return byte < 248 ? byte : numbers[byte - 248];
}

static void step_numbers(struct play *play) {
  static const struct {
    uint8_t type, count;
  } frames[] = {
      {0x01, 0}, {0x02, 4}, {0x03, 4}, {0x10, 1}, {0x11, 2}, {0x12, 1}, {0x13, 1}, {0x14, 1},
      {0x15, 2}, {0x16, 1}, {0x17, 1}, {0x19, 1}, {0x1e, 0}, {0x24, 3}, {0x07, 1}, {0x2f, 2},
  };
  unsigned which = script_byte(&play->script) % (sizeof(frames) / sizeof(frames[0]));
  chunk_byte(&play->out, frames[which].type);
  for (unsigned i = 0; i < frames[which].count; i++) chunk_varint(&play->out, script_some_number(&play->script));
}

static void step_datagram(struct play *play) {
  struct chunk bytes = {.len = 0};
  chunk_varint(&bytes, (uint64_t)script_stream(&play->script) / 4);
  chunk_script(&bytes, &play->script);
  chunk_byte(&play->out, 0x31);
  chunk_varint(&play->out, bytes.len);
  chunk_bytes(&play->out, bytes.data, bytes.len);
}

static void step_new_id(struct play *play) {
  uint8_t id[8], token[16] = {1};
  chunk_byte(&play->out, 0x18);
  chunk_varint(&play->out, script_some_number(&play->script));
  chunk_varint(&play->out, script_some_number(&play->script));
  memset(id, script_byte(&play->script), sizeof(id));
  chunk_byte(&play->out, sizeof(id));
  chunk_bytes(&play->out, id, sizeof(id));
  chunk_bytes(&play->out, token, sizeof(token));
}

static void step_crypto(struct play *play) {
  struct chunk bytes = {.len = 0};
  chunk_byte(&play->out, 0x06);
  chunk_varint(&play->out, script_some_number(&play->script));
  chunk_script(&bytes, &play->script);
  chunk_varint(&play->out, bytes.len);
  chunk_bytes(&play->out, bytes.data, bytes.len);
}

static void step_close(struct play *play) {
  struct chunk reason = {.len = 0};
  chunk_byte(&play->out, 0x1d);
  chunk_varint(&play->out, script_some_code(&play->script));
  chunk_script(&reason, &play->script);
  chunk_varint(&play->out, reason.len);
  chunk_bytes(&play->out, reason.data, reason.len);
}

/* --- Steps --- */

static void play_stream(struct play *play, enum step step) {
  struct script *script = &play->script;
  struct chunk bytes = {.len = 0};
  int64_t id = script_stream(script);
  switch (step) {
    case STEP_STREAM:
      chunk_script(&bytes, script);
      put_next(play, id, &bytes, false);
      break;
    case STEP_STREAM_AT: {
      uint64_t offset = script_some_number(script);
      chunk_script(&bytes, script);
      put_stream(&play->out, id, offset, &bytes, script_byte(script) & 1);
      break;
    }
    case STEP_FIN: put_next(play, id, &bytes, true); break;
    case STEP_FIELDS:
      chunk_headers(&bytes, script);
      put_next(play, id, &bytes, false);
      break;
    case STEP_DATA: step_frame_of_http(play, id, 0x00); break;
    case STEP_CAPSULE: step_capsule(play, id); break;
    case STEP_WEBTRANSPORT: step_webtransport(play, id); break;
    case STEP_RESET: step_reset(play, id); break;
    default: /* STEP_STOP */
      chunk_byte(&play->out, WT__FRAME_STOP_SENDING);
      chunk_varint(&play->out, (uint64_t)id);
      chunk_varint(&play->out, script_some_code(script));
      break;
  }
}

static void play_application(struct play *play, enum step step) {
  if (!hostile_is_open(play->hostile)) return;
  switch (step) {
    case STEP_APP: app_step(&play->app); break;
    case STEP_ASK:
      if (play->client) app_dial(&play->app);
      break;
    case STEP_REQUEST:
      if (play->client) app_exchange(&play->app);
      break;
    default: hostile_shutdown(play->hostile); break;
  }
}

static void play_udp(struct play *play) {
  struct chunk bytes = {.len = 0};
  chunk_script(&bytes, &play->script);
  hostile_send_datagram(play->hostile, bytes.data, bytes.len);
}

static void play_around(struct play *play, enum step step) {
  struct script *script = &play->script;
  switch (step) {
    case STEP_REPEAT: {
      size_t at = (size_t)script_number(script);
      hostile_repeat(play->hostile, at, script_byte(script));
      break;
    }
    case STEP_UDP: play_udp(play); break;
    case STEP_KEYS: hostile_update_key(play->hostile); break;
    case STEP_MIGRATE: hostile_migrate(play->hostile); break;
    case STEP_LISTEN: hostile_listen(play->hostile, script_byte(script) & 1); break;
    case STEP_TIME: hostile_run(play->hostile, script_byte(script) * UINT64_C(16)); break;
    case STEP_MUTATE:
      play->mutate = true;
      play->mutate_at = (size_t)script_number(script);
      play->mutate_value = script_byte(script);
      break;
    case STEP_NO_MEMORY: wt__mem_fail_after(script_byte(script)); break;
    case STEP_ROTATE: hostile_rotate(play->hostile, script_byte(script)); break;
    default: play_application(play, step); break;
  }
}

static void play_step(struct play *play, enum step step) {
  struct chunk bytes = {.len = 0};
  switch (step) {
    case STEP_FRAMES: chunk_script(&play->out, &play->script); break;
    case STEP_STREAM:
    case STEP_STREAM_AT:
    case STEP_FIN:
    case STEP_FIELDS:
    case STEP_DATA:
    case STEP_CAPSULE:
    case STEP_WEBTRANSPORT:
    case STEP_RESET:
    case STEP_STOP: play_stream(play, step); break;
    case STEP_SETTINGS:
      chunk_settings(&bytes, &play->script);
      put_next(play, stream_control(play), &bytes, false);
      break;
    case STEP_CONTROL: step_frame_of_http(play, stream_control(play), script_some_type(&play->script)); break;
    case STEP_NUMBERS: step_numbers(play); break;
    case STEP_DATAGRAM: step_datagram(play); break;
    case STEP_PATH:
      chunk_byte(&play->out, script_byte(&play->script) & 1 ? 0x1a : 0x1b);
      chunk_bytes(&play->out, "12345678", 8);
      break;
    case STEP_NEW_ID: step_new_id(play); break;
    case STEP_CRYPTO: step_crypto(play); break;
    case STEP_CLOSE: step_close(play); break;
    default: play_around(play, step); break;
  }
}

static void play_send(struct play *play) {
  struct chunk *out = &play->out;
  if (out->len > 0 && play->mutate) {
    out->data[play->mutate_at % out->len] ^= play->mutate_value;
    play->mutate = false;
  }
  if (out->len > 0) hostile_send(play->hostile, out->data, out->len);
  out->len = 0;
  hostile_run(play->hostile, 0);
}

void packets_play(bool client, const uint8_t *data, size_t size) {
  static struct play play;
  memset(&play, 0, sizeof(play));
  play.client = client;
  if (!script_init(&play.script, data, size)) return;
  app_init(&play.app, &play.script, client);
  play.hostile = hostile_new(client, &play.app, script_byte(&play.script));
  for (int i = 0; i < STEPS_MAX && !script_is_over(&play.script) && hostile_is_open(play.hostile); i++) {
    uint8_t step = script_byte(&play.script);
    play_step(&play, (enum step)((step & ~HOLD) % STEPS));
    if (!(step & HOLD)) play_send(&play);
  }
  hostile_free(play.hostile);
  app_check_ended(&play.app);
}
