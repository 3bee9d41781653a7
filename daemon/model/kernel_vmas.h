/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_vmas: what the kernel's own structs say of VMAs that maps has told of. Both are read at different moments, so
 * they are joined by start and end, and a VMA that changed meanwhile has nothing here.
 */
#ifndef MODEL_KERNEL_VMAS_H
#define MODEL_KERNEL_VMAS_H

#include "model/module.h"
#include "model/target.h"
#include "source/helper_vmas.h"
#include "vmad/records.h"

struct kernel_vmas;

/*
 * The VMAs that end above `start` and begin below `end` (0: to the top). Module and target are borrowed; the target has
 * its stat open, which tells at each question to the module that the pid is still its own. -ENOMEM.
 */
int kernel_vmas_new(struct module *module, const struct target *target, uint64_t start, uint64_t end,
		    struct kernel_vmas **ret_vmas, struct vmad_error *err);
void kernel_vmas_free(struct kernel_vmas *vmas);

/*
 * Those of the VMA from start to end, until the next call; NULL: it is another one by now, or the process is gone.
 * Ascending questions only.
 */
const struct vmad_kernel *kernel_vmas_at(struct kernel_vmas *vmas, uint64_t start, uint64_t end);

/* 0, or why the module told no more: -EPROTO and others of helper_vmas_next(). */
int kernel_vmas_error(const struct kernel_vmas *vmas);

/* As a record; its words point where the VMA's names point. */
struct vmad_kernel kernel_record(const struct helper_vma *vma);

#endif
