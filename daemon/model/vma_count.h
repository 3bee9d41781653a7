/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma_count: how many VMAs a process has. It is the number of lines in maps: there is no cheaper exact answer. */
#ifndef MODEL_VMA_COUNT_H
#define MODEL_VMA_COUNT_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Reads an open maps to its end; takes fd over. -ESRCH where it is empty or the mm died on the way. [vsyscall] counts,
 * so that the number is that of the list, although it does not count against vm.max_map_count.
 */
int vma_count(int fd, pid_t pid, uint64_t *ret_count);

#endif
