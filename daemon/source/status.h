/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status: the kernel's counts of an address space, by /proc/PID/status. They cost no lock and no walk.
 * Format: fs/proc/task_mmu.c task_mem(), proc_pid_status(5).
 */
#ifndef SOURCE_STATUS_H
#define SOURCE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct status_facts {
	bool has_mm;			/* the other members are known */
	uint64_t size_bytes;		/* VmSize: all VMAs; what RLIMIT_AS is held against */
	uint64_t data_bytes;		/* VmData: private and writable; what RLIMIT_DATA is held against */
	uint64_t stack_bytes;		/* VmStk: VMAs that grow down, and shadow stacks */
	uint64_t locked_bytes;		/* VmLck */
	uint64_t page_table_bytes;	/* VmPTE */
	uint64_t swap_bytes;		/* VmSwap: private memory that is swapped out */

	bool has_rss_types;		/* Linux 4.5 */
	uint64_t anon_bytes, file_bytes, shmem_bytes;
	bool has_hugetlb;		/* Linux 4.4, with hugetlbfs */
	uint64_t hugetlb_bytes;

	bool has_uid;			/* also without an address space */
	uint32_t uid;			/* effective */
};

void status_parse(const char *bytes, size_t len, struct status_facts *facts);

/* 0 or a negative errno. */
int status_read(int fd, struct status_facts *facts);

#endif
