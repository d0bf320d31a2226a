/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_VERSION_H
#define WEBTRANSPORT_VERSION_H

/** The version of these headers. `wt_version` returns the version of the library that the program runs with. */
#define WT_VERSION "0.4.0"
#define WT_VERSION_MAJOR 0 /**< the first number of `WT_VERSION` */
#define WT_VERSION_MINOR 4 /**< the second number of `WT_VERSION` */
#define WT_VERSION_PATCH 0 /**< the third number of `WT_VERSION` */

#if defined(_WIN32)
#define WT_API
#elif defined(__GNUC__)
#define WT_API __attribute__((visibility("default")))
#else
#define WT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns the version of the library that the program runs with, as "MAJOR.MINOR.PATCH". Static string. Any thread, any
 * callback. Since 0.1.0.
 */
WT_API const char *wt_version(void);

#ifdef __cplusplus
}
#endif

#endif
