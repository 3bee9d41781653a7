// SPDX-License-Identifier: GPL-2.0
/* vmas: the VMAs of a process, with what their operations are called. */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "array.h"
#include "compat.h"
#include "requests.h"
#include "symbols.h"
#include "target.h"

/* VMAs per hold of mmap_lock: some ten microseconds. */
#define BATCH 256
/* More tables of operations than a process can have kinds of mappings. */
#define TABLES_MAX 512

static const struct {
	const char *name;
	size_t offset;
} members[] = {
#define MEMBER(member) { #member, offsetof(struct vm_operations_struct, member) },
	VMADK_VM_OPS(MEMBER)
#undef MEMBER
};

/* Most VMAs are like one just before them. */
struct latest {
	const void *address;
	u32 reference;
};

struct listing {
	struct vmadk_vmas *request;
	struct symbols *symbols;
	const struct vm_operations_struct **ops;	/* of each of the tables */
	struct vmadk_table *tables;
	struct vmadk_member *members;
	u32 table_room, member_room, table_count, member_count;
	bool full;					/* of tables or members */

	struct latest vm_ops, f_op, a_ops;

	u32 filled;
	struct vmadk_vma batch[BATCH];
};

static void listing_free(struct listing *listing)
{
	if (!listing)
		return;
	symbols_free(listing->symbols);
	kvfree(listing->ops);
	kvfree(listing->tables);
	kvfree(listing->members);
	kvfree(listing);
}

static struct listing *listing_new(struct vmadk_vmas *request)
{
	struct listing *listing = kvzalloc(sizeof(*listing), GFP_KERNEL_ACCOUNT);

	if (!listing)
		return NULL;
	listing->request = request;
	listing->table_room = min_t(u32, request->tables.room, TABLES_MAX);
	listing->member_room = min_t(u32, request->members.room, TABLES_MAX * ARRAY_SIZE(members));
	listing->symbols = symbols_new(&request->strings);
	listing->ops = kvcalloc(listing->table_room + 1, sizeof(*listing->ops), GFP_KERNEL_ACCOUNT);
	listing->tables = kvcalloc(listing->table_room + 1, sizeof(*listing->tables), GFP_KERNEL_ACCOUNT);
	listing->members = kvcalloc(listing->member_room + 1, sizeof(*listing->members), GFP_KERNEL_ACCOUNT);
	if (listing->symbols && listing->ops && listing->tables && listing->members)
		return listing;
	listing_free(listing);
	return NULL;
}

/* The VMA is locked, so its table is there. */
static void add_members(struct listing *listing, struct vmadk_table *table, const struct vm_operations_struct *ops)
{
	u32 i;

	if (!(listing->request->flags & VMADK_VMAS_MEMBERS) || !listing->member_room)
		return;
	if (listing->member_room - listing->member_count < ARRAY_SIZE(members)) {
		listing->full = true;
		return;
	}
	table->first = listing->member_count;
	table->members = ARRAY_SIZE(members);
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		const void *function = *(const void *const *)((const char *)ops + members[i].offset);

		listing->members[listing->member_count++] = (struct vmadk_member){
			.name = symbols_word(listing->symbols, members[i].name),
			.symbol = symbols_of(listing->symbols, function),
		};
	}
}

static u32 add_table(struct listing *listing, const struct vm_operations_struct *ops)
{
	struct vmadk_table *table;

	if (listing->table_count == listing->table_room) {
		listing->full = listing->full || listing->table_room;
		return VMADK_UNRESOLVED;
	}
	table = &listing->tables[listing->table_count];
	listing->ops[listing->table_count++] = ops;
	table->symbol = symbols_of(listing->symbols, ops);
	add_members(listing, table, ops);
	return listing->table_count;
}

static u32 table_of(struct listing *listing, const struct vm_operations_struct *ops)
{
	u32 i;

	for (i = 0; i < listing->table_count; i++) {
		if (listing->ops[i] == ops)
			return i + 1;
	}
	return add_table(listing, ops);
}

static u32 table_again(struct listing *listing, const struct vm_operations_struct *ops)
{
	if (ops != listing->vm_ops.address)
		listing->vm_ops = (struct latest){ ops, table_of(listing, ops) };
	return listing->vm_ops.reference;
}

static u32 symbol_again(struct listing *listing, struct latest *latest, const void *address)
{
	if (address != latest->address)
		*latest = (struct latest){ address, symbols_of(listing->symbols, address) };
	return latest->reference;
}

static void describe_ops(struct listing *listing, const struct vm_area_struct *vma, struct vmadk_vma *record)
{
	const struct file *file = vma->vm_file;

	if (vma->vm_ops)
		record->vm_ops = table_again(listing, vma->vm_ops);
	if (!file)
		return;
	record->f_op = symbol_again(listing, &listing->f_op, file->f_op);
	record->a_ops = symbol_again(listing, &listing->a_ops, READ_ONCE(file->f_mapping->a_ops));
}

static void describe_file(const struct vm_area_struct *vma, struct vmadk_vma *record)
{
	const struct inode *inode;

	if (!vma->vm_file)
		return;
	inode = file_inode(vma->vm_file);
	record->has |= VMADK_VMA_FILE;
	record->inode = inode->i_ino;
	record->device_major = MAJOR(inode->i_sb->s_dev);
	record->device_minor = MINOR(inode->i_sb->s_dev);
}

/* As vma_kernel_pagesize() says, which asks most VMAs in vain. */
static u32 page_shift_of(struct vm_area_struct *vma)
{
	if (!vma->vm_ops || !vma->vm_ops->pagesize)
		return PAGE_SHIFT;
	return ilog2(vma_kernel_pagesize(vma));
}

static void describe(struct listing *listing, struct vm_area_struct *vma, struct vmadk_vma *record)
{
	*record = (struct vmadk_vma){
		.start = vma->vm_start,
		.end = vma->vm_end,
		.flags = vma->vm_flags,
		.page_prot = pgprot_val(vma->vm_page_prot),
		.pgoff = vma->vm_pgoff,
		.has = (READ_ONCE(vma->anon_vma) ? VMADK_VMA_ANON_VMA : 0) |
		       (vma->vm_private_data ? VMADK_VMA_PRIVATE_DATA : 0),
		.page_shift = page_shift_of(vma),
	};
	describe_file(vma, record);
	describe_ops(listing, vma, record);
}

/* Fills the batch. 1: there is more; 0: that was the last; -ENOSPC: the next one has no room. */
static int fill(struct listing *listing, struct mm_struct *mm)
{
	struct vmadk_vmas *request = listing->request;
	u32 room = min_t(u32, BATCH, request->vmas.room - request->vmas.count);
	VMA_ITERATOR(iterator, mm, request->cursor);
	struct vm_area_struct *vma;

	listing->filled = 0;
	for_each_vma(iterator, vma) {
		if (vma->vm_start >= request->end)
			return 0;
		if (listing->filled == room)
			return room == BATCH ? 1 : -ENOSPC;
		describe(listing, vma, &listing->batch[listing->filled]);
		if (listing->full || symbols_overflown(listing->symbols))
			return -ENOSPC;
		listing->filled++;
		request->cursor = vma->vm_end;
	}
	return 0;
}

static int list(struct listing *listing, struct mm_struct *mm)
{
	struct vmadk_vmas *request = listing->request;
	int more, r;

	do {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		more = fill(listing, mm);
		mmap_read_unlock(mm);
		r = array_append(&request->vmas, listing->batch, listing->filled);
		if (r)
			return r;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (more > 0);
	if (more < 0 && !request->vmas.count)
		return -ENOSPC;
	request->result = more < 0 ? VMADK_TRUNCATED : 0;
	return 0;
}

/* A table whose VMA had no room may be among them; nothing refers to it. */
static int write_tables(struct listing *listing)
{
	struct vmadk_vmas *request = listing->request;
	int r;

	request->tables.count = 0;
	request->members.count = 0;
	r = array_append(&request->tables, listing->tables, listing->table_count);
	if (!r)
		r = array_append(&request->members, listing->members, listing->member_count);
	return r ? r : symbols_write(listing->symbols, &request->strings);
}

static int check(struct vmadk_vmas *request)
{
	int r = array_check(&request->vmas, VMADK_VMA_WIDTH);

	if (request->flags & ~VMADK_VMAS_MEMBERS)
		return -EINVAL;
	if (!r)
		r = array_check(&request->tables, VMADK_TABLE_WIDTH);
	if (!r)
		r = array_check(&request->members, VMADK_MEMBER_WIDTH);
	return r ? r : array_check(&request->strings, VMADK_STRING_WIDTH);
}

int request_vmas(struct vmadk_vmas *request)
{
	struct listing *listing;
	struct mm_struct *mm;
	int r = check(request);

	if (r)
		return r;
	r = target_mm(request->pid, &mm);
	if (r)
		return r;
	listing = listing_new(request);
	request->vmas.count = 0;
	r = listing ? list(listing, mm) : -ENOMEM;
	mmput(mm);
	if (!r)
		r = write_tables(listing);
	listing_free(listing);
	return r;
}
