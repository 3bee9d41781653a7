/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stall/stall.h"

#include <pthread.h>
#include <stddef.h>

#include "clock/clock.h"

static _Thread_local struct stall_watch *own;
static _Thread_local struct stall_point *point;	/* of that watch */

struct patient {
	pid_t pid;			/* 0: a free place */
	uint64_t until_us;
};

static struct {
	pthread_mutex_t lock;
	_Atomic unsigned count;		/* of places that are not free; changed under the lock */
	struct patient patients[STALL_PROCESSES_MAX];
} ward = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Some milliseconds coarse, and never a system call. */
static uint64_t now_us(void)
{
	return clock_us_of(CLOCK_MONOTONIC_COARSE);
}

static void watch_through(struct stall_watch *watch, struct stall_point *through)
{
	own = watch;
	point = through;
	stall_turn_to(0);
}

void stall_begin(struct stall_watch *watch)
{
	watch_through(watch, &watch->own);
}

struct stall_watch *stall_own(void)
{
	return own;
}

void stall_help(struct stall_watch *watch)
{
	watch_through(watch, watch ? &watch->helper : NULL);
}

void stall_got_on(void)
{
	if (point)
		atomic_store_explicit(&point->since_us, now_us(), memory_order_relaxed);
}

void stall_turn_to(pid_t pid)
{
	stall_got_on();
	if (point)
		atomic_store_explicit(&point->pid, pid, memory_order_release);
}

static pid_t stuck_at(struct stall_point *at, unsigned ms)
{
	pid_t pid = atomic_load_explicit(&at->pid, memory_order_acquire);
	uint64_t since = atomic_load_explicit(&at->since_us, memory_order_relaxed), now = now_us();

	return now > since && now - since > ms * UINT64_C(1000) ? pid : 0;
}

pid_t stall_of(struct stall_watch *watch, unsigned ms)
{
	pid_t pid = stuck_at(&watch->own, ms);

	return pid ? pid : stuck_at(&watch->helper, ms);
}

/* With the lock held: those whose time is over go. */
static void discharge(uint64_t now)
{
	for (size_t i = 0; i < STALL_PROCESSES_MAX; i++) {
		if (!ward.patients[i].pid || ward.patients[i].until_us > now)
			continue;
		ward.patients[i].pid = 0;
		ward.count--;
	}
}

static struct patient *find(pid_t pid)
{
	for (size_t i = 0; i < STALL_PROCESSES_MAX; i++) {
		if (ward.patients[i].pid == pid)
			return &ward.patients[i];
	}
	return NULL;
}

/* A free place, or that of the one who may go first. */
static struct patient *make_room(void)
{
	struct patient *first = ward.patients;

	for (size_t i = 0; i < STALL_PROCESSES_MAX; i++) {
		if (!ward.patients[i].pid)
			return &ward.patients[i];
		if (ward.patients[i].until_us < first->until_us)
			first = &ward.patients[i];
	}
	return first;
}

void stall_quarantine(pid_t pid)
{
	uint64_t now = now_us();
	struct patient *place;

	pthread_mutex_lock(&ward.lock);
	discharge(now);
	place = find(pid);
	if (!place) {
		place = make_room();
		ward.count += !place->pid;
	}
	*place = (struct patient){ pid, now + STALL_QUARANTINE_MS * 1000 };
	pthread_mutex_unlock(&ward.lock);
}

void stall_release(pid_t pid)
{
	struct patient *patient;

	pthread_mutex_lock(&ward.lock);
	patient = find(pid);
	if (pid && patient) {
		patient->pid = 0;
		ward.count--;
	}
	pthread_mutex_unlock(&ward.lock);
}

bool stall_is_quarantined(pid_t pid)
{
	bool found;

	if (!atomic_load_explicit(&ward.count, memory_order_relaxed) || !pid)
		return false;
	pthread_mutex_lock(&ward.lock);
	discharge(now_us());
	found = find(pid) != NULL;
	pthread_mutex_unlock(&ward.lock);
	return found;
}

unsigned stall_count(void)
{
	unsigned count;

	pthread_mutex_lock(&ward.lock);
	discharge(now_us());
	count = ward.count;
	pthread_mutex_unlock(&ward.lock);
	return count;
}
