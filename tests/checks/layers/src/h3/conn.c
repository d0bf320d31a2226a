#include <nghttp3/nghttp3.h>
#include <sys/stat.h>
#include "core/session.h"
#include <ngtcp2/ngtcp2.h> /* EXPECT: not here */
#include "base/log_limit.h"
void a(void) { WT__WARN(log, "x"); } /* EXPECT: a limit */
void b(void) { WT__WARN_LIMITED(log, limit, now, "x"); }
void c(void) { WT__DEBUG(log, "x"); }
