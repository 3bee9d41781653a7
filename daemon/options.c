/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* One row an option: it makes getopt's table, the usage text and the keys of the configuration file. */
static const struct {
	const char *name, *argument, *help;
} rows[] = {
	{ "listen", "unix:PATH|tcp:ADDRESS:PORT", "listen there and not on the defaults; may be repeated" },
	{ "token-file", "FILE", "who may ask over TCP: hashes of tokens, with an identity for each" },
	{ "tls-cert", "FILE", "over TCP speak TLS alone, with this certificate (PEM, with those that signed it)" },
	{ "tls-key", "FILE", "the key of that certificate" },
	{ "allow-host", "NAME", "another name that the Host field may hold; may be repeated" },
	{ "user", "NAME", "as root: answer requests as this user (vmad if there is one, else nobody)" },
	{ "procfs", "DIRECTORY", "read this captured tree, and not /proc" },
	{ "log", "errors|requests|none", "which requests get a line in the log; those that failed, if this is not said" },
	{ "config", "FILE", "read options from a file, as lines of name = value" },
	{ "help", NULL, "show this and end" },
	{ "version", NULL, "show the version and end" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void print_help(void)
{
	printf("Usage: vmad [options]\n\n"
	       "Answers questions about the virtual memory of this host over HTTP, while the host runs.\n\nOptions:\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		printf("  %-38s %s\n", left, rows[i].help);
	}
	printf("\nWithout --listen, root's vmad listens on unix:/run/vmad/vmad.sock, unix:/run/vmad/root.sock and "
	       "port 8623 of the\nloopback addresses; another user's on a socket of that user alone. See vmad(8).\n");
}

static bool add(const char **list, size_t *count, size_t most, const char *value)
{
	if (*count == most)
		return false;
	list[(*count)++] = value;
	return true;
}

/* Sets what the command line did not say already. False: it cannot be, *ret_what says why. */
static bool set(struct options *options, const char *name, const char *value, const char **ret_what)
{
	const struct { const char *name; const char **to; } single[] = {
		{ "token-file", &options->token_file }, { "procfs", &options->procfs }, { "user", &options->user }, { "log", &options->log },
		{ "tls-cert", &options->tls_cert }, { "tls-key", &options->tls_key },
	};

	enum log_level level;

	*ret_what = "is given too often";
	if (!*value) {
		*ret_what = "needs a value";
		return false;
	}
	if (!strcmp(name, "listen"))
		return add(options->listen, &options->listen_count, SERVER_LISTENERS_MAX, value);
	if (!strcmp(name, "allow-host"))
		return add(options->allow_host, &options->allow_host_count, SERVER_HOSTS_MAX - 1, value);
	if (!strcmp(name, "log") && log_level_parse(value, &level) < 0) {
		*ret_what = "wants errors, requests or none";
		return false;
	}
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (strcmp(single[i].name, name))
			continue;
		if (*single[i].to)
			return false;
		*single[i].to = value;
		return true;
	}
	*ret_what = "is not known here";
	return false;
}

/* A blank-trimmed part of a line, NUL-terminated in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static bool read_line(struct options *options, const char *path, unsigned number, char *line)
{
	char *name = trim(line), *value = strchr(name, '=');
	const char *what = "is not name = value";

	if (!*name || *name == '#')
		return true;
	if (value) {
		*value++ = '\0';
		value = strdup(trim(value));
		name = trim(name);
	}
	if (value && set(options, name, value, &what))
		return true;
	fprintf(stderr, "vmad: %s:%u: %s %s\n", path, number, name, what);
	free(value);
	return false;
}

static enum options_outcome read_file(struct options *options, const char *path)
{
	FILE *file = fopen(path, "re");
	enum options_outcome outcome = OPTIONS_RUN;
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		fprintf(stderr, "vmad: %s: %s\n", path, strerror(errno));
		return OPTIONS_FAILED;
	}
	for (unsigned number = 1; outcome == OPTIONS_RUN && getline(&line, &size, file) > 0; number++) {
		if (!read_line(options, path, number, line))
			outcome = OPTIONS_FAILED;
	}
	if (ferror(file)) {
		fprintf(stderr, "vmad: %s: %s\n", path, strerror(EIO));
		outcome = OPTIONS_FAILED;
	}
	free(line);
	fclose(file);
	return outcome;
}

static enum options_outcome usage(const char *name, const char *what)
{
	if (name)
		fprintf(stderr, "vmad: --%s %s\n", name, what);
	fprintf(stderr, "Try 'vmad --help'.\n");
	return OPTIONS_USAGE;
}

enum options_outcome options_read(int argc, char *argv[], struct options *options)
{
	struct option longs[ROWS + 1] = { 0 };
	const char *config = NULL, *what;
	int at;

	for (size_t i = 0; i < ROWS; i++)
		longs[i] = (struct option){ rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, 0 };
	for (int c; (at = -1, c = getopt_long(argc, argv, "", longs, &at)) != -1; ) {
		if (c == '?')
			return usage(NULL, NULL);
		if (!strcmp(rows[at].name, "help")) {
			print_help();
			return OPTIONS_DONE;
		}
		if (!strcmp(rows[at].name, "version")) {
			printf("vmad %s\n", PACKAGE_VERSION);
			return OPTIONS_DONE;
		}
		if (!strcmp(rows[at].name, "config"))
			config = optarg;
		else if (!set(options, rows[at].name, optarg, &what))
			return usage(rows[at].name, what);
	}
	if (optind < argc) {
		fprintf(stderr, "vmad: %s: vmad takes no arguments\n", argv[optind]);
		return usage(NULL, NULL);
	}
	return config ? read_file(options, config) : OPTIONS_RUN;
}
