/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/walks.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "meter/meter.h"

enum permit_state { PERMIT_WAITING, PERMIT_ACTIVE, PERMIT_RESTING, PERMIT_LOST };

struct walk_permit {
	struct walks *walks;
	struct walk_permit *next;
	const struct vmad_caller *caller;	/* its own copy, behind it: a reply outlives who asked by a token */
	pid_t pid;
	pid_t mm;			/* a process that has the same mm; what is known of that at least */
	uint64_t serial;		/* of the grant; the mm of a later one is compared with those of earlier ones */
	enum permit_state state;
	uint64_t rests_since_us;
	uint64_t active_since_us;
	uint64_t granted_us;		/* when its turn began */
};

struct walks {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct walk_permit *permits;	/* all of them; those who wait in the order in which they came */
	unsigned waiting;
	uid_t last_uid;			/* whose turn it was */
	uint64_t granted;		/* so many */
	unsigned host_max;
	same_mm_fn *same_mm;
	void *arg;
};

#define HOST_MAX 4

/* max(1, min(HOST_MAX, cpus / 4)) */
static unsigned host_quota(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN) / 4;

	return cpus < 1 ? 1 : cpus > HOST_MAX ? HOST_MAX : (unsigned)cpus;
}

int walks_new(same_mm_fn *same_mm, void *arg, struct walks **ret_walks)
{
	struct walks *walks = calloc(1, sizeof(*walks));

	if (!walks)
		return -ENOMEM;
	pthread_mutex_init(&walks->lock, NULL);
	pthread_cond_init(&walks->changed, NULL);
	walks->host_max = host_quota();
	walks->same_mm = same_mm;
	walks->arg = arg;
	*ret_walks = walks;
	return 0;
}

void walks_free(struct walks *walks)
{
	if (!walks)
		return;
	pthread_cond_destroy(&walks->changed);
	pthread_mutex_destroy(&walks->lock);
	free(walks);
}

static bool holds(const struct walk_permit *permit)
{
	return permit->state == PERMIT_ACTIVE || permit->state == PERMIT_RESTING;
}

/* Does none of those who walk stand in its way: on the same process, or by their number? */
static bool fits(const struct walks *walks, const struct walk_permit *wanted)
{
	unsigned of_caller = 0, of_user = 0, of_host = 0;

	for (const struct walk_permit *p = walks->permits; p; p = p->next) {
		if (!holds(p))
			continue;
		if (p->mm == wanted->mm)
			return false;
		of_host++;
		of_user += p->caller->uid == wanted->caller->uid;
		of_caller += vmad_caller_equal(p->caller, wanted->caller);
	}
	return of_host < walks->host_max + (of_user ? 0 : WALKS_SPARE) && of_caller < WALKS_PER_CALLER;
}

static void take_from_resting(struct walks *walks, uint64_t now)
{
	for (struct walk_permit *p = walks->permits; p; p = p->next) {
		if (p->state == PERMIT_RESTING && now - p->rests_since_us >= WALKS_REST_MS * 1000)
			p->state = PERMIT_LOST;
	}
}

static void activate(struct walk_permit *permit)
{
	permit->state = PERMIT_ACTIVE;
	permit->active_since_us = clock_us();
}

/* Counts the time since it became active. */
static void meter(const struct walk_permit *permit)
{
	if (permit->state == PERMIT_ACTIVE)
		meter_add(METER_WALK_MICROSECONDS, permit->pid ? "process" : "host", NULL,
			  clock_us() - permit->active_since_us);
}

/* How many uids lie between whose turn it was and this one's: that user's own comes last. */
static uint32_t turns_until(const struct walks *walks, const struct walk_permit *permit)
{
	return permit->caller->uid - walks->last_uid - 1;
}

/* Of those who wait, and fit, the first one of the user whose turn is next; one that does not fit lets others pass. */
static struct walk_permit *next_in_turn(const struct walks *walks)
{
	struct walk_permit *next = NULL;

	for (struct walk_permit *p = walks->permits; p && walks->waiting; p = p->next) {
		if (p->state == PERMIT_WAITING && (!next || turns_until(walks, p) < turns_until(walks, next)) &&
		    fits(walks, p))
			next = p;
	}
	return next;
}

static void grant(struct walks *walks)
{
	struct walk_permit *next;
	bool granted = false;

	while ((next = next_in_turn(walks))) {
		activate(next);
		next->granted_us = next->active_since_us;
		next->serial = ++walks->granted;
		walks->last_uid = next->caller->uid;
		walks->waiting--;
		granted = true;
	}
	if (granted)
		pthread_cond_broadcast(&walks->changed);
}

static unsigned waiting_of(const struct walks *walks, uid_t uid)
{
	unsigned count = 0;

	for (const struct walk_permit *p = walks->permits; p; p = p->next)
		count += p->state == PERMIT_WAITING && p->caller->uid == uid;
	return count;
}

/* Has it had its turn, and is there another user who waits? */
static bool is_anothers_turn(const struct walks *walks, const struct walk_permit *permit, uint64_t now)
{
	return now - permit->granted_us >= WALKS_TURN_MS * 1000 &&
	       walks->waiting > waiting_of(walks, permit->caller->uid);
}

static void append(struct walks *walks, struct walk_permit *permit)
{
	struct walk_permit **at = &walks->permits;

	while (*at)
		at = &(*at)->next;
	permit->next = NULL;
	*at = permit;
}

static void remove_permit(struct walks *walks, struct walk_permit *permit)
{
	struct walk_permit **at = &walks->permits;

	while (*at != permit)
		at = &(*at)->next;
	*at = permit->next;
}

/*
 * Waits, with the lock held, until the permit is active. Short naps: a permit that rests too long shows only by the
 * clock.
 */
static int wait_for(struct walks *walks, struct walk_permit *permit)
{
	uint64_t deadline = clock_us() + WALKS_WAIT_MS * 1000, now;

	if (waiting_of(walks, permit->caller->uid) >= WALKS_QUEUE_MAX)
		return -EBUSY;
	permit->state = PERMIT_WAITING;
	walks->waiting++;
	grant(walks);
	while (permit->state == PERMIT_WAITING && (now = clock_us()) < deadline) {
		uint64_t nap = now + 50000;
		struct timespec until = clock_timespec(nap < deadline ? nap : deadline);

		pthread_cond_clockwait(&walks->changed, &walks->lock, CLOCK_MONOTONIC, &until);
		if (permit->state == PERMIT_WAITING) {
			take_from_resting(walks, clock_us());
			grant(walks);
		}
	}
	if (permit->state == PERMIT_ACTIVE)
		return 0;
	permit->state = PERMIT_LOST;
	walks->waiting--;
	return -ETIMEDOUT;
}

/* Others by whom it was not stopped, for all that was known: pids[0] is its own. */
static size_t collect_earlier(const struct walks *walks, const struct walk_permit *permit, pid_t *pids, size_t room)
{
	size_t count = 1;

	pids[0] = permit->pid;
	for (const struct walk_permit *p = walks->permits; p && count < room; p = p->next) {
		if (holds(p) && p->serial < permit->serial && p->pid && p->mm != permit->mm)
			pids[count++] = p->pid;
	}
	return permit->pid ? count : 1;
}

/*
 * Does one that was granted earlier walk the same mm? Asked with the lock given up, so only of those few, and by the
 * later one alone: of two at once one does not see the other. Then it waits again, known to be about that mm.
 */
static bool gives_way(struct walks *walks, struct walk_permit *permit)
{
	pid_t pids[1 + HOST_MAX + WALKS_SPARE];
	size_t count = collect_earlier(walks, permit, pids, sizeof(pids) / sizeof(pids[0])), place;

	if (count == 1)
		return false;
	pthread_mutex_unlock(&walks->lock);
	place = walks->same_mm(walks->arg, permit->caller, pids, count);
	pthread_mutex_lock(&walks->lock);
	if (!place)
		return false;
	for (const struct walk_permit *p = walks->permits; p; p = p->next) {
		if (p->pid == pids[place] && holds(p))
			permit->mm = p->mm;
	}
	permit->state = PERMIT_LOST;
	grant(walks);
	return true;
}

/* Waits, with the lock held, until it may walk. */
static int win(struct walks *walks, struct walk_permit *permit)
{
	int r;

	do {
		r = wait_for(walks, permit);
	} while (r == 0 && gives_way(walks, permit));
	return r;
}

static struct walk_permit *permit_new(struct walks *walks, const struct vmad_caller *caller, pid_t pid)
{
	size_t size = sizeof(*caller) + caller->group_count * sizeof(caller->groups[0]);
	struct walk_permit *permit = malloc(sizeof(*permit) + size);

	if (!permit)
		return NULL;
	*permit = (struct walk_permit){ .walks = walks, .pid = pid, .mm = pid, .state = PERMIT_LOST };
	permit->caller = memcpy(permit + 1, caller, size);
	return permit;
}

int walk_begin(struct walks *walks, const struct vmad_caller *caller, pid_t pid, struct walk_permit **ret_permit)
{
	struct walk_permit *permit = permit_new(walks, caller, pid);
	int r;

	if (!permit)
		return -ENOMEM;
	pthread_mutex_lock(&walks->lock);
	append(walks, permit);
	r = win(walks, permit);
	if (r < 0)
		remove_permit(walks, permit);
	pthread_mutex_unlock(&walks->lock);
	if (r < 0) {
		free(permit);
		return r;
	}
	*ret_permit = permit;
	return 0;
}

void walk_end(struct walk_permit *permit)
{
	struct walks *walks;

	if (!permit)
		return;
	walks = permit->walks;
	pthread_mutex_lock(&walks->lock);
	meter(permit);
	remove_permit(walks, permit);
	grant(walks);
	pthread_mutex_unlock(&walks->lock);
	free(permit);
}

bool walk_is_one_of_many(const struct walk_permit *permit)
{
	struct walks *walks = permit->walks;
	bool others = false;

	pthread_mutex_lock(&walks->lock);
	for (const struct walk_permit *p = walks->permits; p && !others; p = p->next)
		others = p != permit && p->caller->uid == permit->caller->uid && (holds(p) || p->state == PERMIT_WAITING);
	pthread_mutex_unlock(&walks->lock);
	return others;
}

unsigned walks_waiting(struct walks *walks)
{
	unsigned waiting;

	pthread_mutex_lock(&walks->lock);
	waiting = walks->waiting;
	pthread_mutex_unlock(&walks->lock);
	return waiting;
}

void walks_forsake(struct walks *walks, pid_t pid)
{
	pthread_mutex_lock(&walks->lock);
	for (struct walk_permit *p = walks->permits; p; p = p->next) {
		if (p->pid == pid && holds(p))
			p->state = PERMIT_LOST;
	}
	grant(walks);
	pthread_mutex_unlock(&walks->lock);
}

int walk_resume(struct walk_permit *permit)
{
	struct walks *walks = permit->walks;
	int r = 0;

	pthread_mutex_lock(&walks->lock);
	if (permit->state == PERMIT_RESTING)
		activate(permit);
	else if (permit->state == PERMIT_LOST)
		r = win(walks, permit);
	pthread_mutex_unlock(&walks->lock);
	return r;
}

void walk_rest(struct walk_permit *permit)
{
	struct walks *walks = permit->walks;

	pthread_mutex_lock(&walks->lock);
	meter(permit);
	permit->rests_since_us = clock_us();
	if (permit->state == PERMIT_ACTIVE)
		permit->state = is_anothers_turn(walks, permit, permit->rests_since_us) ? PERMIT_LOST : PERMIT_RESTING;
	if (permit->state == PERMIT_LOST)
		grant(walks);
	pthread_mutex_unlock(&walks->lock);
}
