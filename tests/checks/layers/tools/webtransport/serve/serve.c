#include <jansson.h>
#include <microhttpd.h>
#include <uv.h> /* EXPECT: the public header is enough */
#include <webtransport/error.h>
#include "base/mem.h"      /* EXPECT: internal */
#include <nghttp3/nghttp3.h> /* EXPECT: below the public interface */
#include <openssl/evp.h> /* EXPECT: one file alone */
#include <intel-ipsec-mb.h> /* EXPECT: one file alone */
#include <malloc.h> /* EXPECT: src/base/mem.c alone */
#include <sanitizer/asan_interface.h> /* EXPECT: src/base/pool.c alone */
#include <cmocka.h> /* EXPECT: tests alone */
#include "common/clock.h"
#include "serve/hosts.h"
#include "connect/relay.h" /* EXPECT: another command */
