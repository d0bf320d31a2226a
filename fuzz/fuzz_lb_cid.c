/* SPDX-License-Identifier: MIT */

/*
 * Connection ids for load balancers. Input: five bytes that make a configuration, 16 of a key, one of first bits, the rest is
 * an id. Whatever configuration passes its check reads any id of enough bytes, and reads from an id of ours what was
 * written.
 */

#include "fuzz.h"

#include <string.h>

#include "aes_block.h"
#include "wire/lb_cid.h"

#define HEAD_LEN 22

/* Most lengths are legal, so that most inputs come past the check. */
static struct wt__lb_config config_from(const uint8_t *data) {
  return (struct wt__lb_config){
      .config_id = data[0] % 9,
      .server_id_len = data[1] % 18,
      .nonce_len = data[2] % 22,
      .encrypted = data[3] & 1,
      .length_in_first_octet = data[3] & 2,
  };
}

static void check_round_trip(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, uint8_t first_bits,
                             const uint8_t *bytes, size_t total_len) {
  uint8_t id[WT__LB_CID_MAX], server_id[WT__LB_SERVER_ID_MAX];
  int error = wt__lb_cid_write(config, cipher, first_bits, bytes, bytes + config->server_id_len, total_len, id);
  FUZZ_CHECK((error == 0) == (total_len >= wt__lb_cid_len(config) && total_len <= WT__LB_CID_MAX));
  if (error) return;
  FUZZ_CHECK(wt__lb_cid_config_id(id[0]) == config->config_id);
  if (config->length_in_first_octet) FUZZ_CHECK((id[0] & 0x1fu) == total_len - 1);
  FUZZ_CHECK(wt__lb_cid_read(config, cipher, id, total_len, server_id) == 0);
  FUZZ_CHECK(!memcmp(server_id, bytes, config->server_id_len));
}

static void check_read(const struct wt__lb_config *config, const struct wt__lb_cipher *cipher, const uint8_t *id,
                       size_t len) {
  uint8_t server_id[WT__LB_SERVER_ID_MAX];
  bool readable = len >= wt__lb_cid_len(config) && wt__lb_cid_config_id(id[0]) == config->config_id;
  FUZZ_CHECK((wt__lb_cid_read(config, cipher, id, len, server_id) == 0) == readable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t bytes[WT__LB_BLOCK_MAX] = {0}, key[16];
  if (size < HEAD_LEN) return 0;
  struct wt__lb_config config = config_from(data);
  size_t total_len = data[4] % 24, id_len = size - HEAD_LEN < WT__LB_CID_MAX ? size - HEAD_LEN : WT__LB_CID_MAX;
  const uint8_t *id = data + HEAD_LEN;
  memcpy(key, data + 5, sizeof(key));
  if (wt__lb_config_fault(&config)) return 0;
  struct wt__lb_cipher cipher = aes_block_cipher(key);
  memcpy(bytes, id, id_len < sizeof(bytes) ? id_len : sizeof(bytes));
  check_round_trip(&config, &cipher, data[HEAD_LEN - 1], bytes, total_len);
  check_read(&config, &cipher, id, id_len);
  return 0;
}
