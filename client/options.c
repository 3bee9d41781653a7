/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "decimal.h"
#include "size.h"

enum {
	OPT_SOCKET = 256, OPT_URL, OPT_LOCAL, OPT_TOKEN_FILE, OPT_CACERT, OPT_NDJSON, OPT_SORT, OPT_LIMIT, OPT_WATCH,
	OPT_USAGE, OPT_KERNEL, OPT_CANDIDATES, OPT_VMAS, OPT_NO_VMAS, OPT_KIND, OPT_PERMS, OPT_PATH, OPT_DELETED, OPT_MIN_SIZE, OPT_START, OPT_END,
	OPT_COMM, OPT_UID, OPT_UNIT, OPT_LENGTH, OPT_ALIGN,
	OPT_SUMMARY, OPT_FLAGS, OPT_FRAMES, OPT_BY,
};

enum { WATCH_DEFAULT_MS = 2000, WATCH_LEAST_MS = 100 };

static const struct row {
	const char *name;
	int value;		/* below 256: the short option too */
	int has_argument;
	const char *argument;
	unsigned int group;
	const char *help;
} rows[] = {
	{ "usage", OPT_USAGE, no_argument, NULL, OPTIONS_USAGE, "what smaps knows; walks the page tables" },
	{ "kernel", OPT_KERNEL, no_argument, NULL, OPTIONS_KERNEL, "what the kernel's own structs say (root, with the helper module)" },
	{ "candidates", OPT_CANDIDATES, no_argument, NULL, OPTIONS_CANDIDATES, "also VMAs that could map it and do not (with the helper module)" },
	{ "vmas", OPT_VMAS, no_argument, NULL, OPTIONS_COUNT, "count the VMAs of each process (the default)" },
	{ "no-vmas", OPT_NO_VMAS, no_argument, NULL, OPTIONS_COUNT, "do not count them" },
	{ "length", OPT_LENGTH, required_argument, "SIZE", OPTIONS_PLACEMENT, "say where the next mmap of this length would be placed, and why" },
	{ "align", OPT_ALIGN, required_argument, "SIZE", OPTIONS_PLACEMENT, "after mapping more and trimming it to a multiple of this power of two" },
	{ "summary", OPT_SUMMARY, no_argument, NULL, OPTIONS_PAGES, "sums instead of runs" },
	{ "flags", OPT_FLAGS, no_argument, NULL, OPTIONS_PAGES, "also the flags of each page's frame (root)" },
	{ "frames", OPT_FRAMES, no_argument, NULL, OPTIONS_PAGES, "also its number (root)" },
	{ "by", OPT_BY, required_argument, "WHAT", OPTIONS_FRAMES, "count them by flags (the default), node or cgroup" },
	{ "kind", OPT_KIND, required_argument, "KIND,...", OPTIONS_VMAS, "only VMAs of these kinds" },
	{ "perms", OPT_PERMS, required_argument, "PERMS", OPTIONS_VMAS, "only these permissions; . stands for any: .wx." },
	{ "path", OPT_PATH, required_argument, "GLOB", OPTIONS_VMAS, "only paths or names that match" },
	{ "deleted", OPT_DELETED, no_argument, NULL, OPTIONS_VMAS, "only files that are deleted" },
	{ "min-size", OPT_MIN_SIZE, required_argument, "SIZE", OPTIONS_VMAS, "only VMAs of at least this size" },
	{ "start", OPT_START, required_argument, "ADDR", OPTIONS_VMAS, "only VMAs that reach beyond this address" },
	{ "end", OPT_END, required_argument, "ADDR", OPTIONS_VMAS, "only VMAs that begin below this address" },
	{ "comm", OPT_COMM, required_argument, "GLOB", OPTIONS_PROCESSES, "only processes whose name matches" },
	{ "uid", OPT_UID, required_argument, "USER", OPTIONS_PROCESSES, "only processes of this user (number or name)" },
	{ "unit", OPT_UNIT, required_argument, "GLOB", OPTIONS_PROCESSES, "only processes whose systemd unit matches" },

	{ "socket", OPT_SOCKET, required_argument, "PATH", OPTIONS_GLOBAL, "ask the vmad behind this Unix socket" },
	{ "url", OPT_URL, required_argument, "URL", OPTIONS_GLOBAL, "ask the vmad at this address" },
	{ "local", OPT_LOCAL, no_argument, NULL, OPTIONS_GLOBAL, "start a private vmad for this command" },
	{ "token-file", OPT_TOKEN_FILE, required_argument, "FILE", OPTIONS_GLOBAL, "send the token that the file holds" },
	{ "cacert", OPT_CACERT, required_argument, "FILE", OPTIONS_GLOBAL, "trust what these certificates (PEM) signed, not the system's" },
	{ "json", 'J', no_argument, NULL, OPTIONS_GLOBAL, "vmad's JSON document, unchanged" },
	{ "ndjson", OPT_NDJSON, no_argument, NULL, OPTIONS_GLOBAL, "vmad's JSON, a line a record, unchanged" },
	{ "raw", 'r', no_argument, NULL, OPTIONS_GLOBAL, "a table for programs: one blank between cells, blanks as \\x20" },
	{ "output", 'o', required_argument, "COLS", OPTIONS_GLOBAL, "these columns; +COLS: the usual ones too; help: which" },
	{ "noheadings", 'n', no_argument, NULL, OPTIONS_GLOBAL, "rows only" },
	{ "bytes", 'b', no_argument, NULL, OPTIONS_GLOBAL, "exact sizes" },
	{ "sort", OPT_SORT, required_argument, "[-]COL", OPTIONS_GLOBAL, "sort by a column; -COL: the largest first" },
	{ "limit", OPT_LIMIT, required_argument, "N", OPTIONS_GLOBAL, "at most so many rows (of each target)" },
	{ "watch", OPT_WATCH, optional_argument, "[=SECONDS]", OPTIONS_GLOBAL, "again and again, until ^C" },
	{ "help", 'h', no_argument, NULL, OPTIONS_GLOBAL, "this help" },
	{ "version", 'V', no_argument, NULL, OPTIONS_GLOBAL, "the version" },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

void options_help(unsigned int groups, FILE *out)
{
	char left[64];

	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		const char *argument = row->argument ? row->argument : "";
		const char *blank = row->has_argument == required_argument ? " " : "";

		if (!(row->group & groups))
			continue;
		if (row->value < 256)
			snprintf(left, sizeof(left), "-%c, --%s%s%s", row->value, row->name, blank, argument);
		else
			snprintf(left, sizeof(left), "    --%s%s%s", row->name, blank, argument);
		fprintf(out, "  %-26s  %s\n", left, row->help);
	}
}

bool options_take(unsigned int groups, const char *word)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].group & groups && rows[i].argument && strncmp(rows[i].argument, word, strlen(word)) == 0)
			return true;
	return false;
}

static int set_form(struct options *options, enum output_form form, struct trouble *trouble)
{
	if (options->form != OUTPUT_TABLE && options->form != form)
		return trouble_set(trouble, EXIT_USAGE, "--json, --ndjson and --raw exclude each other");
	options->form = form;
	return EXIT_DONE;
}

static int set_limit(struct options *options, const char *text, struct trouble *trouble)
{
	if (decimal_parse(text, UINT64_MAX, &options->limit) < 0 || options->limit == 0)
		return trouble_set(trouble, EXIT_USAGE, "--limit: '%s' is not a number of at least 1", text);
	return EXIT_DONE;
}

static int set_watch(struct options *options, const char *text, struct trouble *trouble)
{
	char *rest;
	double seconds = text ? strtod(text, &rest) : 0;

	options->watch = true;
	options->watch_ms = WATCH_DEFAULT_MS;
	if (!text)
		return EXIT_DONE;
	if (rest == text || *rest || !isfinite(seconds) || seconds < WATCH_LEAST_MS / 1000.0 || seconds > 86400)
		return trouble_set(trouble, EXIT_USAGE, "--watch: '%s' is not a number of seconds between 0.1 and 86400",
				   text);
	options->watch_ms = (unsigned int)(seconds * 1000);
	return EXIT_DONE;
}

static int set_size(uint64_t *size, bool *has, const char *name, const char *text, struct trouble *trouble)
{
	if (size_parse(text, size))
		return trouble_set(trouble, EXIT_USAGE, "--%s: '%s' is not a size (like 64K, 1M, 2G)", name, text);
	*has = true;
	return EXIT_DONE;
}

static int set_address(uint64_t *address, bool *has, const char *name, const char *text, struct trouble *trouble)
{
	if (address_parse_hex(text, address))
		return trouble_set(trouble, EXIT_USAGE, "--%s: '%s' is not an address (hex, with or without 0x)", name,
				   text);
	*has = true;
	return EXIT_DONE;
}

static int set(struct options *o, int value, const char *argument, struct trouble *trouble)
{
	struct filter *f = &o->filter;

	switch (value) {
	case OPT_SOCKET: o->socket = argument; break;
	case OPT_URL: o->url = argument; break;
	case OPT_LOCAL: o->local = true; break;
	case OPT_TOKEN_FILE: o->token_file = argument; break;
	case OPT_CACERT: o->cacert = argument; break;
	case 'J': return set_form(o, OUTPUT_JSON, trouble);
	case OPT_NDJSON: return set_form(o, OUTPUT_NDJSON, trouble);
	case 'r': return set_form(o, OUTPUT_RAW, trouble);
	case 'o': o->columns = argument; break;
	case 'n': o->noheadings = true; break;
	case 'b': o->bytes = true; break;
	case OPT_SORT: o->sort = argument; break;
	case OPT_LIMIT: return set_limit(o, argument, trouble);
	case OPT_WATCH: return set_watch(o, argument, trouble);
	case 'h': o->help = true; break;
	case 'V': o->version = true; break;
	case OPT_USAGE: o->usage = true; break;
	case OPT_KERNEL: o->kernel = true; break;
	case OPT_CANDIDATES: o->candidates = true; break;
	case OPT_VMAS: o->no_vmas = false; break;
	case OPT_NO_VMAS: o->no_vmas = true; break;
	case OPT_SUMMARY: o->summary = true; break;
	case OPT_FLAGS: o->flags = true; break;
	case OPT_FRAMES: o->frames = true; break;
	case OPT_BY: o->by = argument; break;
	case OPT_KIND: return filter_set_kinds(f, argument, trouble);
	case OPT_PERMS: return filter_set_perms(f, argument, trouble);
	case OPT_PATH: f->path = argument; break;
	case OPT_DELETED: f->deleted = true; break;
	case OPT_MIN_SIZE: return set_size(&f->min_size, &f->has_min_size, "min-size", argument, trouble);
	case OPT_LENGTH: return set_size(&o->length, &o->has_length, "length", argument, trouble);
	case OPT_ALIGN: return set_size(&o->align, &o->has_align, "align", argument, trouble);
	case OPT_START: return set_address(&f->start, &f->has_start, "start", argument, trouble);
	case OPT_END: return set_address(&f->end, &f->has_end, "end", argument, trouble);
	case OPT_COMM: f->comm = argument; break;
	case OPT_UID: return filter_set_user(f, argument, trouble);
	case OPT_UNIT: f->unit = argument; break;
	}
	return EXIT_DONE;
}

/* getopt's own tables, made of ours. */
static void fill(unsigned int groups, bool stop_at_word, struct option *long_options, char *short_options)
{
	if (stop_at_word)
		*short_options++ = '+';
	*short_options++ = ':';
	for (size_t i = 0; i < ROWS; i++) {
		if (!(rows[i].group & groups))
			continue;
		*long_options++ = (struct option){ rows[i].name, rows[i].has_argument, NULL, rows[i].value };
		if (rows[i].value >= 256)
			continue;
		*short_options++ = (char)rows[i].value;
		if (rows[i].has_argument)
			*short_options++ = ':';
	}
	*long_options = (struct option){ 0 };
	*short_options = '\0';
}

static bool is_known(unsigned int groups, int value)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].group & groups) && rows[i].value == value)
			return true;
	return false;
}

/* getopt leaves in optopt what it stumbled over: 0 for a long option that it does not know. */
static int refuse(int result, unsigned int groups, char **argv, struct trouble *trouble)
{
	bool has_value = result == '?' && is_known(groups, optopt);
	const char *why = result == ':' ? "needs a value" : has_value ? "takes no value" : "is no option here";

	if (optopt > 0 && optopt < 256 && !has_value)
		trouble_set(trouble, EXIT_USAGE, "-%c %s", optopt, why);
	else
		trouble_set(trouble, EXIT_USAGE, "%s %s", argv[optind - 1], why);
	trouble_mend(trouble, "--help lists the options");
	return EXIT_USAGE;
}

int options_parse(struct options *options, unsigned int groups, bool stop_at_word, int argc, char **argv, int *ret_first,
		  struct trouble *trouble)
{
	struct option long_options[ROWS + 1];
	char short_options[2 * ROWS + 3];
	int value, code = EXIT_DONE;

	fill(groups, stop_at_word, long_options, short_options);
	optind = 0;	/* 0: glibc's getopt forgets what it knew of another argv */
	opterr = 0;
	while (code == EXIT_DONE && (value = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		code = value == '?' || value == ':' ? refuse(value, groups, argv, trouble) :
						      set(options, value, optarg, trouble);
	*ret_first = optind;
	return code;
}

int options_check(const struct options *o, struct trouble *trouble)
{
	if (!!o->socket + !!o->url + o->local > 1)
		return trouble_set(trouble, EXIT_USAGE, "--socket, --url and --local exclude each other");
	if (o->filter.has_start && o->filter.has_end && o->filter.end <= o->filter.start)
		return trouble_set(trouble, EXIT_USAGE, "--end is not behind --start");
	return EXIT_DONE;
}
