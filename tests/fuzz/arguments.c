/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmactl is told: the first two bytes say which options are understood, the rest are words with NULs between. Options are put before words, and mean
 * the same when they are read again in that order; each word that is left is a target or is not.
 */
#include "fuzz.h"

#include <string.h>

#include "options.h"
#include "target.h"

#define WORDS_MAX 64

static void check_trouble(const struct trouble *trouble)
{
	MUST(trouble->code == EXIT_USAGE && trouble->message[0]);
	MUST(memchr(trouble->message, '\0', sizeof(trouble->message)));
}

static void check_targets(int argc, char **argv)
{
	struct trouble trouble;
	struct target target;

	for (int i = 0; i < argc; i++) {
		if (target_parse(argv[i], &target, &trouble) != EXIT_DONE) {
			check_trouble(&trouble);
		} else if (target.form == TARGET_PID) {
			MUST(target.pid > 0);
		} else {
			char *pattern = target_pattern(&target);

			MUST(pattern && *target.word && target.word >= argv[i] && target.word < argv[i] + strlen(argv[i]));
			free(pattern);
		}
	}
}

static void check_options(const struct options *options)
{
	const struct filter *filter = &options->filter;
	struct trouble trouble;

	MUST(options->watch ? options->watch_ms >= 100 && options->watch_ms <= 86400000 : !options->watch_ms);
	MUST(!filter->perms || strlen(filter->perms) == 4);
	MUST(!filter->kinds || *filter->kinds);
	if (options_check(options, &trouble) == EXIT_DONE)
		MUST(!filter->has_start || !filter->has_end || filter->start < filter->end);
	else
		check_trouble(&trouble);
}

static void parse(unsigned groups, bool stop, int argc, char **argv)
{
	struct options options, again;
	struct trouble trouble;
	int first = -1, first_again = -1;

	memset(&options, 0, sizeof(options));	/* what lies between the members too */
	memset(&again, 0, sizeof(again));
	if (options_parse(&options, groups, stop, argc, argv, &first, &trouble) != EXIT_DONE) {
		check_trouble(&trouble);
		return;
	}
	MUST(first >= 1 && first <= argc && !argv[argc]);
	check_options(&options);
	check_targets(argc - first, argv + first);
	MUST(options_parse(&again, groups, stop, argc, argv, &first_again, &trouble) == EXIT_DONE);
	MUST(first_again == first && !memcmp(&again, &options, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char program[] = "vmactl";
	char *text = size > 2 ? malloc(size - 1) : NULL, *argv[WORDS_MAX + 2] = { program };
	int argc = 1;

	if (!text)
		return 0;
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	for (char *word = text; word <= text + size - 2 && argc <= WORDS_MAX; word += strlen(word) + 1)
		argv[argc++] = word;
	argv[argc] = NULL;
	parse(data[0] | (data[1] & 0x7fu) << 8 | OPTIONS_GLOBAL, data[1] & 0x80, argc, argv);
	free(text);
	return 0;
}
