/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl maps: the VMAs of processes. */
#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "list.h"
#include "output.h"
#include "query.h"
#include "target.h"
#include "verbs.h"

static const char plain[] = "range,perms,size_bytes,offset_bytes,kind,mapping";
static const char with_usage[] = "range,perms,size_bytes,rss_bytes,pss_bytes,private_dirty_bytes,swap_bytes,kind,mapping";
static const char with_kernel[] = "range,perms,size_bytes,pgoff_pages,vm_flags,kind,ops,mapping";
/* rows of several processes with no line above that says whose they are */
static const char plain_of_many[] = "pid,range,perms,size_bytes,offset_bytes,kind,mapping";
static const char with_usage_of_many[] =
	"pid,range,perms,size_bytes,rss_bytes,pss_bytes,private_dirty_bytes,swap_bytes,kind,mapping";

static const char with_kernel_of_many[] = "pid,range,perms,size_bytes,pgoff_pages,vm_flags,kind,ops,mapping";

struct maps {
	struct session *session;
	struct list list;
	size_t shown;	/* lists so far */
};

static const char *default_columns(const struct session *s, bool many)
{
	bool bare = s->options.noheadings || s->options.form == OUTPUT_RAW;

	if (many && bare)
		return s->options.kernel ? with_kernel_of_many : s->options.usage ? with_usage_of_many : plain_of_many;
	return s->options.kernel ? with_kernel : s->options.usage ? with_usage : plain;
}

static int make_path(const struct maps *maps, const struct process *process, struct text *path)
{
	const struct session *s = maps->session;
	int r = query_begin(path, ROUTE_vmas, process->pid, 0);

	if (s->options.usage)
		r |= query_add(path, "detail", "usage");
	if (s->options.kernel)
		r |= query_add(path, "detail", "kernel");
	if (process->start_time_ticks)
		r |= text_printf(path, "&start_time_ticks=%" PRIu64, process->start_time_ticks);
	r |= filter_query(&s->options.filter, path) | list_add_limit(s, path);
	query_end(path);
	return r;
}

static int show(struct maps *maps, struct question question)
{
	bool bare = maps->session->options.noheadings || maps->session->options.form != OUTPUT_TABLE;

	if (maps->shown++ && !bare)
		fputc('\n', output());
	maps->list.question = question;
	return list_show(maps->session, &maps->list);
}

static int show_process(struct maps *maps, const struct process *process)
{
	struct text path = { 0 };
	char subject[32];
	int code;

	snprintf(subject, sizeof(subject), "process %d", process->pid);
	if (make_path(maps, process, &path))
		code = trouble_oom(&maps->session->trouble);
	else
		code = show(maps, (struct question){ .path = path.p, .subject = subject });
	text_free(&path);
	return code;
}

static int show_target(struct maps *maps, const struct target *target)
{
	struct processes processes;
	int code;

	if (target->form == TARGET_FILE)
		return show(maps, (struct question){ .file = target->word });
	code = target_resolve(maps->session, target, &processes);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; i < processes.count && code == EXIT_DONE; i++)
		code = show_process(maps, &processes.v[i]);
	processes_free(&processes);
	return code;
}

/* The last word may be a range; returns how many words are targets. */
static int take_range(struct session *s, int argc, char **argv)
{
	struct address range;

	if (argc < 2 || address_parse(argv[argc - 1], &range) || range.form != ADDRESS_RANGE)
		return argc;
	s->options.filter.has_start = s->options.filter.has_end = true;
	s->options.filter.start = range.start;
	s->options.filter.end = range.end;
	return argc - 1;
}

/*
 * Each target in turn: one that fails does not keep the others away. Ends with the first trouble's code and the last
 * one's words; the words of those between are said at once.
 */
static int show_all(struct maps *maps, int argc, char **argv)
{
	struct session *s = maps->session;
	int first = EXIT_DONE, code = EXIT_DONE;

	for (int i = 0; i < argc && code >= 0 && code != EXIT_UNREACHABLE; i++) {
		struct trouble before = s->trouble;
		struct target target;

		code = target_parse(argv[i], &target, &s->trouble);
		if (code == EXIT_DONE)
			code = show_target(maps, &target);
		if (code > 0 && first > 0)
			trouble_print(&before);
		if (code > 0 && first == EXIT_DONE)
			first = code;
	}
	return code < 0 ? code : first;
}

static bool wants(const struct list *list, enum record record)
{
	return columns_include(&list->columns, record) || (list->sort && list->sort->record == record);
}

int verb_maps_with(struct session *s, int argc, char **argv, const char *columns)
{
	struct maps maps = { .session = s, .list = { .noun = "VMA", .plural = "VMAs" } };
	int code;

	if (list_help(s, ROUTE_vmas))
		return EXIT_DONE;
	argc = take_range(s, argc, argv);
	if (argc == 0)
		return trouble_set(&s->trouble, EXIT_USAGE, "maps: which process?");
	code = list_columns(s, ROUTE_vmas, columns ? columns : default_columns(s, argc > 1), &maps.list);
	if (code != EXIT_DONE)
		return code;
	/* to ask for such a column is to ask for the walk, or for the module */
	s->options.usage |= wants(&maps.list, RECORD_usage);
	s->options.kernel |= wants(&maps.list, RECORD_kernel);
	if (s->options.usage && s->options.kernel)
		return trouble_set(&s->trouble, EXIT_USAGE, "maps: what smaps and what the module knows are two answers: "
				   "--usage and --kernel exclude each other, and so do their columns");
	return show_all(&maps, argc, argv);
}

int verb_maps(struct session *s, int argc, char **argv)
{
	return verb_maps_with(s, argc, argv, NULL);
}
