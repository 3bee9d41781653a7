/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl find: VMAs of all processes that the caller may read. */
#include "list.h"
#include "query.h"
#include "verbs.h"

int verb_find(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "VMA", .plural = "VMAs", .remark = list_remark_processes };
	struct text path = { 0 };
	int code, r;

	if (list_help(s, ROUTE_host_vmas))
		return EXIT_DONE;
	if (argc > 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "find: '%s': it takes options, and at most one saved document",
				   argv[1]);
	code = list_columns(s, ROUTE_host_vmas, "pid,comm,range,perms,size_bytes,kind,mapping", &list);
	if (code != EXIT_DONE)
		return code;
	r = query_begin(&path, ROUTE_host_vmas, 0, 0) | filter_query(&s->options.filter, &path) | list_add_limit(s, &path);
	query_end(&path);
	list.question = (struct question){ .path = path.p, .file = argc ? argv[0] : NULL };
	code = r ? trouble_oom(&s->trouble) : list_show(s, &list);
	text_free(&path);
	return code;
}
