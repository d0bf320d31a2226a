/* SPDX-License-Identifier: MIT */

/*
 * A queue that any thread adds to and one thread, the loop's, empties.
 *
 *     newest -> C -> B -> A      each points to the one that was there before it
 *
 * Adding puts a node in front with compare-and-swap; emptying takes the whole chain with one exchange and
 * turns it around. There is no lock, so nobody waits for a thread that was stopped while it held one, and
 * no node is taken out of the middle, so the ABA problem of lock-free stacks does not arise.
 *
 * A run makes a bounded number of calls, so that packets come and go between the thousands that a broadcast makes. The
 * chain that was taken is kept until all of its calls are made.
 *
 * Once closed, `newest` points to a mark for ever, which is how a late caller notices.
 *
 * It wakes nobody: the caller does that after adding (net/server.c, net/client.c).
 */

#include "net/post.h"

#include <limits.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "core/mux.h"

struct wt__post {
  struct wt__post *before;
  wt__posts_function function;
  void *subject, *argument;
};

static struct wt__post posts_closed;

void wt__posts_init(struct wt__posts *posts, wt__posts_call call, void *subject) {
  atomic_init(&posts->newest, NULL);
  posts->taken = NULL;
  posts->call = call;
  posts->subject = subject;
}

int wt__posts_add(struct wt__posts *posts, wt__posts_function function, void *argument) {
  return wt__posts_add_about(posts, posts->subject, function, argument);
}

int wt__posts_add_about(struct wt__posts *posts, void *subject, wt__posts_function function, void *argument) {
  struct wt__post *post = wt__malloc(sizeof(*post));
  if (!post) return WT_ERR_NOMEM;
  post->function = function;
  post->subject = subject;
  post->argument = argument;
  post->before = atomic_load(&posts->newest);
  do {
    if (post->before == &posts_closed) {
      wt__free(post);
      return WT_ERR_STATE;
    }
  } while (!atomic_compare_exchange_weak(&posts->newest, &post->before, post));
  return 0;
}

void wt__posts_call_session(wt__posts_function function, void *subject, void *argument) {
  wt__session_posted(subject, (wt__session_function)function, argument);
}

/* Turns the chain around: `before` is the one after it then. */
static struct wt__post *chain_turn(struct wt__post *newest) {
  struct wt__post *oldest = NULL;
  while (newest) {
    struct wt__post *before = newest->before;
    newest->before = oldest;
    oldest = newest;
    newest = before;
  }
  return oldest;
}

static void posts_call(struct wt__posts *posts, unsigned max) {
  for (unsigned i = 0; posts->taken && i < max; i++) {
    struct wt__post *post = posts->taken;
    posts->taken = post->before;
    posts->call(post->function, post->subject, post->argument);
    wt__free(post);
  }
}

bool wt__posts_run(struct wt__posts *posts) {
  if (!posts->taken) posts->taken = chain_turn(atomic_exchange(&posts->newest, NULL));
  posts_call(posts, WT__POSTS_A_RUN);
  /* Those that were added since the chain was taken count as well: the wake that told of them may be the one that has
   * led to this run. */
  return posts->taken || atomic_load(&posts->newest);
}

/* Makes the calls that wait, and leaves `then` in place of the newest. */
static void posts_empty(struct wt__posts *posts, struct wt__post *then) {
  posts_call(posts, UINT_MAX);
  posts->taken = chain_turn(atomic_exchange(&posts->newest, then));
  posts_call(posts, UINT_MAX);
}

void wt__posts_flush(struct wt__posts *posts) { posts_empty(posts, NULL); }

void wt__posts_close(struct wt__posts *posts) { posts_empty(posts, &posts_closed); }
