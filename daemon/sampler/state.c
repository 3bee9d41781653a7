/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/state.h"

#include "clock/clock.h"
#include "source/host.h"
#include "source/vmstat.h"

uint64_t state_cpu_us(void)
{
	return clock_us_of(CLOCK_PROCESS_CPUTIME_ID);
}

void state_passed(struct state *state, const struct tier_numbers *numbers, uint64_t began_us)
{
	uint64_t now_ms = clock_us_of(CLOCK_REALTIME) / 1000;

	state_set(state, numbers->duration, (double)(clock_us() - began_us) / 1e6);
	state_set(state, numbers->success, (double)now_ms / 1e3);
}

static void read_host(struct state *state)
{
	struct vmstat_facts vmstat;
	uint64_t limit;

	if (state->vma_limit_fd >= 0 && host_vma_limit(state->vma_limit_fd, &limit) == 0)
		state_set(state, HOST_vma_limit, (double)limit);
	if (opener_is_captured(state->opener) || vmstat_read(&vmstat) < 0)
		return;
	state_set(state, HOST_thp_fault_alloc, (double)vmstat.thp_fault_alloc);
	state_set(state, HOST_thp_fault_fallback, (double)vmstat.thp_fault_fallback);
	state_set(state, HOST_thp_collapse_alloc, (double)vmstat.thp_collapse_alloc);
	state_set(state, HOST_thp_split_page, (double)vmstat.thp_split_page);
	state_set(state, HOST_migrate_success, (double)vmstat.migrate_success);
	state_set(state, HOST_migrate_fail, (double)vmstat.migrate_fail);
}

static void count_processes(struct state *state)
{
	uint64_t now = clock_us();
	unsigned unreadable = 0, blocked = 0;

	for (size_t i = 0; i < state->table.count; i++) {
		unreadable += state->table.list[i].unreadable;
		blocked += state->table.list[i].blocked_until_us > now;
	}
	state_set(state, HOST_processes_unreadable, unreadable);
	state_set(state, HOST_targets_blocked, blocked);
}

void state_publish(struct state *state, struct board *board)
{
	size_t folded;

	if (groups_sum(state->groups, &state->table, &state->snapshot, &folded) < 0)
		return;
	state_set(state, HOST_groups_folded, (double)folded);
	count_processes(state);
	read_host(state);
	board_publish(board, &state->snapshot);
}
