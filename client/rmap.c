/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl rmap: every mapping of a page. */
#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "list.h"
#include "lookup.h"
#include "number.h"
#include "page_text.h"
#include "place.h"
#include "query.h"
#include "verbs.h"

/* What the helper module adds: "; file, index 0x4d, a_ops ext4_da_aops, referenced 3 times" */
static int say_module(const json_t *envelope, struct text *out)
{
	const char *kind = json_string_value(json_object_get(envelope, "page_kind"));
	const char *a_ops = json_string_value(json_object_get(envelope, "a_ops"));
	const json_t *index = json_object_get(envelope, "index_pages"), *references = json_object_get(envelope, "reference_count");
	int r = kind ? text_printf(out, "; %s", kind) : 0;

	if (index)
		r |= text_printf(out, ", index 0x%" PRIx64, number_value(index));
	if (a_ops)
		r |= text_printf(out, ", a_ops %s", a_ops);
	return references ? r | text_printf(out, ", reference count %" PRIu64, number_value(references)) : r;
}

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
	return r | say_module(envelope, out);
}

static const char *plural(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

/* The proof: what the frame's count says, and what was found. */
static int say_proof(const json_t *envelope, struct text *out)
{
	const json_t *page = json_object_get(envelope, "page"), *mapcount = json_object_get(page, "mapcount");
	uint64_t processes = number_member(envelope, "processes_found"),
		 candidates = number_member(envelope, "candidates_found");
	int r = 0;

	if (!page)
		return 0;
	if (mapcount)
		r |= text_printf(out, "mapped %" PRIu64 " %s, ", number_value(mapcount),
				 plural(number_value(mapcount), "time", "times"));
	r |= text_printf(out, "found %" PRIu64 " in %" PRIu64 " %s", number_member(envelope, "mappings_found"), processes,
			 plural(processes, "process", "processes"));
	if (candidates)
		r |= text_printf(out, " (and %" PRIu64 " %s)", candidates, plural(candidates, "candidate", "candidates"));
	return r | text_printf(out, ": ");
}

static const char mappings_only[] = "pids,comm,address,range,perms,size,kind,mapping";
static const char with_candidates[] = "state,pids,comm,address,range,perms,size,kind,mapping";

static int ask(const struct session *s, struct text *query)
{
	return s->options.candidates ? query_add(query, "candidates", "true") : 0;
}

static int show(struct session *s, enum route route, const struct place *place, uint64_t at)
{
	struct list list = { .noun = "mapping", .plural = "mappings", .of_others = true, .subject = say_page, .summary = say_proof };
	int code = list_columns(s, route, s->options.candidates ? with_candidates : mappings_only, &list);

	return code == EXIT_DONE ? place_show(s, place, route, at, ask, &list) : code;
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
	code = place_find(s, argv[0], &place);
	if (code == EXIT_DONE && place.file)
		return trouble_set(&s->trouble, EXIT_USAGE, "rmap: a saved list does not tell who maps its pages");
	if (code == EXIT_DONE)
		code = lookup_address(s, &place, &address, &at);
	return code == EXIT_DONE ? show(s, ROUTE_mappings, &place, at) : code;
}
