/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mmap_rules.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static struct mmap_rules rules;

const struct mmap_rules *mmap_rules(void)
{
	return &rules;
}

/* The rules of placement are those of x86-64: elsewhere they are not known. */
#ifdef __x86_64__

enum { FIRST, ODD, SECOND, THIRD, TRIES };

static uint64_t map(size_t length)
{
	void *p = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? 0 : (uint64_t)p;
}

static bool is_aligned(uint64_t address)
{
	return address % rules.huge_size == 0;
}

/*
 * Each lies below the one before. Between the first and the second of the same length lies one that is a page longer, so that both are aligned only if the kernel
 * wants it; and the third tells whether a mapping that fits exactly below an aligned one is put there.
 */
static void judge(const uint64_t at[TRIES], const size_t length[TRIES])
{
	uint64_t huge = rules.huge_size;

	rules.aligns_multiples = is_aligned(at[FIRST]) && is_aligned(at[SECOND]);
	rules.aligns_larger = rules.aligns_multiples && is_aligned(at[ODD]);
	rules.keeps_to_top = at[THIRD] == at[SECOND] - length[THIRD];
	rules.known = rules.keeps_to_top || (rules.aligns_multiples && at[THIRD] == at[SECOND] - length[THIRD] - huge);
}

void mmap_rules_learn(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), huge = page * (page / sizeof(uint64_t));
	const size_t length[TRIES] = { 2 * huge, 2 * huge + page, 2 * huge, 2 * huge };
	uint64_t at[TRIES];
	bool mapped = true;

	rules = (struct mmap_rules){ .huge_size = huge };
	for (int i = 0; i < TRIES; i++) {
		at[i] = map(length[i]);
		mapped = mapped && at[i] && (i == 0 || at[i] < at[i - 1]);
	}
	if (mapped)
		judge(at, length);
	for (int i = 0; i < TRIES; i++) {
		if (at[i])
			munmap((void *)at[i], length[i]);
	}
}

#else

void mmap_rules_learn(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	rules = (struct mmap_rules){ .huge_size = page * (page / sizeof(uint64_t)) };
}

#endif
