/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static void targets_are_told_apart(void **state)
{
	static const struct { const char *text; enum target_form form; pid_t pid; const char *word; } rows[] = {
		{ "4242", TARGET_PID, 4242, NULL }, { "1", TARGET_PID, 1, NULL }, { "4194304", TARGET_PID, 4194304, NULL },
		{ "name:nginx", TARGET_NAME, 0, "nginx" }, { "name:12", TARGET_NAME, 0, "12" },
		{ "unit:nginx.service", TARGET_UNIT, 0, "nginx.service" }, { "-", TARGET_FILE, 0, "-" },
		{ "./4242", TARGET_FILE, 0, "./4242" }, { "/nowhere/saved.json", TARGET_FILE, 0, "/nowhere/saved.json" },
		{ "no-file-of-that-name", TARGET_NAME, 0, "no-file-of-that-name" },
	};
	struct trouble trouble;
	struct target t;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(target_parse(rows[i].text, &t, &trouble), EXIT_DONE);
		assert_int_equal(t.form, rows[i].form);
		assert_int_equal(t.pid, rows[i].pid);
		if (rows[i].word)
			assert_string_equal(t.word, rows[i].word);
	}
}

static void self_is_this_process(void **state)
{
	struct trouble trouble;
	struct target t;

	(void)state;
	assert_int_equal(target_parse("self", &t, &trouble), EXIT_DONE);
	assert_int_equal(t.form, TARGET_PID);
	assert_int_equal(t.pid, getpid());
}

static void what_is_no_target_is_usage(void **state)
{
	static const char *const rows[] = { "0", "4194305", "99999999999", "", "name:", "unit:" };
	struct trouble trouble;
	struct target t;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(target_parse(rows[i], &t, &trouble), EXIT_USAGE);
}

static void a_name_is_matched_as_the_kernel_keeps_it(void **state)
{
	static const struct { const char *word, *pattern; } rows[] = {
		{ "nginx", "nginx" }, { "fifteen-letters", "fifteen-letters" }, { "systemd-timesyncd", "systemd-timesyn*" },
		{ "a-long-pattern-with-*", "a-long-pattern-with-*" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target t = { TARGET_NAME, 0, rows[i].word };
		char *pattern = target_pattern(&t);

		assert_string_equal(pattern, rows[i].pattern);
		free(pattern);
	}
}

static void a_process_matches_by_pid_name_or_unit(void **state)
{
	json_t *process = json_pack("{s:i, s:s, s:s}", "pid", 7, "comm", "nginx", "unit", "nginx.service");
	const struct { struct target target; bool match; } rows[] = {
		{ { TARGET_PID, 7, NULL }, true }, { { TARGET_PID, 8, NULL }, false }, { { TARGET_NAME, 0, "ngin?" }, true },
		{ { TARGET_NAME, 0, "nginx.service" }, false }, { { TARGET_UNIT, 0, "nginx.*" }, true }, { { TARGET_UNIT, 0, "nginx" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(target_match(&rows[i].target, process), rows[i].match);
	json_decref(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_told_apart),
		cmocka_unit_test(self_is_this_process),
		cmocka_unit_test(what_is_no_target_is_usage),
		cmocka_unit_test(a_name_is_matched_as_the_kernel_keeps_it),
		cmocka_unit_test(a_process_matches_by_pid_name_or_unit),
	};

	return cmocka_run_group_tests_name("client/target", tests, NULL, NULL);
}
