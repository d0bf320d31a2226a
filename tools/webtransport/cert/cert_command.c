/* SPDX-License-Identifier: MIT */
/*
 * webtransport cert: makes a certificate that browsers accept by its hash, with its key. It prints the hash for a page,
 * for a program that uses the library, and for this tool.
 *
 * Both files are written or none. Without --force they are made with O_EXCL, so no file is overwritten, even if it
 * appeared a moment ago. With --force each file is written beside its place and then renamed. So a server that reads
 * them meanwhile gets either the old or the new file as a whole, and the new key file does not inherit the mode of an
 * old one.
 */
#include "cert/cert_show.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <webtransport/certificate.h>

#include "common/hash_text.h"
#include "common/values.h"

enum {
  NAMES_MAX = 64,
  DAYS_MAX = 13, /* the W3C API takes 14; a day is left for clocks that are off */
  PATH_SIZE = 4096,
};

struct cert_settings {
  const char *names[NAMES_MAX];
  size_t name_count;
  const char *prefix, *cert_file, *key_file;
  char cert_path[PATH_SIZE], key_path[PATH_SIZE];
  uint64_t days;
  bool force, json;
};

/* A file that is being written. */
struct output {
  const char *path;
  char made[PATH_SIZE + 32]; /* the file that was opened: `path` or a file beside it; "": nothing to remove */
};

static bool set_days(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 1, DAYS_MAX, &((struct cert_settings *)target)->days, message, size);
}

static bool set_name(void *target, const char *value, char *message, size_t size) {
  struct cert_settings *settings = target;
  if (!*value || strlen(value) > 253) return value_refuse(message, size, "expected a DNS name or an IP address");
  for (const char *c = value; *c; c++)
    if (*c <= 0x20 || *c > 0x7e || *c == ',')
      return value_refuse(message, size, "expected a DNS name or an IP address, in ASCII");
  if (settings->name_count == NAMES_MAX) return value_refuse(message, size, "too many names");
  settings->names[settings->name_count++] = value;
  return true;
}

static bool set_out(void *target, const char *value, char *message, size_t size) {
  ((struct cert_settings *)target)->prefix = value;
  return value_file(value, message, size);
}

static bool set_out_cert(void *target, const char *value, char *message, size_t size) {
  ((struct cert_settings *)target)->cert_file = value;
  return value_file(value, message, size);
}

static bool set_out_key(void *target, const char *value, char *message, size_t size) {
  ((struct cert_settings *)target)->key_file = value;
  return value_file(value, message, size);
}

static bool set_force(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct cert_settings *)target)->force = true;
  return true;
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct cert_settings *)target)->json = true;
  return true;
}

/* --- The files. --- */

static bool complain(const char *file, const char *what) {
  fprintf(stderr, "webtransport cert: %s%s%s\n", file, *file ? ": " : "", what);
  return false;
}

static bool output_write(int fd, const char *text) {
  size_t len = strlen(text);
  while (len) {
    ssize_t written = write(fd, text, len);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text += written;
    len -= (size_t)written;
  }
  return true;
}

/* Makes the file, or with `force` a file beside it. */
static bool output_make(struct output *output, const char *text, bool force, mode_t mode) {
  char made[sizeof output->made];
  struct stat info;
  /* A rename would fail only for a folder. It is checked now, before any file is in its place. */
  if (force && !stat(output->path, &info) && S_ISDIR(info.st_mode)) return complain(output->path, strerror(EISDIR));
  if (force)
    snprintf(made, sizeof made, "%s.%ld.new", output->path, (long)getpid());
  else
    snprintf(made, sizeof made, "%s", output->path);
  int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0)
    return complain(output->path,
                    errno == EEXIST ? "there is such a file already; --force overwrites it" : strerror(errno));
  memcpy(output->made, made, sizeof made);
  bool good = output_write(fd, text);
  int error = errno;
  if (close(fd) && good) {
    good = false;
    error = errno;
  }
  return good ? true : complain(output->path, strerror(error));
}

static bool output_place(struct output *output, bool force) {
  if (force && rename(output->made, output->path)) return complain(output->path, strerror(errno));
  output->made[0] = 0;
  return true;
}

static void output_drop(struct output *output) {
  if (output->made[0]) (void)unlink(output->made);
}

static bool files_write(const struct cert_settings *settings, const wt_certificate *certificate) {
  struct output key = {.path = settings->key_path}, cert = {.path = settings->cert_path};
  char *cert_pem = NULL, *key_pem = NULL;
  int error = wt_certificate_export(certificate, &cert_pem, &key_pem);
  if (error) return complain("", wt_error_string(error));
  bool force = settings->force;
  bool good = output_make(&key, key_pem, force, 0600) && output_make(&cert, cert_pem, force, 0644);
  good = good && output_place(&key, force) && output_place(&cert, force);
  output_drop(&key);
  output_drop(&cert);
  wt_pem_free(cert_pem);
  wt_pem_free(key_pem);
  return good;
}

/* --- What is printed. --- */

/* Prints a word for a shell, in quotes if it needs them. */
static void print_word(const char *word) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:+@%";
  if (*word && strspn(word, plain) == strlen(word)) {
    fputs(word, stdout);
    return;
  }
  putchar('\'');
  for (; *word; word++) {
    if (*word == '\'')
      fputs("'\\''", stdout);
    else
      putchar(*word);
  }
  putchar('\'');
}

/* Returns the first name as it stands in a URL. */
static void print_host(const struct cert_settings *settings) {
  const char *name = settings->name_count ? settings->names[0] : "localhost";
  printf(strchr(name, ':') ? "[%s]" : "%s", name);
}

static void print_c(const uint8_t hash[32]) {
  printf("\nC:\n\n  static const uint8_t certificate_hashes[1][32] = {{\n");
  for (size_t i = 0; i < 32; i++) printf("%s0x%02x,%s", i % 16 ? " " : "    ", hash[i], i % 16 == 15 ? "\n" : "");
  printf("  }};\n  config.certificate_hashes = certificate_hashes; /* of a struct wt_client_config */\n"
         "  config.certificate_hash_count = 1;\n");
}

static void print_text(const struct cert_settings *settings, const struct wt_certificate_info *info) {
  char hex[65], base64[45], until[32];
  hash_hex(info->sha256, hex);
  hash_base64(info->sha256, base64);
  cert_time(info->not_after, until);
  printf("Certificate  %s\nKey          %s\nNames        %s\nValid until  %s\n", settings->cert_path,
         settings->key_path, info->names, until);
  printf("SHA-256      %s\n\nJavaScript:\n\n  const transport = new WebTransport('https://", hex);
  print_host(settings);
  printf(":4433/echo', {\n    serverCertificateHashes: [{\n      algorithm: 'sha-256',\n"
         "      value: Uint8Array.from(atob('%s'), (c) => c.charCodeAt(0)),\n    }],\n  });\n",
         base64);
  print_c(info->sha256);
  printf("\nCommand line:\n\n  webtransport serve --cert ");
  print_word(settings->cert_path);
  printf(" --key ");
  print_word(settings->key_path);
  printf("\n  webtransport connect --insecure-hash %s https://", hex);
  print_host(settings);
  printf(":4433/echo\n");
}

static void print_json(const struct cert_settings *settings, const struct wt_certificate_info *info) {
  char hex[65], base64[45];
  hash_hex(info->sha256, hex);
  hash_base64(info->sha256, base64);
  json_t *json =
      json_pack("{s:s?, s:s?, s:o, s:s, s:s, s:I, s:I}", "cert_file", settings->cert_path, "key_file",
                settings->key_path, "names", cert_names_json(info->names), "sha256", hex, "sha256_base64", base64,
                "not_before", (json_int_t)info->not_before, "not_after", (json_int_t)info->not_after);
  json_dumpf(json, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(json);
}

/* --- The run. --- */

/* Where the files go: PREFIX.pem and PREFIX.key, or where --out-cert and --out-key say. */
static bool paths_make(struct cert_settings *settings) {
  const char *prefix = settings->prefix ? settings->prefix : "webtransport";
  int cert = settings->cert_file ? snprintf(settings->cert_path, PATH_SIZE, "%s", settings->cert_file)
                                 : snprintf(settings->cert_path, PATH_SIZE, "%s.pem", prefix);
  int key = settings->key_file ? snprintf(settings->key_path, PATH_SIZE, "%s", settings->key_file)
                               : snprintf(settings->key_path, PATH_SIZE, "%s.key", prefix);
  return cert > 0 && cert < PATH_SIZE && key > 0 && key < PATH_SIZE;
}

static bool certificate_make(const struct cert_settings *settings, wt_certificate **certificate) {
  const char *const *names = settings->name_count ? settings->names : NULL;
  int error = wt_certificate_generate(names, settings->name_count, (int)settings->days, certificate);
  if (error) return complain("cannot make a certificate", wt_error_string(error));
  return true;
}

static bool info_get(const wt_certificate *certificate, struct wt_certificate_info *info) {
  char *pem;
  int error = wt_certificate_export(certificate, &pem, NULL);
  if (!error) {
    error = wt_certificate_describe(pem, strlen(pem), 0, info);
    wt_pem_free(pem);
  }
  return error ? complain("", wt_error_string(error)) : true;
}

static bool cert_run(const struct cert_settings *settings) {
  struct wt_certificate_info info = {.size = sizeof info};
  wt_certificate *certificate = NULL;
  bool good =
      certificate_make(settings, &certificate) && info_get(certificate, &info) && files_write(settings, certificate);
  wt_certificate_free(certificate);
  if (good && settings->json)
    print_json(settings, &info);
  else if (good)
    print_text(settings, &info);
  return good;
}

static int cert_main(const struct command *command, int argc, char **argv) {
  struct cert_settings settings = {.days = DAYS_MAX};
  enum options_outcome outcome = options_parse(command, argc, argv, &settings);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  if (!paths_make(&settings)) return options_complain(command, "the files' names are too long");
  if (!strcmp(settings.cert_path, settings.key_path))
    return options_complain(command, "certificate and key cannot both go to '%s'", settings.key_path);
  return cert_run(&settings) ? EXIT_DONE : EXIT_FAILED;
}

static const struct option_spec cert_options[] = {
    {.name = "name",
     .letter = 'n',
     .argument = "NAME",
     .kind = VALUE_HOST,
     .fallback = "localhost, 127.0.0.1 and ::1",
     .repeatable = true,
     .help = "DNS name or IP address that it is for.",
     .set = set_name},
    {.name = "days",
     .letter = 'd',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "13",
     .help = "How long it is valid, from 1 to 13 days: browsers take none by hash that lives longer than 14.",
     .set = set_days},
    {.name = "out",
     .letter = 'o',
     .argument = "PREFIX",
     .kind = VALUE_FILE,
     .fallback = "webtransport",
     .help = "Writes PREFIX.pem and PREFIX.key.",
     .set = set_out},
    {.name = "out-cert",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "PREFIX.pem",
     .help = "File for the certificate, in PEM.",
     .set = set_out_cert},
    {.name = "out-key",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "PREFIX.key",
     .help = "File for the private key, in PEM; only its owner can read it.",
     .set = set_out_key},
    {.name = "force", .letter = 'f', .help = "Overwrites files that are there.", .set = set_force},
    {.name = "json", .letter = 'j', .help = "Prints one line of JSON instead of text.", .set = set_json},
    {0},
};

static const struct example_spec cert_examples[] = {
    {"webtransport cert", "For a server on this machine: webtransport.pem and webtransport.key."},
    {"webtransport cert --name dev.example.com --days 7 --out dev", "For another name: dev.pem and dev.key."},
    {0},
};

static const struct command *const cert_subcommands[] = {&cert_show_command, NULL};

const struct command cert_command = {
    .name = "cert",
    .summary = "Makes a short-lived certificate that browsers accept by its hash",
    .details = "The certificate is self-signed, with an ECDSA key on P-256. A page names its SHA-256 in "
               "serverCertificateHashes and needs no authority then; the output has the hash ready to copy, for "
               "JavaScript, C and the command line.",
    .options = cert_options,
    .examples = cert_examples,
    .subcommands = cert_subcommands,
    .exits = EXITS_COMMON,
    .run = cert_main,
};
