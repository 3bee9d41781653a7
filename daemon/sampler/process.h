/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process: the processes that the sampler knows, by pid and start time, with the numbers that it last read of each. */
#ifndef SAMPLER_PROCESS_H
#define SAMPLER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sampler/snapshot.h"

struct process {
	pid_t pid;
	uint64_t start_time_ticks;
	bool counted;			/* belongs to a group; not so threads of the kernel, and other users' processes */
	bool is_kernel_thread;
	bool has_mm;
	bool unreadable;		/* the kernel does not show its maps */
	uint64_t blocked_until_us;	/* it is not touched until then */
	char group[GROUP_NAME_MAX];
	struct group_numbers numbers;
};

/* In the order of pids. All zero is an empty one. */
struct process_table {
	struct process *list;
	size_t count, room;
};

void process_table_free(struct process_table *table);

/* Room for a process behind the last one, all zero; NULL without memory. Its pid is larger than all others. */
struct process *process_table_add(struct process_table *table, pid_t pid);

/* NULL where there is none. */
struct process *process_table_find(const struct process_table *table, pid_t pid);

#endif
