// SPDX-License-Identifier: GPL-2.0
#include "target.h"

#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

/* A thread of the process that has its address space yet, and has a reference; NULL: none has. */
static struct task_struct *living_thread(struct task_struct *task)
{
	struct task_struct *thread;

	rcu_read_lock();
	for_each_thread(task, thread) {
		if (READ_ONCE(thread->mm)) {
			get_task_struct(thread);
			rcu_read_unlock();
			return thread;
		}
	}
	rcu_read_unlock();
	return NULL;
}

static struct mm_struct *mm_of_any_thread(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	struct task_struct *thread;

	if (mm || task->flags & PF_KTHREAD)
		return mm;
	thread = living_thread(task);
	if (thread) {
		mm = get_task_mm(thread);
		put_task_struct(thread);
	}
	return mm;
}

int target_mm(s32 pid, struct mm_struct **ret_mm)
{
	struct pid *handle = find_get_pid(pid);
	struct task_struct *task = get_pid_task(handle, PIDTYPE_PID);

	put_pid(handle);
	if (!task)
		return -ESRCH;
	*ret_mm = mm_of_any_thread(task);
	put_task_struct(task);
	return *ret_mm ? 0 : -ENXIO;
}
