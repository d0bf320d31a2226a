#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h> /* EXPECT: not in this file */
#include <gnutls/gnutls.h>               /* EXPECT: not in this file */
#include <nghttp3/nghttp3.h>             /* EXPECT: not in this layer */
#include "plain.h" /* EXPECT: of no layer */
