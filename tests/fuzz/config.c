/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmad's configuration file: options_read(). One that is taken means the same when it is written anew; one that is refused is refused in one
 * line, which names a line of it.
 */
#include "fuzz.h"

#include <getopt.h>
#include <string.h>

#include "options.h"

static const char *const accesses[] = { [METRICS_OPEN] = "open", [METRICS_TOKEN] = "token", [METRICS_OFF] = "off" };
static const char *const roles[] = { [ROLE_ALL] = "all", [ROLE_OPENER] = "opener", [ROLE_WORKER] = "worker" };
static const char *const rules[] = { [RULE_COMM] = "comm", [RULE_UNIT] = "unit", [RULE_CGROUP] = "cgroup" };

/* Those that are one text. */
#define TEXTS(options) { \
	{ "token-file", (options)->token_file }, { "procfs", (options)->procfs }, { "user", (options)->user }, { "log", (options)->log }, \
	{ "tls-cert", (options)->tls_cert }, { "tls-key", (options)->tls_key }, { "worker-socket", (options)->worker_socket }, \
}

static void write_options(FILE *file, const struct options *options)
{
	const struct { const char *name, *text; } texts[] = TEXTS(options);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].text)
			fprintf(file, "%s = %s\n", texts[i].name, texts[i].text);
	for (size_t i = 0; i < options->listen_count; i++)
		fprintf(file, "listen=%s\n", options->listen[i]);
	for (size_t i = 0; i < options->allow_host_count; i++)
		fprintf(file, "\tallow-host\t=\t%s\r\n", options->allow_host[i]);
	for (size_t i = 0; i < options->group_count; i++)
		fprintf(file, "group=%s:%s=%s\n", rules[options->groups[i].of], options->groups[i].pattern, options->groups[i].name);
	fprintf(file, "metrics=%s\nrole=%s\n\n# as before\n", accesses[options->metrics], roles[options->role]);
	if (options->sample_interval_seconds)
		fprintf(file, "sample-interval=%u\n", options->sample_interval_seconds);
	if (options->sample_groups)
		fprintf(file, "sample-groups=%zu\n", options->sample_groups);
	if (options->sample_usage_bytes)
		fprintf(file, "sample-usage=%llu\n", (unsigned long long)options->sample_usage_bytes);
}

/* As text, so that both can be compared. */
static char *text_of(const struct options *options)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	MUST(file);
	write_options(file, options);
	MUST(fclose(file) == 0);
	return text;
}

static const char *usual_worker_socket;		/* allocated by nobody */

/* Strings live as long as the process; a fuzzer's lives long. */
static void free_options(struct options *options)
{
	const struct { const char *name, *text; } texts[] = TEXTS(options);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].text != usual_worker_socket)
			free((void *)texts[i].text);
	for (size_t i = 0; i < options->listen_count; i++)
		free((void *)options->listen[i]);
	for (size_t i = 0; i < options->allow_host_count; i++)
		free((void *)options->allow_host[i]);
	for (size_t i = 0; i < options->group_count; i++)
		free(options->groups[i].pattern);
	memset(options, 0, sizeof(*options));
}

/* What it said goes to *ret_said. */
static enum options_outcome read_options(const void *bytes, size_t len, struct options *options, char **ret_said)
{
	static char program[] = "vmad", option[] = "--config", path[32];
	char *argv[] = { program, option, path, NULL };
	size_t said_len;
	FILE *before = stderr, *said = open_memstream(ret_said, &said_len);
	enum options_outcome outcome;

	MUST(said);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_with(bytes, len));
	stderr = said;
	optind = 0;
	outcome = options_read(3, argv, options);
	stderr = before;
	MUST(fclose(said) == 0);
	return outcome;
}

static void check_refusal(const char *said, const char *bytes, size_t size)
{
	const char *number = strstr(said, "/fd/"), *newline = strchr(said, '\n');
	unsigned long line, lines = 1;

	MUST(!strncmp(said, "vmad: /proc/self/fd/", 20) && newline && !newline[1]);
	number = strchr(number, ':');
	MUST(number);
	line = strtoul(number + 1, NULL, 10);
	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	MUST(line >= 1 && line <= lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options, again;
	char *said, *text, *said_again, *text_again;

	if (!usual_worker_socket) {
		MUST(read_options("", 0, &options, &said) == OPTIONS_RUN && !*said);
		usual_worker_socket = options.worker_socket;
		free(said);
		free_options(&options);
	}
	if (read_options(data, size, &options, &said) == OPTIONS_RUN) {
		MUST(!*said);
		text = text_of(&options);
		MUST(read_options(text, strlen(text), &again, &said_again) == OPTIONS_RUN && !*said_again);
		text_again = text_of(&again);
		MUST(!strcmp(text_again, text));
		free_options(&again);
		free(text_again);
		free(said_again);
		free(text);
	} else {
		check_refusal(said, (const char *)data, size);
	}
	free_options(&options);
	free(said);
	return 0;
}
