/* SPDX-License-Identifier: MIT */
/*
 * fan-out: all sessions subscribe to one topic of the server, and --publishers of them also publish there. What one session
 * publishes goes to all others. Each session has a connection of its own, as in practice (--pooled: they share them).
 *
 * An operation is a delivery: a message that has come to one session. Its latency counts from the time when it was published;
 * with --rate from the time when it was due. Without --rate, a publisher publishes its next message when the last one has
 * come to all others, or after --patience.
 *
 * When the publishers have ended, a worker waits for the messages that are still to come to its sessions; those that do not
 * come within --patience are lost. Lost datagrams are no error, as long as one came. A message that is lost on a stream is.
 */
#include "bench/bench_fan_out.h"

#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"

/* --- A worker's part --- */

static bool fan_make(struct bench_worker *worker) {
  const struct bench_settings *settings = worker->settings;
  struct fan_worker *fan = calloc(1, sizeof *fan);
  worker->fan = fan;
  if (!fan) return false;
  fan->publishers = calloc(settings->publishers, sizeof *fan->publishers);
  if (!fan->publishers) return false;
  for (size_t i = 0; i < settings->publishers; i++)
    fan->publishers[i].share = worker->session_count - (fan_board_worker(i, settings->workers) == worker->index);
  return true;
}

static void fan_free(struct bench_worker *worker) {
  if (worker->fan) free(worker->fan->publishers);
  free(worker->fan);
  worker->fan = NULL;
}

static size_t fan_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct fan_session);
}

static bool fan_prepare(struct bench_session *session) {
  const struct bench_worker *worker = session->worker;
  const struct bench_settings *settings = worker->settings;
  struct fan_session *state = session->state;
  state->arrivals = calloc(settings->publishers, sizeof *state->arrivals);
  if (!state->arrivals) return false;
  state->publishes = session->index < fan_board_share(settings->publishers, worker->index, settings->workers);
  state->publisher = (uint32_t)(session->index * settings->workers + worker->index);
  state->slot.session = session;
  return !state->publishes || slot_add(session, &state->slot, 1);
}

static void fan_release(struct bench_session *session) {
  struct fan_session *state = session->state;
  free(state->arrivals);
}

/* A session that is gone gets no messages. */
static void fan_gone(struct bench_session *session) {
  const struct bench_worker *worker = session->worker;
  struct fan_session *state = session->state;
  for (size_t i = 0; i < worker->settings->publishers; i++)
    if (!state->publishes || state->publisher != i) worker->fan->publishers[i].share--;
}

static void fan_refused(struct bench_session *session) {
  struct fan_session *state = session->state;
  if (state->publishes) slot_kill(&state->slot);
  fan_gone(session);
}

/* --- Publishing --- */

static int stream_publish(wt_session *handle, const uint8_t *data, size_t len) {
  wt_stream *stream;
  size_t written;
  int error = wt_session_open_uni(handle, &stream);
  if (error) return error;
  error = wt_stream_write(stream, data, len, &written);
  if (!error && written < len) error = WT_ERR_NOMEM; /* a new stream takes a message, unless memory is short */
  if (error)
    wt_stream_reset(stream, 0);
  else
    wt_stream_end(stream);
  return error;
}

static void message_make(const struct bench_session *session, uint64_t due, uint8_t *data) {
  const struct fan_session *state = session->state;
  struct fan_message message = {
      .run = session->worker->board->run, .publisher = state->publisher, .number = state->next, .due = due};
  uint64_t from = fan_pattern_at(&message), size = session->worker->settings->size - FAN_MESSAGE_HEAD;
  size_t len;
  fan_message_write(data, &message);
  for (uint64_t at = 0; at < size; at += len) {
    const uint8_t *bytes = pattern_bytes(from + at, size - at, &len);
    memcpy(data + FAN_MESSAGE_HEAD + at, bytes, len);
  }
}

static int message_publish(struct bench_session *session, uint64_t due) {
  const struct bench_settings *settings = session->worker->settings;
  uint8_t data[PATTERN_PERIOD];
  message_make(session, due, data);
  if (settings->delivery == BENCH_DELIVERY_DATAGRAM)
    return wt_session_send_datagram(session->session, data, (size_t)settings->size);
  return stream_publish(session->session, data, (size_t)settings->size);
}

static void publish_failed(struct bench_session *session, int error) {
  if (error == WT_ERR_STREAM_LIMIT || error == WT_ERR_CLOSED) return; /* a callback follows */
  if (error == WT_ERR_TOO_LARGE)
    session_fail(session, FAULT_INTERNAL, "the path takes datagrams of up to %zu bytes",
                 wt_session_max_datagram_size(session->session));
  else
    session_fail(session, FAULT_INTERNAL, "a message could not be published: %s", wt_error_string(error));
}

static bool fan_issue(struct bench_slot *slot, uint64_t start) {
  struct fan_session *state = (struct fan_session *)slot;
  struct bench_worker *worker = slot->session->worker;
  struct fan_board *board = worker->board;
  if (!slot->session->session) return false;
  if (!worker->settings->rate) fan_board_begin(board, state->publisher, state->next);
  int error = message_publish(slot->session, start);
  if (error) {
    publish_failed(slot->session, error);
    return false;
  }
  state->next++;
  slot_sent(slot, clock_ns(), worker->settings->size);
  if (start >= worker->from && start < worker->until) atomic_fetch_add(&board->publishers[state->publisher].counted, 1);
  return true;
}

static void fan_on_stream_credit(wt_session *handle, enum wt_stream_kind kind, void *user_data) {
  struct bench_session *session = user_data;
  struct fan_session *state = session->state;
  (void)handle;
  if (kind == WT_UNIDIRECTIONAL && state->publishes && !session->closing) slot_pump(&state->slot);
}

/* --- Without a rate: the next message after the last --- */

static void publisher_continue(struct fan_session *state) {
  slot_release(&state->slot, clock_ns());
  slot_pump(&state->slot);
  state->slot.session->worker->check(state->slot.session->worker);
}

static bool publisher_waits(const struct fan_session *state) {
  return state->publishes && state->slot.in_flight > 0 && !state->slot.dead;
}

static void publisher_look(struct bench_worker *worker, size_t index) {
  struct fan_session *state = worker->sessions[index].state;
  if (publisher_waits(state) && fan_board_complete(worker->board, state->publisher, state->next - 1))
    publisher_continue(state);
}

/* Another worker has seen a message complete. */
static void fan_woken(struct bench_worker *worker) {
  uint64_t count = fan_board_share(worker->settings->publishers, worker->index, worker->settings->workers);
  if (worker->settings->rate || worker->phase < PHASE_RUNNING || worker->phase >= PHASE_CLOSING) return;
  for (size_t i = 0; i < count; i++) publisher_look(worker, i);
}

void fan_message_complete(struct bench_worker *worker, uint32_t publisher) {
  size_t workers = (size_t)worker->settings->workers, owner = fan_board_worker(publisher, workers);
  if (owner == worker->index)
    publisher_look(worker, publisher / workers);
  else
    worker_wake(&worker->all[owner]);
}

static void fan_expire(struct bench_session *session, uint64_t now) {
  struct fan_session *state = session->state;
  if (session->worker->settings->rate || !publisher_waits(state)) return;
  if (now > state->slot.since + session->worker->settings->patience_ns) publisher_continue(state);
}

/* --- The end --- */

static uint64_t deliveries_expected(const struct bench_worker *worker) {
  const struct fan_board *board = worker->board;
  uint64_t expected = 0;
  for (size_t i = 0; i < board->publisher_count; i++)
    expected += atomic_load(&board->publishers[i].counted) * worker->fan->publishers[i].share;
  return expected;
}

static bool fan_drained(struct bench_worker *worker) {
  struct fan_worker *fan = worker->fan;
  if (!fan->published) {
    fan->published = true;
    atomic_fetch_sub(&worker->board->publishing, 1);
  }
  return atomic_load(&worker->board->publishing) == 0 && fan->counted >= deliveries_expected(worker);
}

static void fan_finish(struct bench_worker *worker) {
  const struct bench_settings *settings = worker->settings;
  struct bench_result *result = &worker->result;
  uint64_t expected = deliveries_expected(worker);
  uint64_t missing = expected > worker->fan->counted ? expected - worker->fan->counted : 0;
  for (size_t i = worker->index; i < settings->publishers; i += settings->workers)
    result->fan_out.published += atomic_load(&worker->board->publishers[i].counted);
  if (result->fan_out.again)
    result_fault(result, FAULT_MISMATCH, "%llu messages came twice", (unsigned long long)result->fan_out.again);
  if (worker->phase < PHASE_DRAINING) { /* the user ends the run: they are still on their way */
    result->unfinished += missing;
    return;
  }
  result->fan_out.lost = missing;
  if (missing && (settings->delivery != BENCH_DELIVERY_DATAGRAM || worker->fan->counted == 0))
    result_fault(result, FAULT_STALLED, "%llu of %llu messages did not come", (unsigned long long)missing,
                 (unsigned long long)expected);
}

const struct workload fan_out_workload = {
    .name = "fan-out",
    .path = "/topic/bench",
    .takes = TAKES_SIZE | TAKES_RATE | TAKES_COUNT | TAKES_PUBLISHERS | TAKES_DELIVERY,
    .default_size = 100,
    .min_size = FAN_MESSAGE_HEAD,
    .max_size = PATTERN_PERIOD,
    .connects_first = true,
    .one_way_paced = true,
    .callbacks = {.on_datagram = fan_on_datagram, .on_stream = fan_on_stream, .on_stream_credit = fan_on_stream_credit},
    .make = fan_make,
    .free = fan_free,
    .state_size = fan_state_size,
    .prepare = fan_prepare,
    .release = fan_release,
    .refused = fan_refused,
    .closed = fan_gone,
    .issue = fan_issue,
    .expire = fan_expire,
    .woken = fan_woken,
    .drained = fan_drained,
    .finish = fan_finish,
};
