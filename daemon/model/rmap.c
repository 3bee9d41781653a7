/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/mapcounts.h"
#include "model/mapping_set.h"
#include "model/rmap_steps.h"
#include "model/vma.h"
#include "source/kpage.h"
#include "source/pagemap.h"
#include "source/procmap_query.h"
#include "source/words.h"

#define TRIES 3			/* of a proof, and of a target whose page changes under us */
#define PIDS_TEXT_MAX 4096	/* of one mapping: some 500 pids */

/* What a row borrows its strings from. */
struct row {
	struct target target;
	bool open;
	struct maps_entry entry;
	struct vmad_vma vma;
	bool has_vma;
	char name[PROCMAP_NAME_MAX];
	char pids[PIDS_TEXT_MAX];
};

struct rmap {
	struct rmap_question question;
	struct rmap_query query;
	struct target target;
	bool has_target;
	struct maps_entry entry;		/* the target's VMA */
	char entry_name[PROCMAP_NAME_MAX];
	bool has_entry;

	int flags_fd, count_fd;
	uint64_t flags, count;
	struct vmad_frame frame;
	bool has_frame;
	char flag_names[KPAGE_NAMES_MAX];

	struct mapping_set set;
	const char *method, *reason;
	bool complete;
	size_t next;
	struct row row;
};

void rmap_free(struct rmap *rmap)
{
	if (!rmap)
		return;
	if (rmap->row.open)
		target_close(&rmap->row.target);
	if (rmap->has_target)
		target_close(&rmap->target);
	if (rmap->flags_fd >= 0)
		close(rmap->flags_fd);
	if (rmap->count_fd >= 0)
		close(rmap->count_fd);
	mapping_set_free(&rmap->set);
	free(rmap);
}

const struct target *rmap_target(const struct rmap *rmap)
{
	return rmap->has_target ? &rmap->target : NULL;
}

const struct vmad_frame *rmap_frame(const struct rmap *rmap)
{
	return rmap->has_frame ? &rmap->frame : NULL;
}

const char *rmap_reason(const struct rmap *rmap)
{
	return rmap->complete ? NULL : rmap->reason;
}

struct vmad_proof rmap_proof(const struct rmap *rmap)
{
	return (struct vmad_proof){ .mappings_found = mapping_set_count(&rmap->set),
				    .processes_found = mapping_set_processes(&rmap->set),
				    .method = rmap->method };
}

static int open_files(struct rmap *rmap, struct opener *opener, const struct vmad_caller *caller,
		      struct vmad_error *err)
{
	int r = 0;

	rmap->flags_fd = opener_open_host(opener, OPENER_HOST_KPAGEFLAGS);
	rmap->count_fd = opener_open_host(opener, OPENER_HOST_KPAGECOUNT);
	if (rmap->flags_fd < 0 || rmap->count_fd < 0)
		return vmad_fail(err, EOPNOTSUPP, 0, rmap->flags_fd < 0 ? "kpageflags" : "kpagecount", "open");
	if (!rmap->query.pid)
		return 0;
	r = target_open(opener, caller, rmap->query.pid, OPENER_WANT(OPENER_PAGEMAP) | OPENER_WANT(OPENER_MAPS),
			rmap->query.start_time_ticks, &rmap->target, err);
	rmap->has_target = r == 0;
	return r;
}

/*
 * The VMA at the address, for its file and offset. Without PROCMAP_QUERY that step is left out: a scan finds the same.
 * /
 */
static void find_entry(struct rmap *rmap)
{
	rmap->has_entry =
		procmap_query_available() && procmap_query(rmap->target.files.fd[OPENER_MAPS], rmap->query.address,
							   false, &rmap->entry, rmap->entry_name) == 0;
}

/* The frame that the target maps now. 0: *ret_pfn, or 0 for none. */
static int read_pfn(struct rmap *rmap, uint64_t *ret_pfn, struct vmad_error *err)
{
	uint64_t entry = 0;
	long n = pagemap_read(rmap->target.files.fd[OPENER_PAGEMAP], rmap->query.address, &entry, 1);

	if (n < 0)
		return vmad_fail(err, (int)-n, rmap->query.pid, "pagemap", "read");
	*ret_pfn = n ? pagemap_pfn(entry) : 0;
	if (n && entry & PAGEMAP_PRESENT && !*ret_pfn)
		return vmad_fail(err, EPERM, rmap->query.pid, "pagemap", "read");
	return 0;
}

static bool read_frame(struct rmap *rmap, uint64_t pfn)
{
	rmap->has_frame = words_read(rmap->flags_fd, pfn, &rmap->flags, 1) == 1;
	if (!rmap->has_frame)
		return false;
	rmap->frame = (struct vmad_frame){ .pfn = pfn };
	rmap->frame.flags = (struct vmad_str){ rmap->flag_names, kpage_flag_names(rmap->flags, rmap->flag_names) };
	if (words_read(rmap->count_fd, pfn, &rmap->count, 1) == 1) {
		rmap->frame.has = VMAD_HAS(frame, mapcount);
		rmap->frame.mapcount = rmap->count;
	}
	return true;
}

/* Frames that page tables may map although nothing is counted, by what the kernel says of them. */
static const struct {
	uint64_t flag;
	const char *reason;
} uncounted[] = {
	{ KPAGE_BIT(SLAB), "slab" },
	{ KPAGE_BIT(BUDDY), "free" },
	{ KPAGE_BIT(PGTABLE), "page-table" },
	{ KPAGE_BIT(NOPAGE), "no-page-frame" },
	{ KPAGE_BIT(RESERVED), "reserved" },
};

/*
 * Why a count of 0, or an average, or another pid namespace makes a proof impossible from the start; NULL: it is
 * possible.
 */
static const char *why_unprovable(const struct rmap *rmap)
{
	const uint64_t compound = KPAGE_BIT(COMPOUND_HEAD) | KPAGE_BIT(COMPOUND_TAIL);
	struct stat ns;

	if (rmap->flags & KPAGE_BIT(ZERO_PAGE))
		return "zero-page";
	for (size_t i = 0; !rmap->count && i < sizeof(uncounted) / sizeof(uncounted[0]); i++) {
		if (rmap->flags & uncounted[i].flag)
			return uncounted[i].reason;
	}
	if (!(rmap->frame.has & VMAD_HAS(frame, mapcount)) || (!rmap->count && rmap->query.pid))
		return "not-counted";
	if (rmap->flags & compound && !(rmap->flags & KPAGE_BIT(HUGE)) &&
	    !mapcounts_are_exact(rmap->question.opener, rmap->question.caller))
		return "average-mapcount";
	/*
	 * include/uapi/linux/nsfs.h PID_NS_INIT_INO: in another one, there are processes that cannot be seen from here.
	 * /
	 */
	if (stat("/proc/self/ns/pid", &ns) == 0 && ns.st_ino != 0xEFFFFFFCU)
		return "pid-namespace";
	return NULL;
}

/* Is every mapping found? All are read, the count, and all again: what came or went meanwhile shows. */
static bool prove(struct rmap *rmap)
{
	for (int i = 0; i < TRIES; i++) {
		size_t found;

		mapping_set_reread(&rmap->set);
		if (words_read(rmap->count_fd, rmap->set.pfn, &rmap->count, 1) != 1 || !mapping_set_reread(&rmap->set))
			continue;
		rmap->frame.mapcount = rmap->count;
		mapping_set_group(&rmap->set, rmap->question.opener, rmap->question.caller, NULL);
		found = mapping_set_count(&rmap->set);
		if (found == rmap->count)
			return true;
		if (found < rmap->count) {
			rmap->reason = rmap->question.unreadable ? "unreadable-process" : "unreached";
			return false;
		}
	}
	rmap->reason = rmap->flags & KPAGE_BIT(HUGE) ? "hugetlb-shared-tables" : "unstable";
	return false;
}

/* One step: its name, whether it can find anything, and what it does. */
struct step {
	const char *name;
	bool (*applies)(const struct rmap *rmap);
	int (*run)(struct rmap *rmap, struct vmad_error *err);
};

static bool has_target(const struct rmap *rmap)
{
	return rmap->has_target;
}

static int run_same_address(struct rmap *rmap, struct vmad_error *err)
{
	return rmap_step_same_address(&rmap->question, rmap->query.address, &rmap->set, err);
}

/* A page that was copied on write belongs to no file, whatever its VMA. */
static bool is_of_file(const struct rmap *rmap)
{
	return rmap->has_entry && rmap->entry.inode && !(rmap->flags & KPAGE_BIT(ANON));
}

static int run_file_offset(struct rmap *rmap, struct vmad_error *err)
{
	uint64_t offset = rmap->entry.offset_bytes + (rmap->query.address - rmap->entry.start);

	return rmap_step_file_offset(&rmap->question, rmap->entry.device, rmap->entry.inode, offset, &rmap->set, err);
}

static bool may_scan(const struct rmap *rmap)
{
	return !rmap->query.may_scan || rmap->query.may_scan(rmap->query.arg);
}

static int run_scan(struct rmap *rmap, struct vmad_error *err)
{
	return rmap_step_scan(&rmap->question, &rmap->set, err);
}

static const struct step steps[] = {
	{ "same-address", has_target, run_same_address },
	{ "file-offset", is_of_file, run_file_offset },
	{ "scan", may_scan, run_scan },
};

/* Climbs the steps until one is proved to have found all. */
static int look_up(struct rmap *rmap, struct vmad_error *err)
{
	const char *never = why_unprovable(rmap);

	rmap->reason = never;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int r;

		if (!steps[i].applies(rmap))
			continue;
		rmap->method = steps[i].name;
		r = steps[i].run(rmap, err);
		if (r == -ETIMEDOUT || r == -EMFILE) {
			rmap->reason = r == -EMFILE ? "too-many" : "deadline";
			mapping_set_reread(&rmap->set);
			mapping_set_group(&rmap->set, rmap->question.opener, rmap->question.caller, NULL);
			return 0;
		}
		if (r < 0)
			return r;
		/* No count to reach: going through every process would prove nothing more. */
		if (never && rmap->has_target) {
			mapping_set_group(&rmap->set, rmap->question.opener, rmap->question.caller, NULL);
			return 0;
		}
		rmap->complete = prove(rmap) && !never;
		if (rmap->complete)
			return 0;
	}
	if (never)
		rmap->reason = never;
	return 0;
}

static int fail_without_page(struct rmap *rmap)
{
	rmap->reason = "not-present";
	return 0;
}

/*
 * Where the target's page is another one when all is done (copied, migrated, swapped out), the question has changed:
 * once more.
 */
static int look_up_address(struct rmap *rmap, struct vmad_error *err)
{
	uint64_t pfn = 0, now = 0;
	int r = 0;

	for (int i = 0; i < TRIES && r == 0; i++) {
		r = i ? 0 : read_pfn(rmap, &now, err);
		if (r < 0)
			return r;
		pfn = now;
		mapping_set_free(&rmap->set);
		mapping_set_init(&rmap->set, pfn);
		rmap->complete = false;
		if (!pfn || !read_frame(rmap, pfn))
			return fail_without_page(rmap);
		r = look_up(rmap, err);
		if (r == 0)
			r = read_pfn(rmap, &now, err);
		if (r == 0 && now == pfn)
			return 0;
	}
	rmap->complete = false;
	rmap->reason = "unstable";
	return r;
}

static int look_up_frame(struct rmap *rmap, struct vmad_error *err)
{
	mapping_set_init(&rmap->set, rmap->query.pfn);
	if (!read_frame(rmap, rmap->query.pfn))
		return vmad_fail(err, ENXIO, 0, "kpageflags", "read");
	if (!rmap->count) {
		/*
		 * The count proves it without a look: nothing maps the frame. Where nothing is counted, it proves
		 * nothing.
		 */
		rmap->method = "scan";
		rmap->reason = why_unprovable(rmap);
		rmap->complete = !rmap->reason;
		return 0;
	}
	return look_up(rmap, err);
}

int rmap_new(struct opener *opener, const struct vmad_caller *caller, const struct rmap_query *query,
	     struct rmap **ret_rmap, struct vmad_error *err)
{
	struct rmap *rmap = calloc(1, sizeof(*rmap));
	int r;

	if (!rmap)
		return vmad_fail(err, ENOMEM, query->pid, NULL, "allocate");
	rmap->query = *query;
	rmap->question = (struct rmap_question){ .opener = opener, .caller = caller, .budget_us = query->budget_us };
	rmap->flags_fd = rmap->count_fd = -1;
	rmap->method = "same-address";
	r = open_files(rmap, opener, caller, err);
	if (r == 0 && rmap->has_target)
		find_entry(rmap);
	if (r == 0)
		r = rmap->has_target ? look_up_address(rmap, err) : look_up_frame(rmap, err);
	if (r < 0) {
		rmap_free(rmap);
		return r;
	}
	*ret_rmap = rmap;
	return 0;
}

/* All pids of the mapping at place i. */
static struct vmad_str pids_of(struct rmap *rmap, size_t i)
{
	const struct mapping_place *places = rmap->set.places;
	size_t len = 0;

	for (size_t j = i; j < rmap->set.count && len + 16 < PIDS_TEXT_MAX; j++) {
		if (places[j].group == places[i].group && places[j].address == places[i].address)
			len += (size_t)sprintf(rmap->row.pids + len, "%s%d", len ? " " : "", (int)places[j].pid);
	}
	return (struct vmad_str){ rmap->row.pids, len };
}

static void open_row(struct rmap *rmap, const struct mapping_place *place)
{
	struct row *row = &rmap->row;

	if (row->open)
		target_close(&row->target);
	row->has_vma = false;
	row->open = target_open(rmap->question.opener, rmap->question.caller, place->pid, OPENER_WANT(OPENER_MAPS), 0,
				&row->target, NULL) == 0;
	if (row->open && procmap_query_available() &&
	    procmap_query(row->target.files.fd[OPENER_MAPS], place->address, false, &row->entry, row->name) == 0) {
		row->vma = vma_record(&row->entry);
		row->has_vma = true;
	}
}

static void add_vma(const struct vmad_vma *vma, struct vmad_mapping *mapping)
{
	mapping->has |= VMAD_HAS(mapping, vma_start) | VMAD_HAS(mapping, vma_end) | VMAD_HAS(mapping, perms) |
			VMAD_HAS(mapping, kind);
	mapping->vma_start = vma->start;
	mapping->vma_end = vma->end;
	memcpy(mapping->perms, vma->perms, sizeof(mapping->perms));
	mapping->kind = vma->kind;
	if (vma->has & VMAD_HAS(vma, path)) {
		mapping->has |= VMAD_HAS(mapping, path);
		mapping->path = vma->path;
	}
	if (vma->has & VMAD_HAS(vma, name)) {
		mapping->has |= VMAD_HAS(mapping, name);
		mapping->name = vma->name;
	}
}

int rmap_next(struct rmap *rmap, struct vmad_mapping *ret_mapping)
{
	while (rmap->next < rmap->set.count && !mapping_set_is_first(&rmap->set, rmap->next))
		rmap->next++;
	if (rmap->next == rmap->set.count)
		return 0;
	open_row(rmap, &rmap->set.places[rmap->next]);
	*ret_mapping = (struct vmad_mapping){ .pids = pids_of(rmap, rmap->next),
					      .address = rmap->set.places[rmap->next].address };
	if (rmap->row.open) {
		ret_mapping->has |= VMAD_HAS(mapping, comm);
		ret_mapping->comm = (struct vmad_str){ rmap->row.target.facts.comm, rmap->row.target.facts.comm_len };
	}
	if (rmap->row.has_vma)
		add_vma(&rmap->row.vma, ret_mapping);
	rmap->next++;
	return 1;
}
