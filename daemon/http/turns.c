/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/turns.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/clock.h"

struct turns {
	_Atomic uint64_t last_peer, beside_until_us;
	unsigned at_once;
	uint64_t turn_us;
	pthread_mutex_t lock;
	struct turn *first;	/* those that are waited for or had, in the order in which they came */
};

unsigned turns_at_once(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 4 ? 1 : (unsigned)cpus / 2;
}

int turns_new(unsigned at_once, unsigned turn_ms, struct turns **ret_turns)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (!turns)
		return -ENOMEM;
	pthread_mutex_init(&turns->lock, NULL);
	turns->at_once = at_once;
	turns->turn_us = turn_ms * UINT64_C(1000);
	*ret_turns = turns;
	return 0;
}

void turns_free(struct turns *turns)
{
	if (!turns)
		return;
	pthread_mutex_destroy(&turns->lock);
	free(turns);
}

/* Every request asks this: without a lock, and without a write where it is the same peer again. */
static bool is_beside_others(struct turns *turns, uint64_t peer, uint64_t now)
{
	if (atomic_load_explicit(&turns->last_peer, memory_order_relaxed) != peer) {
		atomic_store_explicit(&turns->last_peer, peer, memory_order_relaxed);
		atomic_store_explicit(&turns->beside_until_us, now + TURNS_BESIDE_MS * 1000, memory_order_relaxed);
		return true;
	}
	return now < atomic_load_explicit(&turns->beside_until_us, memory_order_relaxed);
}

static void append(struct turns *turns, struct turn *turn)
{
	struct turn **at = &turns->first;

	while (*at)
		at = &(*at)->next;
	turn->next = NULL;
	*at = turn;
}

/* From that place in the list. */
static void leave(struct turn **at)
{
	struct turn *turn = *at;

	*at = turn->next;
	turn->state = TURN_NONE;
}

static void end_overdue(struct turns *turns, uint64_t peer, uint64_t now)
{
	struct turn **at = &turns->first;

	while (*at) {
		if ((*at)->peer == peer && (*at)->state == TURN_HAD && now >= (*at)->until_us)
			leave(at);
		else
			at = &(*at)->next;
	}
}

/* Those of this peer that come now. The moment when the next one that is had ends by itself, or a turn from now. */
static uint64_t grant(struct turns *turns, uint64_t peer, uint64_t now)
{
	uint64_t soonest = now + turns->turn_us;
	unsigned had = 0;

	for (const struct turn *t = turns->first; t; t = t->next) {
		if (t->peer != peer || t->state != TURN_HAD)
			continue;
		had++;
		soonest = t->until_us < soonest ? t->until_us : soonest;
	}
	for (struct turn *t = turns->first; t && had < turns->at_once; t = t->next) {
		if (t->peer != peer || t->state != TURN_WAITING)
			continue;
		t->state = TURN_HAD;
		t->until_us = now + turns->turn_us;
		pthread_cond_signal(&t->comes);
		had++;
	}
	return soonest;
}

uint64_t turn_take(struct turns *turns, uint64_t peer, struct turn *turn)
{
	uint64_t now = clock_us();

	if (!is_beside_others(turns, peer, now))
		return now;
	turn_end(turns, turn);
	*turn = (struct turn){ .taken = true, .peer = peer, .state = TURN_WAITING, .comes = PTHREAD_COND_INITIALIZER };
	pthread_mutex_lock(&turns->lock);
	append(turns, turn);
	for (;;) {
		struct timespec until = clock_timespec(grant(turns, peer, now));

		if (turn->state != TURN_WAITING)
			break;
		pthread_cond_clockwait(&turn->comes, &turns->lock, CLOCK_MONOTONIC, &until);
		now = clock_us();
		end_overdue(turns, peer, now);
	}
	pthread_mutex_unlock(&turns->lock);
	return now;
}

void turn_end(struct turns *turns, struct turn *turn)
{
	struct turn **at = &turns->first;

	if (!turn->taken)
		return;
	turn->taken = false;
	pthread_mutex_lock(&turns->lock);
	if (turn->state == TURN_HAD) {
		while (*at != turn)
			at = &(*at)->next;
		leave(at);
		grant(turns, turn->peer, clock_us());
	}
	pthread_mutex_unlock(&turns->lock);
	pthread_cond_destroy(&turn->comes);
}

unsigned turns_waiting(struct turns *turns)
{
	unsigned count = 0;

	pthread_mutex_lock(&turns->lock);
	for (const struct turn *t = turns->first; t; t = t->next)
		count += t->state == TURN_WAITING;
	pthread_mutex_unlock(&turns->lock);
	return count;
}
