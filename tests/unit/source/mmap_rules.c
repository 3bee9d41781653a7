/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmap_rules: what was learnt holds for the next mappings too. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "source/mmap_rules.h"

#define ROUNDS 8

static uint64_t map(size_t length)
{
	void *p = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return (uint64_t)p;
}

/* Pages between mappings of one length, so that they are all aligned only if the kernel wants it. */
static bool all_aligned(size_t length, uint64_t huge)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t at[ROUNDS], spacer[ROUNDS];
	bool aligned = true;

	for (int i = 0; i < ROUNDS; i++) {
		at[i] = map(length);
		spacer[i] = map(page);
		aligned = aligned && at[i] % huge == 0;
	}
	for (int i = 0; i < ROUNDS; i++) {
		munmap((void *)at[i], length);
		munmap((void *)spacer[i], page);
	}
	return aligned;
}

static void holds(void **state)
{
	const struct mmap_rules *rules = mmap_rules();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	skip_under_valgrind("it places mappings itself");
	assert_int_equal(rules->huge_size, page * (page / 8));
#ifndef __x86_64__
	assert_false(rules->known);
	skip_because("elsewhere than on x86-64 no rule is known");
#endif
	assert_true(rules->known);
	assert_int_equal(all_aligned(3 * rules->huge_size, rules->huge_size), rules->aligns_multiples);
	assert_int_equal(all_aligned(3 * rules->huge_size + page, rules->huge_size), rules->aligns_larger);
}

/* Nothing is left behind. */
static void gives_back(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t before = map(page), after;

	(void)state;
	munmap((void *)before, page);
	mmap_rules_learn();
	after = map(page);
	munmap((void *)after, page);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what was learnt holds", holds),
		CASE("learning leaves nothing mapped", gives_back),
	};

	mmap_rules_learn();
	return cmocka_run_group_tests_name("mmap_rules", cases, NULL, NULL);
}
