/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"

#include <string.h>

#include "test.h"

static const char document[] =
	"{\"pid\":1,\"comm\":\"a\\\"]}[{\",\"vmas\":[\n{\"start\":\"0x1\",\"flags\":[\"rd\"]},{\"start\":\"0x2\",\"path\":\"}],[\\\\\"} ],"
	"\"count\":2,\"complete\":true}\n";
static const char ndjson[] =
	"{\"begin\":true,\"pid\":1,\"comm\":\"a\"}\n{\"record\":\"vma\",\"start\":\"0x1\"}\n{\"record\":\"vma\",\"start\":\"0x2\"}\n"
	"{\"end\":true,\"count\":2,\"complete\":true}\n";

struct seen {
	char starts[64];
	int records, pids;
};

static int on_record(void *arg, const json_t *record, const json_t *head)
{
	struct seen *seen = arg;

	strcat(seen->starts, json_string_value(json_object_get(record, "start")));
	seen->records++;
	seen->pids += (int)json_integer_value(json_object_get(head, "pid"));
	return EXIT_DONE;
}

/* Reads len bytes in steps; returns what reader_finish() says, or what went wrong before. */
static int read_in_steps(struct reader *reader, const char *bytes, size_t len, size_t step)
{
	struct trouble trouble;
	int code = EXIT_DONE;

	for (size_t i = 0; i < len && code == EXIT_DONE; i += step)
		code = reader_feed(reader, bytes + i, len - i < step ? len - i : step, &trouble);
	return code == EXIT_DONE ? reader_finish(reader, &trouble) : code;
}

static void both_forms_in_steps_of_any_size_are_the_same(void **state)
{
	static const char *const forms[] = { document, ndjson };

	(void)state;
	for (size_t form = 0; form < COUNT(forms); form++)
		for (size_t step = 1; step <= strlen(forms[form]); step++) {
			struct seen seen = { "", 0, 0 };
			struct reader *reader = reader_new(on_record, &seen);

			assert_int_equal(read_in_steps(reader, forms[form], strlen(forms[form]), step), EXIT_DONE);
			assert_true(reader_whole(reader));
			assert_string_equal(seen.starts, "0x10x2");
			assert_int_equal(seen.pids, 2);
			assert_true(json_is_true(json_object_get(reader_envelope(reader), "complete")));
			reader_free(reader);
		}
}

static void what_is_cut_anywhere_is_never_whole(void **state)
{
	static const char *const forms[] = { document, ndjson };

	(void)state;
	for (size_t form = 0; form < COUNT(forms); form++)
		/* without its last newline it is whole still */
		for (size_t len = 0; len + 1 < strlen(forms[form]); len++) {
			struct seen seen = { "", 0, 0 };
			struct reader *reader = reader_new(on_record, &seen);

			read_in_steps(reader, forms[form], len, 7);
			assert_false(reader_whole(reader));
			reader_free(reader);
		}
}

static void a_count_that_does_not_agree_is_not_whole(void **state)
{
	static const char one_lost[] = "{\"begin\":true}\n{\"record\":\"vma\",\"start\":\"1\"}\n{\"end\":true,\"count\":2,\"complete\":true}\n";

	(void)state;
	for (int with_function = 0; with_function < 2; with_function++) {
		struct seen seen = { "", 0, 0 };
		struct reader *reader = reader_new(with_function ? on_record : NULL, &seen);

		assert_int_equal(read_in_steps(reader, one_lost, strlen(one_lost), 1000), EXIT_DONE);
		assert_false(reader_whole(reader));
		reader_free(reader);
	}
}

static void what_is_not_ours_is_refused(void **state)
{
	static const char *const rows[] = {
		"<html><body>502 Bad Gateway</body></html>", "[1,2,3]", "hello", "{\"a\":1} {\"b\":2}", "{\"a\":nonsense}",
		"{\"begin\":true}\nnonsense\n", "{\"vmas\":[{\"a\":}]}", "{\"vmas\":[{\"start\":\"1\"},5]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = { "", 0, 0 };
		struct reader *reader = reader_new(on_record, &seen);
		int code = read_in_steps(reader, rows[i], strlen(rows[i]), 5);

		if (code != EXIT_FAILED)
			fail_msg("%s: %d", rows[i], code);
		reader_free(reader);
	}
}

static void an_object_without_a_list_is_all_envelope(void **state)
{
	static const char lookup[] = "{\"address\":\"0x1\",\"vma\":{\"start\":\"0x0\"},\"words\":[\"a\",\"b\"],\"none\":[]}";
	struct reader *reader = reader_new(NULL, NULL);

	(void)state;
	assert_int_equal(read_in_steps(reader, lookup, strlen(lookup), 3), EXIT_DONE);
	assert_true(reader_whole(reader));
	assert_int_equal(json_array_size(json_object_get(reader_envelope(reader), "words")), 2);
	assert_non_null(json_object_get(json_object_get(reader_envelope(reader), "vma"), "start"));
	reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_in_steps_of_any_size_are_the_same),
		cmocka_unit_test(what_is_cut_anywhere_is_never_whole),
		cmocka_unit_test(a_count_that_does_not_agree_is_not_whole),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(an_object_without_a_list_is_all_envelope),
	};

	return cmocka_run_group_tests_name("client/reader", tests, NULL, NULL);
}
