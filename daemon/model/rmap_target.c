/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_target.h"

#include <errno.h>
#include <unistd.h>

#include "model/mapping_marks.h"
#include "model/vma_at.h"
#include "source/auxv.h"
#include "source/pagemap.h"
#include "stall/stall.h"

#define WANT (OPENER_WANT(OPENER_PAGEMAP) | OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_AUXV))

static void find_file(struct rmap_target *target)
{
	struct vma_at at = { 0 };
	const struct vmad_vma *vma = vma_at_find(&at, &target->target, target->address);

	if (vma) {
		target->file.device = vma->device;
		target->file.inode = vma->inode;
		target->file.offset = vma->offset_bytes + (target->address - vma->start);
	}
	vma_at_clear(&at);
}

static void find_stack(struct rmap_target *target)
{
	int fd = target->target.files.fd[OPENER_AUXV];
	struct auxv auxv;

	if (fd >= 0 && auxv_read(fd, &auxv) == 0)
		target->marks_start = mapping_marks_start(auxv.random);
}

int rmap_target_open(struct rmap_target *target, struct opener *opener, const struct vmad_caller *caller, pid_t pid,
		     uint64_t address, uint64_t start_time_ticks, struct vmad_error *err)
{
	int r;

	rmap_target_close(target);
	*target = (struct rmap_target){ .address = address };
	r = target_open(opener, caller, pid, WANT, start_time_ticks, &target->target, err);
	if (r < 0)
		return r;
	target->is_open = true;
	find_file(target);
	find_stack(target);
	return 0;
}

void rmap_target_close(struct rmap_target *target)
{
	if (target->is_open)
		target_close(&target->target);
	target->is_open = false;
}

/* pagemap says nothing of a memory that is gone, as it says nothing beyond user space; maps is empty then. */
static bool is_gone(const struct rmap_target *target)
{
	char byte;

	return pread(target->target.files.fd[OPENER_MAPS], &byte, 1, 0) == 0;
}

int rmap_target_read_pfn(struct rmap_target *target, uint64_t *ret_pfn, struct vmad_error *err)
{
	pid_t pid = target->target.files.pid;
	uint64_t entry = 0;
	long n = 0;

	stall_turn_to(pid);
	if (!target_has_no_mm(&target->target)) {
		n = pagemap_read(target->target.files.fd[OPENER_PAGEMAP], target->address, &entry, 1);
		if (n == 0 && is_gone(target))
			n = -ESRCH;
	}
	stall_turn_to(0);
	if (n < 0)
		return vmad_fail(err, (int)-n, pid, "pagemap", "read");
	*ret_pfn = n ? pagemap_pfn(entry) : 0;
	if (n && entry & PAGEMAP_PRESENT && !*ret_pfn)
		return vmad_fail(err, EPERM, pid, "pagemap", "read");
	return 0;
}
