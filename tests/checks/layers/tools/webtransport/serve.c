#include <jansson.h>
#include <microhttpd.h>
#include <uv.h> /* EXPECT: the public header is enough */
#include <webtransport/error.h>
#include "base/mem.h"      /* EXPECT: internal */
#include <nghttp3/nghttp3.h> /* EXPECT: below the public interface */
