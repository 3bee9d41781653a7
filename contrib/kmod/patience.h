/* SPDX-License-Identifier: GPL-2.0 */
/* patience: how often what is busy is tried again, some 30 ms in all: a look-up must not hang on what others hold. */
#ifndef VMADK_PATIENCE_H
#define VMADK_PATIENCE_H

#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#define PATIENCE_TRIES 40

/* Sleeps before the next try. 0; -EAGAIN: that was the last one; -EINTR: killed. */
static inline int patience_wait(int tries)
{
	unsigned int us = min(1000, 20 << min(tries, 6));

	if (fatal_signal_pending(current))
		return -EINTR;
	if (tries >= PATIENCE_TRIES)
		return -EAGAIN;
	usleep_range(us, 2 * us);
	return 0;
}

#endif
