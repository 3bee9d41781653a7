/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_wrote: tells valgrind what an ioctl that it does not know (3.19) has written behind the pointers of its argument.
 * Nothing but in a build for it (--enable-valgrind).
 */
#ifndef SOURCE_KERNEL_WROTE_H
#define SOURCE_KERNEL_WROTE_H

#include <stddef.h>

#include "config.h"

#ifdef WITH_VALGRIND
#include <valgrind/memcheck.h>
#endif

static inline void kernel_wrote(const void *at, size_t size)
{
#ifdef WITH_VALGRIND
	VALGRIND_MAKE_MEM_DEFINED(at, size);
#else
	(void)at;
	(void)size;
#endif
}

#endif
