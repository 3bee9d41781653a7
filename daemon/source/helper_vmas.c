/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/helper_vmas.h"

#include <errno.h>
#include <stdlib.h>

#define VMAS_ROOM 256
#define NAMES_ROOM 64		/* in each of the other arrays, to begin with */
#define NAMES_ROOM_MAX 4096

_Static_assert(sizeof(struct vmadk_vmas) == VMADK_VMAS_SIZE, "the ABI of VMAS");
_Static_assert(sizeof(struct vmadk_vma) == VMADK_VMA_WIDTH, "the ABI of VMAS");
_Static_assert(sizeof(struct vmadk_table) == VMADK_TABLE_WIDTH, "the ABI of VMAS");
_Static_assert(sizeof(struct vmadk_member) == VMADK_MEMBER_WIDTH, "the ABI of VMAS");

struct helper_vmas {
	struct helper *helper;
	pid_t pid;
	bool members;
	uint64_t cursor, end;
	bool is_last;			/* the reply that is held is the last one */
	size_t next, count;		/* of the reply that is held */
	size_t names_room;
	struct vmadk_vma *vmas;
	struct vmadk_table *tables;
	struct vmadk_member *entries;
	struct vmadk_string *strings;
};

static void free_names(struct helper_vmas *vmas)
{
	free(vmas->tables);
	free(vmas->entries);
	free(vmas->strings);
}

static int allocate_names(struct helper_vmas *vmas)
{
	vmas->tables = calloc(vmas->names_room, sizeof(*vmas->tables));
	vmas->entries = calloc(vmas->names_room, sizeof(*vmas->entries));
	vmas->strings = calloc(vmas->names_room, sizeof(*vmas->strings));
	return vmas->tables && vmas->entries && vmas->strings ? 0 : -ENOMEM;
}

int helper_vmas_new(struct helper *helper, pid_t pid, uint64_t start, uint64_t end, bool members,
		    struct helper_vmas **ret_vmas, struct vmad_error *err)
{
	struct helper_vmas *vmas = calloc(1, sizeof(*vmas));

	if (!vmas)
		return vmad_fail(err, ENOMEM, pid, NULL, "allocate");
	*vmas = (struct helper_vmas){
		.helper = helper, .pid = pid, .members = members, .cursor = start, .end = end, .names_room = NAMES_ROOM
	};
	vmas->vmas = calloc(VMAS_ROOM, sizeof(*vmas->vmas));
	if (!vmas->vmas || allocate_names(vmas) < 0) {
		helper_vmas_free(vmas);
		return vmad_fail(err, ENOMEM, pid, NULL, "allocate");
	}
	*ret_vmas = vmas;
	return 0;
}

void helper_vmas_free(struct helper_vmas *vmas)
{
	if (!vmas)
		return;
	free(vmas->vmas);
	free_names(vmas);
	free(vmas);
}

/* Not even one VMA found room for its names. */
static int grow(struct helper_vmas *vmas)
{
	if (vmas->names_room >= NAMES_ROOM_MAX)
		return -EPROTO;
	free_names(vmas);
	vmas->names_room *= 2;
	return allocate_names(vmas);
}

static bool table_holds(const struct vmadk_table *table, const struct vmadk_vmas *reply)
{
	return table->symbol && helper_ref_holds(table->symbol, reply->strings.count) &&
	       table->first <= reply->members.count && table->members <= reply->members.count - table->first;
}

static bool member_holds(const struct vmadk_member *member, const struct vmadk_vmas *reply)
{
	return member->name && member->name <= reply->strings.count &&
	       helper_ref_holds(member->symbol, reply->strings.count);
}

/*
 * Each ends above the one before it: else a list might never end. It may begin below that one's end: both may have been
 * told at different moments.
 */
static bool vma_holds(const struct vmadk_vma *vma, uint64_t after, const struct vmadk_vmas *reply)
{
	return vma->end > after && vma->start < vma->end && helper_ref_holds(vma->vm_ops, reply->tables.count) &&
	       helper_ref_holds(vma->f_op, reply->strings.count) && helper_ref_holds(vma->a_ops, reply->strings.count);
}

static bool counts_hold(const struct vmadk_vmas *reply)
{
	return reply->vmas.count <= reply->vmas.room && reply->tables.count <= reply->tables.room &&
	       reply->members.count <= reply->members.room && reply->strings.count <= reply->strings.room;
}

static bool list_holds(const struct helper_vmas *vmas, const struct vmadk_vmas *reply)
{
	uint64_t after = vmas->cursor;

	for (size_t i = 0; i < reply->vmas.count; i++) {
		if (!vma_holds(&vmas->vmas[i], after, reply))
			return false;
		after = vmas->vmas[i].end;
	}
	if (!reply->vmas.count)
		return !(reply->result & VMADK_TRUNCATED);
	return vmas->vmas[reply->vmas.count - 1].start < vmas->end && reply->cursor >= after;
}

static bool reply_holds(const struct helper_vmas *vmas, const struct vmadk_vmas *reply)
{
	if (reply->result & ~VMADK_TRUNCATED || !counts_hold(reply) ||
	    !helper_strings_hold(vmas->strings, reply->strings.count))
		return false;
	for (size_t i = 0; i < reply->tables.count; i++) {
		if (!table_holds(&vmas->tables[i], reply))
			return false;
	}
	for (size_t i = 0; i < reply->members.count; i++) {
		if (!member_holds(&vmas->entries[i], reply))
			return false;
	}
	return list_holds(vmas, reply);
}

static int ask(struct helper_vmas *vmas, struct vmadk_vmas *reply)
{
	*reply = (struct vmadk_vmas){
		.size = sizeof(*reply),
		.flags = vmas->members ? VMADK_VMAS_MEMBERS : 0,
		.pid = vmas->pid,
		.cursor = vmas->cursor,
		.end = vmas->end,
		.vmas = helper_array(vmas->vmas, VMAS_ROOM, VMADK_VMA_WIDTH),
		.tables = helper_array(vmas->tables, vmas->names_room, VMADK_TABLE_WIDTH),
		.members = helper_array(vmas->entries, vmas->members ? vmas->names_room : 0, VMADK_MEMBER_WIDTH),
		.strings = helper_array(vmas->strings, vmas->names_room, VMADK_STRING_WIDTH),
	};
	return helper_ask(vmas->helper, VMADK_IOC_VMAS, reply);
}

static int fill(struct helper_vmas *vmas)
{
	struct vmadk_vmas reply;
	int r;

	while ((r = ask(vmas, &reply)) == -ENOSPC) {
		r = grow(vmas);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (!reply_holds(vmas, &reply))
		return -EPROTO;
	vmas->next = 0;
	vmas->count = reply.vmas.count;
	vmas->cursor = reply.cursor;
	vmas->is_last = !(reply.result & VMADK_TRUNCATED);
	return 0;
}

static struct helper_vma decode(const struct helper_vmas *vmas, const struct vmadk_vma *vma)
{
	bool has_table = vma->vm_ops && vma->vm_ops != VMADK_UNRESOLVED;
	const struct vmadk_table *table = has_table ? &vmas->tables[vma->vm_ops - 1] : NULL;

	return (struct helper_vma){
		.start = vma->start,
		.end = vma->end,
		.flags = vma->flags,
		.page_prot = vma->page_prot,
		.pgoff_pages = vma->pgoff,
		.device = (uint64_t)vma->device_major << 32 | vma->device_minor,
		.inode = vma->inode,
		.has = vma->has,
		.vm_ops = helper_symbol_of(vmas->strings, table ? table->symbol : vma->vm_ops),
		.f_op = helper_symbol_of(vmas->strings, vma->f_op),
		.a_ops = helper_symbol_of(vmas->strings, vma->a_ops),
		.member_first = table ? table->first : 0,
		.member_count = table ? table->members : 0,
	};
}

int helper_vmas_next(struct helper_vmas *vmas, struct helper_vma *ret_vma, struct vmad_error *err)
{
	while (vmas->next == vmas->count) {
		int r = vmas->is_last ? 0 : fill(vmas);

		if (r < 0)
			return vmad_fail(err, -r, vmas->pid, VMADK_DEVICE, "ask");
		if (vmas->next == vmas->count)
			return 0;
	}
	*ret_vma = decode(vmas, &vmas->vmas[vmas->next++]);
	return 1;
}

struct helper_member helper_vmas_member(const struct helper_vmas *vmas, const struct helper_vma *vma, size_t i)
{
	const struct vmadk_member *member = &vmas->entries[vma->member_first + i];

	return (struct helper_member){ helper_symbol_of(vmas->strings, member->name).name,
				       helper_symbol_of(vmas->strings, member->symbol) };
}
