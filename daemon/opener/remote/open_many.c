/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remote_open_many(): targets in parts, over some lanes. A lane is a channel with a request more than is being worked on: the
 * thread at its other end goes on with that without being woken. A thread that is woken begins on the CPU of who wakes it,
 * and where others are woken there too they queue up, while another CPU is idle; one that never sleeps keeps its own.
 */
#include "opener/remote/remote.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

#include "clock/clock.h"
#include "opener/remote/channels.h"
#include "opener/remote/targets.h"
#include "opener/thread/threads.h"

#define LANE_DEPTH 3		/* requests: one that is worked on, one to go on with, one that was answered just now */

struct part {
	size_t first, count;		/* targets */
};

struct lane {
	struct channel *channel;	/* NULL: there is none, and nothing under way */
	struct part parts[LANE_DEPTH];
	size_t begun, ended;		/* requests; parts[n % LANE_DEPTH] is what the n-th is about */
	uint64_t until_us;		/* when the next reply must be there */
	bool is_closed;			/* no channel could be had for it */
};

struct opening {
	struct channels *channels;
	const struct vmad_caller *caller;
	struct opener_target *targets;
	size_t count, next;		/* targets: all, and the first that is not asked for yet */
	struct lane lanes[OPENER_THREADS];
	size_t lane_count;
};

/*
 * A part of what is left: nobody waits for long, neither here nor there, and all end at the same time. So few that a message
 * more would matter are one request.
 */
#define SHARES 6
#define SHARE_MIN 12		/* targets */

static size_t share_of(size_t left)
{
	size_t share = left > SHARE_MIN * SHARES ? left / SHARES : SHARE_MIN;

	return share < left ? share : left;
}

static size_t under_way(const struct lane *lane)
{
	return lane->begun - lane->ended;
}

static bool is_any_under_way(const struct opening *opening)
{
	for (size_t i = 0; i < opening->lane_count; i++) {
		if (under_way(&opening->lanes[i]))
			return true;
	}
	return false;
}

/* The lane with the fewest requests, or NULL: all have enough. */
static struct lane *choose_lane(struct opening *opening)
{
	struct lane *best = NULL;

	for (size_t i = 0; i < opening->lane_count; i++) {
		struct lane *lane = &opening->lanes[i];

		if (!lane->is_closed && under_way(lane) < (best ? under_way(best) : LANE_DEPTH))
			best = lane;
	}
	return best;
}

static uint64_t time_limit(void)
{
	return clock_us() + OPENER_TIMEOUT_MS * UINT64_C(1000);
}

/* Only for the first one others' channels are waited for: who has one must not. */
static int open_lane(struct opening *opening, struct lane *lane, const struct wire_request *request, const void *payload)
{
	const enum channels_patience patience = is_any_under_way(opening) ? CHANNELS_IDLE : CHANNELS_WAIT;
	int r = channels_begin(opening->channels, patience, request, payload, -1, &lane->channel);

	lane->is_closed = r < 0;
	if (r < 0)
		return r;
	lane->until_us = lane->channel->until ? lane->channel->until * 1000 : time_limit();
	lane->channel->until = 0;
	return 0;
}

/* The next part. */
static int begin_part(struct opening *opening, struct lane *lane)
{
	struct opener_target *first = opening->targets + opening->next;
	size_t some = open_count_of_request(first, share_of(opening->count - opening->next));
	struct wire_target wanted[OPENER_BATCH];
	struct wire_request request = targets_request(opening->caller, first, some, wanted);
	int r = lane->channel ? channels_more(lane->channel, &request, wanted) :
				open_lane(opening, lane, &request, wanted);

	if (r < 0)
		return r;
	lane->parts[lane->begun++ % LANE_DEPTH] = (struct part){ opening->next, some };
	opening->next += some;
	return 0;
}

/* Hands over as many requests as there is room for. An error only where none is under way. */
static int begin_parts(struct opening *opening)
{
	struct lane *lane;
	int r = 0;

	while (opening->next < opening->count && (lane = choose_lane(opening))) {
		r = begin_part(opening, lane);
		if (r < 0 && !lane->is_closed)
			break;
	}
	return is_any_under_way(opening) ? 0 : r;
}

/* A lane that has a reply; or, where none has one in time, the one that is late. */
static struct lane *wait_for_lane(struct opening *opening)
{
	struct pollfd polled[OPENER_THREADS];
	struct lane *late = NULL;
	uint64_t now = clock_us();
	int n;

	for (size_t i = 0; i < opening->lane_count; i++) {
		struct lane *lane = &opening->lanes[i];

		polled[i] = (struct pollfd){ .fd = under_way(lane) ? lane->channel->fd : -1, .events = POLLIN };
		if (under_way(lane) && (!late || lane->until_us < late->until_us))
			late = lane;
	}
	do
		n = poll(polled, opening->lane_count, late->until_us > now ? (int)((late->until_us - now) / 1000) + 1 : 0);
	while (n < 0 && errno == EINTR);
	for (size_t i = 0; n > 0 && i < opening->lane_count; i++) {
		if (polled[i].revents)
			return &opening->lanes[i];
	}
	late->channel->until = 1;	/* ms: long ago */
	return late;
}

/* Its oldest part. After an error of the lane itself there is nothing more to come from it. */
static int end_part(struct opening *opening, struct lane *lane, struct part *ret_part)
{
	int r = channels_end(opening->channels, lane->channel);

	*ret_part = lane->parts[lane->ended % LANE_DEPTH];
	if (r < 0) {
		lane->channel = NULL;
		lane->ended = lane->begun;
		return r;
	}
	lane->ended++;
	lane->until_us = time_limit();
	r = lane->channel->reply.result > 0 ? -EPROTO : lane->channel->reply.result;
	if (r == 0)
		r = targets_take(lane->channel, opening->targets + ret_part->first, ret_part->count);
	wire_close(&lane->channel->fds);
	return r;
}

static void give_back(struct opening *opening, struct lane *lane)
{
	if (lane->channel && !under_way(lane)) {
		channels_give(opening->channels, lane->channel);
		lane->channel = NULL;
	}
}

/* More threads at work than CPUs would only wait for each other. */
static size_t count_lanes(void)
{
	cpu_set_t cpus;
	int count = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : OPENER_THREADS;

	return count < OPENER_THREADS ? (size_t)count : OPENER_THREADS;
}

int remote_open_many(struct channels *channels, const struct vmad_caller *caller, struct opener_target *targets,
		     size_t count, void (*each)(void *arg, struct opener_target *some, size_t count), void *arg)
{
	struct opening opening = { .channels = channels, .caller = caller, .targets = targets, .count = count,
				   .lane_count = count_lanes() };
	int r = begin_parts(&opening);

	while (is_any_under_way(&opening)) {
		struct lane *lane = wait_for_lane(&opening);
		struct part part;
		int result = end_part(&opening, lane, &part);

		remote_count(result);
		r = r < 0 ? r : result;
		/* The others work on, while here is done with these what is to be done. After an error there is no use in more. */
		if (r == 0)
			r = begin_parts(&opening);
		give_back(&opening, lane);
		if (result == 0 && each)
			each(arg, targets + part.first, part.count);
	}
	return r;
}
