/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mm_list.h"

#include <errno.h>
#include <stdlib.h>

#include "stall/stall.h"

struct member {
	size_t rank;			/* the same number: the same address space; in the order of the list */
	pid_t pid;
};

/* Opened together: to ask the opener costs more than to open. */
#define BATCH (OPENER_BATCH / 3)
#define WANT (OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP))

struct mm_list {
	struct opener *opener;
	const struct vmad_caller *caller;
	size_t known_count, count;
	pid_t *known;			/* all processes, ascending */
	struct member *members;		/* those that are listed, by rank */
	pid_t *pids;			/* the same, for those who ask */
	bool told;

	size_t at;			/* the member whose turn it is */
	size_t batch_count, batch_at;
	struct target batch[BATCH];
	int codes[BATCH];
};

static void close_batch(struct mm_list *list)
{
	for (size_t i = 0; i < list->batch_count; i++)
		if (list->codes[i] == 0)
			target_close(&list->batch[i]);
	list->batch_count = list->batch_at = 0;
}

void mm_list_free(struct mm_list *list)
{
	if (!list)
		return;
	close_batch(list);
	free(list->known);
	free(list->members);
	free(list->pids);
	free(list);
}

static int by_pid(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static const pid_t *find(const struct mm_list *list, pid_t pid)
{
	return list->known_count ? bsearch(&pid, list->known, list->known_count, sizeof(pid), by_pid) : NULL;
}

static int by_rank(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Which processes are of one address space. One of which that is not told is alone. */
static int group(struct mm_list *list, struct opener *opener, const struct vmad_caller *caller, size_t *groups,
		 struct vmad_error *err)
{
	int r = opener_same_mm(opener, caller, list->known, list->known_count, groups, err);

	list->told = r == 0;
	if (r < 0 && r != -ENOSYS && r != -EAGAIN)
		return r;
	for (size_t i = 0; i < list->known_count; i++)
		if (!list->told || groups[i] == OPENER_NO_MM)
			groups[i] = i;
	return 0;
}

/* Tells of each group whether it is to be left out. */
static void leave_out(const struct mm_list *list, const struct mm_list *before, const size_t *groups, bool *out)
{
	for (size_t i = 0; before && i < list->known_count; i++)
		if (find(before, list->known[i]))
			out[groups[i]] = true;
}

static void arrange(struct mm_list *list, const size_t *groups, const bool *out, pid_t first)
{
	const pid_t *found = find(list, first);
	size_t begin = found ? groups[found - list->known] : 0;

	for (size_t i = 0; i < list->known_count; i++)
		if (!out[groups[i]])
			list->members[list->count++] = (struct member){
				(groups[i] + list->known_count - begin) % list->known_count, list->known[i] };
	qsort(list->members, list->count, sizeof(*list->members), by_rank);
	for (size_t i = 0; i < list->count; i++)
		list->pids[i] = list->members[i].pid;
}

static int fill(struct mm_list *list, struct opener *opener, const struct vmad_caller *caller, pid_t first,
		const struct mm_list *before, struct vmad_error *err)
{
	size_t *groups = calloc(list->known_count + 1, sizeof(*groups));
	bool *out = calloc(list->known_count + 1, sizeof(*out));
	int r;

	list->members = calloc(list->known_count + 1, sizeof(*list->members));
	list->pids = calloc(list->known_count + 1, sizeof(*list->pids));
	if (groups && out && list->members && list->pids)
		r = group(list, opener, caller, groups, err);
	else
		r = vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	if (r == 0) {
		leave_out(list, before, groups, out);
		arrange(list, groups, out, first);
	}
	free(groups);
	free(out);
	return r;
}

int mm_list_new(struct opener *opener, const struct vmad_caller *caller, pid_t first, const struct mm_list *before,
		struct mm_list **ret_list, struct vmad_error *err)
{
	struct mm_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	list->opener = opener;
	list->caller = caller;
	r = opener_list(opener, caller, &list->known, &list->known_count, err);
	if (r == 0)
		r = fill(list, opener, caller, first, before, err);
	if (r < 0) {
		mm_list_free(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

/* The member behind the address space of this one. */
static size_t skip(const struct mm_list *list, size_t begin)
{
	size_t end = begin;

	while (end < list->count && list->members[end].rank == list->members[begin].rank)
		end++;
	return end;
}

/* Opens the first process of each of the next address spaces. */
static int open_batch(struct mm_list *list, struct vmad_error *err)
{
	pid_t pids[BATCH];
	size_t count = 0;
	int r;

	close_batch(list);
	for (size_t at = list->at; at < list->count && count < BATCH; at = skip(list, at))
		pids[count++] = list->pids[at];
	r = count ? target_open_many(list->opener, list->caller, pids, count, WANT, list->batch, list->codes, err) : 0;
	if (r == 0)
		list->batch_count = count;
	return r;
}

int mm_list_next(struct mm_list *list, struct mm_list_entry *ret_entry, struct vmad_error *err)
{
	size_t end = skip(list, list->at);
	int r = 0;

	if (list->at == list->count)
		return 0;
	if (list->batch_at == list->batch_count)
		r = open_batch(list, err);
	if (r < 0)
		return r;
	*ret_entry = (struct mm_list_entry){
		.pids = list->pids + list->at,
		.pid_count = end - list->at,
		.target = &list->batch[list->batch_at],
		.code = list->codes[list->batch_at],
	};
	/* Others may have got stuck on it since it was opened. */
	if (ret_entry->code == 0 && stall_is_quarantined(ret_entry->pids[0]))
		ret_entry->code = -ETIMEDOUT;
	list->batch_at++;
	list->at = end;
	return 1;
}

bool mm_list_is_told(const struct mm_list *list)
{
	return list->told;
}
