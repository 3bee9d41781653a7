/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <string.h>

#include "test.h"

static const unsigned int maps = OPTIONS_GLOBAL | OPTIONS_VMAS | OPTIONS_USAGE;

struct parsed {
	struct options options;
	struct trouble trouble;
	char *argv[32];
	int argc, first, code;
};

/* Words with one blank between. The text must outlive the result: options borrow from it. */
static struct parsed parse(char *text, unsigned int groups, bool stop_at_word)
{
	struct parsed p = { .argc = 0 };

	p.argv[p.argc++] = (char *)"vmactl";
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		p.argv[p.argc++] = word;
	p.code = options_parse(&p.options, groups, stop_at_word, p.argc, p.argv, &p.first, &p.trouble);
	return p;
}

static void options_stand_before_and_behind_words(void **state)
{
	char text[] = "4242 --kind heap -n 4243 --sort -size";
	struct parsed p = parse(text, maps, false);

	(void)state;
	assert_int_equal(p.code, EXIT_DONE);
	assert_int_equal(p.argc - p.first, 2);
	assert_string_equal(p.argv[p.first], "4242");
	assert_string_equal(p.argv[p.first + 1], "4243");
	assert_string_equal(p.options.sort, "-size");
	assert_string_equal(p.options.filter.kinds, "heap");
	assert_true(p.options.noheadings);
}

static void in_front_of_the_verb_the_first_word_ends_them(void **state)
{
	char text[] = "-J --socket /s maps --nonsense";
	struct parsed p = parse(text, OPTIONS_GLOBAL, true);

	(void)state;
	assert_int_equal(p.code, EXIT_DONE);
	assert_string_equal(p.argv[p.first], "maps");
	assert_int_equal(p.options.form, OUTPUT_JSON);
	assert_string_equal(p.options.socket, "/s");
}

static void values_are_read(void **state)
{
	char text[] = "--limit 10 --watch=0.5 --min-size 4K --start 1000 --end 0x2000 --perms .wx. --deleted --usage -b -o +rss";
	struct parsed p = parse(text, maps, false);

	(void)state;
	assert_int_equal(p.code, EXIT_DONE);
	assert_int_equal(p.options.limit, 10);
	assert_int_equal(p.options.watch_ms, 500);
	assert_int_equal(p.options.filter.min_size, 4096);
	assert_int_equal(p.options.filter.start, 0x1000);
	assert_int_equal(p.options.filter.end, 0x2000);
	assert_string_equal(p.options.columns, "+rss");
	assert_true(p.options.filter.deleted && p.options.usage && p.options.bytes && p.options.watch);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct { const char *text, *message; } rows[] = {
		{ "--nonsense", "--nonsense is no option here" }, { "-x", "-x is no option here" },
		{ "--comm a", "--comm is no option here" },
		{ "--limit", "--limit needs a value" }, { "-o", "-o needs a value" }, { "--local=x", "--local=x takes no value" },
		{ "--json=x", "--json=x takes no value" }, { "--limit 0", "--limit: '0' is not a number of at least 1" },
		{ "--limit -5", "--limit: '-5' is not a number of at least 1" },
		{ "--limit 99999999999999999999", "--limit: '99999999999999999999' is not a number of at least 1" },
		{ "--watch=0", "--watch: '0' is not a number of seconds between 0.1 and 86400" },
		{ "--watch=nan", "--watch: 'nan' is not a number of seconds between 0.1 and 86400" },
		{ "--min-size 4Q", "--min-size: '4Q' is not a size (like 64K, 1M, 2G)" },
		{ "--start zz", "--start: 'zz' is not an address (hex, with or without 0x)" },
		{ "--perms rwx", "'rwx' are no permissions" }, { "--perms xwr-", "'xwr-' are no permissions" },
		{ "--kind heap,heep", "unknown kind 'heep'" }, { "--kind heap,", "unknown kind ''" },
		{ "-J --ndjson", "--json, --ndjson and --raw exclude each other" },
		{ "-r -J", "--json, --ndjson and --raw exclude each other" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];
		struct parsed p;

		strcpy(text, rows[i].text);
		p = parse(text, maps, false);
		assert_int_equal(p.code, EXIT_USAGE);
		assert_string_equal(p.trouble.message, rows[i].message);
	}
}

static void options_that_exclude_each_other_are_refused(void **state)
{
	static const char *const rows[] = { "--socket /s --local", "--url http://h --socket /s", "--url http://h --local",
					    "--start 2000 --end 1000" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];
		struct parsed p;

		strcpy(text, rows[i]);
		p = parse(text, maps, false);
		assert_int_equal(p.code, EXIT_DONE);
		assert_int_equal(options_check(&p.options, &p.trouble), EXIT_USAGE);
	}
}

static void users_are_numbers_or_names(void **state)
{
	char number[] = "--uid 33", name[] = "--uid root", nobody[] = "--uid no-such-user-here", negative[] = "--uid 4294967295";
	struct parsed p = parse(number, OPTIONS_PROCESSES, false);

	(void)state;
	assert_int_equal(p.options.filter.uid, 33);
	p = parse(name, OPTIONS_PROCESSES, false);
	assert_true(p.options.filter.has_uid);
	assert_int_equal(p.options.filter.uid, 0);
	assert_int_equal(parse(nobody, OPTIONS_PROCESSES, false).code, EXIT_USAGE);
	assert_int_equal(parse(negative, OPTIONS_PROCESSES, false).code, EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_and_behind_words),
		cmocka_unit_test(in_front_of_the_verb_the_first_word_ends_them),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(options_that_exclude_each_other_are_refused),
		cmocka_unit_test(users_are_numbers_or_names),
	};

	return cmocka_run_group_tests_name("client/options", tests, NULL, NULL);
}
