// SPDX-License-Identifier: GPL-2.0
#include "mms.h"

#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

int mms_init(struct mms *mms, u32 room)
{
	/* At most half full. */
	unsigned int bits = ilog2(max(room, 1u)) + 2;

	*mms = (struct mms){ .room = room, .bits = bits };
	mms->list = kvmalloc_array(max(room, 1u), sizeof(*mms->list), GFP_KERNEL_ACCOUNT);
	mms->slots = kvcalloc(1ul << bits, sizeof(*mms->slots), GFP_KERNEL_ACCOUNT);
	if (mms->list && mms->slots)
		return 0;
	mms_free(mms);
	return -ENOMEM;
}

void mms_free(struct mms *mms)
{
	u32 i;

	for (i = 0; i < mms->count; i++)
		mmdrop(mms->list[i]);
	kvfree(mms->list);
	kvfree(mms->slots);
	*mms = (struct mms){};
}

/* Its slot, or the free one where it belongs. */
static u32 *slot_of(const struct mms *mms, const struct mm_struct *mm)
{
	u32 mask = (1u << mms->bits) - 1;
	u32 i = hash_ptr(mm, mms->bits);

	while (mms->slots[i] && mms->list[mms->slots[i] - 1] != mm)
		i = (i + 1) & mask;
	return &mms->slots[i];
}

u32 mms_find(const struct mms *mms, const struct mm_struct *mm)
{
	return *slot_of(mms, mm) - 1;
}

u32 mms_add(struct mms *mms, struct mm_struct *mm)
{
	u32 *slot = slot_of(mms, mm);

	if (!*slot) {
		if (mms->count == mms->room)
			return MMS_NONE;
		mmgrab(mm);
		mms->list[mms->count++] = mm;
		*slot = mms->count;
	}
	return *slot - 1;
}

/* Under RCU. A thread of the process that has its address space yet; NULL: none. */
static struct task_struct *user_of_mm(struct task_struct *process)
{
	struct task_struct *thread;

	if (process->flags & PF_KTHREAD)
		return NULL;
	for_each_thread(process, thread) {
		if (READ_ONCE(thread->mm))
			return thread;
	}
	return NULL;
}

/* Under RCU. False: there is no room. */
static bool add_of(struct mms *mms, struct task_struct *process)
{
	struct task_struct *thread = user_of_mm(process);
	bool added = true;

	if (!thread)
		return true;
	/* It keeps the thread from giving its mm up. */
	task_lock(thread);
	if (thread->mm)
		added = mms_add(mms, thread->mm) != MMS_NONE;
	task_unlock(thread);
	return added;
}

static bool add_all(struct mms *mms)
{
	struct task_struct *process;
	bool added = true;

	rcu_read_lock();
	for_each_process(process) {
		added = add_of(mms, process);
		if (!added)
			break;
	}
	rcu_read_unlock();
	return added;
}

static u32 count_processes(void)
{
	struct task_struct *process;
	u32 count = 0;

	rcu_read_lock();
	for_each_process(process)
		count++;
	rcu_read_unlock();
	return count;
}

int mms_init_all(struct mms *mms)
{
	int tries, r;

	for (tries = 0; tries < 3; tries++) {
		u32 count = count_processes();

		r = mms_init(mms, count + count / 4 + 64);
		if (r)
			return r;
		if (add_all(mms))
			return 0;
		mms_free(mms);
	}
	return -EAGAIN;
}

u32 mms_pids(const struct mms *mms, struct vmadk_pid *pids, u32 room)
{
	struct task_struct *process, *thread;
	u32 count = 0;

	rcu_read_lock();
	for_each_process(process) {
		u32 number;
		pid_t pid;

		thread = user_of_mm(process);
		/* The pointer is only compared: what it points to may be gone. */
		number = thread ? mms_find(mms, READ_ONCE(thread->mm)) : MMS_NONE;
		pid = number == MMS_NONE ? 0 : task_tgid_vnr(process);
		if (!pid)
			continue;
		if (count < room)
			pids[count] = (struct vmadk_pid){ .pid = pid, .mm = number };
		count++;
	}
	rcu_read_unlock();
	return count;
}
