/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl file: who maps a file, and what of it is cached. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "device_inode.h"
#include "escape.h"
#include "list.h"
#include "number.h"
#include "output.h"
#include "query.h"
#include "size.h"
#include "verbs.h"

static const char columns[] = "pid,comm,address,range,perms,size_bytes,offset_bytes,mapping";

struct file {
	struct session *session;
	char *path;		/* absolute; NULL: by device and inode */
	char *device;
	const char *inode;	/* behind the device, in word */
	const char *word;	/* as it was given */
	bool has_part;
	uint64_t offset, length;
};

static void remark(const json_t *envelope, struct text *out)
{
	const json_t *exact = json_object_get(envelope, "exact");

	list_remark_processes(envelope, out);
	if (json_is_false(exact))
		text_printf(out, ", some perhaps of another file");
}

/* vmad has another working directory. Links stay: it follows them as the caller. */
static char *absolute(const char *word)
{
	char *directory, *path;

	if (*word == '/')
		return strdup(word);
	directory = get_current_dir_name();
	if (!directory || asprintf(&path, "%s/%s", directory, word) < 0)
		path = NULL;
	free(directory);
	return path;
}

static int parse_file(struct file *file, const char *word)
{
	size_t device_len;

	file->word = word;
	if (device_inode_parse(word, &device_len) == 0 && access(word, F_OK) < 0) {
		file->device = strndup(word, device_len);
		file->inode = word + device_len + 1;
	} else {
		file->path = absolute(word);
	}
	return file->path || file->device ? EXIT_DONE : trouble_oom(&file->session->trouble);
}

/* OFFSET means the page that holds it. */
static int parse_part(struct file *file, const char *word)
{
	struct address part;

	if (address_parse(word, &part) || part.form == ADDRESS_FILE) {
		trouble_set(&file->session->trouble, EXIT_USAGE, "'%s' is no part of a file", word);
		trouble_mend(&file->session->trouble,
			     "OFFSET, OFFSET+LENGTH or START-END: offsets in hex, a length like 64K");
		return EXIT_USAGE;
	}
	file->has_part = true;
	file->offset = part.start;
	file->length = part.form == ADDRESS_RANGE ? part.end - part.start : 1;
	return EXIT_DONE;
}

static int make_path(const struct file *file, enum route route, struct text *path)
{
	int r = query_begin(path, route, 0, 0);

	if (file->path)
		r |= query_add(path, "path", file->path);
	else
		r |= query_add(path, "device", file->device) | query_add(path, "inode", file->inode);
	if (file->has_part)
		r |= text_printf(path, "&offset=%" PRIu64 "&length=%" PRIu64, file->offset, file->length);
	if (route == ROUTE_file_mappings)
		r |= filter_query(&file->session->options.filter, path) | list_add_limit(file->session, path);
	query_end(path);
	return r;
}

static int print_size(const struct file *file, const json_t *object, const char *member, const char *before,
		      const char *after)
{
	const json_t *value = json_object_get(object, member);
	char human[SIZE_HUMAN_MAX];

	if (!value)
		return 0;
	size_human(number_value(value), human);
	if (file->session->options.bytes)
		return fprintf(output(), "%s%" PRIu64 "%s", before, number_value(value), after);
	return fprintf(output(), "%s%s%s", before, human, after);
}

/*
 * /usr/bin/bash   1.2M   fe:00 247101
 * cached   1.1M, 0B dirty, 0B in writeback; 12K evicted (cachestat)
 */
static int print_pages(const struct file *file, const json_t *pages)
{
	const json_t *record = json_object_get(pages, "file");
	char *path = escape_text(file->path, strlen(file->path));

	if (!path)
		return trouble_oom(&file->session->trouble);
	fputs(path, output());
	free(path);
	print_size(file, record, "size_bytes", "   ", "");
	fprintf(output(), "   %s %s\n", json_string_value(json_object_get(record, "device")),
		json_string_value(json_object_get(record, "inode")));
	if (file->has_part)
		fprintf(output(), "part     offset 0x%" PRIx64 ", %" PRIu64 " byte%s\n", file->offset, file->length,
			file->length == 1 ? "" : "s");
	print_size(file, pages, "cached_bytes", "cached   ", "");
	print_size(file, pages, "dirty_bytes", ", ", " dirty");
	print_size(file, pages, "writeback_bytes", ", ", " in writeback");
	print_size(file, pages, "evicted_bytes", "; ", " evicted");
	fprintf(output(), " (%s)\n\n", json_string_value(json_object_get(pages, "source")));
	return EXIT_DONE;
}

/* What is cached the kernel tells to fewer people than who maps it: EXIT_DENIED does not end the answer. */
static int show_pages(const struct file *file)
{
	struct session *s = file->session;
	struct text path = { 0 };
	struct question question = { .single = true, .subject = file->word };
	struct answer answer = { 0 };
	int code = make_path(file, ROUTE_file_pages, &path) ? trouble_oom(&s->trouble) : EXIT_DONE;

	question.path = path.p;
	if (code == EXIT_DONE && session_copies(s)) {
		code = fetch_copy(s, &question);
	} else if (code == EXIT_DONE) {
		code = fetch_records(s, &question, NULL, NULL, &answer);
		if (code == EXIT_DONE)
			code = print_pages(file, answer.envelope);
		if (code == EXIT_DONE)
			code = verdict_exit(&answer.verdict, file->word, &s->trouble);
		answer_free(&answer);
	}
	text_free(&path);
	return code;
}

static int show_mappings(const struct file *file, struct list *list)
{
	struct session *s = file->session;
	struct text path = { 0 };
	int code = make_path(file, ROUTE_file_mappings, &path) ? trouble_oom(&s->trouble) : EXIT_DONE;

	list->question = (struct question){ .path = path.p, .subject = file->word };
	if (code == EXIT_DONE)
		code = list_show(s, list);
	text_free(&path);
	return code;
}

/* Both answers; where the first one comes in part, or is not for this caller, the second one is shown all the same. */
static int show(const struct file *file, struct list *list)
{
	struct session *s = file->session;
	bool rows_only = !session_copies(s) && (s->options.noheadings || s->options.form == OUTPUT_RAW);
	int first = file->path && !rows_only ? show_pages(file) : EXIT_DONE, code;
	struct trouble before = s->trouble;

	if (first != EXIT_DONE && first != EXIT_DENIED && first != EXIT_PARTIAL)
		return first;
	code = show_mappings(file, list);
	if (code != EXIT_DONE || first == EXIT_DONE)
		return code;
	s->trouble = before;
	return s->trouble.code = EXIT_PARTIAL;
}

int verb_file(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "mapping", .plural = "mappings", .remark = remark };
	struct file file = { .session = s };
	int code;

	if (list_help(s, ROUTE_file_mappings))
		return EXIT_DONE;
	if (argc < 1 || argc > 2)
		return trouble_set(&s->trouble, EXIT_USAGE, "file: it takes a path, and at most one part of the file");
	code = list_columns(s, ROUTE_file_mappings, columns, &list);
	if (code == EXIT_DONE && argc == 2)
		code = parse_part(&file, argv[1]);
	if (code == EXIT_DONE)
		code = parse_file(&file, argv[0]);
	if (code == EXIT_DONE)
		code = show(&file, &list);
	free(file.path);
	free(file.device);
	return code;
}
