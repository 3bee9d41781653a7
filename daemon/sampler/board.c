/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sampler/snapshot.h"

#define TRIES 8

struct board {
	/* Even: published is the copy that this, halved, is odd or even for. Odd: the other one is being written. */
	_Atomic uint64_t sequence;
	struct snapshot copies[2];
};

/* Nobody has to fear that it shrinks. */
#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

/* Whoever maps it from now on can but read it (Linux 5.1). */
static void seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL);
}

int board_new(struct board **ret_board, int *ret_fd)
{
	int fd = memfd_create("vmad-board", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(struct board)) == 0)
		memory = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	seal(fd);
	*ret_board = memory;
	*ret_fd = fd;
	return 0;
}

void board_free(struct board *board)
{
	if (board)
		munmap(board, sizeof(*board));
}

int board_new_reader(struct board **ret_board)
{
	void *memory = mmap(NULL, sizeof(struct board), PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*ret_board = memory;
	return 0;
}

/* In the same place: whoever has the reader has it still. */
int board_follow(struct board *reader, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((seals & SIZE_SEALS) != SIZE_SEALS || st.st_size != sizeof(*reader))
		return -EINVAL;
	return mmap(reader, sizeof(*reader), PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ? -errno : 0;
}

void board_protect(struct board *board)
{
	mprotect(board, sizeof(*board), PROT_READ);
}

void board_publish(struct board *board, const struct snapshot *snapshot)
{
	uint64_t sequence = atomic_load_explicit(&board->sequence, memory_order_relaxed);

	atomic_store_explicit(&board->sequence, sequence + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(&board->copies[(sequence / 2 + 1) % 2], snapshot, sizeof(*snapshot));
	atomic_store_explicit(&board->sequence, sequence + 2, memory_order_release);
}

static void keep_within_bounds(struct snapshot *snapshot)
{
	if (snapshot->count > GROUPS_MAX)
		snapshot->count = GROUPS_MAX;
	for (uint32_t i = 0; i < snapshot->count; i++)
		snapshot->groups[i].name[GROUP_NAME_MAX - 1] = '\0';
}

bool board_read(const struct board *board, struct snapshot *ret_snapshot)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = atomic_load_explicit(&board->sequence, memory_order_acquire), after;

		if (before < 2)
			return false;
		memcpy(ret_snapshot, &board->copies[before / 2 % 2], sizeof(*ret_snapshot));
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&board->sequence, memory_order_relaxed);
		/* The copy is written again when the sequence is two publications on, or in the middle of the second. */
		if (after / 2 - before / 2 < 1 || (after / 2 - before / 2 == 1 && after % 2 == 0)) {
			keep_within_bounds(ret_snapshot);
			return true;
		}
	}
	return false;
}
