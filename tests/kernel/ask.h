/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask: the ioctls of /dev/vmad, with arrays that are large enough. */
#ifndef TESTS_KERNEL_ASK_H
#define TESTS_KERNEL_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmad/uapi.h"

#define ASK_ROOM 512

struct answer {
	struct vmadk_mapping mappings[ASK_ROOM];
	struct vmadk_pid pids[ASK_ROOM];
	struct vmadk_string strings[64];
	uint32_t mapping_count, pid_count;
	union {
		struct vmadk_rmap rmap;
		struct vmadk_filemap filemap;
	};
};

/* The device, opened once. */
int device(void);

/* Arrays of an answer. */
struct vmadk_array array_of(void *at, uint32_t room, uint32_t width);

/* 0, or an errno. The answer is static. */
int ask_rmap(struct vmadk_rmap request, struct answer **ret_answer);
int ask_address(pid_t pid, const void *address, struct answer **ret_answer);
int ask_pfn(uint64_t pfn, struct answer **ret_answer);
int ask_filemap(int fd, uint64_t first, uint64_t last, struct answer **ret_answer);

/* How many of the answer are of this process, at this address, in this state? */
int count_mappings(const struct answer *of, pid_t pid, const void *address, uint32_t state);
bool is_of(const struct answer *of, uint32_t mm, pid_t pid);

/* The name behind a reference. */
const char *name_of(const struct vmadk_string *strings, uint32_t reference);

#endif
