/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl find: VMAs of all processes that the caller may read. */
#include <inttypes.h>

#include "list.h"
#include "number.h"
#include "query.h"
#include "verbs.h"

static void remark(const json_t *envelope, struct text *out)
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

int verb_find(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "VMA", .plural = "VMAs", .remark = remark };
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
