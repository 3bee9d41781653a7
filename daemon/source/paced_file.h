/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paced_file: read() of a procfs file, timed, and gentle to the process that the file is about.
 *
 * The kernel holds the target's mmap_lock for as long as one read() of smaps walks page tables. Back to back, such
 * reads leave the target nearly no time to mmap. So after PACED_WINDOW_BYTES of resident memory ("Rss:" of the lines
 * that were read) the reader pauses for PACED_PAUSE_US, and after a read() that took long, for as long as it took: the
 * share of time that the lock is held is bounded whatever the target looks like, and a read() that had to wait is not
 * repeated at once.
 */
#ifndef SOURCE_PACED_FILE_H
#define SOURCE_PACED_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PACED_WINDOW_BYTES (8u << 20)
#define PACED_PAUSE_US 60
#define PACED_LONG_READ_US 500
#define PACED_PAUSE_MAX_US 10000

struct paced_file {
	int fd;
	bool paced;
	uint64_t rss_bytes;		/* walked since the last pause */
	_Atomic uint64_t kernel_us;	/* spent in read(), in all */
};

/* One read(2), repeated where a signal or EAGAIN cut it off. Bytes read, 0 at end of file, or a negative errno. */
ssize_t paced_file_read(struct paced_file *file, char *bytes, size_t size);

#endif
