/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "number.h"
#include "output.h"
#include "table.h"
#include "watch.h"

struct rows {
	struct session *session;
	struct list *list;
	struct table *table;
};

bool list_help(const struct session *s, enum route route)
{
	if (!s->options.columns || strcmp(s->options.columns, "help") != 0)
		return false;
	columns_help(route, output());
	return true;
}

int list_columns(struct session *s, enum route route, const char *defaults, struct list *list)
{
	const char *sort = s->options.sort;
	int code = columns_choose(route, defaults, s->options.columns, &list->columns, &s->trouble);

	list->sort = NULL;
	if (code != EXIT_DONE || !sort)
		return code;
	sort += *sort == '-' || *sort == '+';
	list->sort = columns_find(route, sort, strlen(sort));
	if (list->sort)
		return EXIT_DONE;
	trouble_set(&s->trouble, EXIT_USAGE, "--sort: unknown column '%s'", sort);
	trouble_mend(&s->trouble, "-o help lists the columns");
	return EXIT_USAGE;
}

void list_remark_processes(const json_t *envelope, struct text *out)
{
	static const struct { const char *member, *words; } rows[] = {
		{ "processes_unreadable", "not readable" },
		{ "processes_gone", "ended meanwhile" },
	};
	const json_t *read = json_object_get(envelope, "processes_read");

	if (!read)
		return;
	text_printf(out, " in %" PRIu64 " process%s read", number_value(read), number_value(read) == 1 ? "" : "es");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t n = number_member(envelope, rows[i].member);

		if (n)
			text_printf(out, ", %" PRIu64 " %s", n, rows[i].words);
	}
}

int list_add_limit(const struct session *s, struct text *path)
{
	bool all = !s->options.limit || (s->options.sort && !session_copies(s));

	return all ? 0 : text_printf(path, "&limit=%" PRIu64, s->options.limit);
}

static int add_row(void *arg, const json_t *record, const json_t *head)
{
	struct rows *rows = arg;

	return table_add(rows->table, record, rows->list->of_others ? NULL : head)
		? trouble_oom(&rows->session->trouble) : EXIT_DONE;
}

static int on_record(void *arg, const json_t *record, const json_t *head)
{
	struct rows *rows = arg;
	struct list *list = rows->list;

	/* a running vmad has filtered already; a saved document has not been */
	if (list->question.file && !filter_match(&rows->session->options.filter, record, head))
		return EXIT_DONE;
	if (list->accept && !list->accept(list->arg, record))
		return EXIT_DONE;
	return add_row(rows, record, head);
}

/* "process 4242, nginx: 97 VMAs, " */
static int say_count(const struct list *list, const json_t *envelope, size_t count, struct text *out)
{
	const char *comm = json_string_value(json_object_get(envelope, "comm"));
	int r = 0;

	if (json_object_get(envelope, "pid"))
		r |= text_printf(out, "process %" PRIu64 "%s%s: ", number_member(envelope, "pid"), comm ? ", " : "",
				 comm ? comm : "");
	r |= text_printf(out, "%zu %s", count, count == 1 ? list->noun : list->plural);
	if (list->remark)
		list->remark(envelope, out);
	return r | text_append(out, ", ", 2);
}

/* One line, with what a process chose itself made fit for a terminal. It takes the text over. failed: out of memory. */
static int print_line(struct session *s, struct text *line, int failed)
{
	char *safe = failed ? NULL : escape_text(line->p ? line->p : "", line->len);
	int code = EXIT_DONE;

	text_free(line);
	if (!safe)
		return trouble_oom(&s->trouble);
	if (fprintf(output(), "%s\n", safe) < 0)
		code = output_flush(&s->trouble);
	free(safe);
	return code;
}

/* "process 4242, nginx: 97 VMAs, complete (maps)" */
static int print_summary(struct session *s, const struct list *list, const struct answer *answer, size_t count)
{
	struct text line = { 0 };
	int code = EXIT_DONE, r = list->subject ? list->subject(answer->envelope, &line) : 0;

	if (r || line.len)
		code = print_line(s, &line, r);
	if (code != EXIT_DONE)
		return code;
	r = list->summary ? list->summary(answer->envelope, &line) : say_count(list, answer->envelope, count, &line);
	r |= verdict_say(&answer->verdict, &line);
	code = print_line(s, &line, r);
	if (code == EXIT_DONE && list->banner)
		code = list->banner(list->arg, answer->envelope);
	if (code == EXIT_DONE && count)
		fputc('\n', output());
	return code;
}

static int print(struct session *s, struct list *list, struct table *table, struct answer *answer)
{
	size_t removed = table_arrange(table, s->options.limit), rows = table_rows(table), hidden = 0;
	bool bare = s->options.noheadings || s->options.form == OUTPUT_RAW;
	int code = EXIT_DONE;

	if (removed && answer->verdict.complete) {
		answer->verdict.complete = false;
		answer->verdict.limited = true;
	} else if (removed && !answer->verdict.limited) {
		answer->verdict.cut = true;
	}
	if (!bare && list->preface) {
		struct cell_style style = session_style(s);

		list->preface(answer->envelope, &style, output());
	}
	if (!bare && (rows || !list->silent_if_empty))
		code = print_summary(s, list, answer, rows);
	if (watch_screen_rows())
		hidden = table_arrange(table, watch_screen_rows());
	if (code == EXIT_DONE && table_print(table) && !output_lost())
		code = trouble_oom(&s->trouble);
	if (hidden)
		fprintf(output(), "%zu more do not fit on this screen\n", hidden);
	return code == EXIT_DONE ? output_flush(&s->trouble) : code;
}

static int show_table(struct session *s, struct list *list)
{
	struct rows rows = { .session = s, .list = list, .table = table_new(&list->columns, list->sort, &s->options) };
	const char *subject = list->question.subject ? list->question.subject : list->question.file;
	struct answer answer = { 0 };
	int code;

	if (!rows.table)
		return trouble_oom(&s->trouble);
	code = fetch_records(s, &list->question, on_record, &rows, &answer);
	if (code == EXIT_DONE) {
		code = list->gather ? list->gather(list->arg, add_row, &rows) : EXIT_DONE;
		if (code == EXIT_DONE)
			code = print(s, list, rows.table, &answer);
		if (code == EXIT_DONE)
			code = verdict_exit(&answer.verdict, subject ? subject : list->plural, &s->trouble);
		answer_free(&answer);
	}
	table_free(rows.table);
	return code;
}

int list_show(struct session *s, struct list *list)
{
	if (!session_copies(s))
		return show_table(s, list);
	if (s->options.columns || s->options.sort)
		trouble_note("--json and --ndjson print what vmad answers, unchanged: -o and --sort have no effect");
	return fetch_copy(s, &list->question);
}
