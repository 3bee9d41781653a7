/* SPDX-License-Identifier: GPL-2.0 */
/* mms: address spaces, each once and with a number, kept from being freed; and the processes that use them. */
#ifndef VMADK_MMS_H
#define VMADK_MMS_H

#include <linux/types.h>

#include "vmad/uapi.h"

struct mm_struct;

struct mms {
	struct mm_struct **list;	/* by number */
	u32 *slots;			/* a hash table of numbers + 1 */
	u32 count, room;
	unsigned int bits;
};

#define MMS_NONE U32_MAX

/* 0 or -ENOMEM. mms_free() takes what was not initialised, all zero, too. */
int mms_init(struct mms *mms, u32 room);
void mms_free(struct mms *mms);

/* The number of one, MMS_NONE: it is not there. */
u32 mms_find(const struct mms *mms, const struct mm_struct *mm);

/* The same, and takes it up with a reference; MMS_NONE: there is no room. Does not sleep. */
u32 mms_add(struct mms *mms, struct mm_struct *mm);

/* Those of all processes. 0, -ENOMEM, -EAGAIN (there were more and more). */
int mms_init_all(struct mms *mms);

/* The processes that use them: fills pids up to room, returns how many there are. */
u32 mms_pids(const struct mms *mms, struct vmadk_pid *pids, u32 room);

#endif
