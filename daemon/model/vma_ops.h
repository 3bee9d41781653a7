/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vma_ops: the vm_operations_struct of one VMA, member by member, as the helper module tells it; with what vmops.def
 * says of each.
 */
#ifndef MODEL_VMA_OPS_H
#define MODEL_VMA_OPS_H

#include "model/module.h"
#include "model/target.h"
#include "vmad/records.h"

struct vma_ops;

/*
 * Of the VMA that holds the address. The target needs OPENER_MAPS; it and the module are borrowed. -ENXIO: no VMA holds
 * it; -ESRCH: the process is gone; -EPROTO and others of the module.
 */
int vma_ops_new(struct module *module, struct target *target, uint64_t address, struct vma_ops **ret_ops,
		struct vmad_error *err);
void vma_ops_free(struct vma_ops *ops);

/* They live as long as the ops. The VMA as maps has it is missing where the two could not be had of one moment. */
const struct vmad_ops *vma_ops_record(const struct vma_ops *ops);
const struct vmad_kernel *vma_ops_kernel(const struct vma_ops *ops);

/* 1: the next member, until the next call; 0: the end. */
int vma_ops_next(struct vma_ops *ops, struct vmad_vma_op *ret_op);

#endif
