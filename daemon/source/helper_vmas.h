/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper_vmas: the VMAs of a process as the kernel's own structs have them (VMAS of vmad/uapi.h), one after the other,
 * ascending. A pull iterator that holds one reply, however many there are.
 *
 * The process is named by its pid at each question: who needs to know that it was the same one all the time holds its
 * /proc/PID/stat open, and looks whether it still answers.
 */
#ifndef SOURCE_HELPER_VMAS_H
#define SOURCE_HELPER_VMAS_H

#include <sys/types.h>

#include "source/helper.h"

struct helper_vma {
	uint64_t start, end;
	uint64_t flags, page_prot;	/* raw: vm_flags, vm_page_prot */
	uint64_t pgoff_pages;
	uint64_t device, inode;		/* of vm_file, as its file system has them; device is major << 32 | minor */
	unsigned has;			/* VMADK_VMA_* */
	struct helper_symbol vm_ops, f_op, a_ops;
	size_t member_first, member_count;	/* of vm_ops, for helper_vmas_member() */
};

struct helper_member {
	const char *name;
	struct helper_symbol symbol;
};

struct helper_vmas;

/*
 * Those that end above `start` and begin below `end`; with members of vm_operations_struct, or without. Nothing is asked
 * yet. The helper is borrowed.
 */
int helper_vmas_new(struct helper *helper, pid_t pid, uint64_t start, uint64_t end, bool members,
		    struct helper_vmas **ret_vmas, struct vmad_error *err);
void helper_vmas_free(struct helper_vmas *vmas);

/*
 * 1: a VMA, whose names live until the next call; 0: the end. Each ends above the one before it; where VMAs merged on the
 * way it may begin below that one's end. -ESRCH: there is no such process (any more); -ENXIO: it
 * has no memory; -EPROTO; or another error of VMAS.
 */
int helper_vmas_next(struct helper_vmas *vmas, struct helper_vma *ret_vma, struct vmad_error *err);

/* The i-th member of the VMA that was given last, i < member_count. */
struct helper_member helper_vmas_member(const struct helper_vmas *vmas, const struct helper_vma *vma, size_t i);

#endif
