/* SPDX-License-Identifier: MIT */

/* See nat.h. Packets are sent at once or, if the socket has no room, dropped, as a router does. */

#include "nat.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 65536

static uint8_t packet[PACKET_MAX]; /* the loop has one thread, and a packet is gone when its callback returns */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)handle, (void)suggested;
  *buf = uv_buf_init((char *)packet, sizeof(packet));
}

static void on_inside(uv_udp_t *handle, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  struct nat *nat = handle->data;
  (void)flags;
  if (len <= 0 || !from) return;
  memcpy(&nat->client, from, sizeof(nat->client));
  nat->has_client = true;
  uv_buf_t out = uv_buf_init(buf->base, (unsigned)len);
  (void)uv_udp_try_send(nat->outside, &out, 1, (const struct sockaddr *)&nat->server);
}

static void on_outside(uv_udp_t *handle, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from,
                       unsigned flags) {
  struct nat *nat = handle->data;
  (void)flags;
  if (len <= 0 || !from || !nat->has_client) return;
  uv_buf_t out = uv_buf_init(buf->base, (unsigned)len);
  (void)uv_udp_try_send(&nat->inside, &out, 1, (const struct sockaddr *)&nat->client);
}

static bool udp_open(uv_loop_t *loop, uv_udp_t *udp, struct nat *nat, uv_udp_recv_cb on_packet) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (uv_udp_init(loop, udp)) return false;
  udp->data = nat;
  return !uv_udp_bind(udp, (struct sockaddr *)&address, 0) && !uv_udp_recv_start(udp, on_alloc, on_packet);
}

static void on_freed(uv_handle_t *handle) { free(handle); }

bool nat_rebind(struct nat *nat) {
  uv_udp_t *fresh = calloc(1, sizeof(*fresh)), *old = nat->outside;
  if (!fresh || !udp_open(nat->loop, fresh, nat, on_outside)) return false;
  if (old) uv_close((uv_handle_t *)old, on_freed); /* after the other is open, so that it is another port */
  if (old) nat->rebinds++;
  nat->outside = fresh;
  return true;
}

bool nat_open(struct nat *nat, uv_loop_t *loop, uint16_t server_port) {
  struct sockaddr_in address;
  int len = sizeof(address);
  memset(nat, 0, sizeof(*nat));
  nat->loop = loop;
  nat->server = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(server_port)};
  if (!udp_open(loop, &nat->inside, nat, on_inside) ||
      uv_udp_getsockname(&nat->inside, (struct sockaddr *)&address, &len)) {
    return false;
  }
  nat->port = ntohs(address.sin_port);
  return nat_rebind(nat);
}

void nat_close(struct nat *nat) {
  uv_close((uv_handle_t *)&nat->inside, NULL);
  uv_close((uv_handle_t *)nat->outside, on_freed);
}
