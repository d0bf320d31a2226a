#ifndef SAMPLE_H
#define SAMPLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Good. Since 0.1.0. */
WT_API int wt_good(int a, void (*function)(int b, void *argument),
                   size_t len);

WT_API int wt_bare(void); /* EXPECT: no block */

/** Says what it does, not since when. */
WT_API int wt_ageless(void); /* EXPECT */

/* An ordinary comment is no block. Since 0.1.0. */
WT_API int wt_ordinary(void); /* EXPECT */

/** */
WT_API int wt_empty(void); /* EXPECT: an empty block */

/** A block belongs to one function alone. Since 0.1.0. */
WT_API int wt_first(void);
WT_API int wt_second(void); /* EXPECT */

int wt_unmarked(void); /* EXPECT: would not be exported */

/** A struct. */
struct wt_good_struct {
  int (*member)(int a);
};

struct wt_bare_struct { /* EXPECT */
  int member; /**< documented, but the struct is not */
};

enum wt_bare_enum { WT_ONE }; /* EXPECT */

/** What the typedef below is, documented here. */
typedef struct wt_opaque wt_opaque;
typedef struct wt_opaque wt_opaque;

typedef struct wt_bare_opaque wt_bare_opaque; /* EXPECT */

/** A callback. */
typedef void (*wt_good_callback)(void *user_data);

typedef void (*wt_bare_callback)(void *user_data); /* EXPECT */

#ifdef __cplusplus
}
#endif

#endif
