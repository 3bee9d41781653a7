/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hand: a thread that reads what may never come back: the kernel makes who reads the maps of a process wait for its
 * mmap_lock. One that does not come back in time is given up, and ends by itself when the kernel lets it go.
 */
#ifndef SAMPLER_HAND_H
#define SAMPLER_HAND_H

#include <stddef.h>

#define HAND_TIMEOUT_MS 2000
#define HANDS_LOST_MAX 4	/* while so many are lost, nothing is read */
#define HAND_RESULT_MAX 64

/* Reads fd into a result of at most HAND_RESULT_MAX bytes. 0 or a negative errno. */
typedef int hand_fn(int fd, void *result);

struct hand;

/*
 * Has a hand read; *hand is NULL at first, and is kept between calls. fd is taken over. What work returned; -ETIMEDOUT:
 * the hand is lost, and *hand NULL again; -EBUSY: too many are; -EAGAIN: there is no thread to be had.
 */
int hand_read(struct hand **hand, int fd, hand_fn *work, void *result, size_t size);

#endif
