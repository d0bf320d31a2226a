/* SPDX-License-Identifier: MIT */
/*
 * Would Chromium, Firefox, Safari or webtransport-go connect to a server that was probed?
 *
 * Each client requires other things: a setting of its draft, a transport parameter, a kind of certificate. One table
 * has these rules. Each rule has a name, the clients it is for, a function that tests the facts, and a sentence. We
 * know the rules from tests or from the sources of the versions below; other versions may have other rules. If a client
 * connects in spite of a broken rule, but its users or its next version will notice, the client is in `advice` instead
 * of `required`.
 *
 * If a fact is not known, the rule is unknown and never broken: a server that is down says nothing about its SETTINGS.
 * Nothing here connects or prints.
 *
 * Two things are not judged: which other origins the server accepts, and subprotocols.
 */
#include "probe/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum setting {
  ENABLE_CONNECT_PROTOCOL = 0x08,
  H3_DATAGRAM = 0x33,
  H3_DATAGRAM_DRAFT04 = 0xffd277,
  INITIAL_MAX_DATA = 0x2b61,
  INITIAL_MAX_STREAMS_UNI = 0x2b64,
  INITIAL_MAX_STREAMS_BIDI = 0x2b65,
  ENABLE_WEBTRANSPORT = 0x2b603742,
  WT_MAX_SESSIONS = 0x14e9cd29,
  WT_ENABLED = 0x2c7cf000,
};
#define WEBTRANSPORT_MAX_SESSIONS UINT64_C(0xc671706a) /* too large for an enum */

enum {
  CHROMIUM = 1 << VERDICT_CHROMIUM,
  FIREFOX = 1 << VERDICT_FIREFOX,
  SAFARI = 1 << VERDICT_SAFARI,
  GO = 1 << VERDICT_WEBTRANSPORT_GO,
  BROWSERS = CHROMIUM | FIREFOX | SAFARI,
  ALL = BROWSERS | GO,
};

struct rule {
  const char *name;
  unsigned required, advice; /* bits of clients */
  enum verdict_state (*test)(const struct verdict_facts *facts, char *found);
  const char *sentence;
};

static void found_write(char *found, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void found_write(char *found, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(found, VERDICT_FOUND_MAX, format, args);
  va_end(args);
}

/* --- SETTINGS --- */

/* Returns whether it was sent, and its value or 0, which is every default here. */
static bool setting_get(const struct verdict_facts *facts, uint64_t id, uint64_t *value) {
  const struct wt_connection_info *info = facts->connection;
  *value = 0;
  for (size_t i = 0; i < info->setting_count; i++)
    if (info->settings[i].id == id) {
      *value = info->settings[i].value;
      return true;
    }
  return false;
}

static bool settings_known(const struct verdict_facts *facts) {
  return facts->connection && facts->connection->has_settings;
}

static enum verdict_state setting_test(const struct verdict_facts *facts, uint64_t id, uint64_t min, uint64_t max,
                                       char *found) {
  uint64_t value;
  if (!settings_known(facts)) return VERDICT_UNKNOWN;
  bool sent = setting_get(facts, id, &value);
  if (sent && value >= min && value <= max) return VERDICT_YES;
  if (sent)
    found_write(found, "it is %" PRIu64, value);
  else
    found_write(found, "it was not sent");
  return VERDICT_NO;
}

static enum verdict_state test_draft02(const struct verdict_facts *facts, char *found) {
  return setting_test(facts, ENABLE_WEBTRANSPORT, 1, 1, found);
}

static enum verdict_state test_draft15(const struct verdict_facts *facts, char *found) {
  return setting_test(facts, WT_ENABLED, 1, UINT64_MAX, found);
}

static enum verdict_state test_extended_connect(const struct verdict_facts *facts, char *found) {
  return setting_test(facts, ENABLE_CONNECT_PROTOCOL, 1, 1, found);
}

static enum verdict_state test_h3_datagram(const struct verdict_facts *facts, char *found) {
  return setting_test(facts, H3_DATAGRAM, 1, 1, found);
}

static enum verdict_state test_h3_datagram_any(const struct verdict_facts *facts, char *found) {
  char other[VERDICT_FOUND_MAX];
  enum verdict_state state = setting_test(facts, H3_DATAGRAM, 1, 1, found);
  if (state != VERDICT_NO || setting_test(facts, H3_DATAGRAM_DRAFT04, 1, 1, other) != VERDICT_YES) return state;
  found[0] = 0;
  return VERDICT_YES;
}

static enum verdict_state test_max_sessions(const struct verdict_facts *facts, char *found) {
  char other[VERDICT_FOUND_MAX];
  enum verdict_state state = setting_test(facts, WT_MAX_SESSIONS, 1, UINT64_MAX, other);
  if (state != VERDICT_NO) return state;
  if (setting_test(facts, WEBTRANSPORT_MAX_SESSIONS, 1, UINT64_MAX, other) == VERDICT_YES) return VERDICT_YES;
  found_write(found, "neither is there");
  return VERDICT_NO;
}

/* Several sessions need flow control, so one without its limits is taken for a mistake. */
static enum verdict_state test_session_limits(const struct verdict_facts *facts, char *found) {
  uint64_t sessions, data, uni, bidi;
  if (!settings_known(facts)) return VERDICT_UNKNOWN;
  setting_get(facts, WT_MAX_SESSIONS, &sessions);
  setting_get(facts, INITIAL_MAX_DATA, &data);
  setting_get(facts, INITIAL_MAX_STREAMS_UNI, &uni);
  setting_get(facts, INITIAL_MAX_STREAMS_BIDI, &bidi);
  if (sessions <= 1 || (data && uni && bidi)) return VERDICT_YES;
  found_write(found, "it is %" PRIu64 ", and these are missing or 0:%s%s%s", sessions, data ? "" : " 0x2b61",
              uni ? "" : " 0x2b64", bidi ? "" : " 0x2b65");
  return VERDICT_NO;
}

/* --- Transport parameters --- */

static enum verdict_state test_datagram_frames(const struct verdict_facts *facts, char *found) {
  if (!facts->connection || !facts->connection->has_parameters) return VERDICT_UNKNOWN;
  if (facts->connection->parameters.max_datagram_frame_size) return VERDICT_YES;
  found_write(found, "the server takes no DATAGRAM frames");
  return VERDICT_NO;
}

static enum verdict_state test_reset_stream_at(const struct verdict_facts *facts, char *found) {
  if (!facts->connection || !facts->connection->has_parameters) return VERDICT_UNKNOWN;
  if (facts->connection->parameters.reset_stream_at) return VERDICT_YES;
  found_write(found, "it was not sent");
  return VERDICT_NO;
}

/* --- Connection, certificate, answer --- */

static enum verdict_state test_connection(const struct verdict_facts *facts, char *found) {
  if (facts->connection && facts->connection->handshake_us) return VERDICT_YES;
  found_write(found, "%s", facts->failure ? facts->failure : "");
  return facts->failure ? VERDICT_NO : VERDICT_UNKNOWN;
}

static const char *text_or(const char *text, const char *otherwise) { return text && *text ? text : otherwise; }

/* By an authority, or else by hash, which works for certificates made for it alone. */
static enum verdict_state certificate_test(const struct verdict_facts *facts, enum verdict_state authority,
                                           const char *authority_refusal, char *found) {
  if (authority == VERDICT_YES) return VERDICT_YES;
  if (facts->hash == VERDICT_YES) {
    found_write(found, "only by its hash (serverCertificateHashes)");
    return VERDICT_YES;
  }
  if (authority == VERDICT_UNKNOWN || facts->hash == VERDICT_UNKNOWN) return VERDICT_UNKNOWN;
  found_write(found, "not by an authority: %s; not by its hash: %s", authority_refusal,
              text_or(facts->hash_refusal, "refused"));
  return VERDICT_NO;
}

static const char *authority_why(const struct verdict_facts *facts) {
  return facts->authority == VERDICT_UNKNOWN ? "authorities were not asked"
                                             : text_or(facts->authority_refusal, "refused");
}

static enum verdict_state test_certificate(const struct verdict_facts *facts, char *found) {
  enum verdict_state state = certificate_test(facts, facts->authority, authority_why(facts), found);
  if (facts->authority == VERDICT_YES && facts->authority_of_file)
    found_write(found, "where the authorities of --ca are installed%s",
                facts->hash == VERDICT_YES ? ", or by its hash (serverCertificateHashes)" : "");
  return state;
}

static enum verdict_state test_public_certificate(const struct verdict_facts *facts, char *found) {
  bool own = facts->authority == VERDICT_YES && facts->authority_of_file;
  return certificate_test(facts, own ? VERDICT_NO : facts->authority,
                          own ? "those of --ca do not count here, even if they are installed" : authority_why(facts),
                          found);
}

static enum verdict_state test_authority(const struct verdict_facts *facts, char *found) {
  if (facts->authority == VERDICT_YES && facts->authority_of_file)
    found_write(found, "if it is given the authorities of --ca");
  if (facts->authority == VERDICT_NO)
    found_write(found, "%s; a program may check the hash itself", text_or(facts->authority_refusal, "refused"));
  return facts->authority;
}

static enum verdict_state test_answer(const struct verdict_facts *facts, char *found) {
  if (facts->status >= 200 && facts->status < 300) return VERDICT_YES;
  if (facts->status)
    found_write(found, "it is %d", facts->status);
  else if (facts->refused)
    found_write(found, "the request was reset");
  return facts->status || facts->refused ? VERDICT_NO : VERDICT_UNKNOWN;
}

/* --- The rules --- */

static const struct rule rules[] = {
    {"connection", ALL, 0, test_connection, "a QUIC connection for HTTP/3 (ALPN h3) can be made"},
    {"certificate", CHROMIUM, 0, test_public_certificate,
     "the certificate is signed by a publicly known authority, or fit to be named by its hash"},
    {"certificate", FIREFOX | SAFARI, 0, test_certificate,
     "the certificate is signed by an authority, or fit to be named by its hash"},
    {"certificate", GO, 0, test_authority, "the certificate is signed by an authority"},
    {"draft-02", CHROMIUM | FIREFOX, 0, test_draft02,
     "SETTINGS_ENABLE_WEBTRANSPORT (0x2b603742), of draft 02, is 1: no later draft is spoken"},
    {"draft-15", GO, 0, test_draft15,
     "SETTINGS_WT_ENABLED (0x2c7cf000), of draft 15, is not 0: no earlier draft is spoken"},
    {"max-sessions", SAFARI, 0, test_max_sessions,
     "SETTINGS_WT_MAX_SESSIONS (0x14e9cd29), or 0xc671706a of earlier drafts, is not 0"},
    {"session-limits", SAFARI, 0, test_session_limits,
     "with SETTINGS_WT_MAX_SESSIONS (0x14e9cd29) over 1, the limits SETTINGS_WT_INITIAL_MAX_DATA, _STREAMS_UNI and "
     "_STREAMS_BIDI are not 0"},
    {"extended-connect", SAFARI | GO, 0, test_extended_connect, "SETTINGS_ENABLE_CONNECT_PROTOCOL (0x08) is 1"},
    {"extended-connect", 0, FIREFOX, test_extended_connect,
     "SETTINGS_ENABLE_CONNECT_PROTOCOL (0x08) is 1; the next version asks for it"},
    {"h3-datagram", FIREFOX | SAFARI | GO, 0, test_h3_datagram, "SETTINGS_H3_DATAGRAM (0x33) is 1"},
    {"h3-datagram", CHROMIUM, 0, test_h3_datagram_any, "SETTINGS_H3_DATAGRAM (0x33, or 0xffd277 of a draft) is 1"},
    {"datagram-frames", FIREFOX | SAFARI | GO, CHROMIUM, test_datagram_frames,
     "the transport parameter max_datagram_frame_size is not 0"},
    {"reset-stream-at", GO, 0, test_reset_stream_at, "the transport parameter reset_stream_at is there"},
    {"answer", ALL, 0, test_answer, "the answer's status is 2xx"},
};

static const struct {
  const char *name, *version;
} clients[] = {
    [VERDICT_CHROMIUM] = {"Chromium", "156"},
    [VERDICT_FIREFOX] = {"Firefox", "153"},
    [VERDICT_SAFARI] = {"Safari", "26.4"},
    [VERDICT_WEBTRANSPORT_GO] = {"webtransport-go", "0.12"},
};

const char *verdict_client_name(enum verdict_client client, const char **version) {
  if (version) *version = clients[client].version;
  return clients[client].name;
}

size_t verdict_judge(const struct verdict_facts *facts, enum verdict_client client,
                     struct verdict_line lines[VERDICT_LINES_MAX]) {
  const unsigned bit = 1u << client;
  size_t count = 0;
  for (size_t i = 0; i < sizeof rules / sizeof rules[0] && count < VERDICT_LINES_MAX; i++) {
    const struct rule *rule = &rules[i];
    if (!((rule->required | rule->advice) & bit)) continue;
    struct verdict_line *line = &lines[count++];
    *line = (struct verdict_line){
        .name = rule->name,
        .sentence = rule->sentence,
        .required = (rule->required & bit) != 0,
    };
    line->state = rule->test(facts, line->found);
  }
  return count;
}

enum verdict_state verdict_sum(const struct verdict_line *lines, size_t count) {
  enum verdict_state sum = VERDICT_YES;
  for (size_t i = 0; i < count; i++) {
    if (!lines[i].required) continue;
    if (lines[i].state == VERDICT_NO) return VERDICT_NO;
    if (lines[i].state == VERDICT_UNKNOWN) sum = VERDICT_UNKNOWN;
  }
  return sum;
}
