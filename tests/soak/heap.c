/* SPDX-License-Identifier: MIT */

/*
 * A library for LD_PRELOAD that tells how much of a server's heap is in use. What the system counts as memory also has what
 * malloc keeps for later, which goes up and down by megabytes; what is in use tells of a leak of kilobytes.
 *
 * HEAP_FILE is a file of 8 bytes: twice a second a thread writes the bytes in use there, of all of malloc's arenas. Blocks in the
 * threads' own caches count as in use, at most some 200 KiB for each thread.
 *
 * The library also makes a server leak, so that a soak can show that it notices (soak.py --leak). LEAK says what: "memory" keeps one of
 * LEAK_EVERY blocks that are given back, and "descriptors" opens one more descriptor as often.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PERIOD_US 500000

enum leak {
  LEAK_UNKNOWN,
  LEAK_NOTHING,
  LEAK_MEMORY,
  LEAK_DESCRIPTORS
};

static void (*real_free)(void *);
static enum leak kind;
static unsigned long every;
static atomic_ulong count;

static void leak_init(void) {
  const char *what = getenv("LEAK"), *often = getenv("LEAK_EVERY");
  *(void **)&real_free = dlsym(RTLD_NEXT, "free");
  kind = !what                              ? LEAK_NOTHING
         : strcmp(what, "memory") == 0      ? LEAK_MEMORY
         : strcmp(what, "descriptors") == 0 ? LEAK_DESCRIPTORS
                                            : LEAK_NOTHING;
  every = often ? strtoul(often, NULL, 10) : kind == LEAK_MEMORY ? 20 : 2000;
  if (every == 0) every = 1;
}

void free(void *block) {
  if (kind == LEAK_UNKNOWN) leak_init();
  if (block && kind > LEAK_NOTHING && atomic_fetch_add(&count, 1) % every == 0) {
    if (kind == LEAK_MEMORY) return;
    (void)!dup(STDERR_FILENO);
  }
  real_free(block);
}

static void *measure(void *place) {
  for (;; usleep(PERIOD_US)) {
    struct mallinfo2 info = mallinfo2();
    atomic_store((_Atomic uint64_t *)place, info.uordblks + info.hblkhd);
  }
  return NULL;
}

/* The thread takes no signals: they are the server's. */
__attribute__((constructor)) static void heap_init(void) {
  const char *path = getenv("HEAP_FILE");
  sigset_t all, before;
  pthread_t thread;
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *place = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (place == MAP_FAILED) return;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  if (pthread_create(&thread, NULL, measure, place) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
