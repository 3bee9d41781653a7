/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame_count: by a file of words that is made for the test: spans of all lengths, in any order, with repeats, counted by
 * this thread alone and with help, held against plain counting.
 */
#include "model.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/frame_count.h"

#define FRAMES 300000
#define TAGS 3
#define KINDS 16
#define BEYOND (KINDS - 1)
#define SPANS 3000

static uint64_t words[FRAMES];
static int fd;

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < FRAMES; i++)
		words[i] = (i / 100 * 7 + i % 100 / 97) % (KINDS - 1);
	fd = file_of((const char *)words, sizeof(words));
	return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(fd);
}

/* Some lie behind the end of the file, some are longer than what is read at once, some are small and near each other. */
static void make_spans(struct frame_span spans[SPANS])
{
	srand(1);
	for (size_t i = 0; i < SPANS; i++) {
		uint64_t longest = i % 100 == 0 ? 20000 : i % 10 == 0 ? 600 : 3;

		spans[i] = (struct frame_span){ .pfn = (uint64_t)rand() % FRAMES, .count = 1 + (uint64_t)rand() % longest,
						.tag = (uint64_t)rand() % TAGS };
		if (i % 3 == 1)
			spans[i].pfn = spans[i - 1].pfn + spans[i - 1].count + (uint64_t)rand() % 10;
	}
}

static uint64_t word_at(uint64_t pfn)
{
	return pfn < FRAMES ? words[pfn] : BEYOND;
}

static void expect(const struct frame_span *spans, size_t count, uint64_t counts[TAGS][KINDS])
{
	memset(counts, 0, TAGS * sizeof(counts[0]));
	for (size_t i = 0; i < count; i++)
		for (uint64_t k = 0; k < spans[i].count; k++)
			counts[spans[i].tag][word_at(spans[i].pfn + (spans[i].alike && k > 1 ? 1 : k))]++;
}

static void compare(struct tally *tally, uint64_t counts[TAGS][KINDS])
{
	size_t kinds = 0;

	for (size_t i = 0; i < TAGS * KINDS; i++)
		kinds += counts[i / KINDS][i % KINDS] != 0;
	assert_int_equal(tally->kinds, kinds);
	tally_sort(tally);
	for (size_t i = 0; i < kinds; i++)
		assert_int_equal(tally->slots[i].count, counts[tally->slots[i].tag][tally->slots[i].word]);
	tally_free(tally);
}

static void count_in_parts(const struct frame_span *spans, size_t count, size_t part)
{
	uint64_t counts[TAGS][KINDS];
	struct tally tally = { 0 };
	struct frame_count *counter;

	assert_int_equal(frame_count_new(fd, BEYOND, &counter), 0);
	for (size_t i = 0; i < count; i += part)
		assert_int_equal(frame_count_add(counter, spans + i, count - i < part ? count - i : part), 0);
	assert_int_equal(frame_count_finish(counter, &tally), 0);
	frame_count_free(counter);
	expect(spans, count, counts);
	compare(&tally, counts);
}

static void all_lengths(void **state)
{
	static struct frame_span spans[SPANS];

	(void)state;
	make_spans(spans);
	count_in_parts(spans, SPANS, 1);
	count_in_parts(spans, SPANS, 77);
	count_in_parts(spans, SPANS, FRAME_SPANS_MAX);
}

static void on_one_cpu(void **state)
{
	static struct frame_span spans[SPANS];
	cpu_set_t before, one;
	int cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (cpu = 0; !CPU_ISSET(cpu, &before); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	make_spans(spans);
	count_in_parts(spans, SPANS, 500);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void huge_pages(void **state)
{
	const struct frame_span spans[] = {
		{ 1024, 512, 0, true }, { 98, 1, 0, true }, { 99, 2, 1, true }, { 98, 300, 2, true }, { 2048, 512, 0, true },
		{ 2050, 4, 1, false }, { FRAMES - 1, 512, 2, true },
	};

	(void)state;
	count_in_parts(spans, sizeof(spans) / sizeof(spans[0]), 100);
}

static void not_a_file(void **state)
{
	struct frame_count *counter;
	struct tally tally = { 0 };

	(void)state;
	assert_int_equal(frame_count_new(-1, BEYOND, &counter), 0);
	assert_int_equal(frame_count_add(counter, &(struct frame_span){ .pfn = 1, .count = 1 }, 1), 0);
	assert_int_equal(frame_count_finish(counter, &tally), -EBADF);
	frame_count_free(counter);
	assert_int_equal(tally.total, 0);
	tally_free(&tally);
}

static void given_up(void **state)
{
	static struct frame_span spans[SPANS];
	struct frame_count *counter;

	(void)state;
	make_spans(spans);
	assert_int_equal(frame_count_new(fd, BEYOND, &counter), 0);
	for (size_t i = 0; i < SPANS; i += 500)
		assert_int_equal(frame_count_add(counter, spans + i, 500), 0);
	frame_count_free(counter);
	frame_count_free(NULL);
	assert_int_equal(count_entries("/proc/self/task"), usual_threads());
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("spans of all lengths, in any order, with repeats and beyond the end", all_lengths),
		CASE("on one CPU, where nobody helps", on_one_cpu),
		CASE("of a huge page the frames behind the second are as that one", huge_pages),
		CASE("a file that cannot be read is an error", not_a_file),
		CASE("given up in the middle, and no thread is left", given_up),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
