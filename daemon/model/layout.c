/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_GUARD_PAGES 256	/* mm/mmap.c stack_guard_gap; the boot parameter of that name is left alone by everybody */

uint64_t layout_guard_bytes(enum layout_guard guard)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	switch (guard) {
	case LAYOUT_OPEN:
		return 0;
	case LAYOUT_STACK:
		return STACK_GUARD_PAGES * page;
	case LAYOUT_SHADOW_STACK:
		return page;
	}
	return 0;
}

static int make_room(struct layout *layout)
{
	size_t capacity = layout->capacity ? 2 * layout->capacity : 256;
	struct layout_area *areas;

	if (layout->count < layout->capacity)
		return 0;
	areas = reallocarray(layout->areas, capacity, sizeof(*areas));
	if (!areas)
		return -ENOMEM;
	layout->areas = areas;
	layout->capacity = capacity;
	return 0;
}

/*
 * A group begins at an address that the auxiliary vector names. All of the same file above belongs to it: linkers once kept code and data 2 MiB apart, with a hole
 * between them.
 */
static void follow(struct layout_group *group, uint64_t begins, const struct vmad_vma *vma)
{
	bool holds = begins && vma->start <= begins && begins < vma->end;

	if (!holds && (!group->end || !group->inode || group->inode != vma->inode || group->device != vma->device))
		return;
	if (holds)
		*group = (struct layout_group){ .start = vma->start, .device = vma->device, .inode = vma->inode };
	group->end = vma->end;
}

static void note(struct layout *layout, const struct vmad_vma *vma, enum layout_guard guard)
{
	static const struct vmad_str stack = VMAD_STR("[stack]");

	layout->vma_count++;
	follow(&layout->loader, layout->auxv.loader, vma);
	follow(&layout->program, layout->auxv.program_headers, vma);
	if (layout->auxv.vdso == vma->start)
		layout->vdso = (struct layout_group){ .start = vma->start, .end = vma->end };
	if (guard != LAYOUT_OPEN)
		layout->stack_bytes += vma->size_bytes;
	if (vma->has & VMAD_HAS(vma, name) && vma->name.len == stack.len && !memcmp(vma->name.p, stack.p, stack.len))
		layout->stack_start = vma->start;
}

int layout_add(struct layout *layout, const struct vmad_vma *vma, enum layout_guard guard)
{
	struct layout_area *last = layout->count ? &layout->areas[layout->count - 1] : NULL;

	if (vma->start >= LAYOUT_TOP_WIDE)
		return 0;
	note(layout, vma, guard);
	if (last && last->end == vma->start) {
		last->end = vma->end;
		return 0;
	}
	if (make_room(layout) < 0)
		return -ENOMEM;
	layout->areas[layout->count++] = (struct layout_area){ .start = vma->start, .end = vma->end, .guard = guard };
	return 0;
}

static bool has_flag(struct vmad_str flags, const char flag[2])
{
	for (size_t i = 0; i + 2 <= flags.len; i += 3) {
		if (!memcmp(flags.p + i, flag, 2))
			return true;
	}
	return false;
}

static enum layout_guard guard_of(const struct vma_list_row *row)
{
	if (row->usage.has & VMAD_HAS(usage, flags)) {
		if (has_flag(row->usage.flags, "ss"))
			return LAYOUT_SHADOW_STACK;
		return has_flag(row->usage.flags, "gd") ? LAYOUT_STACK : LAYOUT_OPEN;
	}
	return row->vma.kind == kind_name(KIND_STACK) ? LAYOUT_STACK : LAYOUT_OPEN;
}

int layout_read(struct layout *layout, struct vma_list *list, struct vmad_error *err)
{
	struct vma_list_row row;
	int r;

	while ((r = vma_list_next(list, &row, err)) > 0) {
		if (layout_add(layout, &row.vma, guard_of(&row)) < 0)
			return vmad_fail(err, ENOMEM, vma_list_target(list)->files.pid, NULL, "allocate");
	}
	return r;
}

void layout_free(struct layout *layout)
{
	free(layout->areas);
	*layout = (struct layout){ 0 };
}

bool layout_is_32bit(const struct layout *layout)
{
	return layout->count && layout->areas[layout->count - 1].end <= UINT64_C(1) << 32;
}

uint64_t layout_top(const struct layout *layout)
{
	if (layout_is_32bit(layout))
		return LAYOUT_TOP_32;
	return layout->count && layout->areas[layout->count - 1].end > LAYOUT_TOP ? LAYOUT_TOP_WIDE : LAYOUT_TOP;
}
