/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/process_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/usage_ahead.h"
#include "model/vma.h"
#include "model/vma_count.h"
#include "source/facts.h"
#include "source/stat.h"
#include "stall/stall.h"

/* Two descriptors for each process of a batch at most, of which there may be two; not more than libproc2 is asked for at once. */
#define BATCH 64

struct batch {
	pid_t pid[BATCH];
	struct opener_target target[BATCH];
	uint64_t ahead[BATCH];			/* its number in usage_ahead */
	size_t count, at;
	int result;				/* negative: it could not be opened, and err says why */
	struct vmad_error err;
};

struct process_list {
	struct opener *opener;
	const struct vmad_caller *caller;
	struct process_query query;
	struct facts_reader *facts_reader;	/* NULL in a captured tree: libproc2 reads only the running kernel */
	pid_t *pids;
	size_t pid_count, next_pid;
	struct batch batches[2];
	unsigned now;				/* the batch that rows are of */
	bool opens_ahead;			/* the other one is open already, so that there always is something to sum up */
	const struct facts *facts;		/* one for each of the batch */
	struct stat_facts stat;			/* of the row given last: its comm lives here */
	uint64_t given;
	pid_t last_given, more_after;
	struct usage_ahead *ahead;		/* NULL: nobody asked for usage */
	const struct usage_sum *usage;		/* of that row; NULL: it has none */
};

_Static_assert(BATCH <= USAGE_AHEAD_QUEUE / 2, "two batches may be open");

struct vmad_str unit_of_cgroup(struct vmad_str cgroup)
{
	static const struct vmad_str suffixes[] = { VMAD_STR(".service"), VMAD_STR(".scope") };
	const char *end = cgroup.len ? cgroup.p + cgroup.len : cgroup.p;

	while (end > cgroup.p) {
		const char *start = end;

		while (start > cgroup.p && start[-1] != '/')
			start--;
		for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
			if ((size_t)(end - start) > suffixes[i].len &&
			    !memcmp(end - suffixes[i].len, suffixes[i].p, suffixes[i].len))
				return (struct vmad_str){ start, (size_t)(end - start) };
		}
		end = start > cgroup.p ? start - 1 : start;
	}
	return (struct vmad_str){ 0 };
}

static int by_pid(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* Of what the caller sees: who knows a pid from elsewhere learns nothing more by it. */
static void keep_among(struct process_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->pid_count; i++) {
		if (bsearch(&list->pids[i], list->query.among, list->query.among_count, sizeof(pid_t), by_pid))
			list->pids[kept++] = list->pids[i];
	}
	list->pid_count = kept;
}

static int list_all(struct process_list *list, struct vmad_error *err)
{
	int r = opener_list(list->opener, list->caller, &list->pids, &list->pid_count, err);

	if (r == 0 && list->query.among)
		keep_among(list);
	return r;
}

static int list_pids(struct process_list *list, struct vmad_error *err)
{
	if (!list->query.only)
		return list_all(list, err);
	list->pids = malloc(sizeof(*list->pids));
	if (!list->pids)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	list->pids[0] = list->query.only;
	list->pid_count = 1;
	return 0;
}

/* Are all processes rows? Then their sums may be read before it is known what else there is to say of them. */
static bool wants_all(const struct process_query *query)
{
	return !query->comm && !query->unit && !query->has_uid && !query->limit && !query->only;
}

int process_list_new(struct opener *opener, const struct vmad_caller *caller, const struct process_query *query,
		     struct process_list **ret_list, struct vmad_error *err)
{
	struct process_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	list->opener = opener;
	list->caller = caller;
	list->query = *query;
	list->opens_ahead = query->usage && wants_all(query);
	r = list_pids(list, err);
	if (r == 0 && !query->without_facts && !opener_is_captured(opener))
		r = facts_new(&list->facts_reader, err);
	if (r == 0 && query->usage && usage_ahead_new(list->opens_ahead, &list->ahead) < 0)
		r = vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	if (r < 0) {
		process_list_free(list);
		return r;
	}
	while (list->next_pid < list->pid_count && list->pids[list->next_pid] <= query->after)
		list->next_pid++;
	*ret_list = list;
	return 0;
}

static void close_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		opener_target_close(&batch->target[i]);
	batch->count = batch->at = 0;
}

void process_list_free(struct process_list *list)
{
	if (!list)
		return;
	usage_ahead_free(list->ahead);
	close_batch(&list->batches[0]);
	close_batch(&list->batches[1]);
	facts_free(list->facts_reader);
	free(list->pids);
	free(list);
}

/* The next processes; none: there are no more. */
static int open_batch(struct process_list *list, struct batch *batch)
{
	unsigned want = OPENER_WANT(OPENER_STAT) | (list->query.count_vmas ? OPENER_WANT(OPENER_MAPS) : 0) |
			(list->query.usage ? OPENER_WANT(OPENER_SMAPS_ROLLUP) : 0);
	size_t count = 0;
	int r;

	while (count < BATCH && list->next_pid < list->pid_count) {
		batch->pid[count] = list->pids[list->next_pid++];
		batch->target[count] = (struct opener_target){ .pid = batch->pid[count], .want = want };
		count++;
	}
	r = count ? opener_open(list->opener, list->caller, batch->target, count, &batch->err) : 0;
	if (r < 0)
		return r;
	batch->count = count;
	for (size_t i = 0; list->ahead && i < count; i++)
		batch->ahead[i] = usage_ahead_add(list->ahead, &batch->target[i]);
	return 0;
}

/* 1: there is a batch; 0: there are no more. Facts come last: meanwhile there is something to sum up. */
static int next_batch(struct process_list *list, struct vmad_error *err)
{
	struct batch *batch = &list->batches[list->now], *other = &list->batches[!list->now];
	int r = 0;

	close_batch(batch);
	if (list->opens_ahead) {
		list->now = !list->now;
		batch = other;
		other = &list->batches[!list->now];
	}
	if (!batch->count && batch->result == 0)
		batch->result = open_batch(list, batch);
	if (batch->result < 0) {
		if (err)
			*err = batch->err;
		return batch->result;
	}
	if (list->opens_ahead)
		other->result = open_batch(list, other);
	if (batch->count && list->facts_reader)
		r = facts_read(list->facts_reader, batch->pid, batch->count, &list->facts, err);
	return r < 0 ? r : batch->count != 0;
}

/* What stat says: all there is in a captured tree, and in every tree who the process is. */
static struct vmad_process from_stat(const struct stat_facts *stat, const char *state)
{
	return (struct vmad_process){
		.has = VMAD_HAS(process, ppid) | VMAD_HAS(process, rss_bytes),
		.pid = stat->pid,
		.start_time_ticks = stat->start_time_ticks,
		.ppid = stat->ppid,
		.comm = { stat->comm, stat->comm_len },
		.state = state,
		.threads = stat->threads,
		.vm_size_bytes = stat->vm_size_bytes,
		.rss_bytes = stat->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE),
	};
}

static void add_facts(struct vmad_process *process, const struct facts *facts)
{
	process->has |= VMAD_HAS(process, uid) | VMAD_HAS(process, swap_bytes);
	process->uid = facts->uid;
	process->swap_bytes = facts->swap_bytes;
	if (facts->user.len) {
		process->has |= VMAD_HAS(process, user);
		process->user = facts->user;
	}
	if (facts->cgroup.len) {
		process->has |= VMAD_HAS(process, cgroup);
		process->cgroup = facts->cgroup;
	}
	process->unit = unit_of_cgroup(facts->cgroup);
	if (process->unit.len)
		process->has |= VMAD_HAS(process, unit);
}

static const char *state_word(char state)
{
	static const char words[][2] = { "R", "S", "D", "T", "t", "Z", "X", "I", "W", "P", "K" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][0] == state)
			return words[i];
	}
	return "?";
}

/* vma_count stays absent for those that have no memory, and for those whose maps the caller may not read. */
static void add_vma_count(struct process_list *list, struct opener_target *target, struct vmad_process *process)
{
	uint64_t count;
	int fd = target->fd[OPENER_MAPS];

	if (fd < 0)
		return;
	target->fd[OPENER_MAPS] = -EBADF;
	if (stall_is_quarantined(target->pid)) {
		close(fd);
		return;
	}
	stall_turn_to(target->pid);
	if (vma_count(fd, target->pid, &count) < 0)
		return;
	process->has |= VMAD_HAS(process, vma_count);
	process->vma_count = count;
	if (list->query.vma_limit) {
		process->has |= VMAD_HAS(process, vma_limit_ratio);
		process->vma_limit_ratio = (double)count / (double)list->query.vma_limit;
	}
}

static void add_usage(struct process_list *list, uint64_t number, struct vmad_process *process)
{
	list->usage = usage_ahead_take(list->ahead, number);
	if (list->usage)
		process->has &= ~(VMAD_HAS(process, rss_bytes) | VMAD_HAS(process, swap_bytes));
}

static bool matches(const struct process_query *query, const struct vmad_process *process)
{
	if (query->comm && !glob_matches(query->comm, process->comm))
		return false;
	if (query->has_uid && (!(process->has & VMAD_HAS(process, uid)) || process->uid != query->uid))
		return false;
	return !query->unit || (process->has & VMAD_HAS(process, unit) && glob_matches(query->unit, process->unit));
}

static int read_stat(struct process_list *list, const struct opener_target *target)
{
	int fd = target->fd[OPENER_STAT], r = fd < 0 ? fd : stat_read(fd, &list->stat, NULL);

	if (r == 0 && list->query.start_time_ticks && list->query.start_time_ticks != list->stat.start_time_ticks)
		r = -ESTALE;
	return r;
}

/*
 * One of the batch. 1: it is a row; 0: it is gone, hidden or not wanted; negative only where just this one was asked
 * for.
 */
static int read_process(struct process_list *list, struct batch *batch, size_t i, struct vmad_process *process, struct vmad_error *err)
{
	struct opener_target *target = &batch->target[i];
	int r = read_stat(list, target);

	list->usage = NULL;
	if (r < 0)
		return list->query.only ? vmad_fail(err, -r, target->pid, "stat", "read") : 0;
	*process = from_stat(&list->stat, state_word(list->stat.state));
	if (list->facts && list->facts[i].pid && list->facts[i].start_time_ticks == process->start_time_ticks)
		add_facts(process, &list->facts[i]);
	if (!matches(&list->query, process))
		return 0;
	if (list->query.count_vmas)
		add_vma_count(list, target, process);
	if (list->ahead)
		add_usage(list, batch->ahead[i], process);
	return 1;
}

int process_list_next(struct process_list *list, struct vmad_process *process, struct vmad_error *err)
{
	for (;;) {
		struct batch *batch = &list->batches[list->now];
		int r;

		if (batch->at == batch->count) {
			r = next_batch(list, err);
			if (r <= 0)
				return r;
			batch = &list->batches[list->now];
		}
		r = read_process(list, batch, batch->at++, process, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (list->query.limit && list->given == list->query.limit) {
			list->more_after = list->last_given;
			return 0;
		}
		list->given++;
		list->last_given = process->pid;
		return 1;
	}
}

const struct usage_sum *process_list_usage(const struct process_list *list)
{
	return list->usage;
}

uint64_t process_list_kernel_us(const struct process_list *list)
{
	return list->ahead ? usage_ahead_kernel_us(list->ahead) : 0;
}

pid_t process_list_more_after(const struct process_list *list)
{
	return list->more_after;
}
