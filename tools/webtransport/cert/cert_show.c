/* SPDX-License-Identifier: MIT */
/*
 * webtransport cert show: prints the certificates of a file, and whether browsers would accept them by their hash.
 *
 * That depends on the certificate (`hash_refusal`: the library tests the rules of the W3C API) and on the time. Private
 * keys in the file are skipped.
 *
 * If a file cannot be shown, a message names it, and the other files are still shown, as cat does.
 */
#include "cert/cert_show.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <webtransport/certificate.h>

#include "common/hash_text.h"
#include "common/json_text.h"
#include "common/values.h"
#include "common/visible_text.h"

enum {
  FILES_MAX = 64,
  FILE_BYTES_MAX = 4 << 20,
  DAY = 86400,
};

struct show_settings {
  const char *files[FILES_MAX];
  size_t file_count;
  bool json;
};

/* A certificate of a file. */
struct shown {
  const char *file;
  size_t index;
  struct wt_certificate_info info;
};

void cert_time(int64_t seconds, char text[32]) {
  time_t time = (time_t)seconds;
  struct tm parts;
  if (!gmtime_r(&time, &parts) || !strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &parts))
    snprintf(text, 32, "%" PRId64, seconds);
}

static bool set_file(void *target, const char *value, char *message, size_t size) {
  struct show_settings *settings = target;
  if (settings->file_count == FILES_MAX) return value_refuse(message, size, "too many files");
  settings->files[settings->file_count++] = value;
  return value_file(value, message, size);
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct show_settings *)target)->json = true;
  return true;
}

/* Returns the contents of the file, or NULL with `errno`. */
static char *file_read(const char *path, size_t *len) {
  FILE *file = fopen(path, "rbe");
  char *data = file ? malloc(FILE_BYTES_MAX + 1) : NULL;
  if (data) {
    *len = fread(data, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file) || *len > FILE_BYTES_MAX) {
      if (!ferror(file)) errno = EFBIG;
      free(data);
      data = NULL;
    }
  }
  if (file) {
    int kept = errno;
    (void)fclose(file);
    errno = kept;
  }
  return data;
}

const char *cert_refusal(const struct wt_certificate_info *info, int64_t now) {
  const char *why = info->hash_refusal;
  if (!*why && now > info->not_after) why = "it has expired";
  if (!*why && now < info->not_before) why = "it is not valid yet";
  return why;
}

json_t *cert_names_json(const char *names) {
  json_t *list = json_array();
  while (*names) {
    size_t len = strcspn(names, ",");
    json_array_append_new(list, json_stringn(names, len));
    names += len;
    names += strspn(names, ", ");
  }
  return list;
}

void cert_json(const struct wt_certificate_info *info, int64_t now, json_t *json) {
  const char *refusal = cert_refusal(info, now);
  char hex[65], base64[45];
  hash_hex(info->sha256, hex);
  hash_base64(info->sha256, base64);
  json_object_set_new(json, "subject", json_text(info->subject));
  json_object_set_new(json, "issuer", json_text(info->issuer));
  json_object_set_new(json, "self_signed", json_boolean(info->self_signed));
  json_object_set_new(json, "names", cert_names_json(info->names));
  json_object_set_new(json, "not_before", json_integer(info->not_before));
  json_object_set_new(json, "not_after", json_integer(info->not_after));
  json_object_set_new(json, "key", json_text(info->key));
  json_object_set_new(json, "signature", json_text(info->signature));
  json_object_set_new(json, "serial", json_text(info->serial));
  json_object_set_new(json, "sha256", json_text(hex));
  json_object_set_new(json, "sha256_base64", json_text(base64));
  json_object_set_new(json, "browsers_accept_hash", json_boolean(!*refusal));
  json_object_set_new(json, "refusal", json_text(*refusal ? refusal : NULL));
}

static void shown_json(const struct shown *shown, int64_t now, json_t *list) {
  json_t *json = json_object();
  json_object_set_new(json, "file", json_text(shown->file));
  json_object_set_new(json, "index", json_integer((json_int_t)shown->index));
  cert_json(&shown->info, now, json);
  json_array_append_new(list, json);
}

/* "12 days", or hours where that is closer. */
static void span_write(int64_t seconds, char text[32]) {
  int64_t count = seconds >= 2 * DAY ? (seconds + DAY / 2) / DAY : (seconds + 1800) / 3600;
  snprintf(text, 32, "%" PRId64 " %s%s", count, seconds >= 2 * DAY ? "day" : "hour", count == 1 ? "" : "s");
}

/* The text is from the certificate, so the terminal must not obey it. */
static void field_print(const char *label, const char *text, const char *remark) {
  char visible[4 * sizeof((struct wt_certificate_info *)0)->names + 1];
  printf("  %-10s  %s%s\n", label, visible_text(text, visible, sizeof visible), remark);
}

void cert_print(const struct wt_certificate_info *info, int64_t now) {
  const char *refusal = cert_refusal(info, now);
  char from[32], to[32], whole[32], left[32], hex[65], base64[45];
  hash_hex(info->sha256, hex);
  hash_base64(info->sha256, base64);
  cert_time(info->not_before, from);
  cert_time(info->not_after, to);
  span_write(info->not_after - info->not_before, whole);
  span_write(info->not_after - now, left);
  field_print("Subject", info->subject[0] ? info->subject : "(empty)", "");
  field_print("Issuer", info->issuer[0] ? info->issuer : "(empty)", info->self_signed ? " (self-signed)" : "");
  field_print("Names", info->names[0] ? info->names : "(none)", "");
  printf("  Valid       %s to %s (%s, ", from, to, whole);
  if (now > info->not_after)
    printf("expired)\n");
  else if (now < info->not_before)
    printf("not yet)\n");
  else
    printf("%s left)\n", left);
  printf("  Key         %s\n", info->key);
  printf("  Signature   %s\n", info->signature);
  printf("  Serial      %s\n", info->serial);
  printf("  SHA-256     %s\n", hex);
  printf("  in base64   %s\n", base64);
  printf("  By hash     %s%s\n", *refusal ? "browsers refuse it: " : "browsers accept it", refusal);
}

/* Shows the certificates of `data`. Returns 0, or the error of the first that cannot be shown. */
static int file_show(const char *file, const char *data, size_t len, int64_t now, json_t *list) {
  struct shown shown = {.file = file};
  for (;; shown.index++) {
    shown.info.size = sizeof shown.info;
    int error = wt_certificate_describe(data, len, shown.index, &shown.info);
    if (error) return error == WT_ERR_NOT_FOUND && shown.index ? 0 : error;
    if (list) {
      shown_json(&shown, now, list);
    } else {
      printf("%s, certificate %zu\n", file, shown.index + 1);
      cert_print(&shown.info, now);
    }
  }
}

static bool file_try(const struct command *command, const char *file, int64_t now, json_t *list) {
  size_t len;
  char *data = file_read(file, &len);
  int error = WT_OK;
  if (!data)
    fprintf(stderr, "webtransport %s: %s: %s\n", command->name, file, strerror(errno));
  else
    error = file_show(file, data, len, now, list);
  if (error)
    fprintf(stderr, "webtransport %s: %s: %s\n", command->name, file,
            error == WT_ERR_NOT_FOUND ? "there is no certificate in it" : wt_error_string(error));
  free(data);
  return data && !error;
}

static int show_main(const struct command *command, int argc, char **argv) {
  struct show_settings settings = {0};
  enum options_outcome outcome = options_parse(command, argc, argv, &settings);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  json_t *list = settings.json ? json_array() : NULL;
  bool good = true;
  for (size_t i = 0; i < settings.file_count; i++)
    if (!file_try(command, settings.files[i], (int64_t)time(NULL), list)) good = false;
  if (list) {
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(list);
  }
  return good ? EXIT_DONE : EXIT_FAILED;
}

static const struct option_spec show_options[] = {
    {.name = "json", .letter = 'j', .help = "Prints a list in JSON instead of text.", .set = set_json},
    {0},
};

static const struct operand_spec show_operands[] = {
    {.name = "FILE",
     .kind = VALUE_FILE,
     .required = true,
     .repeatable = true,
     .help = "File with certificates, in PEM or DER. Keys in it are passed over.",
     .set = set_file},
    {0},
};

static const struct example_spec show_examples[] = {
    {"webtransport cert show webtransport.pem", "The certificate that `webtransport cert` made."},
    {0},
};

const struct command cert_show_command = {
    .name = "cert show",
    .summary = "Shows the certificates of a file, and whether browsers take them by hash",
    .details = "",
    .options = show_options,
    .operands = show_operands,
    .examples = show_examples,
    .exits = EXITS_COMMON,
    .run = show_main,
};
