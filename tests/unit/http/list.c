/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list_write(): the same document, however small the pieces are that it leaves in. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "encode/buf.h"
#include "http/list.h"

#define WHOLE 1000000

struct numbers {
	unsigned next, count;
	bool fails;
};

static void numbers_head(void *list, struct buf *to)
{
	(void)list;
	BUF_PUT_LITERAL(to, "\"source\":\"here\",");
}

static int numbers_next(void *list, struct buf *to, struct vmad_error *err)
{
	struct numbers *numbers = list;

	if (numbers->next == numbers->count)
		return numbers->fails ? vmad_fail(err, EIO, 1, "maps", "read") : 0;
	buf_printf(to, "\"number\":%u,", numbers->next++);
	return 1;
}

static void numbers_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	(void)list;
	(void)verdict;
	BUF_PUT_LITERAL(to, "\"tail\":true,");
}

static void numbers_free(void *list)
{
	free(list);
}

static const struct list_ops numbers_ops = {
	.record = "number", .head = numbers_head, .next = numbers_next, .tail = numbers_tail, .free = numbers_free,
};

/* Appends the whole list to `all`, a piece of at least `enough` bytes at a time, each in a buffer of its own. */
static void write_in_pieces(struct buf *all, const struct numbers *numbers, bool ndjson, size_t enough)
{
	struct numbers *copy = malloc(sizeof(*copy));
	struct list_writer writer;

	assert_non_null(copy);
	*copy = *numbers;
	list_writer_init(&writer, &numbers_ops, copy, "numbers", ndjson);
	while (!writer.ended) {
		struct buf piece = { 0 };

		list_write(&writer, &piece, enough);
		buf_put(all, piece.p, piece.len);
		buf_free(&piece);
	}
	list_writer_free(&writer);
}

static void expect(const struct numbers *numbers, bool ndjson, const char *wanted)
{
	static const size_t pieces[] = { 1, 2, 15, 16, 30, 45, 60, 75, WHOLE };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct buf all = { 0 };

		write_in_pieces(&all, numbers, ndjson, pieces[i]);
		assert_int_equal(all.len, strlen(wanted));
		assert_memory_equal(all.p, wanted, all.len);
		buf_free(&all);
	}
}

static void rows(void **state)
{
	const struct numbers numbers = { .count = 3 };

	(void)state;
	expect(&numbers, false, "{\"source\":\"here\",\"numbers\":[{\"number\":0},{\"number\":1},{\"number\":2}],"
				"\"tail\":true,\"count\":3,\"complete\":true}\n");
	expect(&numbers, true, "{\"begin\":true,\"source\":\"here\"}\n{\"record\":\"number\",\"number\":0}\n"
			       "{\"record\":\"number\",\"number\":1}\n{\"record\":\"number\",\"number\":2}\n"
			       "{\"end\":true,\"tail\":true,\"count\":3,\"complete\":true}\n");
}

static void no_rows(void **state)
{
	const struct numbers numbers = { .count = 0 };

	(void)state;
	expect(&numbers, false, "{\"source\":\"here\",\"numbers\":[],\"tail\":true,\"count\":0,\"complete\":true}\n");
	expect(&numbers, true, "{\"begin\":true,\"source\":\"here\"}\n{\"end\":true,\"tail\":true,\"count\":0,\"complete\":true}\n");
}

/* The verdict of a list that failed says so, and holds the problem. */
static void failure(void **state)
{
	const struct numbers numbers = { .count = 1, .fails = true };
	struct buf all = { 0 };

	(void)state;
	write_in_pieces(&all, &numbers, false, 1);
	buf_put(&all, "", 1);
	assert_non_null(strstr(all.p, "\"numbers\":[{\"number\":0}],\"problem\":{\"type\":\"urn:vmad:problem:"));
	assert_non_null(strstr(all.p, "\"count\":1,\"complete\":false,\"reason\":\"failed\"}\n"));
	assert_null(strstr(all.p, "\"tail\""));
	buf_free(&all);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("rows, in pieces of any size", rows),
		CASE("no rows at all", no_rows),
		CASE("a list that fails on the way ends with its problem", failure),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
