/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_USDT_H
#define WT_BASE_USDT_H

/*
 * Points where perf, bpftrace, systemtap and gdb can look on (USDT), with the provider "libwebtransport". A point is one
 * instruction that does nothing, and a note in the file about where its arguments are. So arguments must be at hand: numbers
 * and pointers, never a call.
 *
 * docs/guide/diagnosis.md lists all points, and a test compares the list with the notes. Points that the qlog has too are in the
 * functions of core/qlog_events.c.
 */

#ifdef WT_HAVE_USDT
#define SDT_USE_VARIADIC /* STAP_PROBEV */
#include <sys/sdt.h>
#define WT__USDT(name, ...) STAP_PROBEV(libwebtransport, name, __VA_ARGS__)
#else
#define WT__USDT(name, ...) ((void)0)
#endif

#endif
