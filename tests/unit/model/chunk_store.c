/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chunk_store: what is equal is stored once, whatever the hash says; the ceiling holds; every word comes back. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/chunk_store.h"

#define MIB (1u << 20)

static uint64_t same_for_all(const void *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return 42;
}

static struct chunk_store *new_store(size_t ceiling, chunk_hash_fn *hash)
{
	struct chunk_store *store = NULL;

	assert_int_equal(chunk_store_new(ceiling, hash, &store), 0);
	return store;
}

/* A chunk whose pages are those that `every` divides, from `first` on, with frames that follow each other. */
static void fill(uint64_t words[CHUNK_PAGES], size_t first, size_t every, uint64_t pfn, uint64_t flag)
{
	memset(words, 0, CHUNK_PAGES * sizeof(*words));
	for (size_t i = first; i < CHUNK_PAGES; i += every)
		words[i] = (pfn + i) | flag;
}

static const struct chunk *put(struct chunk_store *store, const uint64_t words[CHUNK_PAGES])
{
	const struct chunk *chunk = NULL;

	assert_int_equal(chunk_store_put(store, words, &chunk), 0);
	return chunk;
}

static void comes_back(struct chunk_store *store, const uint64_t words[CHUNK_PAGES])
{
	const struct chunk *chunk = put(store, words);
	uint64_t found[CHUNK_PAGES];

	assert_non_null(chunk);
	chunk_unpack(chunk, found);
	assert_memory_equal(found, words, sizeof(found));
}

static void every_word_comes_back(void **state)
{
	static const uint64_t frames[] = { 1, 0x7ffffdff, 0x7fffffff, 0x80000000, UINT64_C(1) << 40, PAGEMAP_PFN_MASK - CHUNK_PAGES };
	struct chunk_store *store = new_store(16 * MIB, NULL);
	uint64_t words[CHUNK_PAGES];

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (size_t every = 1; every <= CHUNK_PAGES; every = every * 2 + 1)
			for (size_t first = 0; first < CHUNK_PAGES; first += 63) {
				fill(words, first, every, frames[i], 0);
				comes_back(store, words);
				fill(words, first, every, frames[i], PAGEMAP_FILE);
				comes_back(store, words);
			}
	/* one wide frame among narrow ones, in each place */
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		fill(words, 0, 1, 1000, 0);
		words[i] = (UINT64_C(1) << 33) | PAGEMAP_FILE;
		comes_back(store, words);
	}
	chunk_store_free(store);
}

static void equal_chunks_are_stored_once(void **state)
{
	struct chunk_store *store = new_store(MIB, NULL);
	uint64_t words[CHUNK_PAGES];
	const struct chunk *first;
	size_t bytes;

	(void)state;
	fill(words, 0, 1, 5000, 0);
	first = put(store, words);
	bytes = chunk_store_bytes(store);
	for (int i = 0; i < 10000; i++)
		assert_ptr_equal(put(store, words), first);
	assert_int_equal(chunk_store_count(store), 1);
	assert_int_equal(chunk_store_bytes(store), bytes);
	chunk_store_free(store);
}

/* All differ from each other in one page: its frame, its bit of a file, or that it is there. */
static void whatever_differs_is_another_chunk(void **state)
{
	chunk_hash_fn *const hashes[] = { NULL, same_for_all };

	(void)state;
	for (size_t h = 0; h < 2; h++) {
		struct chunk_store *store = new_store(16 * MIB, hashes[h]);
		uint64_t words[CHUNK_PAGES];

		fill(words, 0, 1, 5000, 0);
		put(store, words);
		for (size_t i = 0; i < CHUNK_PAGES; i++) {
			const uint64_t other[] = { 9, words[i] | PAGEMAP_FILE, 0, words[i] | UINT64_C(1) << 31, words[i] | UINT64_C(1) << 54 };

			for (size_t n = 0; n < sizeof(other) / sizeof(other[0]); n++) {
				uint64_t changed[CHUNK_PAGES];
				const struct chunk *chunk;

				memcpy(changed, words, sizeof(changed));
				changed[i] = other[n];
				chunk = put(store, changed);
				assert_int_equal(chunk_number(chunk), chunk_store_count(store) - 1);
				comes_back(store, changed);
				assert_ptr_equal(put(store, changed), chunk);
			}
		}
		assert_int_equal(chunk_store_count(store), 1 + 5 * CHUNK_PAGES);
		chunk_store_free(store);
	}
}

/* Huge pages, whose frames follow each other, take next to nothing. */
static void huge_pages_are_small(void **state)
{
	struct chunk_store *store = new_store(MIB, NULL);
	uint64_t words[CHUNK_PAGES];

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		fill(words, 0, 1, i * CHUNK_PAGES, i % 2 ? PAGEMAP_FILE : 0);
		comes_back(store, words);
	}
	assert_int_equal(chunk_store_count(store), 5000);
	chunk_store_free(store);
}

static void nothing_is_no_chunk(void **state)
{
	struct chunk_store *store = new_store(MIB, NULL);
	const uint64_t words[CHUNK_PAGES] = { 0 };

	(void)state;
	assert_null(put(store, words));
	assert_int_equal(chunk_store_count(store), 0);
	chunk_store_free(store);
}

/* Filled to the brim, under each ceiling of a range: never above it, what is there stays, and equal chunks still find it. */
static void the_ceiling_holds(void **state)
{
	(void)state;
	for (size_t ceiling = 10000; ceiling < 600000; ceiling += 9973) {
		struct chunk_store *store = new_store(ceiling, NULL);
		uint64_t words[CHUNK_PAGES], pfn = 1;
		const struct chunk *chunk, *before;
		size_t count;
		int r;

		do {
			fill(words, 0, 1, pfn += CHUNK_PAGES, 0);
			words[7] = 1;	/* no huge page */
			r = chunk_store_put(store, words, &chunk);
			assert_in_range(chunk_store_bytes(store), 0, ceiling);
		} while (r == 0);
		assert_int_equal(r, -ENOSPC);
		count = chunk_store_count(store);
		/* the one before the last one fits, however often it comes */
		fill(words, 0, 1, pfn - CHUNK_PAGES, 0);
		words[7] = 1;
		if (count) {
			before = put(store, words);
			assert_int_equal(chunk_number(before), count - 1);
		}
		fill(words, 0, 1, pfn, 0);
		words[7] = 1;
		assert_int_equal(chunk_store_put(store, words, &chunk), -ENOSPC);
		assert_int_equal(chunk_store_count(store), count);
		chunk_store_free(store);
	}
}

static void a_ceiling_that_nothing_fits_under(void **state)
{
	struct chunk_store *store;

	(void)state;
	assert_int_equal(chunk_store_new(100, NULL, &store), -ENOSPC);
	store = new_store(10000, NULL);
	assert_null(chunk_store_allocate(store, 20000));
	assert_null(chunk_store_allocate(store, SIZE_MAX));
	assert_null(chunk_store_allocate(store, 1));
	chunk_store_free(store);
}

/* Small and large pieces in turn, each as it should be, none over another. */
static void memory_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 16, 100, 4096, 65520, 65521, 70000, 300000 };
	struct chunk_store *store = new_store(64 * MIB, NULL);
	unsigned char *pieces[64];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		size_t size = sizes[i * 5 % 8];

		pieces[i] = chunk_store_allocate(store, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		for (size_t n = 0; n < size; n++)
			assert_int_equal(pieces[i][n], 0);
		memset(pieces[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < 64; i++)
		for (size_t n = 0; n < sizes[i * 5 % 8]; n++)
			assert_int_equal(pieces[i][n], i + 1);
	chunk_store_free(store);
	chunk_store_free(NULL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every word comes back: narrow frames and wide ones, of files or not, many or few", every_word_comes_back),
		CASE("equal chunks are stored once", equal_chunks_are_stored_once),
		CASE("whatever differs is another chunk, also where all have one hash", whatever_differs_is_another_chunk),
		CASE("huge pages are small", huge_pages_are_small),
		CASE("512 pages that are not there are no chunk", nothing_is_no_chunk),
		CASE("the ceiling holds to the last byte, and what is below it stays", the_ceiling_holds),
		CASE("a ceiling that nothing fits under", a_ceiling_that_nothing_fits_under),
		CASE("memory of any size, zeroed and apart", memory_of_any_size),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
