/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rotation: a tier that is too dear to read all processes at once. It reads one, and pauses for as long as its share of
 * a CPU takes to earn that. A pass goes through the processes there are at its beginning, those first whose numbers are
 * oldest; it never begins earlier than the interval after the last one.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "sampler/maps_sum.h"
#include "sampler/state.h"
#include "source/stat.h"

struct rotation_kind {
	enum opener_file file;
	hand_fn *read;
	size_t size;			/* of its result */
	bool (*wants)(const struct state *state, const struct process *process);
	void (*store)(struct process *process, const void *result);
	enum group_number time;		/* when it was read */
	struct tier_numbers numbers;
};

static void set(struct process *process, enum group_number id, uint64_t value)
{
	process->numbers.value[id] = value;
	process->numbers.known |= KNOWN(id);
}

static bool wants_maps(const struct state *state, const struct process *process)
{
	(void)state;
	(void)process;
	return true;
}

static void store_maps(struct process *process, const void *result)
{
	const struct maps_sum *sum = result;

	set(process, GROUP_vmas, sum->vmas);
	set(process, GROUP_process_vmas_max, sum->vmas);
	set(process, GROUP_vma_limit_ratio_max, sum->vmas);
	set(process, GROUP_wx_vmas, sum->wx_vmas);
	set(process, GROUP_exec_anon_bytes, sum->exec_anon_bytes);
	set(process, GROUP_deleted_exec_processes, sum->deleted_exec);
	set(process, GROUP_deleted_bytes, sum->deleted_bytes);
}

const struct rotation_kind rotation_maps = {
	.file = OPENER_MAPS, .read = maps_sum_read, .size = sizeof(struct maps_sum),
	.wants = wants_maps, .store = store_maps, .time = GROUP_maps_read,
	.numbers = { HOST_success_maps, HOST_duration_maps, HOST_cpu_maps },
};

/* The larger a process, the longer the walk holds its lock; one walk cannot be paced. */
static bool wants_usage(const struct state *state, const struct process *process)
{
	const uint64_t *value = process->numbers.value;

	return value[GROUP_resident_anon] + value[GROUP_resident_file] + value[GROUP_resident_shmem] <=
	       state->config->usage_max_bytes;
}

static void store_usage(struct process *process, const void *result)
{
	const struct usage_bytes *bytes = result;

	set(process, GROUP_pss_bytes, bytes->pss_bytes);
	set(process, GROUP_uss_bytes, bytes->uss_bytes);
}

const struct rotation_kind rotation_usage = {
	.file = OPENER_SMAPS_ROLLUP, .read = usage_bytes_read, .size = sizeof(struct usage_bytes),
	.wants = wants_usage, .store = store_usage, .time = GROUP_usage_read,
	.numbers = { HOST_success_usage, HOST_duration_usage, HOST_cpu_usage },
};

_Static_assert(sizeof(struct maps_sum) <= HAND_RESULT_MAX && sizeof(struct usage_bytes) <= HAND_RESULT_MAX,
	       "a hand has room for each result");

static bool is_wanted(const struct rotation *rotation, const struct state *state, const struct process *process)
{
	return process->counted && process->has_mm && process->blocked_until_us <= clock_us() &&
	       rotation->kind->wants(state, process);
}

struct aged_pid {
	uint64_t read_us;
	pid_t pid;
};

static int oldest_first(const void *a, const void *b)
{
	const struct aged_pid *x = a, *y = b;

	if (x->read_us != y->read_us)
		return x->read_us < y->read_us ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void begin_pass(struct rotation *rotation, const struct state *state)
{
	struct aged_pid *aged = calloc(state->table.count + 1, sizeof(*aged));
	pid_t *pids = calloc(state->table.count + 1, sizeof(*pids));

	free(rotation->pids);
	rotation->pids = pids;
	rotation->count = rotation->next = 0;
	rotation->began_us = clock_us();
	for (size_t i = 0; aged && pids && i < state->table.count; i++) {
		const struct process *process = &state->table.list[i];

		if (is_wanted(rotation, state, process))
			aged[rotation->count++] = (struct aged_pid){
				process->numbers.value[rotation->kind->time], process->pid
			};
	}
	if (rotation->count)
		qsort(aged, rotation->count, sizeof(*aged), oldest_first);
	for (size_t i = 0; i < rotation->count; i++)
		pids[i] = aged[i].pid;
	free(aged);
}

/* The file, if it is of the process that the table has. Or negative errno. */
static int open_file(const struct rotation *rotation, struct state *state, const struct process *process)
{
	enum opener_file file = rotation->kind->file;
	struct opener_target target = { .pid = process->pid, .want = OPENER_WANT(OPENER_STAT) | OPENER_WANT(file) };
	struct stat_facts stat;
	int r = opener_open(state->opener, state->caller, &target, 1, NULL);

	if (r < 0)
		return r;
	r = target.fd[OPENER_STAT] < 0 ? target.fd[OPENER_STAT] : stat_read(target.fd[OPENER_STAT], &stat, NULL);
	if (r == 0 && stat.start_time_ticks != process->start_time_ticks)
		r = -ESRCH;
	if (r == 0) {
		r = target.fd[file];
		target.fd[file] = -EBADF;
	}
	opener_target_close(&target);
	return r;
}

static void note_failure(struct state *state, struct process *process, int code)
{
	switch (-code) {
	case ENOENT:
	case ESRCH:
		break;
	case EACCES:
	case EPERM:
		process->unreadable = true;
		break;
	case ETIMEDOUT:
		process->blocked_until_us = clock_us() + BLOCKED_US;
		state_add(state, HOST_errors_timeout, 1);
		break;
	default:
		state_add(state, HOST_errors_read, 1);
	}
}

static void read_one(const struct rotation *rotation, struct state *state, struct process *process)
{
	char result[HAND_RESULT_MAX] __attribute__((aligned(16)));
	int r = open_file(rotation, state, process);

	if (r >= 0)
		r = hand_read(&state->hand, r, rotation->kind->read, result, rotation->kind->size);
	if (r < 0) {
		note_failure(state, process, r);
		return;
	}
	process->unreadable = false;
	rotation->kind->store(process, result);
	set(process, rotation->kind->time, clock_us());
}

/* The next of this pass that is still there and wanted; NULL: the pass is over. */
static struct process *take_next(struct rotation *rotation, const struct state *state)
{
	while (rotation->next < rotation->count) {
		struct process *process = process_table_find(&state->table, rotation->pids[rotation->next++]);

		if (process && is_wanted(rotation, state, process))
			return process;
	}
	return NULL;
}

void rotation_step(struct rotation *rotation, struct state *state)
{
	uint64_t interval_us = state->config->interval_seconds * UINT64_C(1000000), cpu = state_cpu_us();
	struct process *process;

	if (!rotation->pids)
		begin_pass(rotation, state);
	process = take_next(rotation, state);
	if (process) {
		read_one(rotation, state, process);
		cpu = state_cpu_us() - cpu;
		rotation->due_us = clock_us() + (uint64_t)((double)cpu / SAMPLER_SHARE);
		state_add(state, rotation->kind->numbers.cpu, (double)cpu / 1e6);
		return;
	}
	state_passed(state, &rotation->kind->numbers, rotation->began_us);
	free(rotation->pids);
	rotation->pids = NULL;
	rotation->due_us = rotation->began_us + interval_us;
	if (rotation->due_us < clock_us())
		rotation->due_us = clock_us();
}
