/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paced_file: read() of a procfs file, timed, and where it walks page tables paced: the kernel holds the target's
 * mmap_lock for as long as one read() of smaps takes (source/pace.h).
 */
#ifndef SOURCE_PACED_FILE_H
#define SOURCE_PACED_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/pace.h"

struct paced_file {
	int fd;
	struct pace pace;
	_Atomic uint64_t kernel_us;	/* spent in read(), in all; for other threads too */
};

/* One read(2), repeated where a signal or EAGAIN cut it off. Bytes read, 0 at end of file, or a negative errno. */
ssize_t paced_file_read(struct paced_file *file, char *bytes, size_t size);

#endif
