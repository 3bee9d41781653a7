/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/turns.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"

struct turns {
	_Atomic uint64_t last_peer, beside_until_us;
	unsigned at_once;
	uint64_t turn_us;
	pthread_mutex_t lock;
	struct turn_line *lines;
};

struct turn_line {
	struct turns *turns;
	struct turn_line *next;
	uint64_t peer;
	unsigned members;	/* with `next` under the lock of all lines; what follows under its own */
	pthread_mutex_t lock;
	uint64_t refuses_us;	/* when the next refusal is due, if none came early */
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

static struct turn_line *line_new(struct turns *turns, uint64_t peer)
{
	struct turn_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->turns = turns;
	line->peer = peer;
	pthread_mutex_init(&line->lock, NULL);
	line->next = turns->lines;
	turns->lines = line;
	return line;
}

static void line_free(struct turn_line *line)
{
	struct turn_line **at = &line->turns->lines;

	while (*at != line)
		at = &(*at)->next;
	*at = line->next;
	pthread_mutex_destroy(&line->lock);
	free(line);
}

struct turn_line *turn_line_join(struct turns *turns, uint64_t peer)
{
	struct turn_line *line;

	pthread_mutex_lock(&turns->lock);
	line = turns->lines;
	while (line && line->peer != peer)
		line = line->next;
	if (!line)
		line = line_new(turns, peer);
	if (line)
		line->members++;
	pthread_mutex_unlock(&turns->lock);
	return line;
}

void turn_line_leave(struct turn_line *line)
{
	struct turns *turns;

	if (!line)
		return;
	turns = line->turns;
	pthread_mutex_lock(&turns->lock);
	if (!--line->members)
		line_free(line);
	pthread_mutex_unlock(&turns->lock);
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

static void append(struct turn_line *line, struct turn *turn)
{
	struct turn **at = &line->first;

	while (*at)
		at = &(*at)->next;
	turn->next = NULL;
	*at = turn;
}

/* From that place in the line. */
static void leave(struct turn **at)
{
	struct turn *turn = *at;

	*at = turn->next;
	turn->state = TURN_NONE;
}

static void end_overdue(struct turn_line *line, uint64_t now)
{
	struct turn **at = &line->first;

	while (*at) {
		if ((*at)->state == TURN_HAD && now >= (*at)->until_us)
			leave(at);
		else
			at = &(*at)->next;
	}
}

/* Those that come now. The moment when the next one that is had ends by itself, or a turn from now. */
static uint64_t grant(struct turn_line *line, uint64_t now)
{
	uint64_t soonest = now + line->turns->turn_us;
	unsigned had = 0;

	for (const struct turn *t = line->first; t; t = t->next) {
		if (t->state != TURN_HAD)
			continue;
		had++;
		soonest = t->until_us < soonest ? t->until_us : soonest;
	}
	for (struct turn *t = line->first; t && had < line->turns->at_once; t = t->next) {
		if (t->state != TURN_WAITING)
			continue;
		t->state = TURN_HAD;
		t->until_us = now + line->turns->turn_us;
		pthread_cond_signal(&t->comes);
		had++;
	}
	return soonest;
}

uint64_t turn_take(struct turn_line *line, struct turn *turn)
{
	uint64_t now = clock_us();

	if (!is_beside_others(line->turns, line->peer, now))
		return now;
	turn_end(line, turn);
	*turn = (struct turn){ .taken = true, .state = TURN_WAITING, .comes = PTHREAD_COND_INITIALIZER };
	pthread_mutex_lock(&line->lock);
	append(line, turn);
	for (;;) {
		struct timespec until = clock_timespec(grant(line, now));

		if (turn->state != TURN_WAITING)
			break;
		pthread_cond_clockwait(&turn->comes, &line->lock, CLOCK_MONOTONIC, &until);
		now = clock_us();
		end_overdue(line, now);
	}
	pthread_mutex_unlock(&line->lock);
	return now;
}

void turn_end(struct turn_line *line, struct turn *turn)
{
	struct turn **at = &line->first;

	if (!turn->taken)
		return;
	turn->taken = false;
	pthread_mutex_lock(&line->lock);
	if (turn->state == TURN_HAD) {
		while (*at != turn)
			at = &(*at)->next;
		leave(at);
		grant(line, clock_us());
	}
	pthread_mutex_unlock(&line->lock);
	pthread_cond_destroy(&turn->comes);
}

uint64_t turn_line_refuses(struct turn_line *line)
{
	uint64_t now = clock_us(), due;

	pthread_mutex_lock(&line->lock);
	if (line->refuses_us < now)
		line->refuses_us = now;
	line->refuses_us += REFUSAL_MS * 1000;
	due = line->refuses_us - REFUSALS_AT_ONCE * REFUSAL_MS * 1000;
	pthread_mutex_unlock(&line->lock);
	return due;
}

unsigned turn_line_waiting(struct turn_line *line)
{
	unsigned count = 0;

	pthread_mutex_lock(&line->lock);
	for (const struct turn *t = line->first; t; t = t->next)
		count += t->state == TURN_WAITING;
	pthread_mutex_unlock(&line->lock);
	return count;
}
