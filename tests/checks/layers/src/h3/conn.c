#include <nghttp3/nghttp3.h>
#include <sys/stat.h>
#include "core/session.h"
#include <ngtcp2/ngtcp2.h> /* EXPECT: not here */
