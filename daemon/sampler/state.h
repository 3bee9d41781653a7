/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state: what the parts of the sampler share, in its process. */
#ifndef SAMPLER_STATE_H
#define SAMPLER_STATE_H

#include "opener/opener.h"
#include "sampler/groups.h"
#include "sampler/hand.h"
#include "sampler/process.h"
#include "sampler/sampler.h"

#define BLOCKED_US (60 * UINT64_C(1000000))

struct state {
	const struct sampler_config *config;
	struct opener *opener;
	const struct vmad_caller *caller;	/* the sampler's own */
	bool all_users;
	int vma_limit_fd;
	struct process_table table;
	struct groups *groups;
	struct hand *hand;
	struct snapshot snapshot;		/* host numbers are kept here; groups when it is published */
};

/* CPU time of this process, opener and hands included. */
uint64_t state_cpu_us(void);

static inline void state_set(struct state *state, enum host_number id, double value)
{
	state->snapshot.host[id] = value;
	state->snapshot.host_known |= KNOWN(id);
}

static inline void state_add(struct state *state, enum host_number id, double value)
{
	state_set(state, id, state->snapshot.host[id] + value);
}

/* A pass of a tier has come to its end; its numbers are rows of metrics.def. */
struct tier_numbers {
	enum host_number success, duration, cpu;
};
void state_passed(struct state *state, const struct tier_numbers *numbers, uint64_t began_us);

/* Reads status, stat and cgroup of all processes. */
void status_tier_run(struct state *state);

/* One process at a time, in passes over all of them. */
struct rotation {
	const struct rotation_kind *kind;
	pid_t *pids;			/* of this pass */
	size_t count, next;
	uint64_t began_us;
	uint64_t due_us;		/* when the next process may be read, or the next pass may begin */
};

extern const struct rotation_kind rotation_maps, rotation_usage;

/* Reads the next process; not before due_us. */
void rotation_step(struct rotation *rotation, struct state *state);

/* Sums up, and hands over. */
void state_publish(struct state *state, struct board *board);

#endif
