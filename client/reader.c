/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "split.h"
#include "text.h"

/* A line is one record, or the envelope's begin or end: some KiB. */
#define LINE_MAX_BYTES (16u << 20)

static const char ndjson_begins[] = "{\"begin\":";
static const char record_begins[] = "{\"record\":";

enum form { FORM_UNKNOWN, FORM_DOCUMENT, FORM_NDJSON };

struct reader {
	reader_record *fn;
	void *arg;
	enum form form;
	struct text sniff;	/* the first bytes, until they say what this is */
	struct text line;	/* of NDJSON: one that has not ended yet */
	struct split split;
	json_t *envelope;
	uint64_t count;		/* of records */
	bool ended;		/* of NDJSON: the end line was there */
	struct trouble *trouble;	/* of the running reader_feed() */
};

struct reader *reader_new(reader_record *fn, void *arg)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fn = fn;
	r->arg = arg;
	r->envelope = json_object();
	if (!r->envelope) {
		free(r);
		return NULL;
	}
	return r;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	text_free(&r->sniff);
	text_free(&r->line);
	split_free(&r->split);
	json_decref(r->envelope);
	free(r);
}

static int parse(const char *p, size_t len, json_t **ret, struct trouble *trouble)
{
	json_error_t error;

	*ret = number_load(p, len, &error);
	if (json_is_object(*ret))
		return EXIT_DONE;
	if (!*ret)
		return trouble_set(trouble, EXIT_FAILED, "the answer is not vmad's: %s", error.text);
	json_decref(*ret);
	return trouble_set(trouble, EXIT_FAILED, "the answer is not vmad's: an object was expected");
}

/* What was read of the document in front of its list is the head: closed here, it is a document of its own. */
static int parse_head(struct reader *r)
{
	struct text head = { 0 };
	json_t *object;
	int code;

	if (text_append(&head, r->split.around.p, r->split.around.len) || text_append(&head, "]}", 2))
		code = trouble_oom(r->trouble);
	else
		code = parse(head.p, head.len, &object, r->trouble);
	text_free(&head);
	if (code != EXIT_DONE)
		return code;
	json_object_update(r->envelope, object);
	json_decref(object);
	return EXIT_DONE;
}

static int on_element(void *arg, const char *element, size_t len)
{
	struct reader *r = arg;
	json_t *record;
	int code = EXIT_DONE;

	r->count++;
	if (!r->fn)
		return EXIT_DONE;
	if (json_object_size(r->envelope) == 0)
		code = parse_head(r);
	if (code == EXIT_DONE)
		code = parse(element, len, &record, r->trouble);
	if (code != EXIT_DONE)
		return code;
	code = r->fn(r->arg, record, r->envelope);
	json_decref(record);
	return code;
}

static int feed_document(struct reader *r, const char *p, size_t len)
{
	int code = split_feed(&r->split, p, len, on_element, r);

	switch (code) {
	case -ENOMEM:
		return trouble_oom(r->trouble);
	case -EINVAL:
		return trouble_set(r->trouble, EXIT_FAILED, "there is more than one document");
	case -EMSGSIZE:
		return trouble_set(r->trouble, EXIT_FAILED, "the answer is not vmad's: it is too long");
	}
	return code;
}

static int read_line(struct reader *r, const char *p, size_t len)
{
	bool is_record = len >= strlen(record_begins) && memcmp(p, record_begins, strlen(record_begins)) == 0;
	json_t *object;
	int code;

	r->count += is_record;
	if (is_record && !r->fn)
		return EXIT_DONE;
	code = parse(p, len, &object, r->trouble);
	if (code != EXIT_DONE)
		return code;
	if (is_record) {
		code = r->fn(r->arg, object, r->envelope);
	} else {
		r->ended = r->ended || json_is_true(json_object_get(object, "end"));
		json_object_update(r->envelope, object);
	}
	json_decref(object);
	return code;
}

/* A whole line is read where it lies; only what is left over is copied. */
static int feed_lines(struct reader *r, const char *p, size_t len)
{
	int code = EXIT_DONE;

	while (len && code == EXIT_DONE) {
		const char *newline = memchr(p, '\n', len);
		size_t n = newline ? (size_t)(newline - p) : len;
		bool direct = newline && r->line.len == 0;

		if (!direct && (r->line.len + n > LINE_MAX_BYTES || text_append(&r->line, p, n)))
			return trouble_set(r->trouble, EXIT_FAILED, "the answer is not vmad's: a line is too long");
		if (direct && n)
			code = read_line(r, p, n);
		else if (newline && r->line.len)
			code = read_line(r, r->line.p, r->line.len);
		if (newline)
			text_clear(&r->line);
		p += n + (newline != NULL);
		len -= n + (newline != NULL);
	}
	return code;
}

static int feed(struct reader *r, const char *p, size_t len)
{
	return r->form == FORM_NDJSON ? feed_lines(r, p, len) : feed_document(r, p, len);
}

int reader_feed(struct reader *r, const char *p, size_t len, struct trouble *trouble)
{
	size_t n = strlen(ndjson_begins);

	r->trouble = trouble;
	if (r->form != FORM_UNKNOWN)
		return feed(r, p, len);
	if (text_append(&r->sniff, p, len))
		return trouble_oom(trouble);
	if (r->sniff.len < n)
		return EXIT_DONE;
	r->form = memcmp(r->sniff.p, ndjson_begins, n) == 0 ? FORM_NDJSON : FORM_DOCUMENT;
	return feed(r, r->sniff.p, r->sniff.len);
}

/* Takes what the document says around its list, where it came to its end; else the head has to do. */
static int finish_document(struct reader *r)
{
	const char *p = r->split.around.p;
	json_t *object;
	int code;

	if (p && p[strspn(p, " \t\r\n")] != '{')
		return trouble_set(r->trouble, EXIT_FAILED, "the answer is not vmad's: it is no JSON object");
	if (!r->split.done)
		return EXIT_DONE;
	code = parse(p, r->split.around.len, &object, r->trouble);
	if (code != EXIT_DONE)
		return code;
	json_object_update(r->envelope, object);
	json_decref(object);
	return EXIT_DONE;
}

/* A last line without its newline, as an editor may leave it, counts where it is whole. */
static int finish_lines(struct reader *r)
{
	json_error_t error;
	json_t *object = r->line.len ? number_load(r->line.p, r->line.len, &error) : NULL;

	if (!object)
		return EXIT_DONE;
	json_decref(object);
	return read_line(r, r->line.p, r->line.len);
}

int reader_finish(struct reader *r, struct trouble *trouble)
{
	int code = EXIT_DONE;

	r->trouble = trouble;
	if (r->form == FORM_UNKNOWN) {	/* shorter than any beginning: a document, if anything */
		r->form = FORM_DOCUMENT;
		code = feed_document(r, r->sniff.p ? r->sniff.p : "", r->sniff.len);
	}
	if (code != EXIT_DONE)
		return code;
	return r->form == FORM_DOCUMENT ? finish_document(r) : finish_lines(r);
}

/* An answer that counted its records otherwise lost some. */
bool reader_whole(const struct reader *r)
{
	const json_t *count = json_object_get(r->envelope, "count");

	if (json_is_number(count) && number_value(count) != r->count)
		return false;
	return r->form == FORM_NDJSON ? r->ended : r->split.done;
}

uint64_t reader_count(const struct reader *r)
{
	return r->count;
}

const json_t *reader_envelope(const struct reader *r)
{
	return r->envelope;
}
