/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot: what the sampler hands over: numbers of groups, all of fixed size, in memory that it shares with those who
 * answer. Two copies take turns, so that a reader never waits for the sampler, nor the sampler for a reader.
 */
#ifndef SAMPLER_SNAPSHOT_H
#define SAMPLER_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers of a group, and of one process. */
enum group_number {
#define GROUP(id, name, labels, how, need, help) GROUP_##id,
#define HOST(id, name, type, labels, help)
#define OWN(id, name, type, labels, help)
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
	GROUP_NUMBERS
};

enum host_number {
#define GROUP(id, name, labels, how, need, help)
#define HOST(id, name, type, labels, help) HOST_##id,
#define OWN(id, name, type, labels, help)
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
	HOST_NUMBERS
};

/* The bit of a number in `known`. */
#define KNOWN(id) (UINT64_C(1) << (id))

_Static_assert(GROUP_NUMBERS <= 64 && HOST_NUMBERS <= 64, "a bit for each number");

/* Series of one scrape. What groups may take of them is what the sampler, the host and vmad itself leave. */
#define SERIES_MAX 1200
#define SERIES_OTHERS_MAX 200
#define GROUP_NUMBERS_USAGE 3
#define GROUPS_OF(numbers) ((SERIES_MAX - SERIES_OTHERS_MAX) / (numbers))
#define GROUPS_MAX GROUPS_OF(GROUP_NUMBERS - GROUP_NUMBERS_USAGE)
#define GROUPS_MAX_USAGE GROUPS_OF(GROUP_NUMBERS)

#define GROUP_NAME_MAX 64		/* with its NUL */
#define GROUP_OTHER "other"		/* the sum of those that have no series of their own */

struct group_numbers {
	uint64_t known;
	uint64_t value[GROUP_NUMBERS];	/* times in microseconds of CLOCK_MONOTONIC */
};

struct snapshot_group {
	char name[GROUP_NAME_MAX];
	struct group_numbers numbers;
};

struct snapshot {
	uint64_t host_known;
	double host[HOST_NUMBERS];
	uint32_t count;
	struct snapshot_group groups[GROUPS_MAX];
};

/* The shared memory. Made before the sampler is forked, and mapped for ever. */
struct board;

/* To write to. Who is given *ret_fd can but read it: board_follow(). 0 or negative errno. */
int board_new(struct board **ret_board, int *ret_fd);
void board_free(struct board *board);

/* For who made it, once there is a sampler: from here on it can only read. */
void board_protect(struct board *board);

/* To read from: nothing yet. 0 or negative errno. */
int board_new_reader(struct board **ret_board);
/*
 * From here on the reader, whom nobody reads meanwhile, reads this one; fd is not needed any more. Negative errno: it is
 * none, and all is as before.
 */
int board_follow(struct board *reader, int fd);

void board_publish(struct board *board, const struct snapshot *snapshot);

/*
 * A copy of the latest snapshot. False: there is none yet, or the sampler, which is not to be trusted, never let go of
 * it. Whatever it wrote, count is within bounds and names end.
 */
bool board_read(const struct board *board, struct snapshot *ret_snapshot);

#endif
