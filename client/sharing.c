/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl sharing: with whom a process shares memory. */
#include "number.h"
#include "place.h"
#include "size.h"
#include "verbs.h"

/* vmad's own default is for programs that ask often; who waits at a terminal sees that it goes on. */
#define DEADLINE_MS 30000

/* " sharing 10M of its 20.6M (USS 10.5M, PSS 14.6M)" */
static void remark(const json_t *envelope, struct text *out)
{
	static const struct { const char *member, *words; } rows[] = {
		{ "shared_with_others_bytes", " sharing " }, { "rss_bytes", " of its " }, { "uss_bytes", " (USS " },
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

static int ask(const struct session *s, struct text *query)
{
	(void)s;
	return text_printf(query, "&deadline_ms=%d", DEADLINE_MS);
}

int verb_sharing(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "process", .plural = "processes", .of_others = true, .remark = remark };

	if (list_help(s, ROUTE_sharing))
		return EXIT_DONE;
	if (argc != 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "sharing: it takes one target");
	return place_show_target(s, argv[0], ROUTE_sharing, "pids,comm,shared_bytes,origins", ask, &list);
}
