/* SPDX-License-Identifier: MIT */
/*
 * Two full stacks of ours on a bad network, a thousand times: every byte, every code and every handle is accounted
 * for on both sides.
 *
 * A seed draws the network (0 to 30 % loss, reordering, duplicates, damage, delay, bandwidth) and a plan: connections,
 * sessions one after another or side by side, and for each of their streams who opens it, how much each side sends
 * and how each direction ends. Both sides look up the same plan, so each knows what the other will do, and nothing
 * has to be agreed on over the network that is tested.
 *
 *     direction:  all bytes, FIN       the other side has exactly these bytes and a FIN
 *                 some bytes, reset    a prefix of the bytes, and the code
 *                 bytes without end    the other side stops it: this side hears the code
 *
 *     session:    closed by one side when all its streams are done, or in the midst of them, or lost with its
 *                 connection: code, reason and who, on both sides
 *
 * What draws lots repeats by the seed: the plan, the network, and what QUIC draws for itself (connection ids, jitter).
 * Keys and signatures are TLS's own and do not, so that a signature may be a byte longer in another run. The seed of
 * a failing run is printed; SIM_SEED runs it alone, SIM_SEEDS says how many to run.
 */
#include "base/mem.h"
#include "client.h"
#include "world.h"

#define SEEDS 1000
#define MAX_LINKS 2
#define MAX_SESSIONS 6
#define MAX_TOGETHER 3 /* sessions side by side, where there is flow control */
#define MAX_STREAMS 24
#define MAX_DATAGRAMS 4
#define SIM_PATIENCE_MS 600000 /* of timeouts: seven lost packets one after another are two minutes of probing */
#define SIM_UNTIL_MS 1500000
#define CLIENT 0
#define SERVER 1

enum direction_end {
  END_FIN,
  END_RESET,
  END_STOP
};

struct sim_direction {
  size_t len, written;
  enum direction_end end;
  uint32_t code;
  bool ended;   /* the sender has done its part, or may do no more */
  bool stopped; /* the receiver has asked for it */
};

struct sim_stream {
  struct sim_session *session;
  int opener;
  bool uni, opened;
  int64_t id;
  struct server_stream *record[2];
  struct sim_direction sends[2]; /* by side */
};

enum session_end {
  CLOSE_AFTERWARDS,
  CLOSE_AMIDST,
  LOSE_CONNECTION
};

struct sim_session {
  struct sim *sim;
  unsigned index, link;
  struct server_session *record[2];
  struct client_dial *dial;
  struct sim_stream streams[MAX_STREAMS];
  unsigned stream_count, opened;
  unsigned datagrams_sent[2], datagrams_seen[2], datagram_mask[2];
  enum session_end end;
  unsigned amidst_at; /* step */
  int closer;
  uint32_t code;
  char reason[40];
  bool done;
};

struct sim {
  uint64_t seed, random;
  struct net net;
  struct server server;
  struct client client;
  struct client_link *links[MAX_LINKS];
  unsigned link_count, session_count, together;
  struct sim_session sessions[MAX_SESSIONS];
};

/* What all seeds together did. */
static struct {
  uint64_t sessions, streams, bytes, resets, stops, closes, datagrams_sent, datagrams_seen, packets, lost, retries;
} total;

static uint64_t draw(struct sim *sim, uint64_t below) {
  uint64_t z = (sim->random += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (z ^ (z >> 31)) % below;
}

/* --- The plan --- */

static void plan_direction(struct sim *sim, struct sim_direction *direction) {
  static const size_t sizes[] = {0, 1, 40, 700, 3000, 20000};
  size_t most = sizes[draw(sim, 6)];
  direction->len = most ? (size_t)draw(sim, most) + 1 : 0;
  direction->end = draw(sim, 10) < 7 ? END_FIN : draw(sim, 2) ? END_RESET : END_STOP;
  direction->code = draw(sim, 4) ? (uint32_t)draw(sim, 300) : (uint32_t)(UINT32_MAX - draw(sim, 3));
}

static void plan_session(struct sim *sim, unsigned index) {
  struct sim_session *session = &sim->sessions[index];
  session->sim = sim;
  session->index = index;
  session->link = (unsigned)draw(sim, sim->link_count);
  session->stream_count = 1 + (unsigned)draw(sim, MAX_STREAMS);
  session->closer = (int)draw(sim, 2);
  session->code = (uint32_t)draw(sim, 2000);
  snprintf(session->reason, sizeof(session->reason), "the end of %u", index);
  session->end = draw(sim, 3) ? CLOSE_AFTERWARDS : CLOSE_AMIDST;
  session->amidst_at = (unsigned)draw(sim, 6);
  for (unsigned i = 0; i < session->stream_count; i++) {
    struct sim_stream *stream = &session->streams[i];
    stream->session = session;
    stream->id = -1;
    stream->opener = (int)draw(sim, 2);
    stream->uni = draw(sim, 3) == 0;
    plan_direction(sim, &stream->sends[0]);
    plan_direction(sim, &stream->sends[1]);
    if (stream->uni) stream->sends[!stream->opener] = (struct sim_direction){.ended = true};
  }
}

static void plan_network(struct sim *sim) {
  for (int i = 0; i < 2; i++) {
    struct net_link *link = &sim->net.link[i];
    link->loss = (unsigned)(sim->seed % 7) * 50;
    link->delay = (1 + draw(sim, 40)) * NET_MS;
    link->reorder = draw(sim, 2) ? 150 : 0;
    link->reorder_by = (1 + draw(sim, 60)) * NET_MS;
    link->duplicate = draw(sim, 2) ? 50 : 0;
    link->corrupt = draw(sim, 2) ? 20 : 0;
    link->bandwidth = draw(sim, 3) ? 0 : 100000 + draw(sim, 1000000);
    link->queue_max = 300 * NET_MS;
  }
}

/* --- Streams, the same on both sides --- */

/* What side `side` sends on a stream: different on every stream of a seed. */
static uint64_t pattern_of(const struct sim_stream *stream, int side) {
  return (uint64_t)stream->session->index * 1000 + (uint64_t)stream->id * 2 + (uint64_t)side;
}

static void stream_pump(struct sim_stream *stream, int side) {
  struct sim_direction *direction = &stream->sends[side];
  struct server_stream *record = stream->record[side];
  if (!record || !record->stream || direction->ended) return;
  if (direction->written < direction->len) {
    uint8_t *all = pattern_new(direction->len, pattern_of(stream, side));
    size_t written = 0;
    int error =
        wt_stream_write(record->stream, all + direction->written, direction->len - direction->written, &written);
    free(all);
    if (error) { /* the session has ended */
      direction->ended = true;
      return;
    }
    direction->written += written;
    if (direction->written < direction->len) return;
  }
  if (direction->end == END_STOP) return;
  direction->ended = true;
  if (direction->end == END_FIN)
    (void)wt_stream_end(record->stream);
  else
    (void)wt_stream_reset(record->stream, direction->code);
}

/* The side that receives `direction` gives up on it. */
static void stream_stop(struct sim_stream *stream, int side) {
  struct sim_direction *incoming = &stream->sends[!side];
  struct server_stream *record = stream->record[side];
  if (incoming->end != END_STOP || incoming->stopped || !record->stream) return;
  if (stream->uni && stream->opener == side) return;
  incoming->stopped = true;
  assert_int_equal(wt_stream_stop_sending(record->stream, incoming->code), 0);
}

static struct sim_stream *stream_find(struct sim_session *session, int64_t id) {
  for (unsigned i = 0; i < session->stream_count; i++) {
    if (session->streams[i].id == id) return &session->streams[i];
  }
  fail_msg("a stream that nobody opened: %lld", (long long)id);
  return NULL;
}

static void datagram_check(struct sim_session *session, int side) {
  const struct bytes *datagram = &session->record[side]->last_datagram;
  assert_true(datagram->len >= 3);
  unsigned index = datagram->data[1];
  assert_int_equal(datagram->data[0], session->index);
  assert_int_equal(datagram->data[2], !side);
  assert_true(index < session->datagrams_sent[!side]);
  assert_true(pattern_matches(datagram->data + 3, datagram->len - 3, 0, index));
  assert_int_equal(session->datagram_mask[side] & (1u << index), 0); /* a doubled packet is one packet */
  session->datagram_mask[side] |= 1u << index;
  session->datagrams_seen[side]++;
}

static void session_event(struct sim_session *session, int side, enum server_event event,
                          struct server_stream *record) {
  struct sim_stream *stream = NULL;
  if (event == SERVER_STREAM) {
    stream = stream_find(session, record->id);
    assert_null(stream->record[side]);
    assert_int_equal(stream->opener, !side);
    assert_int_equal(record->uni, stream->uni);
    stream->record[side] = record;
  } else if (record) {
    stream = stream_find(session, record->id);
  }
  switch (event) {
    case SERVER_STREAM:
      stream_stop(stream, side);
      stream_pump(stream, side);
      break;
    case SERVER_DATA: stream_stop(stream, side); break;
    case SERVER_WRITABLE: stream_pump(stream, side); break;
    case SERVER_STOP: stream->sends[side].ended = true; break;
    case SERVER_DATAGRAM: datagram_check(session, side); break;
    default: break;
  }
}

static struct sim_session *session_of(struct sim *sim, const struct server_session *record) {
  const char *mark = strstr(record->path, "?n=");
  assert_non_null(mark);
  unsigned index = (unsigned)strtoul(mark + 3, NULL, 10);
  assert_true(index < sim->session_count);
  return &sim->sessions[index];
}

static void hook_server(struct server *server, enum server_event event, struct server_session *record,
                        struct server_stream *stream) {
  struct sim_session *session = session_of(server->hook_ctx, record);
  session->record[SERVER] = record;
  session_event(session, SERVER, event, stream);
}

static void hook_client(struct server *records, enum server_event event, struct server_session *record,
                        struct server_stream *stream) {
  struct sim_session *session = session_of(records->hook_ctx, record);
  session->record[CLIENT] = record;
  session_event(session, CLIENT, event, stream);
}

/* Opens the next streams that the plan has. */
static void session_open_some(struct sim_session *session) {
  for (unsigned i = 0; i < session->stream_count; i++) {
    struct sim_stream *stream = &session->streams[i];
    struct server_session *own = session->record[stream->opener];
    int error;
    if (stream->opened || !own || !own->session || draw(session->sim, 3) == 0) continue;
    /* The id has to be known before the hook of the other side looks for it. */
    struct server_stream *record = server_open(own, stream->uni, &error);
    if (!record) {
      assert_int_equal(error, WT_ERR_STREAM_LIMIT);
      continue;
    }
    stream->opened = true;
    stream->id = record->id;
    stream->record[stream->opener] = record;
    session->opened++;
    stream_stop(stream, stream->opener);
    stream_pump(stream, stream->opener);
  }
}

static void session_send_datagram(struct sim_session *session, int side) {
  struct server_session *own = session->record[side];
  unsigned index = session->datagrams_sent[side];
  if (!own || !own->session || index == MAX_DATAGRAMS) return;
  size_t len = (size_t)draw(session->sim, 900);
  uint8_t *data = pattern_new(len + 3, 0), *text = pattern_new(len, index);
  memcpy(data + 3, text, len);
  data[0] = (uint8_t)session->index;
  data[1] = (uint8_t)index;
  data[2] = (uint8_t)side;
  assert_int_equal(wt_session_send_datagram(own->session, data, len + 3), 0);
  session->datagrams_sent[side]++;
  free(data);
  free(text);
}

/* --- What must hold --- */

static bool direction_over(const struct sim_stream *stream, int side) {
  const struct server_stream *from = stream->record[side], *to = stream->record[!side];
  return from && to && from->closes && to->closes;
}

static bool session_settled(const struct sim_session *session) {
  if (session->opened < session->stream_count) return false;
  for (unsigned i = 0; i < session->stream_count; i++) {
    if (!direction_over(&session->streams[i], 0)) return false;
  }
  return true;
}

static void check_prefix(const struct sim_stream *stream, int side) {
  const struct server_stream *to = stream->record[!side];
  const struct sim_direction *direction = &stream->sends[side];
  if (!to) return;
  assert_true(to->rx.len <= direction->written);
  assert_true(pattern_matches(to->rx.data, to->rx.len, 0, pattern_of(stream, side)));
  total.bytes += to->rx.len;
}

static void session_explain(const struct sim_session *session, const struct sim_stream *only);

/* A direction of a stream that ended before its session did. */
static void check_direction(const struct sim_stream *stream, int side) {
  const struct server_stream *from = stream->record[side], *to = stream->record[!side];
  const struct sim_direction *direction = &stream->sends[side];
  if (to->fin != (direction->end == END_FIN)) session_explain(stream->session, stream);
  check_prefix(stream, side);
  switch (direction->end) {
    case END_FIN:
      assert_true(to->fin);
      assert_int_equal(to->rx.len, direction->len);
      assert_int_equal(to->resets + from->stops, 0);
      break;
    case END_RESET:
      assert_false(to->fin);
      assert_int_equal(to->resets, 1);
      assert_int_equal(to->reset_error.by, WT_PEER);
      assert_true(to->reset_error.has_code);
      assert_int_equal(to->reset_error.code, direction->code);
      assert_false(to->closed_in_order || from->closed_in_order);
      total.resets++;
      break;
    case END_STOP:
      assert_false(to->fin);
      assert_int_equal(to->resets, 0);
      assert_int_equal(from->stops, 1);
      assert_int_equal(from->stop_error.by, WT_PEER);
      assert_true(from->stop_error.has_code);
      assert_int_equal(from->stop_error.code, direction->code);
      assert_false(to->closed_in_order || from->closed_in_order);
      total.stops++;
      break;
  }
}

static void check_streams(const struct sim_session *session) {
  for (unsigned i = 0; i < session->stream_count; i++) {
    const struct sim_stream *stream = &session->streams[i];
    if (!stream->opened) continue;
    for (int side = 0; side < 2; side++) {
      if (stream->uni && stream->opener != side) continue;
      if (session->end == CLOSE_AFTERWARDS)
        check_direction(stream, side);
      else
        check_prefix(stream, side);
    }
    for (int side = 0; side < 2; side++) {
      const struct server_stream *record = stream->record[side];
      if (!record) continue;
      assert_int_equal(record->closes, 1);
      if (record->closed_in_order || !record->close_error.session_gone) continue;
      assert_int_not_equal(session->end, CLOSE_AFTERWARDS);
      if (session->end == CLOSE_AMIDST) {
        assert_int_equal(record->close_error.code, session->code);
        assert_int_equal(record->close_error.by, session->closer == side ? WT_LOCAL : WT_PEER);
      }
    }
    total.streams++;
  }
}

static void check_end(const struct sim_session *session) {
  for (int side = 0; side < 2; side++) {
    const struct server_session *record = session->record[side];
    assert_int_equal(record->closes, 1);
    if (session->end == LOSE_CONNECTION) {
      assert_false(record->info.clean);
      continue;
    }
    assert_int_equal(record->info.by, session->closer == side ? WT_LOCAL : WT_PEER);
    assert_true(record->info.clean);
    assert_int_equal(record->info.code, session->code);
    assert_string_equal(record->reason, session->reason);
    total.closes++;
  }
}

static void check_datagrams(const struct sim_session *session) {
  const struct sim *sim = session->sim;
  const struct net_link *link = &sim->net.link[0];
  bool kind = !link->loss && !sim->net.link[0].corrupt && !sim->net.link[1].corrupt && !sim->net.link[0].bandwidth &&
              !sim->net.link[1].bandwidth;
  for (int side = 0; side < 2; side++) {
    assert_true(session->datagrams_seen[side] <= session->datagrams_sent[!side]);
    if (kind && session->end == CLOSE_AFTERWARDS)
      assert_int_equal(session->datagrams_seen[side], session->datagrams_sent[!side]);
    total.datagrams_sent += session->datagrams_sent[!side];
    total.datagrams_seen += session->datagrams_seen[side];
  }
}

/* --- A run --- */

/* What is not over yet, for a run that does not come to its end. */
static void session_explain(const struct sim_session *session, const struct sim_stream *only) {
  static const char *const ends[] = {"FIN", "reset", "stop"};
  for (int side = 0; side < 2; side++) {
    const struct server_session *record = session->record[side];
    if (!record || !record->closes) continue;
    print_message("session %u ended at the %s: by %s, code %u, wire code 0x%llx\n", session->index,
                  side == CLIENT ? "client" : "server", wt_party_name(record->info.by), record->info.code,
                  (unsigned long long)record->info.wire_code);
  }
  for (unsigned i = 0; i < session->stream_count; i++) {
    const struct sim_stream *stream = &session->streams[i];
    if (only ? stream != only : stream->opened && direction_over(stream, 0)) continue;
    print_message("session %u, stream %lld by %s:", session->index, (long long)stream->id,
                  stream->opener == CLIENT ? "client" : "server");
    for (int side = 0; side < 2; side++) {
      const struct sim_direction *direction = &stream->sends[side];
      const struct server_stream *record = stream->record[side];
      print_message(" %s sends %zu of %zu, %s%s, ", side == CLIENT ? "client" : "server", direction->written,
                    direction->len, ends[direction->end], direction->ended ? " done" : "");
      if (!record) {
        print_message("has no stream;");
        continue;
      }
      print_message("got %zu%s, %u resets, %u stops, %u closes;", record->rx.len, record->fin ? " FIN" : "",
                    record->resets, record->stops, record->closes);
    }
    print_message("\n");
  }
}

/* A network that loses all it has would take minutes of its own time; none of it is spent. */
#define SIM_UNTIL(sim, condition) NET_UNTIL(&(sim)->net, SIM_UNTIL_MS, condition)

static void session_ask(struct sim_session *session) {
  char path[32];
  struct sim *sim = session->sim;
  struct sockaddr_in address = server_address();
  snprintf(path, sizeof(path), "/wt?n=%u", session->index);
  if (!sim->links[session->link]->h3) sim->links[session->link] = client_connect(&sim->client, &address, NULL);
  assert_non_null(sim->links[session->link]);
  session->dial = client_dial(session->sim->links[session->link], path, NULL, NULL);
  assert_non_null(session->dial);
}

/* Asks until the server accepts: a new request may overtake the close of the session before it. */
static void session_begin(struct sim_session *session) {
  struct sim *sim = session->sim;
  for (int tries = 0;; tries++) {
    assert_true(tries < 50);
    SIM_UNTIL(sim, session->dial->replies);
    if (!session->dial->error) break;
    assert_true(session->dial->error == WT_ERR_REJECTED || session->dial->error == WT_ERR_SESSION_LIMIT);
    total.retries++;
    net_run_for(&sim->net, 100);
    session_ask(session);
  }
  session->record[CLIENT] = session->dial->session;
  total.sessions++;
}

static void session_settle(struct sim_session *session) {
  struct sim *sim = session->sim;
  uint64_t until = sim->net.now + SIM_UNTIL_MS * NET_MS;
  const struct server_session *const *records = (const struct server_session *const *)session->record;
  while (!session_settled(session) && net_step(&sim->net, until)) {
    /* Where three packets in ten are lost, credit for the last stream may be minutes late. */
    if (session->opened < session->stream_count) session_open_some(session);
    if ((records[0] && records[0]->closes) || (records[1] && records[1]->closes)) break;
  }
  if (session_settled(session)) return;
  session_explain(session, NULL);
  fail_msg("seed %llu: streams do not come to their end", (unsigned long long)sim->seed);
}

static void session_finish(struct sim_session *session) {
  struct sim *sim = session->sim;
  SIM_UNTIL(sim, session->record[SERVER]);
  struct server_session *closer = session->record[session->closer], *other = session->record[!session->closer];
  if (session->end != LOSE_CONNECTION && (closer->closes || other->closes)) {
    session_explain(session, NULL);
    fail_msg("seed %llu: a session has ended by itself", (unsigned long long)sim->seed);
  }
  if (session->end == LOSE_CONNECTION) {
    if (sim->links[session->link]->h3) wt__h3_conn_close(sim->links[session->link]->h3);
  } else {
    assert_int_equal(wt_session_close(closer->session, session->code, session->reason, strlen(session->reason)), 0);
  }
  SIM_UNTIL(sim, closer->closes && other->closes);
  check_streams(session);
  check_end(session);
  check_datagrams(session);
  session->done = true;
}

/* One step of each session of a group. False once there is nothing more to begin. */
static bool group_step(struct sim *sim, struct sim_session *group, unsigned count, unsigned step) {
  bool more = false;
  for (unsigned i = 0; i < count; i++) {
    struct sim_session *session = &group[i];
    if (session->done) continue;
    session_open_some(session);
    if (draw(sim, 2)) session_send_datagram(session, (int)draw(sim, 2));
    if (session->end == CLOSE_AMIDST && step >= session->amidst_at) session_finish(session);
    more |= !session->done && (session->opened < session->stream_count || session->end == CLOSE_AMIDST);
  }
  net_run_for(&sim->net, draw(sim, 30));
  return more;
}

static void group_run(struct sim *sim, struct sim_session *group, unsigned count) {
  for (unsigned i = 0; i < count; i++) session_ask(&group[i]);
  for (unsigned i = 0; i < count; i++) session_begin(&group[i]);
  for (unsigned step = 0; step < 3000 && group_step(sim, group, count, step); step++) continue;
  for (unsigned i = 0; i < count; i++) {
    if (group[i].end == CLOSE_AFTERWARDS) session_settle(&group[i]);
  }
  net_run_for(&sim->net, 200); /* datagrams that are under way */
  for (unsigned i = 0; i < count; i++) {
    if (!group[i].done) session_finish(&group[i]);
  }
}

static void sim_begin(struct sim *sim, uint64_t seed) {
  memset(sim, 0, sizeof(*sim));
  sim->seed = sim->random = seed;
  wt__tls_random_seed(seed);
  net_init(&sim->net, seed);
  plan_network(sim);
  server_init(&sim->server, &sim->net);
  client_init(&sim->client, &sim->net, 1);
  sim->server.hook = hook_server;
  sim->client.records.hook = hook_client;
  sim->server.hook_ctx = sim->client.records.hook_ctx = sim;
  struct wt__endpoint_config *configs[] = {&sim->server.config, &sim->client.config};
  for (int i = 0; i < 2; i++) {
    configs[i]->idle_timeout_ms = configs[i]->handshake_timeout_ms = SIM_PATIENCE_MS;
    configs[i]->h3.settings_timeout_ms = SIM_PATIENCE_MS;
    configs[i]->h3.mux.early_timeout_ms = SIM_PATIENCE_MS;
    configs[i]->h3.mux.max_stream_send_buffer = seed % 5 ? 65536 : 2000;
    configs[i]->h3.mux.send_timeout_ms = 0; /* probe timeouts double: four lost acknowledgements take a minute */
    configs[i]->initial_max_stream_data = seed % 3 ? 65536 : 1500;
    struct wt__flow_windows *flow = &configs[i]->h3.mux.flow;
    *flow = (struct wt__flow_windows){0};
    if (seed % 3) { /* flow control of sessions, at times tight */
      flow->initial.data = seed % 2 ? 200000 : 3000;
      flow->initial.streams[0] = flow->initial.streams[1] = seed % 5 ? 100 : 2;
      flow->max_data = 1 << 20;
    }
  }
  sim->server.config.h3.no_request_timeout_ms = 0;
  sim->link_count = 1 + (unsigned)draw(sim, MAX_LINKS);
  sim->session_count = 1 + (unsigned)draw(sim, MAX_SESSIONS);
  sim->together = seed % 3 ? 1 + (unsigned)draw(sim, MAX_TOGETHER) : 1;
  for (unsigned i = 0; i < sim->session_count; i++) plan_session(sim, i);
  server_start(&sim->server);
  client_start(&sim->client);
}

static void sim_end(struct sim *sim) {
  struct wt__endpoint_stats stats;
  for (unsigned i = 0; i < sim->link_count; i++) {
    if (sim->links[i]->h3) wt__h3_conn_close(sim->links[i]->h3);
    SIM_UNTIL(sim, sim->links[i]->ends);
  }
  SIM_UNTIL(sim, (wt__endpoint_get_stats(sim->server.endpoint, &stats), stats.connections_open == 0));
  for (int i = 0; i < 2; i++) {
    total.packets += sim->net.counts[i].sent;
    total.lost += sim->net.counts[i].lost;
  }
  client_free(&sim->client);
  server_free(&sim->server); /* and memory is where it was */
  net_free(&sim->net);
  wt__tls_random_seed(0);
}

static void sim_run(struct sim *sim, uint64_t seed) {
  struct sockaddr_in address = server_address();
  sim_begin(sim, seed);
  for (unsigned i = 0; i < sim->link_count; i++) {
    sim->links[i] = client_connect(&sim->client, &address, NULL);
    assert_non_null(sim->links[i]);
  }
  for (unsigned i = 0; i < sim->session_count; i += sim->together) {
    unsigned left = sim->session_count - i;
    if (left == 1 && seed % 4 == 0) sim->sessions[i].end = LOSE_CONNECTION;
    group_run(sim, &sim->sessions[i], left < sim->together ? left : sim->together);
  }
  sim_end(sim);
}

static void test_sim_thousand_seeds_account_for_every_byte_and_code(void **state) {
  (void)state;
  static struct sim sim;
  const char *only = getenv("SIM_SEED"), *some = getenv("SIM_SEEDS");
  uint64_t count = some ? strtoull(some, NULL, 10) : SEEDS, seed = only ? strtoull(only, NULL, 10) : 1;
  uint64_t last = only ? seed : count, done = 0;
  memset(&total, 0, sizeof(total));
  for (; seed <= last; seed++, done++) {
    if (only || getenv("SIM_VERBOSE")) print_message("seed %llu\n", (unsigned long long)seed);
    sim.seed = seed;
    sim_run(&sim, seed);
  }
  print_message("count: simulated network, %llu seeds: %llu sessions (%llu asked for again), %llu streams, %llu bytes, "
                "%llu resets, %llu stops, "
                "%llu ends, %llu of %llu datagrams, %llu packets of which %llu were lost\n",
                (unsigned long long)done, (unsigned long long)total.sessions, (unsigned long long)total.retries,
                (unsigned long long)total.streams, (unsigned long long)total.bytes, (unsigned long long)total.resets,
                (unsigned long long)total.stops, (unsigned long long)total.closes,
                (unsigned long long)total.datagrams_seen, (unsigned long long)total.datagrams_sent,
                (unsigned long long)total.packets, (unsigned long long)total.lost);
  assert_true(only || done == count);
}

/* What went wrong once, out of ever more seeds:
 *   922, 1756    ngtcp2 left the window full and no timer running (quic/probe.c)
 *   916, 3114, 3406    the close of a session needed more than five seconds (WT__SESSION_CLOSE_NS)
 *   979    the bytes of a RESET_STREAM_AT needed more than thirty seconds
 *   10700, 11750    ngtcp2 left a block of memory behind (quic/blocks.c)
 *   11500    a handshake needed more than two minutes */
static void test_sim_seeds_that_failed_once(void **state) {
  static const uint64_t seeds[] = {922, 1756, 916, 3114, 3406, 979, 10700, 11750, 11500};
  static struct sim sim;
  (void)state;
  if (getenv("SIM_SEED")) skip();
  for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
    sim.seed = seeds[i];
    sim_run(&sim, seeds[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sim_seeds_that_failed_once),
      cmocka_unit_test(test_sim_thousand_seeds_account_for_every_byte_and_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
