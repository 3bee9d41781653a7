/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * statm: how much memory a process has, by /proc/PID/statm: "size resident shared text 0 data 0", in pages.
 * Format: fs/proc/array.c proc_pid_statm(), proc_pid_statm(5).
 */
#ifndef SOURCE_STATM_H
#define SOURCE_STATM_H

#include <stddef.h>
#include <stdint.h>

struct statm {
	uint64_t size_pages, resident_pages;
};

/* 0, or -EINVAL where it does not begin with two numbers. */
int statm_parse(const char *bytes, size_t len, struct statm *ret);

#endif
