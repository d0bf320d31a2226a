/* SPDX-License-Identifier: MIT */
/*
 * webtransport keys: makes and replaces the file with the secrets of a fleet.
 *
 * A new file is made with O_EXCL, so none is overwritten; only its owner may read it. A file that is replaced is written
 * beside its place and then renamed, so a server that reads it meanwhile gets either the old or the new one as a whole. It
 * keeps its mode and owner, because the servers may run as somebody else. Where the owner cannot be kept, nobody else gets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "common/key_file.h"
#include "common/values.h"

struct keys_settings {
  const char *file;
};

static bool set_file(void *target, const char *value, char *message, size_t size) {
  ((struct keys_settings *)target)->file = value;
  return value_file(value, message, size);
}

static bool complain(const struct command *command, const char *file, const char *what) {
  fprintf(stderr, "webtransport %s: %s: %s\n", command->name, file, what);
  return false;
}

/* --- The file. --- */

static bool bytes_write(int fd, const char *bytes, size_t len) {
  while (len) {
    ssize_t written = write(fd, bytes, len);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    len -= (size_t)written;
  }
  return fsync(fd) == 0;
}

/* As the file that it replaces; if that cannot be, for us alone. */
static bool mode_keep(int fd, const struct stat *like) {
  mode_t mode = like->st_mode & 07777;
  if (fchown(fd, like->st_uid, like->st_gid)) mode &= 0700;
  return fchmod(fd, mode) == 0;
}

/* Writes the text to a new file, like the other one if there is one. False: errno says why. */
static bool text_write(const char *path, const char *text, const struct stat *like) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool good = bytes_write(fd, text, strlen(text)) && (!like || mode_keep(fd, like));
  int error = errno;
  if (close(fd) && good) {
    good = false;
    error = errno;
  }
  if (!good) (void)unlink(path);
  errno = error;
  return good;
}

/* Writes beside the file, and renames. */
static bool text_replace(const char *path, const char *text, const struct stat *like) {
  char made[PATH_MAX + 32];
  if (snprintf(made, sizeof made, "%s.%ld.new", path, (long)getpid()) >= (int)sizeof made) {
    errno = ENAMETOOLONG;
    return false;
  }
  if (!text_write(made, text, like)) return false;
  if (rename(made, path) == 0) return true;
  int error = errno;
  (void)unlink(made);
  errno = error;
  return false;
}

/* Without `like` there must be no such file yet. False: errno says why. */
static bool file_write(const char *path, const struct key_file *keys, const struct stat *like) {
  char text[KEY_FILE_MAX];
  key_file_format(keys, text);
  bool good = like ? text_replace(path, text, like) : text_write(path, text, NULL);
  int error = errno;
  explicit_bzero(text, sizeof text);
  errno = error;
  return good;
}

/* --- New. --- */

static bool new_run(const struct command *command, const char *path) {
  struct key_file keys = {0};
  bool good = key_make(&keys.keys[KEY_CURRENT]) && key_make(&keys.keys[KEY_NEXT]) && file_write(path, &keys, NULL);
  int error = errno;
  key_file_wipe(&keys);
  if (!good)
    return complain(command, path,
                    error == EEXIST ? "there is such a file already; 'webtransport keys rotate' replaces its secrets"
                                    : strerror(error));
  printf("Keys  %s (current and next)\n\nCopy the file to all machines, then on each:\n\n"
         "  webtransport serve --fleet-keys %s ...\n",
         path, path);
  return true;
}

/* --- Rotate. --- */

static bool rotate(struct key_file *keys, bool *had_next) {
  *had_next = keys->keys[KEY_NEXT].len > 0;
  if (*had_next) {
    keys->keys[KEY_PREVIOUS] = keys->keys[KEY_CURRENT];
    keys->keys[KEY_CURRENT] = keys->keys[KEY_NEXT];
  }
  return key_make(&keys->keys[KEY_NEXT]);
}

static bool rotate_run(const struct command *command, const char *path) {
  struct key_file keys;
  struct stat info;
  char message[512];
  bool had_next;
  if (!key_file_read(&keys, path, message, sizeof message)) {
    fprintf(stderr, "webtransport %s: %s\n", command->name, message);
    return false;
  }
  char *real = realpath(path, NULL); /* a link stays one */
  bool good = real && !stat(real, &info) && rotate(&keys, &had_next) && file_write(real, &keys, &info);
  int error = errno;
  free(real);
  key_file_wipe(&keys);
  if (!good) return complain(command, path, strerror(error));
  if (had_next)
    printf("Keys  %s (the next secret is the current one now)\n", path);
  else
    printf("Keys  %s (there was no next secret: it has one now, and the current one stays until the next rotation)\n",
           path);
  printf("\nCopy the file to all machines, and send SIGHUP to their servers.\n");
  return true;
}

/* --- The commands. --- */

static int file_main(const struct command *command, int argc, char **argv,
                     bool (*run)(const struct command *command, const char *path)) {
  struct keys_settings settings = {0};
  enum options_outcome outcome = options_parse(command, argc, argv, &settings);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  return run(command, settings.file) ? EXIT_DONE : EXIT_FAILED;
}

static int new_main(const struct command *command, int argc, char **argv) {
  return file_main(command, argc, argv, new_run);
}

static int rotate_main(const struct command *command, int argc, char **argv) {
  return file_main(command, argc, argv, rotate_run);
}

static int keys_main(const struct command *command, int argc, char **argv) {
  struct keys_settings settings = {0};
  enum options_outcome outcome = options_parse(command, argc, argv, &settings);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  return options_complain(command, "expected 'keys new FILE' or 'keys rotate FILE'");
}

static const struct option_spec no_options[] = {{0}};

static const struct operand_spec new_operands[] = {
    {.name = "FILE",
     .kind = VALUE_FILE,
     .required = true,
     .help = "File to make. There must be none.",
     .set = set_file},
    {0},
};

static const struct operand_spec rotate_operands[] = {
    {.name = "FILE", .kind = VALUE_FILE, .required = true, .help = "File with secrets, to replace.", .set = set_file},
    {0},
};

static const struct example_spec new_examples[] = {
    {"webtransport keys new fleet.keys", "A file that only its owner may read."},
    {0},
};

static const struct example_spec rotate_examples[] = {
    {"webtransport keys rotate fleet.keys", "Once a day, on one machine; then it is copied to the others."},
    {0},
};

static const struct command new_command = {
    .name = "keys new",
    .summary = "Makes a file with new secrets: a current and a next one",
    .details = "",
    .options = no_options,
    .operands = new_operands,
    .examples = new_examples,
    .exits = EXITS_COMMON,
    .run = new_main,
};

static const struct command rotate_command = {
    .name = "keys rotate",
    .summary = "Makes the next secret the current one, and a new next one",
    .details = "The current secret becomes the previous one, and what was the previous one is gone: leave at least the "
               "lifetime of a session ticket between two rotations, and give the file to all machines before the next.",
    .options = no_options,
    .operands = rotate_operands,
    .examples = rotate_examples,
    .exits = EXITS_COMMON,
    .run = rotate_main,
};

static const struct command *const keys_subcommands[] = {&new_command, &rotate_command, NULL};

static const struct example_spec keys_examples[] = {
    {"webtransport keys new fleet.keys", "The secrets of a new fleet."},
    {0},
};

const struct command keys_command = {
    .name = "keys",
    .summary = "Makes and replaces the secrets that the servers of a fleet share",
    .details =
        "With the same secrets on all machines, 'webtransport serve --fleet-keys FILE' resumes TLS sessions of the "
        "others, takes their address tokens, and ends the connections of a machine that died.\n"
        "\n"
        "A line of the file has one of the words current, next and previous, and 64 to 512 hexadecimal digits; # "
        "begins a comment. Keep the file like the key of a certificate.",
    .options = no_options,
    .examples = keys_examples,
    .subcommands = keys_subcommands,
    .exits = EXITS_COMMON,
    .run = keys_main,
};
