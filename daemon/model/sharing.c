/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sharing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/mm_list.h"
#include "model/page_index.h"
#include "model/sharing_frames.h"
#include "model/sharing_origins.h"
#include "model/usage_sum.h"

/* A process that came after the pass began may have been forked by one that was gone through; so there is a second look. */
#define ROUNDS 2

struct sharer {
	const struct page_index_mm *mm;
	const pid_t *pids;		/* its processes */
	size_t pid_count;
	char comm[sizeof(((struct stat_facts *)0)->comm)];
	size_t comm_len;
	uint64_t pages;			/* that it shares */
};

struct sharing {
	struct target target;
	struct vmad_usage usage;
	struct page_index *index;
	struct sharing_origins *origins;
	struct sharing_frames *frames;
	struct mm_list *mms[ROUNDS];	/* pids are theirs */
	struct sharer own;		/* the process itself */
	struct sharer *sharers;
	size_t count, capacity, next;
	uint64_t shared_pages;		/* with anybody */
	struct vmad_coverage coverage;
	const char *reason;

	/* of the record that was given last */
	char *numbers;
	struct vmad_sharing_origin *rows;
	char *own_numbers;
};

void sharing_free(struct sharing *sharing)
{
	if (!sharing)
		return;
	free(sharing->numbers);
	free(sharing->rows);
	free(sharing->own_numbers);
	free(sharing->sharers);
	for (size_t i = 0; i < ROUNDS; i++)
		mm_list_free(sharing->mms[i]);
	sharing_frames_free(sharing->frames);
	sharing_origins_free(sharing->origins);
	page_index_free(sharing->index);
	target_close(&sharing->target);
	free(sharing);
}

const struct target *sharing_target(const struct sharing *sharing)
{
	return &sharing->target;
}

const char *sharing_source(const struct sharing *sharing)
{
	return page_index_source(sharing->index);
}

const char *sharing_reason(const struct sharing *sharing)
{
	return sharing->reason;
}

struct vmad_coverage sharing_coverage(const struct sharing *sharing)
{
	return sharing->coverage;
}

uint64_t sharing_kernel_us(const struct sharing *sharing)
{
	return page_index_kernel_us(sharing->index);
}

struct vmad_page_index sharing_index(const struct sharing *sharing)
{
	return (struct vmad_page_index){ .mapping_count = page_index_mappings(sharing->index),
					 .index_bytes = chunk_store_bytes(page_index_store(sharing->index)) };
}

/* The first reason stands: those that come later may be its consequences. */
static void is_incomplete(struct sharing *sharing, const char *reason)
{
	if (!sharing->reason)
		sharing->reason = reason;
}

/* Ends that leave an answer. */
static bool is_cut(int code)
{
	return code == -ETIMEDOUT || code == -ENOSPC;
}

/* 0, or the error that leaves none. */
static int excuse(struct sharing *sharing, int code)
{
	if (code == -ETIMEDOUT)
		is_incomplete(sharing, "deadline");
	else if (code == -ENOSPC)
		is_incomplete(sharing, "memory-ceiling");
	else
		return code;
	return 0;
}

static bool is_over(const struct sharing *sharing)
{
	return sharing->reason && (!strcmp(sharing->reason, "deadline") || !strcmp(sharing->reason, "memory-ceiling"));
}

static int grow(struct sharing *sharing)
{
	size_t capacity = sharing->capacity ? sharing->capacity * 2 : 256;
	struct sharer *sharers = realloc(sharing->sharers, capacity * sizeof(*sharers));

	if (!sharers)
		return -ENOMEM;
	sharing->sharers = sharers;
	sharing->capacity = capacity;
	return 0;
}

static int keep(struct sharing *sharing, const struct sharer *sharer, const struct target *target)
{
	int r = sharing->count == sharing->capacity ? grow(sharing) : 0;
	struct sharer *kept = &sharing->sharers[sharing->count];

	if (r < 0)
		return r;
	*kept = *sharer;
	kept->comm_len = target->facts.comm_len;
	memcpy(kept->comm, target->facts.comm, kept->comm_len);
	sharing->count++;
	return 0;
}

#define WANT (OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP))

/* Processes that end, or that nobody may look into, are counted; others fail. */
static int count_failure(struct sharing *sharing, int code)
{
	switch (-code) {
	case ENOENT:
	case ESRCH:
		sharing->coverage.processes_gone++;
		return 0;
	case EACCES:
	case EPERM:
	case ETIMEDOUT:
		sharing->coverage.processes_unreadable++;
		is_incomplete(sharing, "unreadable-process");
		return 0;
	default:
		return code;
	}
}

static int add_sharer(struct sharing *sharing, const struct mm_list_entry *entry, struct vmad_error *err)
{
	struct sharer sharer = { .pids = entry->pids, .pid_count = entry->pid_count };
	int r, kept = 0;

	if (entry->code < 0)
		return vmad_outcome(err, count_failure(sharing, entry->code), entry->pids[0], "pagemap", "open");
	if (target_has_no_mm(entry->target))
		return 0;
	r = page_index_add(sharing->index, entry->target, NULL, NULL, &sharer.mm, err);
	if (sharer.mm) {
		sharing->coverage.processes_read += sharer.pid_count;
		kept = keep(sharing, &sharer, entry->target);
	}
	if (kept < 0)
		return vmad_fail(err, -kept, 0, NULL, "allocate");
	return is_cut(r) ? excuse(sharing, r) : r < 0 ? count_failure(sharing, r) : 0;
}

/* Is it the process that is asked about? Its pages are in the index already. */
static bool is_own(struct sharing *sharing, const struct mm_list_entry *entry)
{
	for (size_t i = 0; i < entry->pid_count; i++) {
		if (entry->pids[i] != sharing->target.files.pid)
			continue;
		sharing->own.pids = entry->pids;
		sharing->own.pid_count = entry->pid_count;
		return true;
	}
	return false;
}

static int go_round(struct sharing *sharing, size_t round, struct opener *opener, const struct vmad_caller *caller,
		    struct vmad_error *err)
{
	const struct mm_list *before = round ? sharing->mms[round - 1] : NULL;
	struct mm_list_entry entry;
	int r = mm_list_new(opener, caller, sharing->target.files.pid, before, &sharing->mms[round], err);

	if (r == 0 && !mm_list_is_told(sharing->mms[round]))
		is_incomplete(sharing, "no-kcmp");
	while (r == 0 && !is_over(sharing) && (r = mm_list_next(sharing->mms[round], &entry, err)) > 0)
		r = is_own(sharing, &entry) ? 0 : add_sharer(sharing, &entry, err);
	return r;
}

static int add_origin(void *arg, const struct vmad_vma *vma)
{
	return sharing_origins_add(arg, vma);
}

/* The process itself, first: what the others share with it is all that is asked. */
static int add_own(struct sharing *sharing, struct vmad_error *err)
{
	int r = page_index_add(sharing->index, &sharing->target, add_origin, sharing->origins, &sharing->own.mm, err);

	sharing->coverage.processes_read += r == 0;
	return excuse(sharing, r);
}

/* A scan of an mm that died finds nothing and says nothing; pagemap says it. */
static bool is_alive(const struct sharing *sharing)
{
	uint64_t entry, address;

	return !sharing_origins_any_address(sharing->origins, &address) ||
	       pagemap_read(sharing->target.files.fd[OPENER_PAGEMAP], address, &entry, 1) == 1;
}

static int by_pages(const void *a, const void *b)
{
	const struct sharer *x = a, *y = b;

	if (x->pages != y->pages)
		return x->pages > y->pages ? -1 : 1;
	return (x->pids[0] > y->pids[0]) - (x->pids[0] < y->pids[0]);
}

static void count_all(struct sharing *sharing)
{
	size_t kept = 0;

	for (size_t i = 0; i < sharing->count; i++) {
		struct sharer *sharer = &sharing->sharers[i];

		sharer->pages = sharing_frames_count(sharing->frames, sharer->mm, NULL);
		if (sharer->pages)
			sharing->sharers[kept++] = *sharer;
	}
	sharing->count = kept;
	sharing->shared_pages = sharing_frames_seen(sharing->frames);
	if (kept)
		qsort(sharing->sharers, kept, sizeof(*sharing->sharers), by_pages);
}

static int match(struct sharing *sharing, struct opener *opener, const struct vmad_caller *caller,
		 struct vmad_error *err)
{
	int fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGEFLAGS);
	int r = fd < 0 ? -EOPNOTSUPP : sharing_frames_new(sharing->index, sharing->own.mm, sharing->origins, fd,
							  &sharing->frames);

	if (fd >= 0)
		close(fd);
	if (r == 0)
		count_all(sharing);
	else
		sharing->count = 0;
	r = excuse(sharing, r);
	return r < 0 ? vmad_fail(err, -r, 0, "kpageflags", "read") : 0;
}

static int run(struct sharing *sharing, struct opener *opener, const struct vmad_caller *caller, struct vmad_error *err)
{
	int r = add_own(sharing, err);

	for (size_t round = 0; round < ROUNDS && r == 0 && !is_over(sharing); round++)
		r = go_round(sharing, round, opener, caller, err);
	if (r == 0 && !is_alive(sharing))
		is_incomplete(sharing, "target-gone");
	if (r == 0 && sharing->own.mm)
		r = match(sharing, opener, caller, err);
	return r;
}

/* Its numbers are good to have, and no more: kernels before 4.14 have no smaps_rollup. */
static void read_usage(struct sharing *sharing, struct opener *opener, const struct vmad_caller *caller)
{
	struct usage_sum sum;

	if (usage_sum_read(opener, caller, sharing->target.files.pid, sharing->target.facts.start_time_ticks, &sum, NULL) == 0)
		sharing->usage = sum.usage;
}

static int put_numbers(const pid_t *pids, size_t count, char **numbers)
{
	size_t len = 0;

	free(*numbers);
	*numbers = malloc(count * sizeof("4194304") + 1);
	for (size_t i = 0; *numbers && i < count; i++)
		len += (size_t)sprintf(*numbers + len, "%s%d", i ? " " : "", pids[i]);
	return *numbers ? 0 : -ENOMEM;
}

static int prepare(struct sharing *sharing, const struct sharing_query *query, struct vmad_error *err)
{
	struct page_index_query index = { .ceiling_bytes = query->ceiling_bytes, .only_shared = true,
					  .without_scan = query->without_scan };
	int r;

	if (query->budget_us)
		index.deadline_us = clock_us() + query->budget_us;
	r = page_index_new(&index, &sharing->index, err);
	if (r == 0)
		r = sharing_origins_new(page_index_store(sharing->index), &sharing->origins);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "allocate") : 0;
}

static int answer(struct sharing *sharing, struct opener *opener, const struct vmad_caller *caller,
		  const struct sharing_query *query, struct vmad_error *err)
{
	const struct sharer *own = &sharing->own;
	int r = target_open(opener, caller, query->pid, WANT, query->start_time_ticks, &sharing->target, err);

	if (r < 0)
		return r;
	r = prepare(sharing, query, err);
	if (r == 0 && !target_has_no_mm(&sharing->target)) {
		read_usage(sharing, opener, caller);
		r = run(sharing, opener, caller, err);
	}
	if (r == 0 && put_numbers(own->pids ? own->pids : &query->pid, own->pids ? own->pid_count : 1,
				  &sharing->own_numbers) < 0)
		r = vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	return r;
}

static int make(struct opener *opener, const struct vmad_caller *caller, const struct sharing_query *query,
		struct sharing **ret_sharing, struct vmad_error *err)
{
	struct sharing *sharing = calloc(1, sizeof(*sharing));
	int r;

	if (!sharing)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	for (int file = 0; file < OPENER_FILES; file++)
		sharing->target.files.fd[file] = -EBADF;
	if (opener_is_captured(opener))
		r = vmad_fail(err, EOPNOTSUPP, query->pid, "pagemap", "open");
	else
		r = answer(sharing, opener, caller, query, err);
	if (r < 0) {
		sharing_free(sharing);
		return r;
	}
	*ret_sharing = sharing;
	return 0;
}

int sharing_new(struct opener *opener, const struct vmad_caller *caller, const struct sharing_query *query,
		struct sharing **ret_sharing, struct vmad_error *err)
{
	struct target_again again = { opener, caller, query->pid, query->start_time_ticks, 0 };
	int r;

	do
		r = make(opener, caller, query, ret_sharing, err);
	while (target_asks_again(&again, &r, err));
	return r;
}

struct vmad_sharing_sums sharing_sums(const struct sharing *sharing)
{
	const struct vmad_usage *usage = &sharing->usage;
	struct vmad_sharing_sums sums = {
		.pids = { sharing->own_numbers, strlen(sharing->own_numbers) },
		.shared_with_others_bytes = sharing->shared_pages * (uint64_t)sysconf(_SC_PAGESIZE),
	};

	if (!(usage->has & VMAD_HAS(usage, pss_bytes)))
		return sums;
	sums.has = VMAD_HAS(sharing_sums, uss_bytes) | VMAD_HAS(sharing_sums, pss_bytes) |
		   VMAD_HAS(sharing_sums, rss_bytes) | VMAD_HAS(sharing_sums, usage_source);
	sums.uss_bytes = usage->private_clean_bytes + usage->private_dirty_bytes;
	sums.pss_bytes = usage->pss_bytes;
	sums.rss_bytes = usage->rss_bytes;
	sums.usage_source = "smaps_rollup";
	return sums;
}

static int by_bytes(const void *a, const void *b)
{
	const struct vmad_sharing_origin *x = a, *y = b;

	return (x->shared_bytes < y->shared_bytes) - (x->shared_bytes > y->shared_bytes);
}

/* What is shared, by origin. Returns how many there are, or a negative errno. */
static long put_origins(struct sharing *sharing, const struct sharer *sharer)
{
	size_t origins = sharing_origins_count(sharing->origins), count = 0;
	uint64_t *pages = calloc(origins + 1, sizeof(*pages));

	free(sharing->rows);
	sharing->rows = calloc(origins + 1, sizeof(*sharing->rows));
	if (!pages || !sharing->rows) {
		free(pages);
		return -ENOMEM;
	}
	sharing_frames_count(sharing->frames, sharer->mm, pages);
	for (size_t i = 0; i < origins; i++) {
		if (!pages[i])
			continue;
		sharing->rows[count] = sharing_origins_record(sharing->origins, i);
		sharing->rows[count].shared_page_count = pages[i];
		sharing->rows[count++].shared_bytes = pages[i] * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	qsort(sharing->rows, count, sizeof(*sharing->rows), by_bytes);
	free(pages);
	return (long)count;
}

int sharing_next(struct sharing *sharing, struct vmad_sharing *ret_record)
{
	const struct sharer *sharer = &sharing->sharers[sharing->next];
	long origins;

	if (sharing->next == sharing->count)
		return 0;
	origins = put_origins(sharing, sharer);
	if (origins < 0 || put_numbers(sharer->pids, sharer->pid_count, &sharing->numbers) < 0)
		return -ENOMEM;
	*ret_record = (struct vmad_sharing){
		.pids = { sharing->numbers, strlen(sharing->numbers) },
		.comm = { sharer->comm, sharer->comm_len },
		.shared_page_count = sharer->pages,
		.shared_bytes = sharer->pages * (uint64_t)sysconf(_SC_PAGESIZE),
		.origins = sharing->rows,
		.origins_count = (size_t)origins,
	};
	sharing->next++;
	return 1;
}
