/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status_tier: who is there, in which group, and the kernel's own counts of each address space. None of the three files
 * takes a lock of the process, or looks at its page tables.
 */
#include <errno.h>
#include <stdlib.h>

#include "clock/clock.h"
#include "sampler/state.h"
#include "source/cgroup_line.h"
#include "source/small_file.h"
#include "source/stat.h"
#include "source/status.h"

#define FILES_EACH 3
#define BATCH (OPENER_BATCH / FILES_EACH)

static const struct tier_numbers numbers = { HOST_success_status, HOST_duration_status, HOST_cpu_status };

static void set(struct group_numbers *to, enum group_number id, uint64_t value)
{
	to->value[id] = value;
	to->known |= KNOWN(id);
}

static void set_status(struct process *process, const struct status_facts *status, uint64_t threads)
{
	struct group_numbers *to = &process->numbers;

	set(to, GROUP_processes, 1);
	set(to, GROUP_threads, threads);
	if (!status->has_mm)
		return;
	set(to, GROUP_virtual_bytes, status->size_bytes);
	if (!status->has_uid)
		return;		/* not from status: the rest is unknown */
	set(to, GROUP_swap_bytes, status->swap_bytes);
	set(to, GROUP_page_table_bytes, status->page_table_bytes);
	set(to, GROUP_locked_bytes, status->locked_bytes);
	if (status->has_hugetlb)
		set(to, GROUP_hugetlb_bytes, status->hugetlb_bytes);
	if (!status->has_rss_types)
		return;
	set(to, GROUP_resident_anon, status->anon_bytes);
	set(to, GROUP_resident_file, status->file_bytes);
	set(to, GROUP_resident_shmem, status->shmem_bytes);
}

static void set_group(const struct state *state, int cgroup_fd, const struct stat_facts *stat, struct process *process)
{
	char text[8192];	/* a path of a control group is below 4096 bytes */
	ssize_t n = cgroup_fd < 0 ? 0 : small_file_read(cgroup_fd, text, sizeof(text));

	group_name(state->config->rules, state->config->rule_count, cgroup_line_parse(text, n > 0 ? (size_t)n : 0),
		   (struct vmad_str){ stat->comm, stat->comm_len }, process->group);
}

/* What slower tiers knew of the same process stays known. */
static void keep(struct process *process, const struct process *old)
{
	const uint64_t slow = KNOWN(GROUP_vmas) | KNOWN(GROUP_process_vmas_max) | KNOWN(GROUP_vma_limit_ratio_max) |
			      KNOWN(GROUP_wx_vmas) | KNOWN(GROUP_exec_anon_bytes) | KNOWN(GROUP_deleted_exec_processes) |
			      KNOWN(GROUP_deleted_bytes) | KNOWN(GROUP_maps_read) | KNOWN(GROUP_pss_bytes) |
			      KNOWN(GROUP_uss_bytes) | KNOWN(GROUP_usage_read);

	process->numbers = old->numbers;
	process->numbers.known &= slow;
	process->unreadable = old->unreadable;
	process->blocked_until_us = old->blocked_until_us;
}

static bool is_gone(int code)
{
	return code == -ENOENT || code == -ESRCH;
}

static bool read_stat(struct state *state, const struct opener_target *target, struct stat_facts *stat)
{
	int fd = target->fd[OPENER_STAT], r = fd < 0 ? fd : stat_read(fd, stat, NULL);

	if (r < 0 && !is_gone(r))
		state_add(state, fd < 0 ? HOST_errors_open : HOST_errors_read, 1);
	return r == 0;
}

/* In a captured tree stat may be all there is. */
static bool read_status(struct state *state, const struct opener_target *target, const struct stat_facts *stat,
			struct status_facts *status)
{
	int fd = target->fd[OPENER_STATUS], r = fd < 0 ? fd : status_read(fd, status);

	if (r == -ENOENT && opener_is_captured(state->opener)) {
		*status = (struct status_facts){ .has_mm = stat->vm_size_bytes > 0, .size_bytes = stat->vm_size_bytes };
		return true;
	}
	if (r < 0 && !is_gone(r))
		state_add(state, HOST_errors_read, 1);
	return r == 0;
}

static void read_process(struct state *state, const struct opener_target *target, const struct process *old,
			 struct process_table *to)
{
	struct status_facts status;
	struct process *process;
	struct stat_facts stat;

	if (!read_stat(state, target, &stat))
		return;
	process = process_table_add(to, target->pid);
	if (!process)
		return;
	process->start_time_ticks = stat.start_time_ticks;
	process->is_kernel_thread = stat.flags & STAT_PF_KTHREAD;
	if (process->is_kernel_thread || !read_status(state, target, &stat, &status))
		return;
	if (old && old->start_time_ticks == stat.start_time_ticks)
		keep(process, old);
	process->has_mm = status.has_mm;
	process->counted = state->all_users || (status.has_uid && status.uid == state->caller->uid);
	set_status(process, &status, stat.threads);
	set_group(state, target->fd[OPENER_CGROUP], &stat, process);
}

/* Of a thread of the kernel only whether it is still the same one. */
static unsigned wanted_of(const struct process *old)
{
	if (old && old->is_kernel_thread)
		return OPENER_WANT(OPENER_STAT);
	return OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_STATUS) | OPENER_WANT(OPENER_CGROUP);
}

/* What could not be opened at all stands as it was. */
static void carry_over(const struct state *state, const pid_t *pids, size_t count, struct process_table *to)
{
	for (size_t i = 0; i < count; i++) {
		const struct process *old = process_table_find(&state->table, pids[i]);
		struct process *copy = old ? process_table_add(to, pids[i]) : NULL;

		if (copy)
			*copy = *old;
	}
}

static void read_batch(struct state *state, const pid_t *pids, size_t count, struct process_table *to)
{
	const struct process *old[BATCH];
	struct opener_target targets[BATCH];
	int r;

	for (size_t i = 0; i < count; i++) {
		old[i] = process_table_find(&state->table, pids[i]);
		targets[i] = (struct opener_target){ .pid = pids[i], .want = wanted_of(old[i]) };
	}
	r = opener_open(state->opener, state->caller, targets, count, NULL);
	if (r < 0) {
		state_add(state, r == -ETIMEDOUT ? HOST_errors_timeout : HOST_errors_open, 1);
		carry_over(state, pids, count, to);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		read_process(state, &targets[i], old[i], to);
		opener_target_close(&targets[i]);
	}
}

void status_tier_run(struct state *state)
{
	uint64_t began = clock_us(), cpu = state_cpu_us();
	struct process_table table = { 0 };
	size_t count;
	pid_t *pids;

	if (opener_list(state->opener, state->caller, &pids, &count, NULL) < 0) {
		state_add(state, HOST_errors_list, 1);
		return;
	}
	for (size_t i = 0; i < count; i += BATCH)
		read_batch(state, pids + i, count - i < BATCH ? count - i : BATCH, &table);
	free(pids);
	process_table_free(&state->table);
	state->table = table;
	state_passed(state, &numbers, began);
	state_add(state, HOST_cpu_status, (double)(state_cpu_us() - cpu) / 1e6);
}
