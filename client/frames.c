/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl frames: page frames by kind, or one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "fetch.h"
#include "list.h"
#include "number.h"
#include "output.h"
#include "page_text.h"
#include "query.h"
#include "verbs.h"

#define DEADLINE_MS 30000	/* vmad's own two seconds are for some 10 million frames, if nobody else is busy */

static void remark(const json_t *envelope, struct text *out)
{
	text_printf(out, " of %" PRIu64 " frames", number_member(envelope, "total_page_count"));
}

static const struct kind {
	const char *by, *noun, *plural, *columns;
} kinds[] = {
	{ "flags", "kind", "kinds", "page_count,size_bytes,flags" },
	{ "node", "node", "nodes", "page_count,size_bytes,node" },
	{ "cgroup", "control group", "control groups", "page_count,size_bytes,cgroup" },
};

static const struct kind *find_kind(const char *by)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].by, by) == 0)
			return &kinds[i];
	return NULL;
}

static int show_all(struct session *s)
{
	struct list list = { .remark = remark };
	struct text path = { 0 };
	const struct kind *kind = find_kind(s->options.by ? s->options.by : kinds[0].by);
	int code, r;

	if (!kind)
		return trouble_set(&s->trouble, EXIT_USAGE, "--by: '%s' is none of flags, node, cgroup", s->options.by);
	code = list_columns(s, ROUTE_frames, kind->columns, &list);
	if (code != EXIT_DONE)
		return code;
	list.noun = kind->noun;
	list.plural = kind->plural;
	r = query_begin(&path, ROUTE_frames, 0, 0);
	if (s->options.by)
		r |= query_add(&path, "by", s->options.by);
	r |= text_printf(&path, "&deadline_ms=%d", DEADLINE_MS);
	query_end(&path);
	list.question = (struct question){ .path = path.p, .subject = "frames" };
	code = r ? trouble_oom(&s->trouble) : list_show(s, &list);
	text_free(&path);
	return code;
}

static int print_frame(struct session *s, const struct answer *answer)
{
	const json_t *frame = answer->envelope;
	const char *pfn = json_string_value(json_object_get(frame, "pfn"));
	uint64_t mapcount = number_member(frame, "mapcount");
	struct text flags = { 0 }, place = { 0 };
	int r = page_text_flags(frame, &flags) | page_text_place(frame, &place);

	if (r == 0)
		fprintf(output(), "frame %s  %s", pfn ? pfn : "?", flags.p);
	if (r == 0 && json_object_get(frame, "mapcount"))
		fprintf(output(), "; mapped %" PRIu64 " time%s", mapcount, mapcount == 1 ? "" : "s");
	if (r == 0)
		fprintf(output(), "%s%s\n", place.len ? "\n" : "", place.len ? place.p : "");
	text_free(&flags);
	text_free(&place);
	return r ? trouble_oom(&s->trouble) : output_flush(&s->trouble);
}

static int show_one(struct session *s, const char *text)
{
	struct text path = { 0 };
	struct answer answer = { 0 };
	char subject[32];
	uint64_t pfn;
	int code;

	if (address_parse_hex(text, &pfn))
		return trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not a page frame number in hex", text);
	snprintf(subject, sizeof(subject), "frame 0x%" PRIx64, pfn);
	code = query_begin(&path, ROUTE_frame, 0, pfn) ? trouble_oom(&s->trouble) : EXIT_DONE;
	query_end(&path);
	struct question question = { .path = path.p, .single = true, .subject = subject };

	if (code == EXIT_DONE && session_copies(s)) {
		code = fetch_copy(s, &question);
	} else if (code == EXIT_DONE) {
		code = fetch_records(s, &question, NULL, NULL, &answer);
		if (code == EXIT_DONE) {
			code = print_frame(s, &answer);
			answer_free(&answer);
		}
	}
	text_free(&path);
	return code;
}

int verb_frames(struct session *s, int argc, char **argv)
{
	if (list_help(s, ROUTE_frames))
		return EXIT_DONE;
	if (argc > 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "frames: it takes at most one page frame number");
	if (argc && s->options.by)
		return trouble_set(&s->trouble, EXIT_USAGE, "frames: --by is about all frames, not about one");
	return argc ? show_one(s, argv[0]) : show_all(s);
}
