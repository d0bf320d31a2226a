/* SPDX-License-Identifier: MIT */
/*
 * Certificates that are renewed while the server runs.
 *
 * Programs replace files in different ways: by writing into them, by renaming a new one over them, and, certbot and
 * Kubernetes, by turning symbolic links, of which the last is in another folder. So the folders are watched, by inotify,
 * and any event in one of them only means that it is time to look: what counts is what stat tells of the files, links
 * followed. Two looks in a row have to see the same, so that a key and a certificate that are replaced one after the other
 * are read together.
 *
 * Much happens without an event: the folder itself is replaced, or the file that a link leads to, which is in another
 * folder. Some file systems tell of nothing, and inotify may be used up. So there is a look each second too.
 */
#include "common/file_watch.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uv.h>

#include "common/tool_log.h"

enum {
  LOOK_AGAIN_MS = 500,
  LOOK_MS = 1000
};

/* What of a file counts. `changed` tells of rights, too: a key that could not be read is tried again once it can be. */
struct stamp {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec modified, changed;
};

struct file {
  const char *name;
  uv_fs_event_t folder;
  struct stamp told, seen;
};

struct file_watch {
  uv_timer_t timer;
  void (*changed)(void *user_data);
  void *user_data;
  struct file files[FILE_WATCH_MAX];
  size_t count;
  unsigned handles; /* that are not closed */
};

/* A file that cannot be seen keeps its stamp. */
static void stamp_take(const char *name, struct stamp *stamp) {
  struct stat info;
  if (stat(name, &info)) return;
  memset(stamp, 0, sizeof *stamp); /* with what lies between the members */
  stamp->device = info.st_dev;
  stamp->inode = info.st_ino;
  stamp->size = info.st_size;
  stamp->modified = info.st_mtim;
  stamp->changed = info.st_ctim;
}

static bool stamps_equal(const struct stamp *a, const struct stamp *b) { return !memcmp(a, b, sizeof *a); }

static void watch_on_time(uv_timer_t *timer) {
  struct file_watch *watch = timer->data;
  bool moving = false, changed = false;
  for (size_t i = 0; i < watch->count; i++) {
    struct file *file = &watch->files[i];
    struct stamp before = file->seen;
    stamp_take(file->name, &file->seen);
    moving = moving || !stamps_equal(&before, &file->seen);
    changed = changed || !stamps_equal(&file->told, &file->seen);
  }
  uv_timer_start(timer, watch_on_time, moving ? LOOK_AGAIN_MS : LOOK_MS, 0);
  if (moving || !changed) return;
  for (size_t i = 0; i < watch->count; i++) watch->files[i].told = watch->files[i].seen;
  watch->changed(watch->user_data);
}

static void watch_on_event(uv_fs_event_t *handle, const char *name, int events, int status) {
  struct file_watch *watch = handle->data;
  (void)name, (void)events, (void)status; /* whatever it was */
  if (uv_timer_get_due_in(&watch->timer) > LOOK_AGAIN_MS)
    uv_timer_start(&watch->timer, watch_on_time, LOOK_AGAIN_MS, 0);
}

static void file_begin(struct file_watch *watch, uv_loop_t *loop, const char *name) {
  struct file *file = &watch->files[watch->count++];
  char *copy = strdup(name);
  int error = copy ? 0 : UV_ENOMEM;
  file->name = name;
  stamp_take(name, &file->told);
  file->seen = file->told;
  uv_fs_event_init(loop, &file->folder); /* cannot fail */
  file->folder.data = watch;
  watch->handles++;
  if (!error) error = uv_fs_event_start(&file->folder, watch_on_event, dirname(copy), 0);
  if (error)
    log_line(WT_LOG_DEBUG, "%s: the system tells of no changes, so it is looked at each second: %s", name,
             uv_strerror(error));
  free(copy);
}

struct file_watch *file_watch_new(uv_loop_t *loop, const char *const *files, size_t count,
                                  void (*changed)(void *user_data), void *user_data) {
  struct file_watch *watch = calloc(1, sizeof *watch);
  if (!watch) return NULL;
  watch->changed = changed;
  watch->user_data = user_data;
  uv_timer_init(loop, &watch->timer); /* cannot fail */
  watch->timer.data = watch;
  watch->handles = 1;
  for (size_t i = 0; i < count && watch->count < FILE_WATCH_MAX; i++)
    if (files[i]) file_begin(watch, loop, files[i]);
  uv_timer_start(&watch->timer, watch_on_time, LOOK_MS, 0);
  return watch;
}

static void watch_on_close(uv_handle_t *handle) {
  struct file_watch *watch = handle->data;
  if (!--watch->handles) free(watch);
}

void file_watch_close(struct file_watch *watch) {
  if (!watch) return;
  for (size_t i = 0; i < watch->count; i++) uv_close((uv_handle_t *)&watch->files[i].folder, watch_on_close);
  uv_close((uv_handle_t *)&watch->timer, watch_on_close);
}
