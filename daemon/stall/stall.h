/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stall: threads that the kernel does not let go, and the processes because of which it does not.
 *
 * Who reads smaps, pagemap or, on older kernels, maps waits for the target's mmap_lock, and cannot be interrupted but by
 * the end of vmad. A thread that answers requests says which process it turns to, and that it got on; somebody else looks
 * at the clock, gives that thread up, and puts the process in quarantine, so that not every thread ends up there.
 */
#ifndef STALL_STALL_H
#define STALL_STALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STALL_MS 20000			/* in one call of the kernel, or between two signs of life */
#define STALL_QUARANTINE_MS 60000
#define STALL_PROCESSES_MAX 64		/* in quarantine at a time; the oldest makes room */

struct stall_point {
	_Atomic pid_t pid;		/* 0: it waits for no process */
	_Atomic uint64_t since_us;
};

/* What a thread does, and one that helps it, for somebody else to look at. */
struct stall_watch {
	struct stall_point own, helper;
};

/* The calling thread is watched through this from now on, and has turned to no process yet. */
void stall_begin(struct stall_watch *watch);

/* The calling thread's watch, or NULL. */
struct stall_watch *stall_own(void);

/*
 * The calling thread helps the one whose watch it is (NULL: one that has none), and is watched through it as well, from
 * now on. At most one at a time; before it ends it turns to no process.
 */
void stall_help(struct stall_watch *watch);

/* By a watched thread, else nothing: it turns to this process, or to none (0); it got on. Both are cheap. */
void stall_turn_to(pid_t pid);
void stall_got_on(void);

/* By anybody: the process that the thread, or its helper, has been stuck on for so long (STALL_MS), or 0. */
pid_t stall_of(struct stall_watch *watch, unsigned ms);

void stall_quarantine(pid_t pid);
/* The kernel has let a thread go that was stuck on it. */
void stall_release(pid_t pid);
bool stall_is_quarantined(pid_t pid);
unsigned stall_count(void);

#endif
