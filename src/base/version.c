/* SPDX-License-Identifier: MIT */

/*
 * The version of the library as built.
 *
 * A program compiled with one version's headers can be run with another version's shared library. The
 * macro in the header tells the first, this function the second. Compare them before reading a struct
 * that grew between the two; `size` members make that unnecessary for those that have one.
 */

#include <webtransport/version.h>

const char *wt_version(void) { return WT_VERSION; }
