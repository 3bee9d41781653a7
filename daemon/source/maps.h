/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps: one line of /proc/PID/maps.
 * Format: fs/proc/task_mmu.c show_map_vma(), proc_pid_maps(5); the traps are told in the tests.
 */
#ifndef SOURCE_MAPS_H
#define SOURCE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmad/records.h"

struct maps_entry {
	uint64_t start, end;		/* addresses; unsigned: vsyscall lies in the upper half */
	uint64_t offset_bytes;
	uint64_t device;		/* major << 32 | minor */
	uint64_t inode;
	char perms[4];
	struct vmad_str name;		/* path or [name] as printed, "" for none; points into the line */
};

/*
 * Parses one line, which may or may not end in its newline. 0, or -EINVAL where it is not a line of maps: entry is then
 * untouched. Reads nothing beyond line + len.
 */
int maps_parse_line(const char *line, size_t len, struct maps_entry *entry);

#endif
