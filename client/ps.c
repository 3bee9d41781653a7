/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl ps: processes, and how many VMAs they have of those that they may have. */
#include <inttypes.h>
#include <stdlib.h>

#include "list.h"
#include "number.h"
#include "query.h"
#include "target.h"
#include "verbs.h"

/* Who waits at a terminal sees that it goes on; vmad's own default is for programs that ask often. */
#define USAGE_DEADLINE_MS 30000

struct chosen {
	struct target *targets;
	size_t *found;	/* how many processes each of them meant */
	size_t count;
};

static bool is_chosen(void *arg, const json_t *record)
{
	struct chosen *chosen = arg;
	bool match = false;

	for (size_t i = 0; i < chosen->count; i++)
		if (target_match(&chosen->targets[i], record)) {
			chosen->found[i]++;
			match = true;
		}
	return match || chosen->count == 0;
}

static void remark(const json_t *envelope, struct text *out)
{
	const json_t *limit = json_object_get(envelope, "vma_limit");

	if (limit)
		text_printf(out, ", each may have %" PRIu64 " VMAs (vm.max_map_count)", number_value(limit));
}

static int make_path(struct session *s, const struct chosen *chosen, struct text *path)
{
	/* one target is a filter that vmad knows; several are picked here */
	const struct target *only = chosen->count == 1 ? chosen->targets : NULL;
	int r = query_begin(path, ROUTE_processes, 0, 0);

	if (s->options.usage)
		r |= query_add(path, "detail", "usage") | text_printf(path, "&deadline_ms=%d", USAGE_DEADLINE_MS);
	else if (!s->options.no_vmas)
		r |= query_add(path, "detail", "vmas");
	r |= filter_query(&s->options.filter, path);
	if (only && only->form == TARGET_NAME && !s->options.filter.comm) {
		char *pattern = target_pattern(only);

		r |= pattern ? query_add(path, "comm", pattern) : -1;
		free(pattern);
	}
	if (only && only->form == TARGET_UNIT && !s->options.filter.unit)
		r |= query_add(path, "unit", only->word);
	if (chosen->count == 0)
		r |= list_add_limit(s, path);
	query_end(path);
	return r ? trouble_oom(&s->trouble) : EXIT_DONE;
}

/* A target that meant nobody is an error, though the others were shown. */
static int missing(struct session *s, const struct chosen *chosen)
{
	for (size_t i = 0; i < chosen->count; i++) {
		const struct target *target = &chosen->targets[i];

		if (chosen->found[i])
			continue;
		if (target->form == TARGET_PID)
			return trouble_set(&s->trouble, EXIT_MISSING, "process %d: no such process", target->pid);
		return trouble_set(&s->trouble, EXIT_MISSING, "%s: no such process", target->word);
	}
	return EXIT_DONE;
}

static int show_list(struct session *s, struct list *list, struct chosen *chosen)
{
	struct text path = { 0 };
	int code = make_path(s, chosen, &path);

	list->question.path = path.p;
	list->silent_if_empty = chosen->count > 0;	/* then there is an error to come */
	list->accept = is_chosen;
	list->arg = chosen;
	if (code == EXIT_DONE)
		code = list_show(s, list);
	if (code == EXIT_DONE && !session_copies(s))
		code = missing(s, chosen);
	text_free(&path);
	return code;
}

/* vmad's own document about each process: there is none about several. */
static int copy_each(struct session *s, const struct target *target)
{
	struct processes processes;
	int code = target_resolve(s, target, &processes);

	for (size_t i = 0; code == EXIT_DONE && i < processes.count; i++) {
		struct text path = { 0 };
		char subject[32];

		snprintf(subject, sizeof(subject), "process %d", processes.v[i].pid);
		if (query_begin(&path, ROUTE_process, processes.v[i].pid, 0) ||
		    (s->options.usage && query_add(&path, "detail", "usage"))) {
			code = trouble_oom(&s->trouble);
		} else {
			query_end(&path);
			code = fetch_copy(s, &(struct question){ .path = path.p, .subject = subject, .single = true });
		}
		text_free(&path);
	}
	processes_free(&processes);
	return code;
}

static int show_targets(struct session *s, struct list *list, struct chosen *chosen)
{
	int code = EXIT_DONE;

	if (chosen->count == 1 && chosen->targets[0].form == TARGET_FILE) {
		list->question.file = chosen->targets[0].word;
		return list_show(s, list);
	}
	for (size_t i = 0; i < chosen->count; i++)
		if (chosen->targets[i].form == TARGET_FILE)
			return trouble_set(&s->trouble, EXIT_USAGE, "%s: a saved document stands alone",
					   chosen->targets[i].word);
	if (chosen->count == 0 || !session_copies(s))
		return show_list(s, list, chosen);
	for (size_t i = 0; i < chosen->count && code == EXIT_DONE; i++)
		code = copy_each(s, &chosen->targets[i]);
	return code;
}

static const char *usual_columns(const struct options *options)
{
	if (options->usage)
		return "pid,user,comm,vm_size_bytes,rss_bytes,pss_bytes,private_dirty_bytes,swap_bytes,unit";
	if (options->no_vmas)
		return "pid,user,comm,vm_size_bytes,rss_bytes,swap_bytes,unit";
	return "pid,user,comm,vma_count,vma_limit_ratio,vm_size_bytes,rss_bytes,swap_bytes,unit";
}

int verb_ps(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "process", .plural = "processes", .remark = remark };
	struct chosen chosen = { .count = (size_t)argc };
	const char *defaults = usual_columns(&s->options);
	int code;

	if (list_help(s, ROUTE_processes))
		return EXIT_DONE;
	code = list_columns(s, ROUTE_processes, defaults, &list);
	if (code != EXIT_DONE)
		return code;
	chosen.targets = calloc(chosen.count + 1, sizeof(*chosen.targets));
	chosen.found = calloc(chosen.count + 1, sizeof(*chosen.found));
	if (!chosen.targets || !chosen.found)
		code = trouble_oom(&s->trouble);
	for (int i = 0; i < argc && code == EXIT_DONE; i++)
		code = target_parse(argv[i], &chosen.targets[i], &s->trouble);
	if (code == EXIT_DONE)
		code = show_targets(s, &list, &chosen);
	free(chosen.targets);
	free(chosen.found);
	return code;
}
