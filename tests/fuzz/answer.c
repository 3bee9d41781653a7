/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmactl makes of an answer, whoever gives it: read in pieces, each record's cells of every table made and escaped for a terminal.
 * The first byte says how long a piece is.
 */
#include "fuzz.h"

#include <string.h>

#include "cell.h"
#include "columns.h"
#include "escape.h"
#include "reader.h"

/* Printable ASCII alone, as the terminal is told to be no more. */
static void check_text(const char *p, size_t len)
{
	char *shown = escape_text(p, len);

	for (const char *at = shown; at && *at; at++)
		MUST(*at >= ' ' && *at <= '~');
	free(shown);
}

/* Each member of any record, whatever this one is, and what is made of several. */
static const struct column columns[] = {
#define RECORD(record, help)
#define FIELD(record, member, type, need, json, help) { RECORD_##record, json, COLUMN_##type, help, NULL, NULL },
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	{ RECORD_vma, "range", COLUMN_STR, "", cell_range, "start" },
	{ RECORD_vma, "mapping", COLUMN_STR, "", cell_mapping, "path" },
	{ RECORD_mapping, "range", COLUMN_STR, "", cell_vma_range, "vma_start" },
	{ RECORD_mapping, "size", COLUMN_U64, "", cell_vma_size, "vma_start" },
	{ RECORD_sharing, "origins", COLUMN_STR, "", cell_origins, "shared_bytes" },
	{ RECORD_kernel, "ops", COLUMN_STR, "", cell_ops, "vm_ops" },
	{ RECORD_vma_op, "function", COLUMN_STR, "", cell_function, "symbol" },
	{ RECORD_vma_op, "what", COLUMN_STR, "", cell_what, "member" },
};

static int check_record(void *arg, const json_t *record, const json_t *head)
{
	struct cell_key key;

	(void)arg;
	for (size_t i = 0; i < 2 * sizeof(columns) / sizeof(columns[0]); i++) {
		const struct cell_style style = { .bytes = i % 2, .raw = i % 2 };
		char *text = cell_text(&columns[i / 2], record, head, &style);

		if (text)
			check_text(text, strlen(text));
		free(text);
		if (cell_key(&columns[i / 2], record, head, &key) == 0)
			free(key.text);
	}
	return EXIT_DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader *reader = reader_new(check_record, NULL);
	size_t piece = size ? data[0] + 1 : 1;
	struct trouble trouble;
	int r = EXIT_DONE;

	escape_assume_utf8(false);
	for (size_t at = 1; at < size && r == EXIT_DONE; at += piece)
		r = reader_feed(reader, (const char *)data + at, size - at < piece ? size - at : piece, &trouble);
	if (r == EXIT_DONE)
		r = reader_finish(reader, &trouble);
	if (r == EXIT_DONE) {
		MUST(reader_envelope(reader));
		reader_whole(reader);
	} else {
		MUST(r == EXIT_FAILED && memchr(trouble.message, '\0', sizeof(trouble.message)));
	}
	reader_free(reader);
	return 0;
}
