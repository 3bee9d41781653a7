/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits: the soft resource limits that mmap(2) looks at, by /proc/PID/limits.
 * Format: fs/proc/base.c proc_pid_limits(), proc_pid_limits(5).
 */
#ifndef SOURCE_LIMITS_H
#define SOURCE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define LIMITS_UNLIMITED UINT64_MAX

struct limits {
	uint64_t address_space_bytes, data_bytes, locked_bytes;
};

/* 0, or -EINVAL where one of them is not there. */
int limits_parse(const char *bytes, size_t len, struct limits *limits);

/* 0 or a negative errno. */
int limits_read(int fd, struct limits *limits);

#endif
