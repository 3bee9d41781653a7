/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl: asks vmad, and shows what it answers. */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "output.h"
#include "session.h"
#include "signals.h"
#include "verbs.h"
#include "watch.h"

static const struct verb {
	const char *name, *arguments, *summary;
	unsigned int options;
	verb_run *run;
} verbs[] = {
	{ "ps", "[TARGET...]", "processes: VMAs, share of vm.max_map_count, sizes",
	  OPTIONS_PROCESSES | OPTIONS_COUNT | OPTIONS_USAGE, verb_ps },
	{ "maps", "TARGET... [RANGE]", "the VMAs of processes", OPTIONS_VMAS | OPTIONS_USAGE | OPTIONS_KERNEL, verb_maps },
	{ "show", "TARGET ADDR", "one address: VMA or gap, page, file offset, neighbours", OPTIONS_USAGE, verb_show },
	{ "ops", "TARGET [ADDR]", "what the kernel calls for a VMA, by symbol", OPTIONS_VMAS, verb_ops },
	{ "pages", "TARGET [RANGE]", "the state of its pages, with a bar on a terminal", OPTIONS_PAGES, verb_pages },
	{ "rmap", "TARGET ADDR | pfn:PFN", "who maps this page: every process and address", OPTIONS_CANDIDATES, verb_rmap },
	{ "frames", "[PFN]", "all page frames by kind, or one", OPTIONS_FRAMES, verb_frames },
	{ "find", "[FILE]", "VMAs of all processes", OPTIONS_VMAS | OPTIONS_PROCESSES, verb_find },
	{ "file", "PATH [PART]", "who maps a file, and what of it is cached", OPTIONS_PROCESSES, verb_file },
	{ "gaps", "TARGET", "unmapped areas; where mmap would place the next mapping", OPTIONS_PLACEMENT, verb_gaps },
	{ "sharing", "TARGET", "with whom it shares memory, and of which files and kinds", 0, verb_sharing },
	{ "web", "", "the address of vmad's page, with a token", 0, verb_web },
	{ "doctor", "[FILE]", "what works here, what does not, why, and what to do", 0, verb_doctor },
};

/* What the words of the arguments stand for. */
static const struct {
	const char *word, *help;
} words[] = {
	{ "TARGET", "PID, self, name:nginx, unit:nginx.service, or a file that holds an answer of --json or --ndjson." },
	{ "FILE", "a saved answer, of --json or --ndjson (find, doctor)." },
	{ "ADDR", "hex with or without 0x, never decimal; FILE+OFFSET, such as libc.so.6+0x4d123." },
	{ "PFN", "a page frame's number in hex, with or without 0x." },
	{ "PATH", "a file's path; or DEVICE:INODE, as maps shows them." },
	{ "PART", "OFFSET (of one page), OFFSET+SIZE or START-END, offsets in hex." },
	{ "RANGE", "START-END or START+SIZE, addresses in hex; or one address." },
	{ "SIZE", "decimal, or hex with 0x; K, M, G and T behind it are powers of 1024." },
};

static const char exit_help[] =
	"Exit: 0 done, 1 failed, 2 usage, 3 no such thing, 4 not allowed, 5 vmad not reachable, 6 answered in part,\n"
	"7 busy or too late. Environment: VMACTL_URL, VMACTL_SOCKET, NO_COLOR, PAGER. See vmactl(1).\n";

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* A range, and a part of a file, may have a size, too. */
static bool takes_word(const struct verb *verb, const char *word)
{
	if (strstr(verb->arguments, word) || options_take(verb->options, word))
		return true;
	return strcmp(word, "SIZE") == 0 && (takes_word(verb, "RANGE") || takes_word(verb, "PART"));
}

static void print_words(const struct verb *verb, FILE *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!verb || takes_word(verb, words[i].word))
			fprintf(out, "%s: %s\n", words[i].word, words[i].help);
	if (verb && takes_word(verb, "KIND")) {
		fputs("KIND: ", out);
		filter_print_kinds(out);
		fputs(".\n", out);
	}
}

static void print_verb(const struct verb *verb, FILE *out)
{
	fprintf(out, "usage: vmactl [OPTIONS] %s%s%s\n\n%s\n", verb->name, *verb->arguments ? " " : "", verb->arguments,
		verb->summary);
	if (verb->options)
		fputs("\n", out);
	options_help(verb->options, out);
}

static void print_verbs(FILE *out)
{
	fputs("usage: vmactl [OPTIONS] VERB ...\n\n", out);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		fprintf(out, "  %-7s %-21s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
}

static void print_help(const struct verb *verb, FILE *out)
{
	if (verb)
		print_verb(verb, out);
	else
		print_verbs(out);
	fputs("\nEverywhere, before and behind the verb:\n", out);
	options_help(OPTIONS_GLOBAL, out);
	fputs("\n", out);
	print_words(verb, out);
	fprintf(out, "%s%s", verb && !*verb->arguments ? "" : "\n", exit_help);
}

/* Once, or again and again; a process that is not there ends the watch, a busy vmad does not. */
static int run(struct session *s, const struct verb *verb, int argc, char **argv)
{
	int code = EXIT_DONE;

	for (int first = 1;; first = 0) {
		if (s->options.watch)
			watch_draw(first);
		code = verb->run(s, argc, argv);
		if (code == EXIT_DONE)
			code = output_flush(&s->trouble);
		if (!s->options.watch || (code != EXIT_DONE && code != EXIT_PARTIAL && code != EXIT_BUSY))
			return code;
		if (code != EXIT_DONE)
			trouble_print(&s->trouble);
		code = output_flush(&s->trouble);
		if (code == EXIT_DONE)
			code = watch_wait(s->options.watch_ms);
		if (code != EXIT_DONE)
			return code;
	}
}

static int finish(struct session *s, int code)
{
	bool watched = s->options.watch && signals_caught() == SIGINT;	/* ^C is how a watch ends */
	int flushed = code == EXIT_QUIET || code == EXIT_INTERRUPTED ? code : output_flush(&s->trouble);

	session_close(s);
	if (code == EXIT_DONE || (flushed < 0 && code > 0))
		code = flushed;
	output_close();
	if (code > 0)
		trouble_print(&s->trouble);
	if (code == EXIT_INTERRUPTED && !watched)
		signals_raise();
	return code < 0 ? EXIT_DONE : code;
}

static int usage(struct session *s)
{
	if (s->trouble.mend[0] == '\0')
		trouble_mend(&s->trouble, "vmactl --help");
	trouble_print(&s->trouble);
	return EXIT_USAGE;
}

/* "-o help" needs no verb: then it is about all of them. */
static void print_columns(struct session *s, char **argv)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (verbs[i].run == verb_show)
			continue;
		fprintf(output(), "%s%s:\n", i ? "\n" : "", verbs[i].name);
		verbs[i].run(s, 0, argv);
	}
}

static int without_verb(struct session *s, char **argv)
{
	if (s->options.help) {
		print_help(NULL, output());
	} else if (s->options.version) {
		fprintf(output(), "vmactl %s\n", PACKAGE_VERSION);
	} else if (s->options.columns && strcmp(s->options.columns, "help") == 0) {
		print_columns(s, argv);
	} else {
		trouble_set(&s->trouble, EXIT_USAGE, "which verb?");
		return usage(s);
	}
	return finish(s, EXIT_DONE);
}

int main(int argc, char **argv)
{
	struct session session = { 0 };
	const struct verb *verb;
	int first;

	setlocale(LC_CTYPE, "");
	signals_catch();
	if (options_parse(&session.options, OPTIONS_GLOBAL, true, argc, argv, &first, &session.trouble) != EXIT_DONE)
		return usage(&session);
	output_setup(true);
	if (first >= argc || session.options.help || session.options.version)
		return without_verb(&session, argv);
	verb = find_verb(argv[first]);
	if (!verb) {
		trouble_set(&session.trouble, EXIT_USAGE, "unknown verb '%s'", argv[first]);
		return usage(&session);
	}
	argc -= first;
	argv += first;
	if (options_parse(&session.options, OPTIONS_GLOBAL | verb->options, false, argc, argv, &first, &session.trouble) ||
	    options_check(&session.options, &session.trouble))
		return usage(&session);
	output_setup(!session.options.watch);
	if (session.options.help || session.options.version) {
		if (session.options.help)
			print_help(verb, output());
		else
			fprintf(output(), "vmactl %s\n", PACKAGE_VERSION);
		return finish(&session, EXIT_DONE);
	}
	return finish(&session, run(&session, verb, argc - first, argv + first));
}
