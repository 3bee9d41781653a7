/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iomem: where the host's memory is: the "System RAM" lines of /proc/iomem.
 * Format: kernel/resource.c r_show(); addresses are 0 for those who lack CAP_SYS_ADMIN. Holes of kpageflags read as 0
 * on new kernels, not as NOPAGE, so memory has to be known from elsewhere.
 */
#ifndef SOURCE_IOMEM_H
#define SOURCE_IOMEM_H

#include <stddef.h>
#include <stdint.h>

/* Frames from `first` to before `end`. */
struct frame_range {
	uint64_t first, end;
};

/*
 * Finds the ranges of memory in the text, in their order; frames that lie in them in part only are left out. Returns
 * how many there are, of which at most `room` were filled in.
 */
size_t iomem_parse(const char *text, size_t len, uint64_t page_size, struct frame_range *ranges, size_t room);

#endif
