/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl ops: what the kernel calls for the VMAs of a process, by symbol. */
#include <inttypes.h>
#include <stdlib.h>

#include "address.h"
#include "list.h"
#include "lookup.h"
#include "number.h"
#include "ops_text.h"
#include "place.h"
#include "verbs.h"

static const char of_each_vma[] = "range,perms,kind,ops,f_op,a_ops,mapping";

/* "7f10a2c28000-7f10a2dbd000  r-xp  private-file  /usr/lib/x86_64-linux-gnu/libc.so.6" */
static int say_vma(const json_t *envelope, struct text *out)
{
	const struct cell_style style = { .raw = true };	/* the line as a whole is made fit for a terminal */
	const json_t *vma = json_object_get(envelope, "vma");
	char *parts[] = { vma ? cell_range(vma, &style) : NULL, cell_string(vma, "perms", &style),
			  cell_string(vma, "kind", &style), vma ? cell_mapping(vma, &style) : NULL };
	int r = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i])
			r |= text_printf(out, "%s%s", i ? "  " : "", parts[i]);
		free(parts[i]);
	}
	return r;
}

/* "process 4242, nginx: vm_ops ext4_file_vm_ops [ext4]   a_ops ext4_da_aops   f_op ext4_file_operations: " */
static int say_ops(const json_t *envelope, struct text *out)
{
	const char *comm = json_string_value(json_object_get(envelope, "comm"));
	struct text file = { 0 };
	int r = text_printf(out, "process %" PRIu64 ", %s: vm_ops ", number_member(envelope, "pid"), comm ? comm : "?") |
		ops_text_table(envelope, out) | ops_text_file(envelope, &file);

	r |= text_printf(out, "%s%s: ", file.len ? "   " : "", file.len ? file.p : "");
	text_free(&file);
	return r;
}

/* What stands in place of members where there are none. */
static void print_note(const json_t *envelope, const struct cell_style *style, FILE *out)
{
	char *note = cell_string(envelope, "note", style);

	if (note)
		fprintf(out, "%s\n", note);
	free(note);
}

static int show_members(struct session *s, const struct place *place, uint64_t at)
{
	struct list list = { .noun = "member", .plural = "members", .subject = say_vma, .summary = say_ops,
			     .preface = print_note };
	int code = list_columns(s, ROUTE_ops, "member,function,what", &list);

	return code == EXIT_DONE ? place_show(s, place, ROUTE_ops, at, NULL, &list) : code;
}

static int of_address(struct session *s, char **argv)
{
	struct address address;
	struct place place;
	uint64_t at;
	int code;

	if (list_help(s, ROUTE_ops))
		return EXIT_DONE;
	if (address_parse(argv[1], &address))
		return trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not an address", argv[1]);
	code = place_find(s, argv[0], &place);
	if (code == EXIT_DONE && place.file)
		return trouble_set(&s->trouble, EXIT_USAGE, "ops: a saved answer is shown without an address");
	if (code == EXIT_DONE)
		code = lookup_address(s, &place, &address, &at);
	return code == EXIT_DONE ? show_members(s, &place, at) : code;
}

int verb_ops(struct session *s, int argc, char **argv)
{
	if (argc == 2)
		return of_address(s, argv);
	if (argc > 2 || (argc == 0 && !s->options.columns))
		return trouble_set(&s->trouble, EXIT_USAGE, "ops: it takes a target, and an address in it");
	s->options.kernel = true;
	return verb_maps_with(s, argc, argv, of_each_vma);
}
