/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl rmap: every mapping of a page. */
#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "list.h"
#include "lookup.h"
#include "number.h"
#include "page_text.h"
#include "query.h"
#include "verbs.h"

/* "page 0x1a2b3c  referenced, uptodate, lru, mmap, anon, swapbacked; folio of 1 page; cgroup /user.slice; node 0" */
static int say_page(const json_t *envelope, struct text *out)
{
	const json_t *page = json_object_get(envelope, "page");
	const char *pfn = json_string_value(json_object_get(page, "pfn"));
	struct text place = { 0 };
	int r;

	if (!page)
		return 0;
	r = text_printf(out, "page %s  ", pfn ? pfn : "?") | page_text_flags(page, out) | page_text_place(page, &place);
	if (place.len)
		r |= text_printf(out, "; %s", place.p);
	text_free(&place);
	return r;
}

static const char *plural(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

/* The proof: what the frame's count says, and what was found. */
static int say_proof(const json_t *envelope, struct text *out)
{
	const json_t *page = json_object_get(envelope, "page"), *mapcount = json_object_get(page, "mapcount");
	uint64_t processes = number_member(envelope, "processes_found");
	int r = 0;

	if (!page)
		return 0;
	if (mapcount)
		r |= text_printf(out, "mapped %" PRIu64 " %s, ", number_value(mapcount),
				 plural(number_value(mapcount), "time", "times"));
	return r | text_printf(out, "found %" PRIu64 " in %" PRIu64 " %s: ", number_member(envelope, "mappings_found"),
			       processes, plural(processes, "process", "processes"));
}

static int show(struct session *s, enum route route, const struct place *place, uint64_t at)
{
	struct list list = { .noun = "mapping", .plural = "mappings", .of_others = true, .subject = say_page, .summary = say_proof };
	struct text path = { 0 };
	int code = list_columns(s, route, "pids,comm,address,range,perms,size,kind,mapping", &list), r;

	if (code != EXIT_DONE)
		return code;
	r = query_begin(&path, route, place->process.pid, at);
	if (place->process.start_time_ticks)
		r |= text_printf(&path, "&start_time_ticks=%" PRIu64, place->process.start_time_ticks);
	query_end(&path);
	list.question = (struct question){ .path = path.p, .subject = place->subject, .file = place->file };
	code = r ? trouble_oom(&s->trouble) : list_show(s, &list);
	text_free(&path);
	return code;
}

static int show_frame(struct session *s, const char *text)
{
	struct place frame = { .subject = "frame" };
	uint64_t pfn;

	if (address_parse_hex(text, &pfn))
		return trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not a page frame number in hex", text);
	snprintf(frame.subject, sizeof(frame.subject), "frame 0x%" PRIx64, pfn);
	return show(s, ROUTE_frame_mappings, &frame, pfn);
}

int verb_rmap(struct session *s, int argc, char **argv)
{
	struct address address;
	struct place place;
	uint64_t at;
	int code;

	if (list_help(s, ROUTE_mappings))
		return EXIT_DONE;
	if (argc == 1 && strncmp(argv[0], "pfn:", 4) == 0)
		return show_frame(s, argv[0] + 4);
	if (argc != 2)
		return trouble_set(&s->trouble, EXIT_USAGE, "rmap: it takes a target and an address, or pfn:PFN");
	if (address_parse(argv[1], &address))
		return trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not an address", argv[1]);
	code = lookup_place(s, argv[0], &place);
	if (code == EXIT_DONE && place.file)
		return trouble_set(&s->trouble, EXIT_USAGE, "rmap: a saved list does not tell who maps its pages");
	if (code == EXIT_DONE)
		code = lookup_address(s, &place, &address, &at);
	return code == EXIT_DONE ? show(s, ROUTE_mappings, &place, at) : code;
}
