/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * self: what the kernel says of the process that asks. Its own files are opened while it may still open them: one that
 * has dropped its privileges belongs to root in procfs.
 */
#ifndef SOURCE_SELF_H
#define SOURCE_SELF_H

#include <stdbool.h>
#include <stdint.h>

struct self_facts {
	double cpu_seconds, start_time_seconds;		/* since the epoch */
	uint64_t virtual_bytes, resident_bytes;		/* 0: unknown */
	uint64_t open_fds;				/* 0: unknown; Linux 6.2 */
	uint64_t max_fds;
};

/* Once, before there are threads. */
void self_open(void);

void self_read(struct self_facts *ret_facts);

#endif
