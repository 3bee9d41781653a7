/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "target.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decimal.h"
#include "fetch.h"
#include "number.h"
#include "query.h"

enum { PID_MAX = 4194304, COMM_BYTES = 15 };

static int parse_pid(const char *text, struct target *ret, struct trouble *trouble)
{
	uint64_t pid;

	if (decimal_parse(text, PID_MAX, &pid) < 0 || pid == 0)
		return trouble_set(trouble, EXIT_USAGE, "'%s' is not a process id (1 to %d)", text, PID_MAX);
	*ret = (struct target){ TARGET_PID, (pid_t)pid, NULL };
	return EXIT_DONE;
}

static bool is_file(const char *text)
{
	struct stat st;

	return strcmp(text, "-") == 0 || strchr(text, '/') || (stat(text, &st) == 0 && !S_ISDIR(st.st_mode));
}

int target_parse(const char *text, struct target *ret, struct trouble *trouble)
{
	static const struct { const char *prefix; enum target_form form; } prefixes[] = {
		{ "name:", TARGET_NAME }, { "unit:", TARGET_UNIT },
	};

	if (*text && strspn(text, "0123456789") == strlen(text))
		return parse_pid(text, ret, trouble);
	if (strcmp(text, "self") == 0) {
		*ret = (struct target){ TARGET_PID, getpid(), NULL };
		return EXIT_DONE;
	}
	*ret = (struct target){ is_file(text) ? TARGET_FILE : TARGET_NAME, 0, text };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
			*ret = (struct target){ prefixes[i].form, 0, text + strlen(prefixes[i].prefix) };
	if (!*ret->word)
		return trouble_set(trouble, EXIT_USAGE, "'%s' is no target", text);
	return EXIT_DONE;
}

char *target_pattern(const struct target *target)
{
	struct text pattern = { 0 };

	if (target->form != TARGET_NAME || strlen(target->word) <= COMM_BYTES || strpbrk(target->word, "*?["))
		return strdup(target->word);
	/* what the kernel kept of it; its own threads may have longer names */
	text_printf(&pattern, "%.*s*", COMM_BYTES, target->word);
	return pattern.p;
}

bool target_match(const struct target *target, const json_t *process)
{
	const char *member = target->form == TARGET_UNIT ? "unit" : "comm";
	const char *value = json_string_value(json_object_get(process, member));
	char *pattern;
	bool match;

	if (target->form == TARGET_PID)
		return number_member(process, "pid") == (uint64_t)target->pid;
	pattern = target_pattern(target);
	match = pattern && value && fnmatch(pattern, value, 0) == 0;
	free(pattern);
	return match;
}

static int on_process(void *arg, const json_t *record, const json_t *head)
{
	struct processes *list = arg;
	struct process *longer = realloc(list->v, (list->count + 1) * sizeof(*longer));
	const char *comm = json_string_value(json_object_get(record, "comm"));
	struct process *process;

	(void)head;
	if (!longer)
		return EXIT_FAILED;
	list->v = longer;
	process = &list->v[list->count++];
	*process = (struct process){
		.pid = (pid_t)number_member(record, "pid"),
		.start_time_ticks = number_member(record, "start_time_ticks"),
	};
	snprintf(process->comm, sizeof(process->comm), "%s", comm ? comm : "");
	return EXIT_DONE;
}

/* Always by NDJSON, whatever the form of the answer that the person wants. */
static int ask(struct session *s, const char *path, struct processes *ret)
{
	struct question question = { .path = path };
	struct options options = s->options;
	struct answer answer = { 0 };
	int code;

	s->options.form = OUTPUT_TABLE;
	code = fetch_records(s, &question, on_process, ret, &answer);
	s->options = options;
	if (code == EXIT_DONE)
		code = verdict_exit(&answer.verdict, "processes", &s->trouble);
	answer_free(&answer);
	return code;
}

static int resolve_pattern(struct session *s, const struct target *target, struct processes *ret)
{
	const char *what = target->form == TARGET_UNIT ? "unit" : "comm";
	char *pattern = target_pattern(target);
	struct text path = { 0 };
	int code;

	if (!pattern || query_begin(&path, ROUTE_processes, 0, 0) || query_add(&path, what, pattern)) {
		code = trouble_oom(&s->trouble);
	} else {
		query_end(&path);
		code = ask(s, path.p, ret);
	}
	free(pattern);
	text_free(&path);
	if (code == EXIT_DONE && ret->count == 0)
		code = trouble_set(&s->trouble, EXIT_MISSING, target->form == TARGET_UNIT ?
				   "unit %s: no such process" : "%s: no process of that name", target->word);
	return code;
}

int target_resolve(struct session *s, const struct target *target, struct processes *ret)
{
	int code;

	*ret = (struct processes){ 0 };
	if (target->form != TARGET_PID) {
		code = resolve_pattern(s, target, ret);
		if (code != EXIT_DONE)
			processes_free(ret);
		return code;
	}
	ret->v = calloc(1, sizeof(*ret->v));
	if (!ret->v)
		return trouble_oom(&s->trouble);
	ret->v[0].pid = target->pid;
	ret->count = 1;
	return EXIT_DONE;
}

int target_resolve_one(struct session *s, const struct target *target, struct process *ret)
{
	struct processes list;
	int code = target_resolve(s, target, &list);

	if (code != EXIT_DONE)
		return code;
	*ret = list.v[0];
	if (list.count > 1) {
		code = trouble_set(&s->trouble, EXIT_USAGE, "%s: %zu processes; say which", target->word, list.count);
		for (size_t i = 0; i < list.count; i++)
			trouble_note("%s: pid %d, %s", target->word, list.v[i].pid, list.v[i].comm);
	}
	processes_free(&list);
	return code;
}

void processes_free(struct processes *list)
{
	free(list->v);
	*list = (struct processes){ 0 };
}
