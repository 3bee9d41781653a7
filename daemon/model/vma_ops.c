/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/kernel_vmas.h"
#include "model/vma_at.h"

#define TRIES 5		/* while the VMA changes between the module's answer and that of maps */

struct vma_ops {
	struct helper_vmas *source;
	struct helper_vma vma;
	size_t next;
	struct vma_at at;
	struct vmad_ops record;
	struct vmad_kernel kernel;
};

static const struct {
	const char *member;
	struct vmad_str called, otherwise;
} helps[] = {
#define VMOP(member, kernels, called, otherwise) { #member, VMAD_STR(called), VMAD_STR(otherwise) },
#include "vmad/vmops.def"
#undef VMOP
};

static const struct vmad_str no_table = VMAD_STR(
	"vm_ops is NULL: the kernel takes it for anonymous memory and serves its faults itself, with zeroed pages, copies on "
	"write and pages from swap");
static const struct vmad_str no_name = VMAD_STR("the table has no symbol of its own, so its members are not known");

/* 1: the module's answer is held; 0: no VMA holds the address. */
static int ask(struct vma_ops *ops, struct module *module, pid_t pid, uint64_t address, struct vmad_error *err)
{
	int r;

	helper_vmas_free(ops->source);
	ops->source = NULL;
	r = helper_vmas_new(module->helper, pid, address, address + 1, true, &ops->source, err);
	return r < 0 ? r : helper_vmas_next(ops->source, &ops->vma, err);
}

/* The module was asked by pid: that it still is the target's, its open stat tells. */
static int find(struct vma_ops *ops, struct module *module, struct target *target, uint64_t address,
		struct vmad_error *err)
{
	struct stat_facts facts;

	for (int i = 0; i < TRIES; i++) {
		int r = ask(ops, module, target->files.pid, address, err);

		if (r < 0)
			return r;
		r = stat_read(target->files.fd[OPENER_STAT], &facts, err);
		if (r < 0)
			return r;
		if (ops->vma.end <= address || ops->vma.start > address)
			return vmad_fail(err, ENXIO, target->files.pid, "maps", "find");
		ops->record.vma = vma_at_find(&ops->at, target, address);
		if (ops->record.vma && ops->record.vma->start == ops->vma.start &&
		    ops->record.vma->end == ops->vma.end)
			return 0;
	}
	ops->record.vma = NULL;
	return 0;
}

int vma_ops_new(struct module *module, struct target *target, uint64_t address, struct vma_ops **ret_ops,
		struct vmad_error *err)
{
	struct vma_ops *ops = calloc(1, sizeof(*ops));
	int r;

	if (!ops)
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	ops->record.address = address;
	r = find(ops, module, target, address, err);
	if (r < 0) {
		vma_ops_free(ops);
		return r;
	}
	ops->kernel = kernel_record(&ops->vma);
	if (ops->vma.vm_ops.state == HELPER_NULL)
		ops->record.note = no_table;
	else if (ops->vma.vm_ops.state == HELPER_UNRESOLVED && !ops->vma.member_count)
		ops->record.note = no_name;
	ops->record.has = ops->record.note.len ? VMAD_HAS(ops, note) : 0;
	*ret_ops = ops;
	return 0;
}

void vma_ops_free(struct vma_ops *ops)
{
	if (!ops)
		return;
	helper_vmas_free(ops->source);
	vma_at_clear(&ops->at);
	free(ops);
}

const struct vmad_ops *vma_ops_record(const struct vma_ops *ops)
{
	return &ops->record;
}

const struct vmad_kernel *vma_ops_kernel(const struct vma_ops *ops)
{
	return &ops->kernel;
}

static void add_help(struct vmad_vma_op *op)
{
	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (strcmp(helps[i].member, op->member))
			continue;
		op->has |= VMAD_HAS(vma_op, called) | (op->is_null ? VMAD_HAS(vma_op, otherwise) : 0);
		op->called = helps[i].called;
		op->otherwise = helps[i].otherwise;
	}
}

int vma_ops_next(struct vma_ops *ops, struct vmad_vma_op *ret_op)
{
	struct helper_member member;

	if (ops->next == ops->vma.member_count)
		return 0;
	member = helper_vmas_member(ops->source, &ops->vma, ops->next++);
	*ret_op = (struct vmad_vma_op){ .member = member.name, .is_null = member.symbol.state == HELPER_NULL };
	if (member.symbol.state == HELPER_NAMED) {
		ret_op->has = VMAD_HAS(vma_op, symbol) | (*member.symbol.module ? VMAD_HAS(vma_op, module) : 0);
		ret_op->symbol = member.symbol.name;
		ret_op->module = member.symbol.module;
	}
	add_help(ret_op);
	return 1;
}
