/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/helper_mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 64			/* of each array, to begin with */
#define GROWTHS 8		/* a page that gets new mappers all the time ends here */

_Static_assert(sizeof(struct vmadk_rmap) == VMADK_RMAP_SIZE, "the ABI of RMAP");
_Static_assert(sizeof(struct vmadk_filemap) == VMADK_FILEMAP_SIZE, "the ABI of FILEMAP");
_Static_assert(sizeof(struct vmadk_mapping) == VMADK_MAPPING_WIDTH, "the ABI of mappings");
_Static_assert(sizeof(struct vmadk_pid) == VMADK_PID_WIDTH, "the ABI of mappings");

#define RESULTS (VMADK_TRUNCATED | VMADK_CONTENDED | VMADK_SCANNED | VMADK_UNSCANNED | VMADK_CHANGED)
#define MAPPING_FLAGS (VMADK_MAPPING_HUGE | VMADK_MAPPING_WRITE)

static const struct shape {
	uint32_t width;
	size_t room_max;
} shapes[] = {
	{ VMADK_MAPPING_WIDTH, VMADK_ROOM_MAX },
	{ VMADK_PID_WIDTH, VMADK_ROOM_MAX },
	{ VMADK_STRING_WIDTH, 4096 },	/* no kernel has as many tables of operations */
};

/* An array that grows; both ioctls have these three. */
struct list {
	void *elements;
	size_t room, count;
	const struct shape *shape;
};

enum { MAPPINGS, PIDS, STRINGS, LISTS };

struct helper_lists {
	struct list list[LISTS];
};

/* What differs between the two ioctls. */
struct question {
	unsigned long request;
	const void *blank;		/* as it is asked, but for the arrays */
	void *reply;
	size_t size;
	struct vmadk_array *arrays[LISTS];
	const uint32_t *result;		/* arrays and result lie in the reply */
};

static void lists_free(struct helper_lists *lists)
{
	for (int i = 0; lists && i < LISTS; i++)
		free(lists->list[i].elements);
	free(lists);
}

static int list_make_room(struct list *list, size_t room)
{
	free(list->elements);
	list->elements = calloc(room, list->shape->width);
	list->room = list->elements ? room : 0;
	return list->elements ? 0 : -ENOMEM;
}

static struct helper_lists *lists_new(void)
{
	struct helper_lists *lists = calloc(1, sizeof(*lists));

	for (int i = 0; lists && i < LISTS; i++) {
		lists->list[i].shape = &shapes[i];
		if (list_make_room(&lists->list[i], ROOM) < 0) {
			lists_free(lists);
			lists = NULL;
		}
	}
	return lists;
}

static int ask_once(struct helper *helper, struct helper_lists *lists, const struct question *question)
{
	int r;

	memcpy(question->reply, question->blank, question->size);
	for (int i = 0; i < LISTS; i++)
		*question->arrays[i] = helper_array(lists->list[i].elements, lists->list[i].room, shapes[i].width);
	r = helper_ask(helper, question->request, question->reply);
	for (int i = 0; i < LISTS; i++)
		lists->list[i].count = question->arrays[i]->count;
	return r;
}

/*
 * Room for what there is, and for some that come meanwhile; of strings only those are counted that had room. 0: nothing
 * more can be had.
 */
static int grow(struct helper_lists *lists)
{
	bool grown = false;

	for (int i = 0; i < LISTS; i++) {
		struct list *list = &lists->list[i];
		size_t room = list->count + list->count / 4 + ROOM, most = list->shape->room_max;

		if (list->count < list->room || list->room == most)
			continue;
		if (list_make_room(list, room < most ? room : most) < 0)
			return -ENOMEM;
		grown = true;
	}
	return grown;
}

/* Asks until everything had room and no lock was busy, or there were enough tries. */
static int ask(struct helper *helper, struct helper_lists *lists, const struct question *question)
{
	unsigned growths = 0, pauses = 0;

	for (;;) {
		int r = ask_once(helper, lists, question);

		if (r < 0)
			return r;
		if (*question->result & VMADK_TRUNCATED && growths++ < GROWTHS) {
			r = grow(lists);
			if (r < 0)
				return r;
			if (r > 0)
				continue;
		}
		if (!(*question->result & VMADK_CONTENDED) || !helper_pause(++pauses))
			return 0;
	}
}

static size_t written(const struct list *list)
{
	return list->count < list->room ? list->count : list->room;
}

static bool mapping_holds(const struct vmadk_mapping *mapping, size_t mms, size_t strings)
{
	return mapping->vma_start <= mapping->address && mapping->address < mapping->vma_end &&
	       mapping->mm < mms && mapping->state <= VMADK_STATE_MIGRATION &&
	       !(mapping->flags & ~MAPPING_FLAGS) && helper_ref_holds(mapping->vm_ops, strings);
}

/* There are no more address spaces than mappings: each has one. */
static bool hold(const struct helper_mappings *found)
{
	const struct list *list = found->lists->list;
	size_t strings = written(&list[STRINGS]), mms = list[MAPPINGS].count;
	bool is_cut = false;

	for (int i = 0; i < LISTS; i++)
		is_cut |= list[i].count > list[i].room;
	if (found->result & ~RESULTS || (is_cut && !(found->result & VMADK_TRUNCATED)) ||
	    !helper_strings_hold(list[STRINGS].elements, strings))
		return false;
	for (size_t i = 0; i < found->count; i++) {
		if (!mapping_holds(&found->mappings[i], mms, strings))
			return false;
	}
	for (size_t i = 0; i < found->pid_count; i++) {
		if (found->pids[i].pid <= 0 || found->pids[i].mm >= mms)
			return false;
	}
	return true;
}

static void take(struct helper_mappings *found, struct helper_lists *lists, uint32_t result)
{
	*found = (struct helper_mappings){
		.result = result,
		.count = written(&lists->list[MAPPINGS]),
		.mappings = lists->list[MAPPINGS].elements,
		.pid_count = written(&lists->list[PIDS]),
		.pids = lists->list[PIDS].elements,
		.lists = lists,
	};
}

static size_t count_mapped(const struct helper_mappings *found)
{
	size_t mapped = 0;

	for (size_t i = 0; i < found->count; i++)
		mapped += found->mappings[i].state == VMADK_STATE_MAPPED;
	return mapped;
}

static bool page_holds(const struct helper_mappings *found, const struct vmadk_rmap *reply)
{
	size_t mapped = count_mapped(found);

	return reply->kind <= VMADK_PAGE_SPECIAL && reply->mapcount >= -1 &&
	       helper_ref_holds(reply->a_ops, written(&found->lists->list[STRINGS])) &&
	       (found->result & VMADK_TRUNCATED ? reply->mapped >= mapped : reply->mapped == mapped);
}

static int decode_page(struct helper_mappings *found, const struct vmadk_rmap *reply)
{
	if (!hold(found) || !page_holds(found, reply))
		return -EPROTO;
	found->device = (uint64_t)reply->device_major << 32 | reply->device_minor;
	found->inode = reply->inode;
	found->page.pfn = reply->pfn;
	found->page.folio_pfn = reply->folio_pfn;
	found->page.folio_pages = reply->folio_pages;
	found->page.index = reply->index;
	found->page.kind = reply->kind;
	found->page.mapcount = reply->mapcount;
	found->page.mapped = reply->mapped;
	found->page.refcount = reply->refcount;
	found->page.a_ops = helper_symbol_of(found->lists->list[STRINGS].elements, reply->a_ops);
	return 0;
}

int helper_find_page(struct helper *helper, const struct helper_page_query *query, struct helper_mappings *ret_found,
		     struct vmad_error *err)
{
	const struct vmadk_rmap blank = {
		.size = sizeof(blank),
		.flags = (query->pid ? 0 : VMADK_RMAP_PFN) | (query->scan ? 0 : VMADK_RMAP_NO_SCAN),
		.pid = query->pid,
		.address = query->pid ? query->address : 0,
		.pfn = query->pid ? 0 : query->pfn,
	};
	struct vmadk_rmap reply;
	struct question question = { VMADK_IOC_RMAP, &blank, &reply, sizeof(reply),
				     { &reply.mappings, &reply.pids, &reply.strings }, &reply.result };
	struct helper_lists *lists = lists_new();
	struct helper_mappings found = { 0 };
	int r = lists ? ask(helper, lists, &question) : -ENOMEM;
	if (r == 0) {
		take(&found, lists, reply.result);
		r = decode_page(&found, &reply);
	}
	if (r < 0) {
		lists_free(lists);
		return vmad_fail(err, -r, query->pid, VMADK_DEVICE, "ask");
	}
	*ret_found = found;
	return 0;
}

int helper_find_file(struct helper *helper, int fd, uint64_t first, uint64_t last, struct helper_mappings *ret_found,
		     struct vmad_error *err)
{
	const struct vmadk_filemap blank = { .size = sizeof(blank), .fd = fd, .first = first, .last = last };
	struct vmadk_filemap reply;
	struct question question = { VMADK_IOC_FILEMAP, &blank, &reply, sizeof(reply),
				     { &reply.mappings, &reply.pids, &reply.strings }, &reply.result };
	struct helper_lists *lists = lists_new();
	struct helper_mappings found = { 0 };
	int r = lists ? ask(helper, lists, &question) : -ENOMEM;

	if (r == 0) {
		take(&found, lists, reply.result);
		r = hold(&found) ? 0 : -EPROTO;
	}
	if (r < 0) {
		lists_free(lists);
		return vmad_fail(err, -r, 0, VMADK_DEVICE, "ask");
	}
	found.device = (uint64_t)reply.device_major << 32 | reply.device_minor;
	found.inode = reply.inode;
	*ret_found = found;
	return 0;
}

void helper_mappings_free(struct helper_mappings *found)
{
	lists_free(found->lists);
	*found = (struct helper_mappings){ 0 };
}

struct helper_symbol helper_mappings_vm_ops(const struct helper_mappings *found, size_t i)
{
	return helper_symbol_of(found->lists->list[STRINGS].elements, found->mappings[i].vm_ops);
}
