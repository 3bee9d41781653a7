/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * halves: work on a list of processes, its second half in a thread of its own: opening their files is most of the work,
 * and the opener has threads enough for both.
 */
#ifndef MODEL_HALVES_H
#define MODEL_HALVES_H

#include <stddef.h>

/* Called with 0 and 1 for which: at the same time; one after the other where there is no thread, or too little to do. */
void halves_run(void (*run)(void *arg, unsigned which), void *arg, size_t count);

#endif
