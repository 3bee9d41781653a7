/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tally: what is added comes back, in order, held against plain counting; there is a bound. */
#include "unit.h"

#include <errno.h>

#include "model/tally.h"

#define WORDS 5000
#define KINDS 700

/* Runs of all lengths, of KINDS kinds. */
static void fill(uint64_t words[WORDS])
{
	uint64_t seed = 1;

	for (size_t i = 0; i < WORDS;) {
		size_t run;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		run = seed >> 60 ? seed >> 61 : 40;
		for (uint64_t word = (seed >> 33) % KINDS; run-- && i < WORDS; i++)
			words[i] = word << 40;
	}
}

static void as_counted(void **state)
{
	static uint64_t words[WORDS], counts[KINDS];
	struct tally tally = { 0 }, both = { 0 };
	uint64_t before = UINT64_MAX;

	(void)state;
	fill(words);
	for (size_t i = 0; i < WORDS; i++)
		counts[words[i] >> 40]++;
	assert_int_equal(tally_add_words(&tally, 7, words, WORDS), 0);
	assert_int_equal(tally.total, WORDS);
	/* the same once more, under another tag, from another tally */
	assert_int_equal(tally_add_all(&both, &tally), 0);
	assert_int_equal(tally_add_words(&both, 8, words, WORDS), 0);
	assert_int_equal(both.kinds, 2 * tally.kinds);
	assert_int_equal(both.total, 2 * WORDS);
	tally_sort(&both);
	for (size_t i = 0; i < both.kinds; i++) {
		assert_true(both.slots[i].tag == 7 || both.slots[i].tag == 8);
		assert_int_equal(both.slots[i].count, counts[both.slots[i].word >> 40]);
		assert_true(both.slots[i].count <= before);
		before = both.slots[i].count;
	}
	tally_free(&tally);
	tally_free(&both);
}

static void nothing(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	assert_int_equal(tally_add(&tally, 1, 2, 0), 0);
	assert_int_equal(tally_add_words(&tally, 1, NULL, 0), 0);
	tally_sort(&tally);
	assert_int_equal(tally.kinds, 0);
	assert_int_equal(tally.total, 0);
	tally_free(&tally);
}

static void bounded(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	for (uint64_t i = 0; i < TALLY_KINDS_MAX; i++)
		assert_int_equal(tally_add(&tally, 0, i, 1), 0);
	assert_int_equal(tally_add(&tally, 0, TALLY_KINDS_MAX, 1), -E2BIG);
	assert_int_equal(tally_add(&tally, 0, 5, 1), 0);
	assert_int_equal(tally.kinds, TALLY_KINDS_MAX);
	tally_free(&tally);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("words in runs of all lengths, as plain counting has them, the most frequent first", as_counted),
		CASE("nothing is no kind", nothing),
		CASE("there are no more kinds than the bound, and those go on", bounded),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
