/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl show: explains one address. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns.h"
#include "escape.h"
#include "fetch.h"
#include "list.h"
#include "lookup.h"
#include "number.h"
#include "ops_text.h"
#include "output.h"
#include "page_text.h"
#include "size.h"
#include "verbs.h"

static const struct { const char *flag, *help; } vmflags[] = {
#define VMFLAG(flag, help) { flag, help },
#include "vmad/vmflags.def"
#undef VMFLAG
};

struct show {
	struct session *session;
	struct cell_style style;
	const json_t *lookup;
	const json_t *vma;	/* NULL: a gap, or nothing */
	uint64_t address;
};

static const char *string_or(const json_t *record, const char *name, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(record, name));

	return value ? value : otherwise;
}

static void size_text(const struct show *show, const json_t *record, char out[32])
{
	uint64_t size = lookup_member(record, "end") - lookup_member(record, "start");

	if (show->style.bytes)
		snprintf(out, 32, "%" PRIu64, size);
	else
		size_human(size, out);
}

/* "libc.so.6 + 0x4d123"; what has no file is counted from its start: "[heap] + 0x1230". */
static void print_title(const struct show *show)
{
	char *comm = cell_string(show->lookup, "comm", &show->style);
	char *path = cell_string(show->vma, "path", &show->style), *name = cell_string(show->vma, "name", &show->style);
	const json_t *file_offset = json_object_get(show->lookup, "file_offset_bytes");
	uint64_t offset = path && file_offset ? number_value(file_offset) :
						show->address - lookup_member(show->vma, "start");
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *what = slash ? slash + 1 : path ? path : name ? name : string_or(show->vma, "kind", "a VMA");
	FILE *out = output();

	fprintf(out, "%" PRIx64 "   ", show->address);
	if (show->vma)
		fprintf(out, "%s + 0x%" PRIx64, what, offset);
	else
		fputs("unmapped", out);
	fprintf(out, "      pid %" PRIu64 ", %s\n", number_member(show->lookup, "pid"), comm ? comm : "?");
	free(comm);
	free(path);
	free(name);
}

static void print_trust(const struct show *show)
{
	char *source = cell_string(show->lookup, "source", &show->style);
	const json_t *exact = json_object_get(show->lookup, "exact");

	fprintf(output(), "%s%s%s%s\n\n", exact ? json_is_true(exact) ? "exact: true at one moment" :
					       "estimate: put together from several reads" : "from a saved list",
		source ? " (" : "", source ? source : "", source ? ")" : "");
	free(source);
}

/* A VMA on one line; brief: the file's name alone is enough. */
static void print_vma(const struct show *show, const char *label, const json_t *vma, bool brief)
{
	char *range = cell_range(vma, &show->style), *mapping = cell_mapping(vma, &show->style), size[32];
	const char *slash = brief && mapping ? strrchr(mapping, '/') : NULL;
	char *perms = cell_string(vma, "perms", &show->style), *kind = cell_string(vma, "kind", &show->style);

	size_text(show, vma, size);
	fprintf(output(), "%-8s %s  %s  %6s  %-12s%s%s\n", label, range ? range : "?", perms ? perms : "?", size,
		kind ? kind : "?", mapping ? "  " : "", slash ? slash + 1 : mapping ? mapping : "");
	free(range);
	free(mapping);
	free(perms);
	free(kind);
}

static void print_file(const struct show *show)
{
	const json_t *file_offset = json_object_get(show->lookup, "file_offset_bytes");
	uint64_t offset = number_member(show->vma, "offset_bytes");

	if (!file_offset)
		return;
	fprintf(output(), "%-8s offset 0x%" PRIx64 " = 0x%" PRIx64 " (pgoff 0x%" PRIx64 ") + "
		"(0x%" PRIx64 " - 0x%" PRIx64 ")\n", "file", number_value(file_offset), offset, offset / (uint64_t)sysconf(_SC_PAGESIZE), show->address,
		lookup_member(show->vma, "start"));
}

/* The frame: what the kernel says of it, and where it belongs. */
static int print_frame(const json_t *frame)
{
	struct text flags = { 0 }, place = { 0 };
	int r = page_text_flags(frame, &flags) | page_text_place(frame, &place);

	if (r == 0)
		fprintf(output(), "%-8s %s%s%s\n", "frame", flags.p, place.len ? "; " : "", place.len ? place.p : "");
	text_free(&flags);
	text_free(&place);
	return r;
}

/* A page that is mapped, and whose count is 0 all the same: the page of zeros, and what drivers map. */
static int say_mapcount(const struct show *show, const json_t *mapcount, struct text *out)
{
	uint64_t times = number_value(mapcount);

	if (!times)
		return text_printf(out, ", whose mappings are not counted");
	return text_printf(out, ", mapped %" PRIu64 " time%s (vmactl rmap %" PRIu64 " %" PRIx64 ")", times, times == 1 ? "" : "s",
			   number_member(show->lookup, "pid"), show->address);
}

/* "present, file; frame 0x1f3a2, mapped 41 times (vmactl rmap 4242 7f10a2c4d123)"; "swapped; area 0, page 0x123" */
static int say_page(const struct show *show, struct text *out)
{
	const json_t *frame = json_object_get(show->lookup, "frame"), *swap = json_object_get(show->lookup, "swap");
	const json_t *mapcount = json_object_get(frame, "mapcount");
	const char *pfn = json_string_value(json_object_get(frame, "pfn"));
	int r = page_text_state(show->lookup, show->vma, out);

	if (pfn)
		r |= text_printf(out, "; frame %s", pfn);
	if (mapcount)
		r |= say_mapcount(show, mapcount, out);
	if (swap)
		r |= text_printf(out, " out; swap area %" PRIu64 ", page 0x%" PRIx64, number_member(swap, "area"),
				 number_member(swap, "offset_pages"));
	return r;
}

static int print_page(const struct show *show)
{
	const json_t *frame = json_object_get(show->lookup, "frame");
	char *missing = cell_string(show->lookup, "missing", &show->style);
	struct text text = { 0 };
	int r = say_page(show, &text);

	if (r == 0 && text.len)
		fprintf(output(), "%-8s %s\n", "page", text.p);
	text_free(&text);
	if (r == 0 && frame)
		r = print_frame(frame);
	if (missing)
		fprintf(output(), "%-8s %s\n", "missing", missing);
	free(missing);
	return r;
}

/* Those that are there: "   fault filemap_fault   map_pages filemap_map_pages" */
static int say_members(const json_t *ops, struct text *out)
{
	const json_t *member;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(ops, "members"), i, member) {
		if (json_is_true(json_object_get(member, "null")))
			continue;
		r |= text_printf(out, "   %s ", string_or(member, "member", "?")) | ops_text_function(member, out);
	}
	return r;
}

/* Names of the kernel are plain ASCII; what another vmad takes for them may not be. */
static void print_safe(const char *label, const struct text *text)
{
	char *safe = text->len ? escape_text(text->p, text->len) : NULL;

	if (safe)
		fprintf(output(), "%-8s %s\n", label, safe);
	free(safe);
}

/* What the kernel's own structs say, where the helper module is there and may be asked. */
static void print_ops(const json_t *ops)
{
	const char *flags = string_or(ops, "vm_flags", NULL);
	struct text table = { 0 }, file = { 0 };

	if (ops_text_table(ops, &table) == 0 && say_members(ops, &table) == 0)
		print_safe("ops", &table);
	if (ops_text_file(ops, &file) == 0)
		print_safe("mapping", &file);
	if (flags)
		fprintf(output(), "%-8s vm_flags 0x%" PRIx64 ", vm_pgoff 0x%" PRIx64 "%s%s\n", "kernel",
			lookup_member(ops, "vm_flags"), number_member(ops, "pgoff_pages"),
			json_is_true(json_object_get(ops, "has_anon_vma")) ? ", anon_vma" : "",
			json_is_true(json_object_get(ops, "has_private_data")) ? ", vm_private_data" : "");
	text_free(&table);
	text_free(&file);
}

static const char *flag_help(const char *flag)
{
	for (size_t i = 0; i < sizeof(vmflags) / sizeof(*vmflags); i++)
		if (strcmp(vmflags[i].flag, flag) == 0)
			return vmflags[i].help;
	return NULL;
}

static void print_flags(const struct show *show, const json_t *usage)
{
	const json_t *flags = json_object_get(usage, "flags"), *flag;
	struct columns column;
	char *words;
	size_t i;

	if (!flags || columns_choose(ROUTE_vmas, "flags", NULL, &column, &show->session->trouble) != EXIT_DONE)
		return;
	words = cell_text(column.v[0], usage, NULL, &show->style);
	fprintf(output(), "%-8s %s  ", "flags", words ? words : "");
	free(words);
	json_array_foreach(flags, i, flag) {
		const char *help = json_is_string(flag) ? flag_help(json_string_value(flag)) : NULL;

		fprintf(output(), "%s%s", i ? ", " : " ", help ? help : "(not known to this vmactl)");
	}
	fputc('\n', output());
}

/* What smaps counts, as far as it is not zero: names that this vmactl does not know too. */
static void print_usage(const struct show *show, const json_t *usage)
{
	const char *key, *separator = "";
	json_t *value;

	fprintf(output(), "%-8s ", "usage");
	json_object_foreach((json_t *)usage, key, value) {
		const struct column *known = columns_find(ROUTE_vmas, key, strlen(key));
		size_t len = strlen(key);
		char size[SIZE_HUMAN_MAX];

		if (number_value(value) == 0 || (known && known->record != RECORD_usage) ||
		    len < 7 || strcmp(key + len - 6, "_bytes") != 0)
			continue;
		if (show->style.bytes)
			fprintf(output(), "%s%.*s %" PRIu64, separator, (int)len - 6, key, number_value(value));
		else
			size_human(number_value(value), size);
		if (!show->style.bytes)
			fprintf(output(), "%s%.*s %s", separator, (int)len - 6, key, size);
		separator = "  ";
	}
	fputs(*separator ? "\n" : "nothing of it is resident or swapped out\n", output());
}

static bool may_grow_into(const json_t *next)
{
	return strcmp(string_or(next, "kind", ""), "stack") == 0;
}

static void print_gap(const struct show *show)
{
	const json_t *gap = json_object_get(show->lookup, "gap"), *next = json_object_get(show->lookup, "next");
	char *range = gap ? cell_range(gap, &show->style) : NULL, size[32];

	if (gap) {
		size_text(show, gap, size);
		fprintf(output(), "%-8s %s  %s  ", "gap", range ? range : "?", size);
	} else {
		fprintf(output(), "%-8s ", "nothing");
	}
	if (json_is_true(json_object_get(show->lookup, "beyond_user_space")))
		fputs("beyond user space: no process can map anything there\n", output());
	else
		fprintf(output(), "no VMA holds this address%s an access ends in SIGSEGV\n",
			gap && may_grow_into(next) ? "; the stack above may grow into it, else" : ":");
	free(range);
}

static void print_neighbour(const struct show *show, const char *label, const char *member, const char *none)
{
	const json_t *vma = json_object_get(show->lookup, member);

	if (vma)
		print_vma(show, label, vma, true);
	else
		fprintf(output(), "%-8s %s\n", label, none);
}

static int print(const struct show *show, const json_t *usage, const json_t *ops)
{
	print_title(show);
	print_trust(show);
	if (show->vma) {
		print_vma(show, "VMA", show->vma, false);
		print_file(show);
	} else {
		print_gap(show);
	}
	if (usage) {
		print_flags(show, usage);
		print_usage(show, usage);
	}
	if (ops)
		print_ops(ops);
	if (print_page(show))
		return trouble_oom(&show->session->trouble);
	print_neighbour(show, "before", "previous", "nothing is mapped below");
	print_neighbour(show, "after", "next", "nothing is mapped above");
	return output_flush(&show->session->trouble);
}

static int show_text(struct session *s, const struct place *place, uint64_t address)
{
	json_t *found, *usage = NULL, *ops = NULL;
	int code = lookup(s, place, address, &found), printed;
	bool walk = s->options.usage;

	if (!found)
		return code;
	struct show show = { s, session_style(s), found, json_object_get(found, "vma"), address };

	show.style.raw = false;
	/* a saved list of --usage has it all: that costs nobody anything */
	if (show.vma && json_object_get(show.vma, "flags"))
		usage = json_incref((json_t *)show.vma);
	else if (show.vma && walk && !place->file)
		code = lookup_usage(s, place, address, &usage);
	if (show.vma && !place->file)
		ops = lookup_ops(s, place, address);
	if (code == EXIT_DONE || code == EXIT_PARTIAL) {
		printed = print(&show, usage, ops);
		code = printed == EXIT_DONE ? code : printed;
	}
	json_decref(ops);
	json_decref(usage);
	json_decref(found);
	return code;
}

static int copy(struct session *s, const struct place *place, uint64_t address)
{
	struct question question = { .file = place->file, .subject = place->subject, .single = true };
	struct text path = { 0 };
	int code = EXIT_DONE;

	if (!place->file && lookup_path(place, address, &path))
		code = trouble_oom(&s->trouble);
	question.path = path.p;
	if (code == EXIT_DONE)
		code = fetch_copy(s, &question);
	text_free(&path);
	if (code != EXIT_DONE || place->file || !s->options.usage)
		return code;
	question.single = false;
	if (lookup_usage_path(place, address, &path))
		code = trouble_oom(&s->trouble);
	question.path = path.p;
	if (code == EXIT_DONE)
		code = fetch_copy(s, &question);
	text_free(&path);
	return code;
}

int verb_show(struct session *s, int argc, char **argv)
{
	struct address address;
	struct place place;
	uint64_t at;
	int code;

	if (argc != 2)
		return trouble_set(&s->trouble, EXIT_USAGE, "show: it takes a target and an address");
	if (s->options.columns || s->options.sort || s->options.form == OUTPUT_RAW)
		return trouble_set(&s->trouble, EXIT_USAGE, "show prints no table: -o, -r and --sort have no meaning here");
	if (address_parse(argv[1], &address)) {
		trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not an address", argv[1]);
		trouble_mend(&s->trouble,
			     "hex, with or without 0x, up to 64 bits; or FILE+OFFSET, such as libc.so.6+0x4d123");
		return EXIT_USAGE;
	}
	code = place_find(s, argv[0], &place);
	if (code == EXIT_DONE)
		code = lookup_address(s, &place, &address, &at);
	if (code != EXIT_DONE)
		return code;
	return session_copies(s) ? copy(s, &place, at) : show_text(s, &place, at);
}
