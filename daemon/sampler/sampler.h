/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sampler: the metrics' own reader, a process of its own. It has no input from clients, no socket, and, once it reads,
 * no capability; what it knows goes to the board as numbers of groups. It asks the opener with an identity of its own:
 * as root that of root, else that of the user whom vmad runs as, whose processes alone it then counts.
 *
 * Tiers, by what they cost: status, every interval; maps, in rotation, at most SAMPLER_SHARE of one CPU; usage
 * (smaps_rollup), which walks page tables, only where it was asked for, and in the same way.
 */
#ifndef SAMPLER_SAMPLER_H
#define SAMPLER_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sampler/group_name.h"
#include "sampler/snapshot.h"

#define SAMPLER_INTERVAL_SECONDS 15
#define SAMPLER_SHARE 0.008		/* of one CPU, for each of the two rotations: below one in a hundred */

struct sampler_config {
	const char *procfs;
	int control_fd;			/* leads to the opener's process, as a sampler; -1: it has an opener of its own */
	unsigned interval_seconds;
	uint64_t usage_max_bytes;	/* the usage tier reads processes of at most this resident size; 0: none */
	size_t groups;			/* at most so many; 0: as many as there is room for */
	struct group_rule rules[GROUP_RULES_MAX];
	size_t rule_count;
	int (*drop)(void *arg);		/* gives up every privilege of the calling thread; 0 or negative errno */
	void *drop_arg;
};

struct sampler {
	pid_t pid;		/* 0: none */
	int end_fd;		/* its end is when this is closed */
};

/*
 * Forks it: before there are threads, and while there are privileges. The board is to be protected then, where it is
 * only read. 0 or negative errno.
 */
int sampler_start(const struct sampler_config *config, struct board *board, struct sampler *ret_sampler);

/* Ends it, and waits for that. */
void sampler_stop(struct sampler *sampler);

#endif
