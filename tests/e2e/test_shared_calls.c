/* SPDX-License-Identifier: MIT */

/*
 * Real sockets: the packets that a turn has for several connections leave in few system calls, and each connection gets
 * its own when the kernel takes a part of a call, is full in the midst of it, or finds one packet too large. Datagrams are
 * sent once, so each that is lost is noticed. The linker puts the functions below in place of the C library's
 * (cmake/Tests.cmake); server and client share them.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "pair.h"

#define PLAYERS 30
#define SIZE 60
#define INTERFACE 1300 /* bytes of the largest packet, where there is a bound */

enum fault {
  FAULT_NONE,
  FAULT_PARTIAL,   /* each call of several takes one message, then two, then three */
  FAULT_FULL,      /* every third message of a call finds a full socket, once */
  FAULT_TOO_LARGE, /* the interface takes no packets of more than INTERFACE bytes any more */
  FAULT_REFUSED    /* the call for several is refused, as in a sandbox */
};

static struct {
  enum fault fault;
  unsigned calls;    /* of sendmsg and sendmmsg */
  unsigned shared;   /* messages that left with others */
  unsigned partials; /* calls that took a part */
  unsigned fulls, too_large, refused;
} wire;

ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

/* The probe of a socket that is opened has no destination, and is let through. */
static bool is_packet(const struct msghdr *header) { return header->msg_name != NULL; }

/* The size of its packets but the last one. */
static size_t segment_of(const struct msghdr *header) {
  uint16_t segment;
  for (struct cmsghdr *it = CMSG_FIRSTHDR(header); it; it = CMSG_NXTHDR((struct msghdr *)(uintptr_t)header, it)) {
    if (it->cmsg_level != IPPROTO_UDP || it->cmsg_type != UDP_SEGMENT) continue;
    memcpy(&segment, CMSG_DATA(it), sizeof(segment));
    return segment;
  }
  return header->msg_iov->iov_len;
}

static bool is_too_large(const struct msghdr *header) {
  return wire.fault == FAULT_TOO_LARGE && segment_of(header) > INTERFACE;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags) {
  if (!is_packet(header)) return __real_sendmsg(fd, header, flags);
  wire.calls++;
  if (is_too_large(header)) {
    wire.too_large++;
    errno = EMSGSIZE;
    return -1;
  }
  if (wire.fault == FAULT_FULL && wire.fulls % 2) { /* the message at which a call has stopped */
    wire.fulls++;
    errno = EAGAIN;
    return -1;
  }
  return __real_sendmsg(fd, header, flags);
}

static unsigned messages_passing(const struct mmsghdr *messages, unsigned count) {
  unsigned passing = 0;
  switch (wire.fault) {
    case FAULT_PARTIAL: return wire.partials % 3 + 1;
    case FAULT_FULL: return 2;
    case FAULT_REFUSED: return 0;
    default:
      while (passing < count && !is_too_large(&messages[passing].msg_hdr)) passing++;
      return passing;
  }
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  if (!is_packet(&messages->msg_hdr) || count < 2) return __real_sendmmsg(fd, messages, count, flags);
  wire.calls++;
  unsigned passing = messages_passing(messages, count);
  if (passing == 0) {
    wire.refused++;
    errno = wire.fault == FAULT_TOO_LARGE ? EMSGSIZE : ENOSYS;
    return -1;
  }
  if (passing < count) wire.partials++;
  if (passing < count && wire.fault == FAULT_FULL && wire.fulls % 2 == 0) wire.fulls++;
  int sent = __real_sendmmsg(fd, messages, passing < count ? passing : count, flags);
  if (sent > 0) wire.shared += (unsigned)sent;
  return sent;
}

/* --- Players --- */

struct player {
  struct dialed dialed;
  unsigned received;
};

struct game {
  struct pair pair;
  struct player players[PLAYERS];
  unsigned received, awaited;
};

static struct game game;

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct player *player = user_data;
  (void)session;
  assert_true(data[0] == player - game.players && len == SIZE + data[0] % 7 * 10u);
  player->received++;
  game.received++;
  if (game.received == game.awaited) pair_stop(&game.pair);
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)info, (void)user_data;
}

static void configure_server(struct wt_server_config *config) { config->workers = 1; }

static void game_open(void) {
  static const struct wt_session_callbacks callbacks = {.on_datagram = on_datagram, .on_close = on_close};
  struct pair_options options = {.configure = configure_server};
  memset(&game, 0, sizeof(game));
  memset(&wire, 0, sizeof(wire));
  pair_open(&game.pair, &options);
  pair_client(&game.pair, NULL);
  for (size_t i = 0; i < PLAYERS; i++) {
    struct wt_dial_options dial;
    dialed_options(&game.players[i].dialed, &game.pair, &dial);
    dial.session_callbacks = &callbacks;
    dial.session_user_data = &game.players[i];
    dialed_run(&game.players[i].dialed, &game.pair, game.pair.url, &dial);
    assert_int_equal(game.players[i].dialed.error, 0);
  }
}

/* A datagram of each player, of seven sizes, and its echo. */
static void game_round(void) {
  uint8_t data[SIZE + 60];
  game.awaited = game.received + PLAYERS;
  for (unsigned i = 0; i < PLAYERS; i++) {
    memset(data, (int)i, sizeof(data));
    assert_int_equal(wt_session_send_datagram(game.players[i].dialed.session, data, SIZE + i % 7 * 10), 0);
  }
  pair_run(&game.pair);
}

static void game_check(unsigned rounds) {
  for (size_t i = 0; i < PLAYERS; i++) assert_int_equal(game.players[i].received, rounds);
}

/* 60 packets a round, and some acknowledgements. */
static void test_shared_calls_few_for_many(void **state) {
  (void)state;
  game_open();
  game_round();
  unsigned before = wire.calls;
  for (int i = 0; i < 20; i++) game_round();
  assert_in_range(wire.calls - before, 1, 20 * PLAYERS); /* twice as many are the packets */
  assert_true(wire.shared > 20 * PLAYERS);
  game_check(21);
  pair_close(&game.pair);
}

static void check_rounds_with(enum fault fault) {
  game_open();
  wire.fault = fault;
  for (int i = 0; i < 20; i++) game_round();
  game_check(20);
  wire.fault = FAULT_NONE;
  pair_close(&game.pair);
}

static void test_shared_calls_that_take_a_part(void **state) {
  (void)state;
  check_rounds_with(FAULT_PARTIAL);
  assert_true(wire.partials > 20);
}

static void test_shared_calls_full_in_the_midst(void **state) {
  (void)state;
  check_rounds_with(FAULT_FULL);
  assert_true(wire.fulls > 20);
}

/* A sandbox that comes later: it is asked once for each socket. */
static void test_shared_calls_that_are_refused(void **state) {
  (void)state;
  check_rounds_with(FAULT_REFUSED);
  assert_in_range(wire.refused, 1, 2);
}

/* --- One that is too large --- */

struct reader {
  size_t received;
  bool fin;
};

static unsigned readers_done;

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct reader *reader = user_data;
  (void)stream, (void)data;
  reader->received += len;
  if (!fin) return;
  reader->fin = true;
  if (++readers_done == PLAYERS) pair_stop(&game.pair);
}

/* Streams lose nothing: what was too large is sent again in smaller packets. Others, of the same calls, do not notice. */
static void test_shared_calls_with_one_too_large(void **state) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data};
  static const uint8_t data[5000];
  struct reader readers[PLAYERS] = {{0}};
  (void)state;
  game_open();
  readers_done = 0;
  wire.fault = FAULT_TOO_LARGE;
  for (size_t i = 0; i < PLAYERS; i++) {
    wt_stream *stream;
    size_t written;
    assert_int_equal(wt_session_open_bidi(game.players[i].dialed.session, &stream), 0);
    wt_stream_set_callbacks(stream, &callbacks, &readers[i]);
    assert_int_equal(wt_stream_write(stream, data, i == 2 ? sizeof(data) : SIZE, &written), 0);
    assert_int_equal(wt_stream_end(stream), 0);
  }
  pair_run(&game.pair);
  for (size_t i = 0; i < PLAYERS; i++) assert_int_equal(readers[i].received, i == 2 ? sizeof(data) : SIZE);
  assert_true(wire.too_large > 0);
  pair_close(&game.pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_calls_few_for_many),       cmocka_unit_test(test_shared_calls_that_take_a_part),
      cmocka_unit_test(test_shared_calls_full_in_the_midst),  cmocka_unit_test(test_shared_calls_that_are_refused),
      cmocka_unit_test(test_shared_calls_with_one_too_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
