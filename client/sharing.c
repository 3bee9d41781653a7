/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl sharing: with whom a process shares memory. */
#include <inttypes.h>

#include "list.h"
#include "number.h"
#include "query.h"
#include "size.h"
#include "target.h"
#include "verbs.h"

/* vmad's own default is for programs that ask often; who waits at a terminal sees that it goes on. */
#define DEADLINE_MS 30000

/* " share 10M of its 20.6M (USS 10.5M, PSS 14.6M)" */
static void remark(const json_t *envelope, struct text *out)
{
	static const struct { const char *member, *words; } rows[] = {
		{ "shared_with_others_bytes", " share " }, { "rss_bytes", " of its " }, { "uss_bytes", " (USS " },
		{ "pss_bytes", ", PSS " },
	};
	char size[SIZE_HUMAN_MAX];
	bool closed = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!json_object_get(envelope, rows[i].member))
			continue;
		size_human(number_member(envelope, rows[i].member), size);
		text_printf(out, "%s%s", rows[i].words, size);
		closed = i < 2;
	}
	if (!closed)
		text_printf(out, ")");
}

static int show_process(struct session *s, const struct target *target, struct list *list)
{
	struct text path = { 0 };
	struct process process;
	char subject[32];
	int code = target_resolve_one(s, target, &process), r;

	if (code != EXIT_DONE)
		return code;
	snprintf(subject, sizeof(subject), "process %d", process.pid);
	r = query_begin(&path, ROUTE_sharing, process.pid, 0);
	r |= text_printf(&path, "&deadline_ms=%d", DEADLINE_MS);
	if (process.start_time_ticks)
		r |= text_printf(&path, "&start_time_ticks=%" PRIu64, process.start_time_ticks);
	query_end(&path);
	list->question = (struct question){ .path = path.p, .subject = subject };
	code = r ? trouble_oom(&s->trouble) : list_show(s, list);
	text_free(&path);
	return code;
}

int verb_sharing(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "process", .plural = "processes", .of_others = true, .remark = remark };
	struct target target;
	int code;

	if (list_help(s, ROUTE_sharing))
		return EXIT_DONE;
	if (argc != 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "sharing: it takes one target");
	code = list_columns(s, ROUTE_sharing, "pids,comm,shared_bytes,origins", &list);
	if (code == EXIT_DONE)
		code = target_parse(argv[0], &target, &s->trouble);
	if (code != EXIT_DONE)
		return code;
	if (target.form != TARGET_FILE)
		return show_process(s, &target, &list);
	list.question.file = target.word;
	return list_show(s, &list);
}
