/* SPDX-License-Identifier: GPL-2.0-or-later */
/* places: every present page of every process, by reading all pagemaps from end to end. */
#ifndef TESTS_KERNEL_PLACES_H
#define TESTS_KERNEL_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct place {
	uint64_t pfn, address;
	pid_t pid;
	bool uncounted;		/* vvar: frame numbers without a page */
};

/* By frame, pid and address. Our own memory changes while we look, so we are left out. */
extern struct place *places;
extern size_t place_count;
void places_scan(void);

int places_by_pfn(const void *one, const void *two);

#endif
