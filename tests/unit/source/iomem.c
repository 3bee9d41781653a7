/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iomem: where memory is, and what only looks like it. */
#include "unit.h"

#include <string.h>

#include "source/iomem.h"

static size_t parse(const char *text, struct frame_range *ranges, size_t room)
{
	return iomem_parse(text, strlen(text), 4096, ranges, room);
}

static void memory(void **state)
{
	struct frame_range ranges[4];

	(void)state;
	assert_int_equal(parse("00000000-00000fff : Reserved\n"
			       "00001000-0009fbff : System RAM\n"
			       "00100000-bffd9fff : System RAM\n"
			       "  01000000-01c031d0 : Kernel code\n"
			       "100000000-63fffffff : System RAM\n", ranges, 4), 3);
	assert_int_equal(ranges[0].first, 1);
	assert_int_equal(ranges[0].end, 0x9f);	/* the last frame is memory in part only */
	assert_int_equal(ranges[1].first, 0x100);
	assert_int_equal(ranges[1].end, 0xbffda);
	assert_int_equal(ranges[2].first, 0x100000);
	assert_int_equal(ranges[2].end, 0x640000);
}

static void no_memory(void **state)
{
	static const char *const texts[] = {
		"", "\n", "System RAM\n", "00001000-0009fbff : System RAMs\n", "00001000 0009fbff : System RAM\n",
		"0009fbff-00001000 : System RAM\n", "  00100000-001fffff : System RAM\n", "xyz-00100000 : System RAM\n",
		"10000000000000000-20000000000000000 : System RAM\n", "00001000-00001ffe : System RAM\n", "-1fff : System RAM\n",
		/* what those see who may not see addresses */
		"00000000-00000000 : System RAM\n",
	};
	struct frame_range range;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], &range, 1), 0);
}

static void little_room(void **state)
{
	struct frame_range ranges[2] = { { 7, 7 }, { 7, 7 } };

	(void)state;
	assert_int_equal(parse("1000-1fff : System RAM\n3000-3fff : System RAM\n", ranges, 1), 2);
	assert_int_equal(ranges[0].first, 1);
	assert_int_equal(ranges[1].first, 7);
}

static void the_end_of_everything(void **state)
{
	struct frame_range range;

	(void)state;
	assert_int_equal(parse("1000-ffffffffffffffff : System RAM", &range, 1), 1);
	assert_int_equal(range.end, 0xfffffffffffff);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("memory, from its first whole frame to its last", memory),
		CASE("lines that are none", no_memory),
		CASE("more ranges than room are counted", little_room),
		CASE("a range up to the last byte, and no newline", the_end_of_everything),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
