/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kpage: words of frames in any order, folios, and the names of flags. The files are our own: each word is its frame's
 * number, or flags.
 */
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "source/kpage.h"

#define FRAMES 5000

static int file_of_numbers(void)
{
	static uint64_t words[FRAMES];

	for (uint64_t i = 0; i < FRAMES; i++)
		words[i] = i * 3 + 1;
	return file_of((const char *)words, sizeof(words));
}

static void expect_words(int fd, struct kpage_frame *frames, const uint64_t *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		frames[i].pfn = pfns[i];
	assert_int_equal(kpage_read_frames(fd, frames, count, 99), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(frames[i].pfn, pfns[i]);
		assert_int_equal(frames[i].word, pfns[i] < FRAMES ? pfns[i] * 3 + 1 : 99);
	}
}

static void any_order(void **state)
{
	static uint64_t pfns[2048];
	static struct kpage_frame frames[2048];
	int fd = file_of_numbers();

	(void)state;
	expect_words(fd, frames, pfns, 0);
	expect_words(fd, frames, (const uint64_t[]){ 7 }, 1);
	expect_words(fd, frames, (const uint64_t[]){ 9, 8, 7, 7, 4999, 5000, 123456789, 0 }, 8);
	for (uint64_t i = 0; i < 2048; i++)
		pfns[i] = i * i * 2654435761u % (FRAMES + 100);
	expect_words(fd, frames, pfns, 2048);
	for (uint64_t i = 0; i < 2048; i++)
		pfns[i] = 100 + i;
	expect_words(fd, frames, pfns, 2048);
	for (uint64_t i = 0; i < 2048; i++)
		pfns[i] = 4000 - i;
	expect_words(fd, frames, pfns, 2048);
	close(fd);
}

/* Frames [first, first + count) are one compound page. */
static void compound(uint64_t *flags, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		flags[i] = i == first ? KPAGE_BIT(COMPOUND_HEAD) : KPAGE_BIT(COMPOUND_TAIL);
}

static void expect_folio(int fd, uint64_t pfn, uint64_t head, uint64_t count)
{
	uint64_t found_head = 0, found_count = 0;

	assert_int_equal(kpage_folio(fd, pfn, &found_head, &found_count), 0);
	assert_int_equal(found_head, head);
	assert_int_equal(found_count, count);
}

static void folios(void **state)
{
	static uint64_t flags[FRAMES];
	int fd;

	(void)state;
	compound(flags, 16, 4);
	compound(flags, 20, 2);
	compound(flags, 512, 512);
	compound(flags, 1024, 2048);
	compound(flags, FRAMES - 8, 8);
	fd = file_of((const char *)flags, sizeof(flags));
	expect_folio(fd, 3, 3, 1);
	expect_folio(fd, 16, 16, 4);
	expect_folio(fd, 19, 16, 4);
	expect_folio(fd, 21, 20, 2);
	expect_folio(fd, 22, 22, 1);
	expect_folio(fd, 512, 512, 512);
	expect_folio(fd, 1023, 512, 512);
	expect_folio(fd, 1024, 1024, 2048);
	expect_folio(fd, 3071, 1024, 2048);
	expect_folio(fd, FRAMES - 1, FRAMES - 8, 8);
	close(fd);
}

static void names(void **state)
{
	char text[KPAGE_NAMES_MAX];

	(void)state;
	assert_int_equal(kpage_flag_names(0, text), 0);
	kpage_flag_names(KPAGE_BIT(LRU) | KPAGE_BIT(ANON) | UINT64_C(1) << 63, text);
	assert_string_equal(text, "lru anon bit-63");
	assert_true(kpage_flag_names(UINT64_MAX, text) < sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("words of frames in any order, with repeats, and beyond the end", any_order),
		CASE("the first frame of a folio, and how many it has", folios),
		CASE("flags have names, and bits without one numbers", names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
