/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stat: who a process is, by /proc/PID/stat. It is read through the same directory descriptor as everything else about
 * that process, so that pid, start time and what is shown belong together.
 * Format: fs/proc/array.c do_task_stat(), proc_pid_stat(5). comm may hold any byte, parentheses and newlines too.
 */
#ifndef SOURCE_STAT_H
#define SOURCE_STAT_H

#include <stddef.h>
#include <stdint.h>

#include "vmad/error.h"

struct stat_facts {
	int32_t pid, ppid;
	char comm[64]; /* 15 bytes for a process, up to 63 for a thread of the kernel; not NUL-terminated */
	size_t comm_len;
	char state;
	uint64_t threads;
	uint64_t start_time_ticks;
	uint64_t flags;			/* STAT_PF_* and others of the kernel's */
	uint64_t vm_size_bytes;
	uint64_t rss_pages;
};

/* include/linux/sched.h PF_* */
#define STAT_PF_EXITING 0x00000004
#define STAT_PF_KTHREAD 0x00200000

int stat_parse(const char *bytes, size_t len, struct stat_facts *facts);

/* Reads and parses an open stat file. -ESRCH: the process is gone. */
int stat_read(int fd, struct stat_facts *facts, struct vmad_error *err);

#endif
