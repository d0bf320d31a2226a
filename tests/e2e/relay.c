/* SPDX-License-Identifier: MIT */

/* See relay.h. */

#include "relay.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PACKET_MAX 65536

static int socket_open(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  if (port) *port = ntohs(address.sin_port);
  return fd;
}

static void inside_on_poll(uv_poll_t *handle, int status, int events) {
  struct relay *relay = handle->data;
  uint8_t packet[PACKET_MAX];
  socklen_t len = sizeof(relay->client);
  ssize_t got;
  (void)status;
  (void)events;
  while ((got = recvfrom(relay->inside, packet, sizeof(packet), 0, (struct sockaddr *)&relay->client, &len)) >= 0) {
    relay->has_client = true;
    if (got >= (ssize_t)sizeof(relay->last) && !(packet[0] & 0x80)) memcpy(relay->last, packet, sizeof(relay->last));
    if (relay->is_cut) continue;
    (void)!sendto(relay->outside, packet, (size_t)got, 0, (struct sockaddr *)&relay->server, sizeof(relay->server));
  }
}

static void outside_on_poll(uv_poll_t *handle, int status, int events) {
  struct relay *relay = handle->data;
  uint8_t packet[PACKET_MAX];
  ssize_t got;
  (void)status;
  (void)events;
  while ((got = recv(relay->outside, packet, sizeof(packet), 0)) >= 0) {
    if (got > 0 && (packet[0] & 0xf0) == 0xf0) relay->retries++; /* of QUIC version 1 */
    if (!relay->has_client || relay->is_cut) continue;
    (void)!sendto(relay->inside, packet, (size_t)got, 0, (struct sockaddr *)&relay->client, sizeof(relay->client));
  }
}

static void on_closed(uv_handle_t *handle) { free(handle); }

static void inside_on_closed(uv_handle_t *handle) { handle->data = NULL; }

static void outside_open(struct relay *relay) {
  relay->outside = socket_open(NULL);
  relay->outside_poll = calloc(1, sizeof(*relay->outside_poll));
  assert_non_null(relay->outside_poll);
  assert_int_equal(uv_poll_init(relay->loop, relay->outside_poll, relay->outside), 0);
  relay->outside_poll->data = relay;
  assert_int_equal(uv_poll_start(relay->outside_poll, UV_READABLE, outside_on_poll), 0);
}

static void outside_close(struct relay *relay) {
  uv_close((uv_handle_t *)relay->outside_poll, on_closed);
  close(relay->outside);
}

void relay_open(struct relay *relay, uv_loop_t *loop, unsigned server_port) {
  memset(relay, 0, sizeof(*relay));
  relay->loop = loop;
  relay->server = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)server_port)};
  relay->inside = socket_open(&relay->port);
  assert_int_equal(uv_poll_init(loop, &relay->inside_poll, relay->inside), 0);
  relay->inside_poll.data = relay;
  assert_int_equal(uv_poll_start(&relay->inside_poll, UV_READABLE, inside_on_poll), 0);
  outside_open(relay);
}

void relay_rebind(struct relay *relay) {
  struct relay old = *relay;
  outside_open(relay); /* before the other is closed, so that it is another port */
  outside_close(&old);
  relay->rebounds++;
}

void relay_cut(struct relay *relay) { relay->is_cut = true; }

void relay_close(struct relay *relay) {
  outside_close(relay);
  uv_close((uv_handle_t *)&relay->inside_poll, inside_on_closed);
  close(relay->inside);
  while (relay->inside_poll.data) uv_run(relay->loop, UV_RUN_NOWAIT);
}
