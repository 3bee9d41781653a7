/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm_list: every address space of the host, each once, with the processes that have it (CLONE_VM, vfork). For root
 * callers.
 */
#ifndef MODEL_MM_LIST_H
#define MODEL_MM_LIST_H

#include <stdbool.h>

#include "model/target.h"

struct mm_list;

/*
 * Those of now; the one that `first` has comes first, and then those behind it in the order of pids: its children often
 * have the next ones. before: leave out address spaces that have a process of that list; or NULL.
 */
int mm_list_new(struct opener *opener, const struct vmad_caller *caller, pid_t first, const struct mm_list *before,
		struct mm_list **ret_list, struct vmad_error *err);
/* Closes what is open of it. Opener and caller are borrowed until then. */
void mm_list_free(struct mm_list *list);

struct mm_list_entry {
	const pid_t *pids;		/* ascending; they live as long as the list */
	size_t pid_count;
	struct target *target;		/* the first of them with maps and pagemap; it stays the list's */
	int code;			/* 0, or why that could not be opened: as target_open */
};

/*
 * 1: the next one, until the next call; 0: the end; or an error of the opener. Threads of the kernel, and processes that
 * are gone, are entries too.
 */
int mm_list_next(struct mm_list *list, struct mm_list_entry *ret_entry, struct vmad_error *err);

/* False: the kernel does not tell who shares an address space, and each process is one of its own here. */
bool mm_list_is_told(const struct mm_list *list);

#endif
