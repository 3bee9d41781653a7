/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/frame_scan.h"
#include "model/halves.h"
#include "model/vma_list.h"
#include "source/pagemap.h"
#include "stall/stall.h"

/* Processes that are opened at once: three files of each, or only of those that map the page. */
#define BATCH 160
#define BATCH_OF_MAPPERS 480

/* Reads one entry, and adds the place where it maps the frame. */
static int look_at(struct mapping_set *set, pid_t pid, uint64_t address, int pagemap_fd)
{
	uint64_t entry;

	if (pagemap_read(pagemap_fd, address, &entry, 1) != 1 || pagemap_pfn(entry) != set->pfn)
		return 0;
	return mapping_set_add(set, pid, address);
}

/* What a step does with one process. */
struct visit {
	struct rmap_question *question;
	struct mapping_set *set;
	uint64_t address;		/* same-address */
	uint64_t device, inode, offset;	/* file-offset */
	pid_t representative;		/* siblings: the process of the same mm that was gone through */
	size_t known;			/* siblings: so many places are its, and others' */
	bool only_mappers;		/* same-address: the opener leaves all others closed */
	bool in_halves;			/* file-offset: looking into a process takes longer than opening it */
	int (*run)(struct visit *visit, struct opener_target *target, struct vmad_error *err);
};

/* What is wanted of each process. */
static struct opener_target ask_for(const struct visit *visit, pid_t pid)
{
	struct opener_target target = { .pid = pid, .want = MAPPING_FILES };

	if (visit->only_mappers) {
		target.only_if.index = visit->address / (uint64_t)sysconf(_SC_PAGESIZE);
		target.only_if.mask = PAGEMAP_PRESENT | PAGEMAP_PFN_MASK;
		target.only_if.value = PAGEMAP_PRESENT | visit->set->pfn;
	}
	return target;
}

/* What is found in a process, with the files that it was found by. */
static int visit_process(struct visit *visit, struct opener_target *target, struct vmad_error *err)
{
	int fd = target->fd[OPENER_PAGEMAP], r = 0;
	size_t before = visit->set->count;

	visit->question->unreadable |= fd == -EACCES || fd == -EPERM;
	if (fd == -EMFILE || fd == -ENFILE)
		return vmad_fail(err, EMFILE, target->pid, "pagemap", "open");
	if (fd >= 0 && stall_is_quarantined(target->pid)) {
		visit->question->unreadable = true;
	} else if (fd >= 0) {
		stall_turn_to(target->pid);
		r = visit->run(visit, target, err);
	}
	if (visit->set->count > before) {
		int kept = mapping_set_keep(visit->set, target);

		r = kept < 0 ? kept : r;
	}
	return r;
}

/* Some of the processes, opened already, with a set and a question of their own. */
struct half {
	struct visit visit;
	struct rmap_question question;
	struct mapping_set set;
	struct vmad_error err;
	int result;
};

struct halves {
	struct half half[2];
	struct opener_target *targets;
	size_t count;
};

static void visit_half(void *arg, unsigned which)
{
	struct halves *halves = arg;
	struct half *half = &halves->half[which];
	size_t middle = halves->count / 2, end = which ? halves->count : middle;

	for (size_t i = which ? middle : 0; i < end && half->result == 0; i++)
		half->result = visit_process(&half->visit, &halves->targets[i], &half->err);
}

static void begin_half(struct half *half, const struct visit *visit)
{
	half->visit = *visit;
	half->question = *visit->question;
	half->visit.question = &half->question;
	half->visit.set = &half->set;
	mapping_set_init(&half->set, visit->set->pfn);
	half->set.marks_start = visit->set->marks_start;
}

/* Gives what a half has found to the whole. */
static int take_over(struct visit *visit, struct half *half, struct vmad_error *err)
{
	int r = mapping_set_take(visit->set, &half->set);

	visit->question->unreadable |= half->question.unreadable;
	if (half->result < 0 && err)
		*err = half->err;
	return half->result < 0 ? half->result : r;
}

static int visit_opened(struct visit *visit, struct opener_target *targets, size_t count, struct vmad_error *err)
{
	struct halves halves = { .targets = targets, .count = count };
	int first, second;

	begin_half(&halves.half[0], visit);
	begin_half(&halves.half[1], visit);
	halves_run(visit_half, &halves, count);
	first = take_over(visit, &halves.half[0], err);
	second = take_over(visit, &halves.half[1], err);
	return first < 0 ? first : second;
}

/* Else visits are done while further processes are being opened. */
struct meanwhile {
	struct visit *visit;
	struct vmad_error err;
	int result;
};

static void visit_meanwhile(void *arg, struct opener_target *targets, size_t count)
{
	struct meanwhile *meanwhile = arg;

	for (size_t i = 0; i < count && meanwhile->result == 0; i++)
		meanwhile->result = visit_process(meanwhile->visit, &targets[i], &meanwhile->err);
}

static int visit_batch(struct visit *visit, const pid_t *pids, size_t count, struct vmad_error *err)
{
	struct opener_target targets[BATCH_OF_MAPPERS];
	struct meanwhile meanwhile = { .visit = visit };
	int r = mapping_set_reserve(visit->set, count);

	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "allocate");
	for (size_t i = 0; i < count; i++)
		targets[i] = ask_for(visit, pids[i]);
	r = opener_open_many(visit->question->opener, visit->question->caller, targets, count,
			     visit->in_halves ? NULL : visit_meanwhile, &meanwhile, err);
	if (r == 0 && visit->in_halves)
		r = visit_opened(visit, targets, count, err);
	if (meanwhile.result < 0) {
		r = meanwhile.result;
		if (err)
			*err = meanwhile.err;
	}
	for (size_t i = 0; i < count; i++)
		opener_target_close(&targets[i]);
	return r == 0 && clock_us() > visit->question->deadline_us ? -ETIMEDOUT : r;
}

static int visit_pids(struct visit *visit, const pid_t *pids, size_t count, struct vmad_error *err)
{
	const size_t batch = visit->only_mappers ? BATCH_OF_MAPPERS : BATCH;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i += batch)
		r = visit_batch(visit, pids + i, count - i < batch ? count - i : batch, err);
	return r;
}

static int list_pids(struct rmap_question *question, pid_t **ret_pids, size_t *ret_count, struct vmad_error *err)
{
	struct opener_listing *listing = question->listing;

	question->listing = NULL;
	return listing ? opener_list_end(question->opener, listing, ret_pids, ret_count, err) :
			 opener_list(question->opener, question->caller, ret_pids, ret_count, err);
}

void rmap_begin_listing(struct rmap_question *question)
{
	question->listing = opener_list_begin(question->opener, question->caller);
}

void rmap_end_listing(struct rmap_question *question)
{
	size_t count;
	pid_t *pids;

	if (question->listing && list_pids(question, &pids, &count, NULL) == 0)
		free(pids);
}

static int visit_all(struct visit *visit, struct vmad_error *err)
{
	size_t count;
	pid_t *pids;
	int r = list_pids(visit->question, &pids, &count, err);

	if (r < 0)
		return r;
	r = visit_pids(visit, pids, count, err);
	free(pids);
	return r;
}

static int visit_address(struct visit *visit, struct opener_target *target, struct vmad_error *err)
{
	(void)err;
	return mapping_set_add(visit->set, target->pid, visit->address);
}

int rmap_step_same_address(struct rmap_question *question, uint64_t address, struct mapping_set *set,
			   struct vmad_error *err)
{
	struct visit visit = { .question = question, .set = set,
			       .address = address & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1),
			       .only_mappers = true, .run = visit_address };

	return visit_all(&visit, err);
}

/* A list of the process's VMAs out of files that were opened already, and stay with the visit. NULL: it is gone. */
static struct vma_list *list_vmas(const struct opener_target *target)
{
	static const struct vma_list_query all = { 0 };
	struct target files = { .files = *target };
	struct vma_list *list;

	for (int file = 0; file < OPENER_FILES; file++)
		files.files.fd[file] = -EBADF;
	files.files.fd[OPENER_MAPS] = fcntl(target->fd[OPENER_MAPS], F_DUPFD_CLOEXEC, 0);
	if (files.files.fd[OPENER_MAPS] < 0)
		return NULL;
	return vma_list_new(&files, &all, &list, NULL) == 0 ? list : NULL;
}

static int visit_file(struct visit *visit, struct opener_target *target, struct vmad_error *err)
{
	struct vma_list *list = list_vmas(target);
	struct vma_list_row row;
	int r = 0;

	(void)err;
	while (list && r == 0 && vma_list_next(list, &row, NULL) > 0) {
		const struct vmad_vma *vma = &row.vma;

		if (vma->inode == visit->inode && vma->device == visit->device && visit->offset >= vma->offset_bytes &&
		    visit->offset - vma->offset_bytes < vma->size_bytes)
			r = look_at(visit->set, target->pid, vma->start + (visit->offset - vma->offset_bytes),
				    target->fd[OPENER_PAGEMAP]);
	}
	vma_list_free(list);
	return r;
}

int rmap_step_file_offset(struct rmap_question *question, uint64_t device, uint64_t inode, uint64_t offset,
			  struct mapping_set *set,
			  struct vmad_error *err)
{
	struct visit visit = { .question = question, .set = set, .device = device, .inode = inode,
			       .offset = offset & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1),
			       .in_halves = true, .run = visit_file };

	return visit_all(&visit, err);
}

/* A process that is gone through, page by page. */
struct pages_visit {
	struct mapping_set *set;
	pid_t pid;
};

static int add_page(void *arg, uint64_t address)
{
	const struct pages_visit *pages = arg;

	return mapping_set_add(pages->set, pages->pid, address);
}

static int visit_pages(struct visit *visit, struct opener_target *target, struct vmad_error *err)
{
	struct pages_visit pages = { .set = visit->set, .pid = target->pid };
	struct frame_scan scan = { .pfn = visit->set->pfn, .pagemap_fd = target->fd[OPENER_PAGEMAP],
				   .deadline_us = visit->question->deadline_us, .found = add_page, .arg = &pages };
	struct vma_list *list = list_vmas(target);
	int r = list ? frame_scan_run(&scan, list) : 0;

	(void)err;
	vma_list_free(list);
	return r;
}

/* A further process of an mm that was gone through: it maps what that one does, where that one does. */
static int visit_sibling(struct visit *visit, struct opener_target *target, struct vmad_error *err)
{
	int r = 0;

	(void)err;
	for (size_t i = 0; i < visit->known && r == 0; i++) {
		if (visit->set->places[i].pid == visit->representative)
			r = look_at(visit->set, target->pid, visit->set->places[i].address, target->fd[OPENER_PAGEMAP]);
	}
	return r;
}

/* A process is gone through by itself if it is the first of its mm, or if its mm cannot be told. */
static bool is_representative(size_t i, size_t group)
{
	return group == i || group == OPENER_NO_MM;
}

/* The place of the first pid that is not below. */
static size_t place_of(const pid_t *pids, size_t count, pid_t pid)
{
	size_t i = 0;

	while (i < count && pids[i] < pid)
		i++;
	return i;
}

static int scan_representatives(struct visit *visit, const pid_t *pids, const size_t *groups, size_t count,
				struct vmad_error *err)
{
	size_t first = place_of(pids, count, visit->question->pid);

	visit->run = visit_pages;
	for (size_t n = 0; n < count; n++) {
		size_t i = (first + n) % count;
		int r = 0;

		if (is_representative(i, groups[i]))
			r = visit_batch(visit, pids + i, 1, err);
		if (r < 0)
			return r;
		if (visit->set->count >= visit->question->enough)
			return -EALREADY;
	}
	return 0;
}

static int scan_siblings(struct visit *visit, const pid_t *pids, const size_t *groups, size_t count,
			 struct vmad_error *err)
{
	int r = 0;

	visit->run = visit_sibling;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (is_representative(i, groups[i]))
			continue;
		visit->representative = pids[groups[i]];
		visit->known = visit->set->count;
		r = visit_batch(visit, pids + i, 1, err);
	}
	return r;
}

static int scan(struct visit *visit, const pid_t *pids, const size_t *groups, size_t count, struct vmad_error *err)
{
	int r = scan_representatives(visit, pids, groups, count, err);
	int siblings = r == 0 || r == -EALREADY ? scan_siblings(visit, pids, groups, count, err) : 0;

	return siblings < 0 ? siblings : r;
}

int rmap_step_scan(struct rmap_question *question, struct mapping_set *set, struct vmad_error *err)
{
	struct visit visit = { .question = question, .set = set };
	size_t count, *groups = NULL;
	pid_t *pids;
	int r = list_pids(question, &pids, &count, err);

	if (r < 0)
		return r;
	groups = malloc((count + 1) * sizeof(*groups));
	/* Where the kernel cannot tell who shares an mm, each process is gone through. */
	for (size_t i = 0; groups && i < count; i++)
		groups[i] = i;
	if (groups) {
		opener_same_mm(question->opener, question->caller, pids, count, groups, NULL);
		r = scan(&visit, pids, groups, count, err);
	} else {
		r = vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	}
	free(groups);
	free(pids);
	return r;
}
