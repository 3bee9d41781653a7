/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread_state: the letter behind comm, whatever comm is. */
#include "unit.h"

#include <string.h>

#include "opener/file/thread_state.h"

static char state_of(const char *text)
{
	struct vmad_str bytes = guarded(text, strlen(text));

	return thread_state_parse(bytes.p, bytes.len);
}

static void letters(void **state)
{
	(void)state;
	assert_int_equal(state_of("4242 (nginx) S 1 4242"), 'S');
	assert_int_equal(state_of("7 (a) Z (b)) R 1 7"), 'R');
	assert_int_equal(state_of("7 (\n) t"), 't');
}

static void none(void **state)
{
	static const char *const texts[] = { "", "7", "7 (sleep", "7 (sleep)", "7 (sleep) ", "7 (sleep)Sx" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(state_of(texts[i]), 0);
}

static void dead(void **state)
{
	(void)state;
	for (const char *letter = "RSDTtIPKW"; *letter; letter++)
		assert_false(thread_state_is_dead(*letter));
	for (const char *letter = "ZXx"; *letter; letter++)
		assert_true(thread_state_is_dead(*letter));
	assert_true(thread_state_is_dead(0));
}

/* comm of a kernel's thread has 63 bytes at most, a pid seven digits. */
static void enough(void **state)
{
	char text[THREAD_STATE_BYTES + 1];
	int len = snprintf(text, sizeof(text), "4194304 (%063d) S 1", 0);

	(void)state;
	assert_in_range(len, 1, THREAD_STATE_BYTES / 2);
	assert_int_equal(state_of(text), 'S');
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("behind the last parenthesis", letters),
		CASE("what is cut off before it has none", none),
		CASE("zombies and what is gone are dead, stopped ones live", dead),
		CASE("the bytes that are read are enough", enough),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
