/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread_state: does a thread live, by the beginning of its stat file.
 * Format: fs/proc/array.c do_task_stat(), proc_pid_stat(5): "4242 (comm) S ..."; comm may hold any byte, parentheses too.
 */
#ifndef OPENER_THREAD_STATE_H
#define OPENER_THREAD_STATE_H

#include <stdbool.h>
#include <stddef.h>

#define THREAD_STATE_BYTES 256	/* of the file that are enough: pid and comm take less than half of them */

/* The state's letter, or 0 where there is none. */
char thread_state_parse(const char *bytes, size_t len);

/* A thread without a state is one that is gone. */
bool thread_state_is_dead(char state);

#endif
