/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "page_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "number.h"

static const struct { const char *name, *help; } states[] = {
#define PAGESTATE(id, name, help) { name, help },
#include "vmad/pagestates.def"
#undef PAGESTATE
}, flags[] = {
#define PAGEFLAG(id, name, help) { name, help },
#include "vmad/pageflags.def"
#undef PAGEFLAG
};

static bool has_flag(const json_t *record, const char *name)
{
	const json_t *words = json_object_get(record, "flags"), *word;
	size_t i;

	json_array_foreach(words, i, word) {
		if (json_is_string(word) && strcmp(json_string_value(word), name) == 0)
			return true;
	}
	return false;
}

/* `begin` stands in front of the first one. */
static int append_words(const json_t *words, const char *begin, struct text *out)
{
	const json_t *word;
	size_t i;
	int r = 0;

	json_array_foreach(words, i, word) {
		r |= text_printf(out, "%s%s", i ? ", " : begin, json_is_string(word) ? json_string_value(word) : "?");
	}
	return r;
}

int page_text_flags(const json_t *frame, struct text *out)
{
	const json_t *words = json_object_get(frame, "flags");

	return json_array_size(words) ? append_words(words, "", out) : text_printf(out, "no flags");
}

static int append_folio(const json_t *frame, struct text *out)
{
	uint64_t count = number_member(frame, "folio_page_count");
	const char *head = json_string_value(json_object_get(frame, "folio_head_pfn"));

	if (count == 1)
		return text_printf(out, "folio of 1 page");
	return text_printf(out, "folio of %" PRIu64 " pages from frame %s, this is number %" PRIu64, count, head ? head : "?",
			   number_member(frame, "folio_index"));
}

/* A group's name is its owner's choice, so it is escaped. */
static int append_group(const json_t *frame, const char *separator, struct text *out)
{
	char *path = cell_string(frame, "cgroup", &(struct cell_style){ 0 });
	const char *inode = json_string_value(json_object_get(frame, "cgroup_inode"));
	int r;

	if (path)
		r = text_printf(out, "%scgroup %s", separator, path);
	else
		r = text_printf(out, "%scgroup with inode %s", separator, inode ? inode : "?");
	free(path);
	return r;
}

int page_text_place(const json_t *frame, struct text *out)
{
	const char *separator = "";
	int r = 0;

	if (json_object_get(frame, "folio_page_count")) {
		r |= append_folio(frame, out);
		separator = "; ";
	}
	if (json_object_get(frame, "cgroup_inode")) {
		r |= append_group(frame, separator, out);
		separator = "; ";
	}
	if (json_object_get(frame, "node"))
		r |= text_printf(out, "%snode %" PRIu64, separator, number_member(frame, "node"));
	return r;
}

/* What is present and neither a file's nor shared is anonymous; of a file's VMA that is a copy, made by a write. */
static int append_backing(const json_t *page, const json_t *vma, struct text *out)
{
	const char *kind = json_string_value(json_object_get(vma, "kind"));
	bool copy = kind && strcmp(kind, "private-file") == 0;

	if (has_flag(page, "file") || has_flag(page, "zero"))
		return 0;
	return text_printf(out, copy ? ", anonymous (a private copy of the file's page)" : ", anonymous");
}

static int append_helps(const json_t *page, const char *state, struct text *out)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, "pfn-mapping") == 0 && has_flag(page, flags[i].name))
			return text_printf(out, ": %s", flags[i].help);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].name, state) == 0)
			return text_printf(out, ": %s", states[i].help);
	return 0;
}

int page_text_state(const json_t *page, const json_t *vma, struct text *out)
{
	const char *state = json_string_value(json_object_get(page, "state"));
	int r;

	if (!state)
		return 0;
	r = text_printf(out, "%s", state);
	if (strcmp(state, "present") == 0)
		r |= append_backing(page, vma, out);
	r |= append_words(json_object_get(page, "flags"), ", ", out);
	return strcmp(state, "present") && strcmp(state, "swapped") ? r | append_helps(page, state, out) : r;
}
