/* SPDX-License-Identifier: MIT */

/* src/net/snapshot.c: everything that connection information points to is copied, and what is missing stays missing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/snapshot.h"

static void test_snapshot_outlives_what_it_was_taken_of(void **state) {
  char peer[] = "192.0.2.1:4433", local[] = "192.0.2.2:50000", tls[] = "TLS1.3", cipher[] = "AES-128-GCM",
       group[] = "X25519";
  struct wt_setting settings[] = {{.id = 6, .value = 16384}, {.id = 8, .value = 1}};
  uint8_t certificate[] = {0x30, 0x03, 1, 2, 3};
  struct wt_connection_info info = {.size = sizeof(info),
                                    .peer_address = peer,
                                    .local_address = local,
                                    .quic_version = 1,
                                    .tls_version = tls,
                                    .cipher = cipher,
                                    .group = group,
                                    .certificate = certificate,
                                    .certificate_len = sizeof(certificate),
                                    .has_settings = true,
                                    .settings = settings,
                                    .setting_count = 2};
  struct wt__snapshot *kept = wt__snapshot_take(&info);
  (void)state;
  assert_non_null(kept);
  memset(peer, 'x', sizeof(peer));
  memset(local, 'x', sizeof(local));
  memset(tls, 'x', sizeof(tls));
  memset(cipher, 'x', sizeof(cipher));
  memset(group, 'x', sizeof(group));
  memset(settings, 0, sizeof(settings));
  memset(certificate, 0, sizeof(certificate));
  assert_int_equal(kept->info.quic_version, 1);
  assert_string_equal(kept->info.peer_address, "192.0.2.1:4433");
  assert_string_equal(kept->info.local_address, "192.0.2.2:50000");
  assert_string_equal(kept->info.tls_version, "TLS1.3");
  assert_string_equal(kept->info.cipher, "AES-128-GCM");
  assert_string_equal(kept->info.group, "X25519");
  assert_int_equal(kept->info.setting_count, 2);
  assert_int_equal(kept->info.settings[0].value, 16384);
  assert_int_equal(kept->info.settings[1].id, 8);
  assert_memory_equal(kept->info.certificate, ((uint8_t[]){0x30, 0x03, 1, 2, 3}), 5);
  wt__snapshot_free(kept);
}

static void test_snapshot_of_an_attempt_that_nobody_answered(void **state) {
  struct wt_connection_info info = {.size = sizeof(info), .peer_address = "192.0.2.1:4433", .local_address = ""};
  struct wt__snapshot *kept = wt__snapshot_take(&info);
  (void)state;
  assert_non_null(kept);
  assert_string_equal(kept->info.local_address, "");
  assert_null(kept->info.tls_version);
  assert_null(kept->info.cipher);
  assert_null(kept->info.group);
  assert_null(kept->info.certificate);
  assert_null(kept->info.settings);
  wt__snapshot_free(kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_snapshot_outlives_what_it_was_taken_of),
      cmocka_unit_test(test_snapshot_of_an_attempt_that_nobody_answered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
