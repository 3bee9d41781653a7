/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * comm: the name of a process, by /proc/PID/comm, fs/proc/base.c comm_show(). Any byte may be in it. A third of what
 * stat costs.
 */
#ifndef SOURCE_COMM_H
#define SOURCE_COMM_H

#include <stddef.h>

#define COMM_MAX 64	/* a thread of the kernel's; a process's has 15 bytes */

/* 0; -ESRCH: the process is gone; or another negative errno. */
int comm_read(int fd, char comm[static COMM_MAX], size_t *ret_len);

#endif
