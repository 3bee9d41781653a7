/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl gaps: the unmapped areas of a process, and where its next mmap would go. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "number.h"
#include "output.h"
#include "place.h"
#include "size.h"
#include "verbs.h"

/* A value of the answer as text that is fit for a terminal; addresses without 0x. The caller frees it. */
static char *safe(const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return NULL;
	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	return escape_text(text, strlen(text));
}

static void print_size(uint64_t bytes, const struct cell_style *style, FILE *out)
{
	char human[SIZE_HUMAN_MAX];

	size_human(bytes, human);
	if (style->bytes)
		fprintf(out, "%" PRIu64, bytes);
	else
		fputs(human, out);
}

/* "7f0fe0000000", or, where it is not certain, "7f0fe0000000 or 7f0fd0000000". */
static void print_addresses(const json_t *placement, FILE *out)
{
	const json_t *candidates = json_object_get(placement, "candidates"), *candidate;
	char *start = safe(json_object_get(placement, "start"));
	size_t i;

	fputs(start ? start : "?", out);
	free(start);
	json_array_foreach(candidates, i, candidate) {
		char *other = i ? safe(candidate) : NULL;

		if (other)
			fprintf(out, " or %s", other);
		free(other);
	}
}

static void print_verdict(const json_t *placement, FILE *out)
{
	char *error_name = safe(json_object_get(placement, "errno"));

	if (error_name) {
		fprintf(out, "would be refused (%s)", error_name);
	} else {
		fputs("would be placed at ", out);
		print_addresses(placement, out);
	}
	fprintf(out, ": %s\n", json_is_true(json_object_get(placement, "certain")) ? "certain" : "not certain");
	free(error_name);
}

static void print_placement(const json_t *envelope, const struct cell_style *style, FILE *out)
{
	const json_t *placement = json_object_get(envelope, "placement"), *why = json_object_get(placement, "why"), *line;
	size_t i;

	if (!placement)
		return;
	fputs("an mmap of ", out);
	print_size(number_member(placement, "length_bytes"), style, out);
	fputs(" (private, anonymous, no hint", out);
	if (json_object_get(placement, "align_bytes")) {
		fputs("; trimmed to a multiple of ", out);
		print_size(number_member(placement, "align_bytes"), style, out);
	}
	fputs(") ", out);
	print_verdict(placement, out);
	json_array_foreach(why, i, line) {
		char *text = safe(line);

		fprintf(out, "  %s\n", text ? text : "?");
		free(text);
	}
}

static void remark(const json_t *envelope, struct text *out)
{
	const json_t *largest = json_object_get(envelope, "largest");
	char *start = safe(json_object_get(largest, "start")), size[SIZE_HUMAN_MAX];

	if (!start)
		return;
	size_human(number_member(largest, "size_bytes"), size);
	text_printf(out, ", the largest %s at %s", size, start);
	free(start);
}

static int ask(const struct session *s, struct text *query)
{
	int r = 0;

	if (s->options.has_length)
		r |= text_printf(query, "&length=%" PRIu64, s->options.length);
	if (s->options.has_align)
		r |= text_printf(query, "&align=%" PRIu64, s->options.align);
	return r | list_add_limit(s, query);
}

int verb_gaps(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "gap", .plural = "gaps", .preface = print_placement, .remark = remark };

	if (list_help(s, ROUTE_gaps))
		return EXIT_DONE;
	if (argc != 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "gaps: it takes one target");
	if (s->options.has_align && !s->options.has_length)
		return trouble_set(&s->trouble, EXIT_USAGE, "--align says nothing without --length");
	return place_show_target(s, argv[0], ROUTE_gaps, "start,end,size_bytes,reason", ask, &list);
}
