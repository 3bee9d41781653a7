// SPDX-License-Identifier: GPL-2.0
#include "findings.h"

#include <linux/errno.h>
#include <linux/mm.h>

#include "array.h"
#include "pagetable.h"
#include "symbols.h"

static int check(const struct finding_arrays *arrays)
{
	int r = array_check(arrays->mappings, VMADK_MAPPING_WIDTH);

	if (!r)
		r = array_check(arrays->pids, VMADK_PID_WIDTH);
	return r ? r : array_check(arrays->strings, VMADK_STRING_WIDTH);
}

int findings_init(struct findings *findings, const struct finding_arrays *arrays)
{
	int r = check(arrays);

	if (r)
		return r;
	*findings = (struct findings){ .room = arrays->mappings->room };
	findings->list = kvmalloc_array(max(findings->room, 1u), sizeof(*findings->list), GFP_KERNEL_ACCOUNT);
	findings->symbols = symbols_new(arrays->strings);
	r = findings->list && findings->symbols ? mms_init(&findings->mms, findings->room) : -ENOMEM;
	if (r)
		findings_free(findings);
	return r;
}

void findings_free(struct findings *findings)
{
	mms_free(&findings->mms);
	symbols_free(findings->symbols);
	kvfree(findings->list);
	*findings = (struct findings){};
}

void findings_add(struct findings *findings, struct vm_area_struct *vma, unsigned long address, u32 state, u32 flags)
{
	findings->mapped += state == VMADK_STATE_MAPPED;
	if (findings->count++ >= findings->room)
		return;
	findings->list[findings->count - 1] = (struct vmadk_mapping){
		.address = address,
		.vma_start = vma->vm_start,
		.vma_end = vma->vm_end,
		.vma_flags = READ_ONCE(vma->vm_flags),
		.vma_pgoff = vma->vm_pgoff,
		/* There is room for as many as for mappings. */
		.mm = mms_add(&findings->mms, vma->vm_mm),
		.state = state,
		.flags = flags,
		.vm_ops = symbols_of(findings->symbols, READ_ONCE(vma->vm_ops)),
	};
}

void findings_look(struct findings *findings, struct vm_area_struct *vma, unsigned long address, unsigned long pfn)
{
	struct leaf leaf = pagetable_read(vma->vm_mm, address);

	findings_add(findings, vma, address, leaf_state_for(&leaf, pfn), leaf.flags);
}

static int write_pids(struct findings *findings, struct vmadk_array *array)
{
	struct vmadk_pid *pids = kvmalloc_array(max(array->room, 1u), sizeof(*pids), GFP_KERNEL_ACCOUNT);
	u32 count;
	int r;

	if (!pids)
		return -ENOMEM;
	count = findings->mms.count ? mms_pids(&findings->mms, pids, array->room) : 0;
	array->count = 0;
	r = array_append(array, pids, min(count, array->room));
	array->count = count;
	kvfree(pids);
	return r;
}

int findings_write(struct findings *findings, const struct finding_arrays *arrays, u32 *ret_result)
{
	int r;

	arrays->mappings->count = 0;
	r = array_append(arrays->mappings, findings->list, min(findings->count, findings->room));
	arrays->mappings->count = findings->count;
	if (!r)
		r = write_pids(findings, arrays->pids);
	if (!r)
		r = symbols_write(findings->symbols, arrays->strings);
	*ret_result = (arrays->mappings->room && findings->count > arrays->mappings->room) ||
		      (arrays->pids->room && arrays->pids->count > arrays->pids->room) ? VMADK_TRUNCATED : 0;
	return r;
}
