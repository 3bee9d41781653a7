/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record_cut: the same records, wherever the bytes were split on their way. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/record_cut.h"

#define RECORDS_MAX 64

/* What was cut: a copy of all bytes, one record behind the other, and where each ends; line and keys apart. */
struct cuts {
	char bytes[1 << 16];
	size_t len;
	struct {
		size_t line, keys;
	} record[RECORDS_MAX];
	size_t count;
};

static void add_record(struct cuts *cuts, struct vmad_str line, struct vmad_str keys)
{
	assert_true(cuts->count < RECORDS_MAX);
	assert_true(cuts->len + line.len + keys.len <= sizeof(cuts->bytes));
	memcpy(cuts->bytes + cuts->len, line.p, line.len);
	memcpy(cuts->bytes + cuts->len + line.len, keys.p, keys.len);
	cuts->len += line.len + keys.len;
	cuts->record[cuts->count].line = line.len;
	cuts->record[cuts->count++].keys = keys.len;
}

static void cut_all(int fd, bool with_keys, struct cuts *cuts)
{
	struct vmad_str line, keys;
	struct record_cut cut;
	struct reader *reader;
	int r;

	cuts->len = cuts->count = 0;
	assert_int_equal(reader_new(fd, 1, "maps", READER_UNPACED, &reader, NULL), 0);
	record_cut_init(&cut, reader, with_keys);
	while ((r = record_cut_next(&cut, &line, &keys, NULL)) > 0)
		add_record(cuts, line, keys);
	assert_int_equal(r, 0);
	assert_int_equal(record_cut_next(&cut, &line, &keys, NULL), 0);		/* the end stays the end */
	record_cut_free(&cut);
	reader_free(reader);
}

/* Writes text into a pipe in pieces; the reader gets each by itself, since it reads only when the pipe is empty again. */
struct feed {
	int fd;
	const char *text;
	size_t len, first, piece;
};

static void *feed(void *arg)
{
	const struct feed *feed = arg;

	for (size_t done = 0, n = feed->first; done < feed->len; done += n, n = feed->piece) {
		n = n < feed->len - done ? n : feed->len - done;
		if (write(feed->fd, feed->text + done, n) != (ssize_t)n)
			break;
	}
	close(feed->fd);
	return NULL;
}

/* A packet pipe keeps what one write() wrote together, and one read() never returns two of them. */
static void cut_in_pieces(struct vmad_str text, size_t first, size_t piece, bool with_keys, struct cuts *cuts)
{
	struct feed feeding = { .text = text.p, .len = text.len, .first = first, .piece = piece };
	pthread_t thread;
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC | O_DIRECT), 0);
	feeding.fd = fd[1];
	assert_int_equal(pthread_create(&thread, NULL, feed, &feeding), 0);
	cut_all(fd[0], with_keys, cuts);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void expect_same(const struct cuts *found, const struct cuts *expected)
{
	assert_int_equal(found->count, expected->count);
	assert_int_equal(found->len, expected->len);
	assert_memory_equal(found->bytes, expected->bytes, expected->len);
	assert_memory_equal(found->record, expected->record, expected->count * sizeof(expected->record[0]));
}

static void split_everywhere(const char *path, bool with_keys, size_t records)
{
	static struct cuts whole, split;
	struct vmad_str text = fixture(path);

	cut_all(file_of(text.p, text.len), with_keys, &whole);
	assert_int_equal(whole.count, records);
	assert_int_equal(whole.len, text.len);
	assert_memory_equal(whole.bytes, text.p, text.len);
	for (size_t first = 1; first < text.len; first++) {
		cut_in_pieces(text, first, 4096, with_keys, &split);
		expect_same(&split, &whole);
	}
	for (size_t piece = 1; piece < 300; piece += 1 + piece / 8) {
		cut_in_pieces(text, piece, piece, with_keys, &split);
		expect_same(&split, &whole);
	}
}

static void maps_splits(void **state)
{
	(void)state;
	split_everywhere("odd/102/maps", false, 15);
	split_everywhere("odd/101/maps", false, 7);
}

static void smaps_splits(void **state)
{
	(void)state;
	split_everywhere("odd/100/smaps", true, 2);
	split_everywhere("linux-3.8/700/smaps", true, 6);
}

static void without_newline(void **state)
{
	(void)state;
	split_everywhere("odd/109/maps", false, 2);
	split_everywhere("odd/109/smaps", true, 1);
}

static void keys_apart(void **state)
{
	static struct cuts cuts;
	static const char smaps[] = "1000-2000 r--p 0 00:00 0\nSize: 4 kB\nRss: 0 kB\n2000-3000 r--p 0 00:00 0\n3000-4000 r--p 0 00:00 0\nSize: 4 kB\n";

	(void)state;
	cut_all(file_of(smaps, sizeof(smaps) - 1), true, &cuts);
	assert_int_equal(cuts.count, 3);
	assert_int_equal(cuts.record[0].line, 25);
	assert_int_equal(cuts.record[0].keys, 21);
	assert_int_equal(cuts.record[1].keys, 0);
	assert_int_equal(cuts.record[2].keys, 11);
	cut_all(file_of(smaps, sizeof(smaps) - 1), false, &cuts);
	assert_int_equal(cuts.count, 6);
}

static void empty(void **state)
{
	static struct cuts cuts;

	(void)state;
	cut_all(file_of("", 0), false, &cuts);
	assert_int_equal(cuts.count, 0);
	cut_all(file_of("", 0), true, &cuts);
	assert_int_equal(cuts.count, 0);
}

/* Many slots of the reader's, in its thread: every border carries a part of a record over. */
static void long_smaps(void **state)
{
	enum { RECORDS = 20000 };
	struct vmad_str line, keys;
	struct record_cut cut;
	struct reader *reader;
	char expected[64];
	size_t size, count = 0;
	char *text;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (unsigned i = 0; i < RECORDS; i++)
		fprintf(file, "%x-%x r--p 0 fe:00 1 /%*d\nSize: 4 kB\nNumber: %u\n", i << 12, (i + 1) << 12, (int)(i % 97 + 1), 7, i);
	fclose(file);
	assert_int_equal(reader_new(file_of(text, size), 1, "smaps", READER_UNPACED, &reader, NULL), 0);
	record_cut_init(&cut, reader, true);
	for (; record_cut_next(&cut, &line, &keys, NULL) > 0; count++) {
		int n = snprintf(expected, sizeof(expected), "Size: 4 kB\nNumber: %zu\n", count);

		assert_int_equal(keys.len, n);
		assert_memory_equal(keys.p, expected, keys.len);
	}
	assert_int_equal(count, RECORDS);
	record_cut_free(&cut);
	reader_free(reader);
	free(text);
}

/* A line that is too long: what came before it comes, then the error, with whose file it was. */
static void reader_error(void **state)
{
	struct vmad_error err = { 0 };
	struct vmad_str line, keys;
	struct record_cut cut;
	struct reader *reader;
	char *text = malloc(READER_LINE_MAX + 10);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', READER_LINE_MAX + 10);
	text[3] = '\n';
	assert_int_equal(reader_new(file_of(text, READER_LINE_MAX + 10), 7, "maps", READER_UNPACED, &reader, NULL), 0);
	free(text);
	record_cut_init(&cut, reader, false);
	assert_int_equal(record_cut_next(&cut, &line, &keys, &err), 1);
	assert_str(line, "xxx\n");
	assert_int_equal(record_cut_next(&cut, &line, &keys, &err), -EOVERFLOW);
	assert_int_equal(err.code, EOVERFLOW);
	assert_int_equal(err.pid, 7);
	record_cut_free(&cut);
	reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("maps, split at every byte", maps_splits),
		CASE("smaps, split at every byte", smaps_splits),
		CASE("files without a last newline, split at every byte", without_newline),
		CASE("line and keys apart", keys_apart),
		CASE("empty files", empty),
		CASE("20,000 records through every slot", long_smaps),
		CASE("an error of the reader's, after the lines before it", reader_error),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
