/* SPDX-License-Identifier: MIT */

/*
 * The layouts of connection ids. Each begins with what a balancer reads; the rest is random, and the last byte names the
 * worker where there are several (cid.c).
 *
 *     random       ?? ?? ...
 *     QUIC-LB      first octet | server id | nonce                  both encrypted if there is a key (wire/lb_cid.h)
 *     unroutable   0b111 and the length | random
 *     AWS NLB      first octet | 8 bytes of server id               wire/cid_layout.h, as Katran's
 *     Katran       version | number of the host
 */

#include "quic/cid_scheme.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/sized.h"
#include "wire/cid_layout.h"

#define RANDOM_MIN 4       /* random bytes beside a server id in the clear, so that ids differ */
#define NONCE_RANDOM_MIN 8 /* a nonce so long is random: the first repetition is expected after 2^32 */

void wt_connection_ids_init(struct wt_connection_ids *ids, enum wt_connection_id_layout layout, size_t size) {
  const struct wt_connection_ids all = {
      .layout = layout,
      .length = layout == WT_CONNECTION_ID_AWS_NLB ? WT__NLB_CID_LEN : WT__CID_LEN,
      .nonce_length = 8,
      .katran_version = 2,
  };
  wt__sized_init(ids, size, &all, sizeof(all));
}

void wt__cid_scheme_random(struct wt__cid_scheme *scheme) {
  memset(scheme, 0, sizeof(*scheme));
  scheme->layout = WT_CONNECTION_ID_RANDOM;
  scheme->len = WT__CID_LEN;
}

/* --- Checks --- */

/* Where a sentence goes; the first fault is the one that is told. */
struct fault {
  char *why;
  size_t size;
  bool found;
};

static void fault_tell(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fault_tell(struct fault *fault, const char *format, ...) {
  va_list arguments;
  if (fault->found) return;
  fault->found = true;
  va_start(arguments, format);
  (void)vsnprintf(fault->why, fault->size, format, arguments);
  va_end(arguments);
}

static void check_range(struct fault *fault, const char *name, size_t value, size_t min, size_t max) {
  if (value < min || value > max) fault_tell(fault, "%s is %zu, must be %zu to %zu", name, value, min, max);
}

static void check_server_id(struct fault *fault, const struct wt_connection_ids *ids, size_t min, size_t max) {
  if (min == max && ids->server_id_len != min)
    fault_tell(fault, "server_id_len is %zu, must be %zu", ids->server_id_len, min);
  check_range(fault, "server_id_len", ids->server_id_len, min, max);
  if (!ids->server_id && ids->server_id_len) fault_tell(fault, "server_id is NULL");
}

/* What a layout uses from the front of an id must leave room for the byte of the worker. */
static void check_room(struct fault *fault, const struct wt_connection_ids *ids, size_t used, unsigned workers) {
  size_t need = used + (workers > 1);
  if (ids->length >= need) return;
  fault_tell(fault, "length is %zu, must be at least %zu for this layout%s", ids->length, need,
             workers > 1 ? " and the byte that names the worker" : "");
}

static void check_key(struct fault *fault, const struct wt_connection_ids *ids) {
  size_t len = ids->key ? WT__AES_KEY_LEN : 0;
  if (ids->key_len != len)
    fault_tell(fault, "key_len is %zu, must be %zu %s a key", ids->key_len, len, len ? "with" : "without");
}

/* How many bytes at the front of an id have a meaning to balancers, or must be there so that ids differ. */
static size_t layout_used(const struct wt_connection_ids *ids) {
  switch (ids->layout) {
    case WT_CONNECTION_ID_QUIC_LB: return 1 + ids->server_id_len + ids->nonce_length;
    case WT_CONNECTION_ID_AWS_NLB:
    case WT_CONNECTION_ID_KATRAN: return 1 + ids->server_id_len + RANDOM_MIN;
    case WT_CONNECTION_ID_RANDOM:
    case WT_CONNECTION_ID_UNROUTABLE: break;
  }
  return 0;
}

static void check_quic_lb(struct fault *fault, const struct wt_connection_ids *ids) {
  check_range(fault, "config_id", ids->config_id, 0, WT__LB_CONFIG_IDS - 1);
  check_server_id(fault, ids, WT__LB_SERVER_ID_MIN, WT__LB_SERVER_ID_MAX);
  check_range(fault, "nonce_length", ids->nonce_length, WT__LB_NONCE_MIN, WT__LB_NONCE_MAX);
  check_key(fault, ids);
  if (ids->server_id_len + ids->nonce_length > WT__LB_BLOCK_MAX)
    fault_tell(fault, "nonce_length is %zu and server_id_len is %zu, must be at most %d together", ids->nonce_length,
               ids->server_id_len, WT__LB_BLOCK_MAX);
}

static uint32_t katran_host(const struct wt_connection_ids *ids) {
  uint32_t host = 0;
  for (size_t i = 0; i < ids->server_id_len; i++) host = host << 8 | ids->server_id[i];
  return host;
}

static void check_katran(struct fault *fault, const struct wt_connection_ids *ids) {
  check_range(fault, "katran_version", ids->katran_version, WT__KATRAN_V1, WT__KATRAN_V3);
  if (fault->found) return;
  check_server_id(fault, ids, 1 + ids->katran_version, 1 + ids->katran_version);
  if (fault->found) return;
  uint32_t max = wt__katran_host_max((enum wt__katran)ids->katran_version);
  if (katran_host(ids) < 1 || katran_host(ids) > max)
    fault_tell(fault, "server_id is the number %lu, must be 1 to %lu", (unsigned long)katran_host(ids),
               (unsigned long)max);
}

static void check_layout(struct fault *fault, const struct wt_connection_ids *ids) {
  switch (ids->layout) {
    case WT_CONNECTION_ID_RANDOM:
    case WT_CONNECTION_ID_UNROUTABLE: check_server_id(fault, ids, 0, 0); break;
    case WT_CONNECTION_ID_QUIC_LB: check_quic_lb(fault, ids); break;
    case WT_CONNECTION_ID_AWS_NLB: check_server_id(fault, ids, WT__NLB_SERVER_ID_LEN, WT__NLB_SERVER_ID_LEN); break;
    case WT_CONNECTION_ID_KATRAN: check_katran(fault, ids); break;
    default: fault_tell(fault, "layout is %d, must be one of enum wt_connection_id_layout", (int)ids->layout); break;
  }
}

static void check_all(struct fault *fault, const struct wt_connection_ids *ids, unsigned workers) {
  check_layout(fault, ids);
  if (ids->layout != WT_CONNECTION_ID_QUIC_LB && (ids->key || ids->key_len))
    fault_tell(fault, "key is set, but this layout has none");
  check_range(fault, "length", ids->length, WT__CID_MIN_LEN, WT__CID_MAX_LEN);
  check_room(fault, ids, layout_used(ids), workers);
}

/* --- The checked copy --- */

static void scheme_fill(struct wt__cid_scheme *scheme, const struct wt_connection_ids *ids) {
  memset(scheme, 0, sizeof(*scheme));
  scheme->layout = ids->layout;
  scheme->len = (uint8_t)ids->length;
  scheme->server_id_len = (uint8_t)ids->server_id_len;
  if (ids->server_id_len) memcpy(scheme->server_id, ids->server_id, ids->server_id_len);
  if (ids->layout == WT_CONNECTION_ID_AWS_NLB)
    (void)wt__cid_layout_nlb(1 + WT__NLB_SERVER_ID_LEN + RANDOM_MIN, &scheme->lb); /* what follows is random, too */
  if (ids->layout == WT_CONNECTION_ID_KATRAN) {
    scheme->katran_version = (uint8_t)ids->katran_version;
    scheme->katran_host = katran_host(ids);
  }
  if (ids->layout != WT_CONNECTION_ID_QUIC_LB) return;
  if (ids->key) memcpy(scheme->key, ids->key, WT__AES_KEY_LEN);
  scheme->lb.config_id = (uint8_t)ids->config_id;
  scheme->lb.server_id_len = (uint8_t)ids->server_id_len;
  scheme->lb.nonce_len = (uint8_t)ids->nonce_length;
  scheme->lb.encrypted = ids->key != NULL;
  scheme->lb.length_in_first_octet = ids->length_in_first_octet;
}

int wt__cid_scheme_read(struct wt__cid_scheme *scheme, const struct wt_connection_ids *ids, unsigned workers, char *why,
                        size_t size) {
  struct wt_connection_ids given;
  struct fault fault = {.why = why, .size = size};
  if (!ids) {
    wt__cid_scheme_random(scheme);
    return 0;
  }
  wt_connection_ids_default(&given, WT_CONNECTION_ID_RANDOM);
  int error = wt__sized_read(&given, sizeof(given), ids, sizeof(given));
  if (error) {
    fault_tell(&fault, "size is %zu: call wt_connection_ids_default first", ids->size);
    return error;
  }
  check_all(&fault, &given, workers);
  if (fault.found) return WT_ERR_INVALID;
  scheme_fill(scheme, &given);
  const char *lb = given.layout == WT_CONNECTION_ID_QUIC_LB ? wt__lb_config_fault(&scheme->lb) : NULL;
  if (!lb) return 0;
  fault_tell(&fault, "%s", lb);
  return WT_ERR_INVALID;
}

bool wt__cid_scheme_equal(const struct wt__cid_scheme *a, const struct wt__cid_scheme *b) {
  return !memcmp(a, b, sizeof(*a));
}

bool wt__cid_scheme_counts(const struct wt__cid_scheme *scheme) {
  return scheme->lb.encrypted && scheme->lb.nonce_len < NONCE_RANDOM_MIN;
}

/* --- Ids --- */

static int write_quic_lb(const struct wt__cid_scheme *scheme, struct wt__aes *aes, const uint8_t *nonce, uint8_t *id) {
  const struct wt__lb_cipher cipher = {wt__aes_encrypt_block, wt__aes_decrypt_block, aes};
  uint8_t fresh[WT__LB_NONCE_MAX];
  memcpy(fresh, nonce ? nonce : id + 1 + scheme->lb.server_id_len, scheme->lb.nonce_len);
  return wt__lb_cid_write(&scheme->lb, &cipher, id[0], scheme->server_id, fresh, scheme->len, id) ? WT_ERR_TLS : 0;
}

int wt__cid_scheme_write(const struct wt__cid_scheme *scheme, struct wt__aes *aes, const uint8_t *nonce, uint8_t *id) {
  switch (scheme->layout) {
    case WT_CONNECTION_ID_AWS_NLB:
    case WT_CONNECTION_ID_QUIC_LB: return write_quic_lb(scheme, aes, nonce, id);
    case WT_CONNECTION_ID_UNROUTABLE: wt__lb_cid_make_unroutable(id, scheme->len); break;
    case WT_CONNECTION_ID_KATRAN:
      return wt__katran_write((enum wt__katran)scheme->katran_version, scheme->katran_host, id, scheme->len);
    case WT_CONNECTION_ID_RANDOM: break;
  }
  return 0;
}
