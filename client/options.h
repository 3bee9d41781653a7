/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options: one table is what is understood and what --help says. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "filter.h"
#include "trouble.h"

enum output_form { OUTPUT_TABLE, OUTPUT_RAW, OUTPUT_JSON, OUTPUT_NDJSON };

/* Which options a verb has beside the global ones. */
enum {
	OPTIONS_GLOBAL = 1,
	OPTIONS_VMAS = 2,	/* filters on VMAs */
	OPTIONS_PROCESSES = 4,	/* filters on processes */
	OPTIONS_USAGE = 8,
	OPTIONS_COUNT = 16,
	OPTIONS_PLACEMENT = 32,
	OPTIONS_PAGES = 64,
	OPTIONS_FRAMES = 128,
	OPTIONS_KERNEL = 256,
	OPTIONS_CANDIDATES = 512,
};

struct options {
	const char *socket, *url, *token_file, *cacert;
	bool local;
	enum output_form form;
	const char *columns;
	bool noheadings, bytes;
	const char *sort;
	uint64_t limit;		/* 0: none */
	bool watch;
	unsigned int watch_ms;
	bool help, version;
	bool usage, kernel, candidates, no_vmas;
	bool has_length, has_align;
	uint64_t length, align;
	bool summary, flags, frames;
	const char *by;
	struct filter filter;
};

/*
 * Reads the options of argv[1...]. groups says which are understood. With stop_at_word it ends at the first argument
 * that is none; else words and options may be mixed, and the words are moved behind. ret_first: the index of the first
 * word.
 * EXIT_DONE or EXIT_USAGE.
 */
int options_parse(struct options *options, unsigned int groups, bool stop_at_word, int argc, char **argv, int *ret_first,
		  struct trouble *trouble);

/* Do they go together? EXIT_DONE or EXIT_USAGE. */
int options_check(const struct options *options, struct trouble *trouble);

/* One line for each option of these groups. */
void options_help(unsigned int groups, FILE *out);

/* Does one of them take this as its argument, as SIZE? */
bool options_take(unsigned int groups, const char *word);

#endif
