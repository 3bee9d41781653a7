/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * giveway: threads that work for long let others go first between two calls of the kernel, while somebody asks for what
 * is quick.
 *
 * A quick request passes through threads of several processes. Where another thread has the CPU that one of them is to
 * wake up on, the kernel lets that thread go on for up to its slice, and looks at the clock only at a tick: 4 milliseconds
 * at 250 Hz, for what takes a fraction of one. A thread that offers its CPU in between is in nobody's way, and loses
 * nothing where nobody waits.
 */
#ifndef STALL_GIVEWAY_H
#define STALL_GIVEWAY_H

#include <stdbool.h>
#include <stdint.h>

#define GIVEWAY_MS 100		/* for so long after a quick request others are expected */

/* The calling thread is one of those; a thread that it starts is not, unless it is told so as well. */
void giveway_set(bool gives);
bool giveway_is_set(void);

/* A quick request is asked; by a clock that only goes forward, in microseconds. */
void giveway_to_quick(uint64_t now_us);
/* By any thread, between two calls. Cheap. True: it offered its CPU. */
bool giveway(uint64_t now_us);

#endif
