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
#include "query.h"
#include "verbs.h"

static void remark(const json_t *envelope, struct text *out)
{
	text_printf(out, " of %" PRIu64 " frames", number_member(envelope, "total_page_count"));
}

static int show_all(struct session *s)
{
	struct list list = { .noun = "kind", .plural = "kinds", .remark = remark };
	struct text path = { 0 };
	int code = list_columns(s, ROUTE_frames, "page_count,size_bytes,flags", &list), r;

	if (code != EXIT_DONE)
		return code;
	r = query_begin(&path, ROUTE_frames, 0, 0);
	query_end(&path);
	list.question = (struct question){ .path = path.p, .subject = "frames" };
	code = r ? trouble_oom(&s->trouble) : list_show(s, &list);
	text_free(&path);
	return code;
}

static int print_frame(struct session *s, const struct answer *answer)
{
	const json_t *flags = json_object_get(answer->envelope, "flags"), *flag;
	const char *pfn = json_string_value(json_object_get(answer->envelope, "pfn"));
	size_t i;

	fprintf(output(), "frame %s  ", pfn ? pfn : "?");
	json_array_foreach(flags, i, flag) {
		fprintf(output(), "%s%s", i ? ", " : "", json_is_string(flag) ? json_string_value(flag) : "?");
	}
	if (!json_array_size(flags))
		fputs("no flags", output());
	if (json_object_get(answer->envelope, "mapcount"))
		fprintf(output(), "; mapped %" PRIu64 " times", number_member(answer->envelope, "mapcount"));
	fputc('\n', output());
	return output_flush(&s->trouble);
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
	return argc ? show_one(s, argv[0]) : show_all(s);
}
