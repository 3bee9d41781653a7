/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kernel_vmas.h"

#include <errno.h>
#include <stdlib.h>

struct kernel_vmas {
	const struct target *target;
	struct helper_vmas *source;
	struct helper_vma vma;		/* the next one that was not passed over */
	bool has_vma, ended;
	int error;
	struct vmad_kernel record;
};

int kernel_vmas_new(struct module *module, const struct target *target, uint64_t start, uint64_t end,
		    struct kernel_vmas **ret_vmas, struct vmad_error *err)
{
	struct kernel_vmas *vmas = calloc(1, sizeof(*vmas));
	int r;

	if (!vmas)
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	vmas->target = target;
	r = helper_vmas_new(module->helper, target->files.pid, start, end ? end : UINT64_MAX, false, &vmas->source, err);
	if (r < 0) {
		free(vmas);
		return r;
	}
	*ret_vmas = vmas;
	return 0;
}

void kernel_vmas_free(struct kernel_vmas *vmas)
{
	if (!vmas)
		return;
	helper_vmas_free(vmas->source);
	free(vmas);
}

/* The module was asked by pid: whose it is now, the open stat tells. */
static bool is_still_the_same(const struct target *target)
{
	struct stat_facts facts;

	return stat_read(target->files.fd[OPENER_STAT], &facts, NULL) == 0;
}

static void advance(struct kernel_vmas *vmas)
{
	int r = helper_vmas_next(vmas->source, &vmas->vma, NULL);

	vmas->has_vma = r > 0 && is_still_the_same(vmas->target);
	vmas->ended = !vmas->has_vma;
	/* A process that is gone, or has no memory, is what maps says too, in its own way. */
	if (r < 0 && r != -ESRCH && r != -ENXIO)
		vmas->error = r;
}

const struct vmad_kernel *kernel_vmas_at(struct kernel_vmas *vmas, uint64_t start, uint64_t end)
{
	while (!vmas->ended && (!vmas->has_vma || vmas->vma.start < start))
		advance(vmas);
	if (vmas->ended || vmas->vma.start != start || vmas->vma.end != end)
		return NULL;
	vmas->record = kernel_record(&vmas->vma);
	return &vmas->record;
}

int kernel_vmas_error(const struct kernel_vmas *vmas)
{
	return vmas->error;
}

static void add_names(struct vmad_kernel *record, const struct helper_vma *vma)
{
	if (vma->vm_ops.state == HELPER_NAMED) {
		record->has |= VMAD_HAS(kernel, vm_ops);
		record->vm_ops = vma->vm_ops.name;
		if (*vma->vm_ops.module)
			record->has |= VMAD_HAS(kernel, vm_ops_module);
		record->vm_ops_module = vma->vm_ops.module;
	}
	if (vma->f_op.state == HELPER_NAMED) {
		record->has |= VMAD_HAS(kernel, f_op);
		record->f_op = vma->f_op.name;
	}
	if (vma->a_ops.state == HELPER_NAMED) {
		record->has |= VMAD_HAS(kernel, a_ops);
		record->a_ops = vma->a_ops.name;
	}
}

struct vmad_kernel kernel_record(const struct helper_vma *vma)
{
	struct vmad_kernel record = {
		.has = VMAD_HAS(kernel, vm_flags) | VMAD_HAS(kernel, page_prot) | VMAD_HAS(kernel, pgoff_pages) |
		       VMAD_HAS(kernel, has_vm_ops) | VMAD_HAS(kernel, has_anon_vma) | VMAD_HAS(kernel, has_private_data),
		.vm_flags = vma->flags,
		.page_prot = vma->page_prot,
		.pgoff_pages = vma->pgoff_pages,
		.has_vm_ops = vma->vm_ops.state != HELPER_NULL,
		.has_anon_vma = vma->has & VMADK_VMA_ANON_VMA,
		.has_private_data = vma->has & VMADK_VMA_PRIVATE_DATA,
	};

	if (vma->has & VMADK_VMA_FILE) {
		record.has |= VMAD_HAS(kernel, file_device) | VMAD_HAS(kernel, file_inode);
		record.file_device = vma->device;
		record.file_inode = vma->inode;
	}
	add_names(&record, vma);
	return record;
}
