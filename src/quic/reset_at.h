/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_RESET_AT_H
#define WT_QUIC_RESET_AT_H

/*
 * RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset) at the edge of an ngtcp2 that does not know it.
 *
 *   reset_at_recv.c   the peer's: kept until their bytes are delivered, then given to ngtcp2
 *   reset_at_send.c   ours: sent in the place of DATAGRAM frames
 *
 * Both see packets in the clear, in the callbacks for decryption and encryption. A build with an ngtcp2 that
 * has the frame itself would leave out both files and what calls them.
 */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/idset.h"
#include "base/list.h"
#include "base/map.h"
#include "wire/quic_frame.h"

struct wt__conn;

/* A kept reset is an error when none of its bytes comes for this long, or for the idle timeout, if longer. Flow control
 * cannot be the reason: the final size has to be within the windows. */
#define WT__RESET_AT_TIMEOUT_MS 30000

/* --- Receiving --- */

struct wt__reset_at_recv {
  struct wt__map streams;     /* id -> record: of open streams that can be read, and of kept resets */
  void *found;                /* the record that was looked for last: most likely the next one too */
  struct wt__idset opened[2]; /* ordinals of the peer's streams that are or were open; [1]: unidirectional */
  uint64_t max_streams[2];    /* how many of them the peer may have opened */
  struct wt__list kept;       /* waiting for bytes, the longest without progress first */
  struct wt__list ready;      /* to be given to ngtcp2 */
  struct wt__list finals;     /* stopped by us, and ended by the peer: to be told */
  int error;                  /* of ngtcp2: what a frame, seen while decrypting, was; 0: nothing */

  /* The newest opened 1-RTT packet: first byte, connection id, packet number. */
  bool has_header, injecting;
  uint8_t first_byte;
  ngtcp2_cid dcid;
  uint64_t packet_number;
};

void wt__reset_at_recv_init(struct wt__conn *conn, uint64_t max_bidi, uint64_t max_uni);
void wt__reset_at_recv_free(struct wt__conn *conn);

/* While decrypting: a packet was opened; what is to become of a RESET_STREAM or RESET_STREAM_AT in it. */
void wt__reset_at_recv_packet(struct wt__conn *conn, const uint8_t *header, size_t len);
enum wt__frame_fate wt__reset_at_recv_judge(struct wt__conn *conn, const struct wt__quic_frame *frame);

/* While decrypting: a STREAM frame ends its stream, which has `final_size` bytes in all. */
void wt__reset_at_recv_seen_fin(struct wt__conn *conn, int64_t id, uint64_t final_size);
/* While decrypting: whether a STREAM frame with a FIN and without bytes changes nothing, since its stream was reset. */
bool wt__reset_at_recv_fin_is_late(struct wt__conn *conn, const struct wt__quic_frame *frame);
/* Tells h3 the final sizes of streams that were stopped by us and have ended in order: ngtcp2 tells nobody. */
void wt__reset_at_recv_tell_finals(struct wt__conn *conn);

/* What became of a stream that can be read. `opened` returns WT_ERR_NOMEM. */
int wt__reset_at_recv_opened(struct wt__conn *conn, int64_t id);
void wt__reset_at_recv_data(struct wt__conn *conn, int64_t id, uint64_t offset, size_t len);
/* A FIN was delivered. True: there is a reset of that stream, which is to be told in its place. */
bool wt__reset_at_recv_fin(struct wt__conn *conn, int64_t id, uint64_t *code, uint64_t *final_size);
void wt__reset_at_recv_stopped(struct wt__conn *conn, int64_t id); /* by our STOP_SENDING: it delivers no more */
/* ngtcp2 has applied a reset. Returns how many bytes of the stream are to be read all the same. */
uint64_t wt__reset_at_recv_reset(struct wt__conn *conn, int64_t id, uint64_t code, uint64_t final_size);
void wt__reset_at_recv_closed(struct wt__conn *conn, int64_t id);

/* Gives ngtcp2 the resets whose bytes are delivered. Never inside its callbacks, nor between the pieces of a
 * packet being written. Returns 0 or an error of ngtcp2. */
int wt__reset_at_recv_inject(struct wt__conn *conn);
/* When `expire` is due; UINT64_MAX: never. `expire` returns 0 or an error of ngtcp2. */
uint64_t wt__reset_at_recv_expiry(const struct wt__conn *conn);
int wt__reset_at_recv_expire(const struct wt__conn *conn);

/* --- Sending --- */

struct wt__reset_at_send {
  struct wt__map resets;  /* id -> a reset on its way, until the stream is closed */
  struct wt__list queue;  /* resets to send */
  struct wt__list flying; /* sent, the oldest first */
  struct wt__list fins;   /* streams whose reset has arrived, to be ended */
  bool carriers;          /* there may be some in the packet being written */
};

void wt__reset_at_send_init(struct wt__conn *conn);
void wt__reset_at_send_free(struct wt__conn *conn);

/* Whether the peer takes RESET_STREAM_AT, and DATAGRAM frames of the size of a carrier. */
bool wt__reset_at_send_possible(const struct wt__conn *conn);
/* Resets a stream of which all `final_size` bytes were given to ngtcp2. WT_ERR_NOMEM. */
int wt__reset_at_send_reset(struct wt__conn *conn, int64_t id, uint64_t code, uint64_t reliable_size,
                            uint64_t final_size);
/* Whether stream `id` is being reset in this way. */
bool wt__reset_at_send_has(const struct wt__conn *conn, int64_t id);
void wt__reset_at_send_closed(struct wt__conn *conn, int64_t id);

/* The oldest reset to send, as the payload of a DATAGRAM frame with the number `*number`. Returns its length;
 * 0: there is none. `expect`: ngtcp2 is about to be given it. `sent`: ngtcp2 took it. `encrypt`: a packet is
 * complete and about to be encrypted. */
size_t wt__reset_at_send_next(struct wt__conn *conn, uint8_t *carrier, uint64_t *number);
void wt__reset_at_send_expect(struct wt__conn *conn);
void wt__reset_at_send_sent(struct wt__conn *conn);
void wt__reset_at_send_encrypt(struct wt__conn *conn, uint8_t *payload, size_t len);
/* The fate of a DATAGRAM frame, also of one that carries something else. */
void wt__reset_at_send_acked(struct wt__conn *conn, uint64_t number);
void wt__reset_at_send_lost(struct wt__conn *conn, uint64_t number);
/* When `expire` is due, which sends again what nothing was heard of; UINT64_MAX: never. */
uint64_t wt__reset_at_send_expiry(const struct wt__conn *conn);
void wt__reset_at_send_expire(struct wt__conn *conn);
/* The next stream to end with an empty FIN; -1: none. `ended`: that is done, or impossible. */
int64_t wt__reset_at_send_next_fin(const struct wt__conn *conn);
void wt__reset_at_send_ended(struct wt__conn *conn);

#endif
