/* SPDX-License-Identifier: MIT */

/*
 * Connection ids of AWS's and Katran's balancers. The input is an id. The host that is read from it can be written, and
 * nothing changes then; each host that can be written can be read. The lengths for AWS make legal configurations.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "wire/cid_layout.h"

static void check_read(enum wt__katran version, const uint8_t *id, size_t len) {
  uint8_t copy[WT__LB_CID_MAX];
  uint32_t host = wt__katran_read(version, id, len);
  if (host == 0) return;
  FUZZ_CHECK(len >= WT__KATRAN_CID_MIN && host <= wt__katran_host_max(version));
  memcpy(copy, id, len);
  FUZZ_CHECK(wt__katran_write(version, host, copy, len) == 0);
  FUZZ_CHECK(!memcmp(copy, id, len));
}

static void check_write(enum wt__katran version, uint32_t host, const uint8_t *id, size_t len) {
  uint8_t copy[WT__LB_CID_MAX];
  memcpy(copy, id, len);
  bool fits = len >= WT__KATRAN_CID_MIN && host >= 1 && host <= wt__katran_host_max(version);
  FUZZ_CHECK((wt__katran_write(version, host, copy, len) == 0) == fits);
  if (fits) FUZZ_CHECK(wt__katran_read(version, copy, len) == host);
  if (!fits) FUZZ_CHECK(!memcmp(copy, id, len));
}

static void check_nlb(size_t len, const uint8_t *id, size_t id_len) {
  struct wt__lb_config config;
  uint8_t server_id[WT__LB_SERVER_ID_MAX];
  if (wt__cid_layout_nlb(len, &config)) return;
  FUZZ_CHECK(!wt__lb_config_fault(&config) && wt__lb_cid_len(&config) == len);
  if (wt__lb_cid_read(&config, NULL, id, id_len, server_id)) return;
  FUZZ_CHECK(id_len >= len && !memcmp(server_id, id + 1, WT__NLB_SERVER_ID_LEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t id[WT__LB_CID_MAX];
  uint32_t host;
  if (size < sizeof(host)) return 0;
  memcpy(&host, data, sizeof(host));
  size_t len = size - sizeof(host) < sizeof(id) ? size - sizeof(host) : sizeof(id);
  memcpy(id, data + sizeof(host), len);
  for (int version = WT__KATRAN_V1; version <= WT__KATRAN_V3; version++) {
    check_read((enum wt__katran)version, id, len);
    check_write((enum wt__katran)version, host, id, len);
  }
  check_nlb(host % 32, id, len);
  return 0;
}
