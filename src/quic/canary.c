/* SPDX-License-Identifier: MIT */

/*
 * Some features stand on habits of ngtcp2 that its API does not promise: RESET_STREAM_AT (reset_at_send.c, reset_at_recv.c)
 * and new connection ids for running connections (cid_issue.c). ngtcp2 keeps its soname while it changes inside, so the
 * version that a program runs with may be newer than any that this library was tested with. If a habit were gone, peers would
 * get frames that make them close the connection.
 *
 * So a process tries each habit once, before its first endpoint, on two connections in memory (canary_pair.c), with the
 * functions of wire/ that the features use. A feature whose habit does not hold is switched off, and a line in the log
 * says so:
 *
 *     carriers         resets are RESET_STREAM, which waits until the stream's header is acknowledged; no probes of ours
 *     reset_at_in      the transport parameter is not announced, so that no peer sends RESET_STREAM_AT
 *     connection_ids   connections keep the ids that they began with when the configuration changes
 *
 * Whatever goes wrong on the way counts as not held. What ngtcp2 does with time (pacing, acknowledgements) is not tried: it
 * costs packets, not connections. docs/versions.md lists all of it.
 */

#include "quic/canary.h"

#include <ngtcp2/ngtcp2.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "quic/canary_pair.h"
#include "wire/quic_frame.h"

#define CODE 9
#define NUMBER_AHEAD 0x40 /* the first byte of a packet number that is 2^30 */
#define UNKNOWN_FRAME 0x21
#define CLIENT_BIDI 0 /* streams */
#define CLIENT_BIDI_NEXT 4
#define CLIENT_UNI 2
#define SERVER_UNI 3

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct wt__canary found;
static const struct wt__canary *pretended;

/* --- RESET_STREAM_AT in the place of a DATAGRAM frame --- */

static bool try_carriers(struct wt__canary_pair *pair) {
  const struct wt__quic_frame frame = {
      .type = WT__FRAME_RESET_STREAM_AT, .id = SERVER_UNI, .code = CODE, .final_size = 100, .reliable_size = 10};
  uint8_t carrier[WT__CARRIER_MAX];
  size_t len = wt__quic_carrier_write(carrier, &frame);
  pair->server.unwraps = true;
  wt__canary_send_datagram(&pair->server, carrier, len);
  pair->server.unwraps = false;
  wt__canary_pair_rest(pair);
  const struct wt__quic_frame *got = &pair->client.reset_at;
  return !pair->failed && got->type == frame.type && got->id == frame.id && got->code == frame.code &&
         got->final_size == frame.final_size && got->reliable_size == frame.reliable_size;
}

/* --- Resets in a packet that ngtcp2 forgets --- */

static size_t write_reset(uint8_t *dst, uint64_t id, uint64_t final_size) {
  const struct wt__quic_frame frame = {
      .type = WT__FRAME_RESET_STREAM, .id = id, .code = CODE, .final_size = final_size};
  return wt__quic_frame_write_reset(dst, &frame);
}

/* For one stream that is open and one that is not, as reset_at_recv.c writes it. */
static size_t packet_write(uint8_t *packet, const ngtcp2_cid *dcid) {
  size_t len = 0;
  packet[len++] = 0x43;
  memcpy(packet + len, dcid->data, dcid->datalen);
  len += dcid->datalen;
  const uint8_t number[4] = {NUMBER_AHEAD};
  memcpy(packet + len, number, sizeof(number));
  len += sizeof(number);
  len += write_reset(packet + len, CLIENT_BIDI, 1);
  const uint8_t stream[3] = {WT__FRAME_STREAM | 0x02, CLIENT_UNI, 0};
  memcpy(packet + len, stream, sizeof(stream));
  len += sizeof(stream);
  len += write_reset(packet + len, CLIENT_UNI, 0);
  packet[len++] = UNKNOWN_FRAME;
  memset(packet + len, 0, WT__CANARY_TAG);
  return len + WT__CANARY_TAG;
}

/* Afterwards both must be able to go on: the number of the packet is not used up, and not acknowledged. */
static bool try_reset_at_in(struct wt__canary_pair *pair) {
  const ngtcp2_cid *dcid = ngtcp2_conn_get_dcid(pair->client.quic);
  uint8_t packet[100 + WT__CANARY_TAG];
  int64_t id = -1;
  if (ngtcp2_conn_open_bidi_stream(pair->client.quic, &id, NULL) || id != CLIENT_BIDI) return false;
  wt__canary_send_byte(&pair->client, CLIENT_BIDI);
  if (pair->failed || pair->server.received != 1) return false;
  if (wt__canary_read(&pair->server, packet, packet_write(packet, dcid)) != NGTCP2_ERR_FRAME_ENCODING) return false;
  if (pair->server.resets != 2 || pair->server.opened != 2) return false;
  if (ngtcp2_conn_open_bidi_stream(pair->client.quic, &id, NULL) || id != CLIENT_BIDI_NEXT) return false;
  wt__canary_send_byte(&pair->client, CLIENT_BIDI_NEXT);
  wt__canary_pair_rest(pair);
  return !pair->failed && pair->server.received == 2;
}

/* --- Connection ids --- */

static bool set_limit(struct wt__canary_end *end, uint64_t limit) {
  ngtcp2_transport_params *params =
      (ngtcp2_transport_params *)(uintptr_t)ngtcp2_conn_get_remote_transport_params(end->quic);
  if (!params || params->active_connection_id_limit < WT__CANARY_LIMIT) return false;
  params->active_connection_id_limit = limit;
  return true;
}

/* One id beyond the limit, which makes the client retire all others; those are then replaced. */
static bool try_connection_ids(struct wt__canary_pair *pair) {
  struct wt__canary_end *server = &pair->server;
  if (server->ids_made != WT__CANARY_LIMIT - 1 || !set_limit(server, WT__CANARY_LIMIT + 1)) return false;
  server->retire_prior_to = WT__CANARY_LIMIT;
  wt__canary_flush(server);
  server->retire_prior_to = 0;
  if (server->ids_made != WT__CANARY_LIMIT) return false;
  wt__canary_flush(&pair->client);
  if (server->ids_retired != WT__CANARY_LIMIT || !set_limit(server, WT__CANARY_LIMIT)) return false;
  wt__canary_pair_run(pair);
  wt__canary_pair_rest(pair);
  return !pair->failed && server->ids_made == WT__CANARY_LIMIT + 1;
}

/* --- All --- */

/* Each on a pair of its own, so that none is blamed for another. */
static bool try_on_pair(bool (*habit)(struct wt__canary_pair *pair)) {
  struct wt__canary_pair pair;
  bool holds = wt__canary_pair_begin(&pair) && habit(&pair);
  wt__canary_pair_free(&pair);
  return holds;
}

void wt__canary_try(struct wt__canary *canary) {
  *canary = (struct wt__canary){
      .carriers = try_on_pair(try_carriers),
      .reset_at_in = try_on_pair(try_reset_at_in),
      .connection_ids = try_on_pair(try_connection_ids),
  };
}

static void try_once(void) { wt__canary_try(&found); }

const struct wt__canary *wt__canary(void) {
  pthread_once(&once, try_once);
  return pretended ? pretended : &found;
}

void wt__canary_pretend(const struct wt__canary *canary) { pretended = canary; }

static void tell(const struct wt__log *log, bool holds, const char *feature, const char *what) {
  const char *version = ngtcp2_version(0)->version_str;
  if (holds) return;
  WT__WARN(log, WT__EVENT_OF("ngtcp2_unexpected", WT__TEXT("version", version), WT__TEXT("feature", feature)),
           "ngtcp2 %s works in another way than this library expects: %s", version, what);
}

void wt__canary_tell(const struct wt__log *log) {
  const struct wt__canary *canary = wt__canary();
  tell(log, canary->carriers, "carriers", "RESET_STREAM_AT and probes of our own are not sent");
  tell(log, canary->reset_at_in, "reset_stream_at", "RESET_STREAM_AT is not announced to peers");
  tell(log, canary->connection_ids, "connection_ids",
       "running connections keep their ids when the configuration of ids changes");
}
