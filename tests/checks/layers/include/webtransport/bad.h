#include <stdbool.h>
#include <webtransport/error.h>
#include <sys/socket.h> /* EXPECT: not in a public header */
#include <uv.h>         /* EXPECT: another project's */
#include "base/mem.h"   /* EXPECT: an internal one */
