/* SPDX-License-Identifier: MIT */
/* The verdicts about servers that were made up: one that suits all, and one for each way not to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "probe/verdict.h"

#define WT_DRAFT07 0xc671706a
#define WT_DRAFT13 0x14e9cd29
#define WT_DRAFT15 0x2c7cf000
#define WT_DRAFT02 0x2b603742

/* A server, which a test changes before it asks. */
struct server {
  struct wt_setting settings[16];
  struct wt_connection_info info;
  struct verdict_facts facts;
};

static void server_set(struct server *server, uint64_t id, uint64_t value) {
  size_t i = 0;
  while (i < server->info.setting_count && server->settings[i].id != id) i++;
  assert_true(i < 16);
  server->settings[i] = (struct wt_setting){id, value};
  if (i == server->info.setting_count) server->info.setting_count++;
}

static void server_unset(struct server *server, uint64_t id) {
  for (size_t i = 0; i < server->info.setting_count; i++)
    if (server->settings[i].id == id) {
      server->settings[i] = server->settings[--server->info.setting_count];
      return;
    }
  fail_msg("the setting 0x%llx is not there", (unsigned long long)id);
}

/* All drafts, a certificate by an authority, an answer of 200. */
static void server_good(struct server *server) {
  *server = (struct server){
      .info = {.has_settings = true, .has_parameters = true, .handshake_us = 1000},
      .facts = {.authority = VERDICT_YES, .hash = VERDICT_NO, .hash_refusal = "it is valid too long", .status = 200},
  };
  server->info.settings = server->settings;
  server->info.parameters.max_datagram_frame_size = 65535;
  server->info.parameters.reset_stream_at = true;
  server->facts.connection = &server->info;
  server_set(server, 0x08, 1);
  server_set(server, 0x33, 1);
  server_set(server, WT_DRAFT02, 1);
  server_set(server, WT_DRAFT07, 1);
  server_set(server, WT_DRAFT13, 1);
  server_set(server, WT_DRAFT15, 1);
}

static enum verdict_state sum_of(const struct server *server, enum verdict_client client) {
  struct verdict_line lines[VERDICT_LINES_MAX];
  return verdict_sum(lines, verdict_judge(&server->facts, client, lines));
}

/* What became of a rule; fails if the client has no such rule. */
static enum verdict_state rule_of(const struct server *server, enum verdict_client client, const char *name,
                                  char *found) {
  struct verdict_line lines[VERDICT_LINES_MAX];
  size_t count = verdict_judge(&server->facts, client, lines);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(lines[i].name, name)) continue;
    if (found) memcpy(found, lines[i].found, VERDICT_FOUND_MAX);
    return lines[i].state;
  }
  fail_msg("%s has no rule %s", verdict_client_name(client, NULL), name);
  return VERDICT_UNKNOWN;
}

/* "YYNY": Chromium, Firefox, Safari, webtransport-go; '?' for unknown. */
static void check_sums(const struct server *server, const char *expected) {
  char sums[VERDICT_CLIENT_COUNT + 1] = "";
  for (int i = 0; i < VERDICT_CLIENT_COUNT; i++) sums[i] = "?YN"[sum_of(server, (enum verdict_client)i)];
  assert_string_equal(sums, expected);
}

static void test_a_server_with_all_drafts_suits_all(void **state) {
  struct server server;
  (void)state;
  server_good(&server);
  check_sums(&server, "YYYY");
  for (int i = 0; i < VERDICT_CLIENT_COUNT; i++) {
    struct verdict_line lines[VERDICT_LINES_MAX];
    size_t count = verdict_judge(&server.facts, (enum verdict_client)i, lines);
    assert_true(count >= 6);
    assert_true(count < VERDICT_LINES_MAX);
    for (size_t j = 0; j < count; j++) {
      assert_int_equal(lines[j].state, VERDICT_YES);
      assert_string_equal(lines[j].found, "");
      assert_true(strlen(lines[j].name) < 17);
      for (size_t k = 0; k < j; k++) assert_string_not_equal(lines[j].name, lines[k].name);
    }
  }
}

static void test_names_and_versions(void **state) {
  const char *version = NULL;
  (void)state;
  assert_string_equal(verdict_client_name(VERDICT_CHROMIUM, &version), "Chromium");
  assert_string_equal(version, "156");
  assert_string_equal(verdict_client_name(VERDICT_WEBTRANSPORT_GO, &version), "webtransport-go");
  assert_string_equal(version, "0.12");
  assert_string_equal(verdict_client_name(VERDICT_SAFARI, NULL), "Safari");
}

static void test_nothing_known_is_not_a_no(void **state) {
  struct server server = {0};
  (void)state;
  check_sums(&server, "????");
  assert_int_equal(rule_of(&server, VERDICT_CHROMIUM, "draft-02", NULL), VERDICT_UNKNOWN);
}

static void test_no_connection_is_a_no_with_its_reason(void **state) {
  struct server server = {.facts = {.failure = "connection refused"}};
  char found[VERDICT_FOUND_MAX];
  (void)state;
  check_sums(&server, "NNNN");
  assert_int_equal(rule_of(&server, VERDICT_SAFARI, "connection", found), VERDICT_NO);
  assert_string_equal(found, "connection refused");
  assert_int_equal(rule_of(&server, VERDICT_SAFARI, "h3-datagram", NULL), VERDICT_UNKNOWN);
  assert_int_equal(rule_of(&server, VERDICT_SAFARI, "datagram-frames", NULL), VERDICT_UNKNOWN);
}

static void test_settings_that_never_came_leave_it_open(void **state) {
  struct server server;
  (void)state;
  server_good(&server);
  server.info.has_settings = false;
  server.facts.status = 0;
  check_sums(&server, "????");
}

static void test_each_draft_has_its_clients(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX];
  (void)state;
  server_good(&server);
  server_unset(&server, WT_DRAFT02);
  check_sums(&server, "NNYY");
  rule_of(&server, VERDICT_CHROMIUM, "draft-02", found);
  assert_string_equal(found, "it was not sent");
  server_set(&server, WT_DRAFT02, 2);
  check_sums(&server, "NNYY");
  rule_of(&server, VERDICT_CHROMIUM, "draft-02", found);
  assert_string_equal(found, "it is 2");
  server_good(&server);
  server_unset(&server, WT_DRAFT15);
  check_sums(&server, "YYYN");
  server_set(&server, WT_DRAFT15, 0);
  check_sums(&server, "YYYN");
  server_set(&server, WT_DRAFT15, 7);
  check_sums(&server, "YYYY");
  server_good(&server);
  server_unset(&server, WT_DRAFT07);
  check_sums(&server, "YYYY");
  server_unset(&server, WT_DRAFT13);
  check_sums(&server, "YYNY");
  server_set(&server, WT_DRAFT07, 100);
  check_sums(&server, "YYYY");
  server_set(&server, WT_DRAFT07, 0);
  check_sums(&server, "YYNY");
}

static void test_safari_wants_limits_with_several_sessions(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX];
  (void)state;
  server_good(&server);
  server_set(&server, WT_DRAFT13, 2);
  check_sums(&server, "YYNY");
  server_set(&server, 0x2b61, 1000);
  server_set(&server, 0x2b64, 0);
  server_set(&server, 0x2b65, 10);
  assert_int_equal(rule_of(&server, VERDICT_SAFARI, "session-limits", found), VERDICT_NO);
  assert_string_equal(found, "it is 2, and these are missing or 0: 0x2b64");
  server_set(&server, 0x2b64, 10);
  check_sums(&server, "YYYY");
  server_set(&server, WT_DRAFT13, UINT64_C(0x3fffffffffffffff));
  check_sums(&server, "YYYY");
}

static void test_extended_connect_is_only_advice_for_firefox(void **state) {
  struct server server;
  (void)state;
  server_good(&server);
  server_unset(&server, 0x08);
  check_sums(&server, "YYNN");
  assert_int_equal(rule_of(&server, VERDICT_FIREFOX, "extended-connect", NULL), VERDICT_NO);
}

static void test_chromium_takes_the_old_datagram_setting(void **state) {
  struct server server;
  (void)state;
  server_good(&server);
  server_unset(&server, 0x33);
  check_sums(&server, "NNNN");
  server_set(&server, 0xffd277, 1);
  check_sums(&server, "YNNN");
  server_set(&server, 0xffd277, 0);
  check_sums(&server, "NNNN");
}

static void test_transport_parameters(void **state) {
  struct server server;
  (void)state;
  server_good(&server);
  server.info.parameters.reset_stream_at = false;
  check_sums(&server, "YYYN");
  server_good(&server);
  server.info.parameters.max_datagram_frame_size = 0;
  check_sums(&server, "YNNN");
  assert_int_equal(rule_of(&server, VERDICT_CHROMIUM, "datagram-frames", NULL), VERDICT_NO);
  server.info.has_parameters = false;
  check_sums(&server, "Y???");
}

static void test_certificates_by_hash_are_for_browsers(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX];
  (void)state;
  server_good(&server);
  server.facts.authority = VERDICT_NO;
  server.facts.authority_refusal = "nobody signed it";
  check_sums(&server, "NNNN");
  rule_of(&server, VERDICT_FIREFOX, "certificate", found);
  assert_string_equal(found, "not by an authority: nobody signed it; not by its hash: it is valid too long");
  server.facts.hash = VERDICT_YES;
  check_sums(&server, "YYYN");
  rule_of(&server, VERDICT_SAFARI, "certificate", found);
  assert_string_equal(found, "only by its hash (serverCertificateHashes)");
  rule_of(&server, VERDICT_WEBTRANSPORT_GO, "certificate", found);
  assert_string_equal(found, "nobody signed it; a program may check the hash itself");
  server.facts.authority = VERDICT_UNKNOWN;
  check_sums(&server, "YYY?");
  server.facts.hash = VERDICT_UNKNOWN;
  check_sums(&server, "????");
}

static void test_an_own_authority_is_not_enough_for_chromium(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX];
  (void)state;
  server_good(&server);
  server.facts.authority_of_file = true;
  check_sums(&server, "NYYY");
  rule_of(&server, VERDICT_FIREFOX, "certificate", found);
  assert_string_equal(found, "where the authorities of --ca are installed");
  server.facts.hash = VERDICT_YES;
  check_sums(&server, "YYYY");
  rule_of(&server, VERDICT_FIREFOX, "certificate", found);
  assert_string_equal(found, "where the authorities of --ca are installed, or by its hash (serverCertificateHashes)");
}

static void test_the_answer_counts(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX];
  (void)state;
  server_good(&server);
  server.facts.status = 404;
  check_sums(&server, "NNNN");
  rule_of(&server, VERDICT_CHROMIUM, "answer", found);
  assert_string_equal(found, "it is 404");
  server.facts.status = 204;
  check_sums(&server, "YYYY");
  server.facts.status = 302;
  check_sums(&server, "NNNN");
  server.facts.status = 0;
  check_sums(&server, "????");
  server.facts.refused = true;
  check_sums(&server, "NNNN");
}

static void test_long_reasons_are_cut(void **state) {
  struct server server;
  char found[VERDICT_FOUND_MAX], reason[1000];
  (void)state;
  memset(reason, 'x', sizeof reason);
  reason[sizeof reason - 1] = 0;
  server_good(&server);
  server.facts.authority = VERDICT_NO;
  server.facts.authority_refusal = reason;
  assert_int_equal(rule_of(&server, VERDICT_FIREFOX, "certificate", found), VERDICT_NO);
  assert_int_equal(strlen(found), VERDICT_FOUND_MAX - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_server_with_all_drafts_suits_all),
      cmocka_unit_test(test_names_and_versions),
      cmocka_unit_test(test_nothing_known_is_not_a_no),
      cmocka_unit_test(test_no_connection_is_a_no_with_its_reason),
      cmocka_unit_test(test_settings_that_never_came_leave_it_open),
      cmocka_unit_test(test_each_draft_has_its_clients),
      cmocka_unit_test(test_safari_wants_limits_with_several_sessions),
      cmocka_unit_test(test_extended_connect_is_only_advice_for_firefox),
      cmocka_unit_test(test_chromium_takes_the_old_datagram_setting),
      cmocka_unit_test(test_transport_parameters),
      cmocka_unit_test(test_certificates_by_hash_are_for_browsers),
      cmocka_unit_test(test_an_own_authority_is_not_enough_for_chromium),
      cmocka_unit_test(test_the_answer_counts),
      cmocka_unit_test(test_long_reasons_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
