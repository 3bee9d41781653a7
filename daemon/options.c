/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "meet.h"

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
	{ "role", "all|opener|worker", "as root: one half of vmad, where systemd starts both" },
	{ "worker-socket", "PATH", "where the opener meets the worker (/run/vmad/worker.sock)" },
	{ "procfs", "DIRECTORY", "read this captured tree, and not /proc" },
	{ "log", "errors|requests|none", "which requests get a line in the log; those that failed, if this is not said" },
	{ "metrics", "open|token|off", "who is answered GET /metrics: over TCP all or those with a token; nobody" },
	{ "sample-interval", "SECONDS", "how often the metrics' sampler looks at all processes (15)" },
	{ "sample-usage", "SIZE", "sample PSS and USS too, of processes that are resident with at most SIZE" },
	{ "sample-groups", "NUMBER", "at most so many groups of processes; the rest is summed up" },
	{ "group", "OF:PATTERN=NAME", "processes whose comm, unit or cgroup matches are in that group; may be repeated" },
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

static bool set_metrics(struct options *options, const char *value, const char **ret_what)
{
	static const char *const words[] = { [METRICS_OPEN] = "open", [METRICS_TOKEN] = "token", [METRICS_OFF] = "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(value, words[i])) {
			options->metrics = (enum metrics_access)i;
			return true;
		}
	}
	*ret_what = "is not open, token or off";
	return false;
}

static bool set_role(struct options *options, const char *value, const char **ret_what)
{
	static const char *const words[] = { [ROLE_ALL] = "all", [ROLE_OPENER] = "opener", [ROLE_WORKER] = "worker" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(value, words[i])) {
			options->role = (enum role)i;
			return true;
		}
	}
	*ret_what = "is not all, opener or worker";
	return false;
}

static bool parse_number(const char *value, unsigned long most, unsigned long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoul(value, &end, 10);
	return *value >= '0' && *value <= '9' && !*end && !errno && *ret_number >= 1 && *ret_number <= most;
}

static bool set_interval(struct options *options, const char *value, const char **ret_what)
{
	unsigned long seconds;

	*ret_what = "is not a number of seconds from 1 to 3600";
	if (!parse_number(value, 3600, &seconds))
		return false;
	options->sample_interval_seconds = (unsigned)seconds;
	return true;
}

static bool set_groups(struct options *options, const char *value, const char **ret_what)
{
	unsigned long groups;

	*ret_what = "is not a number of groups that leaves room for the rest";
	if (!parse_number(value, GROUPS_MAX, &groups))
		return false;
	options->sample_groups = groups;
	return true;
}

static bool set_usage(struct options *options, const char *value, const char **ret_what)
{
	struct param_value size;

	*ret_what = "is not a size such as 256M";
	if (param_parse(PARAM_length, value, &size) < 0 || !size.number)
		return false;
	options->sample_usage_bytes = size.number;
	return true;
}

static bool add_group(struct options *options, const char *value, const char **ret_what)
{
	return options->group_count < GROUP_RULES_MAX &&
	       group_rule_parse(value, &options->groups[options->group_count], ret_what) && ++options->group_count;
}

/* Those whose value is more than text. */
static const struct {
	const char *name;
	bool (*set)(struct options *options, const char *value, const char **ret_what);
} typed[] = {
	{ "role", set_role }, { "metrics", set_metrics }, { "sample-interval", set_interval }, { "sample-usage", set_usage },
	{ "sample-groups", set_groups }, { "group", add_group },
};

/* Sets what the command line did not say already. False: it cannot be, *ret_what says why. */
static bool set(struct options *options, const char *name, const char *value, const char **ret_what)
{
	const struct { const char *name; const char **to; } single[] = {
		{ "token-file", &options->token_file }, { "procfs", &options->procfs }, { "user", &options->user }, { "log", &options->log },
		{ "tls-cert", &options->tls_cert }, { "tls-key", &options->tls_key },
		{ "worker-socket", &options->worker_socket },
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
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		if (strcmp(typed[i].name, name))
			continue;
		if (options->typed_given & 1u << i && typed[i].set != add_group)
			return false;
		options->typed_given |= 1u << i;
		return typed[i].set(options, value, ret_what);
	}
	*ret_what = "is not known here";
	return false;
}

/* Then nothing points to the text of its value. */
static bool is_typed(const char *name)
{
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		if (!strcmp(typed[i].name, name))
			return true;
	}
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
	if (value && set(options, name, value, &what)) {
		if (is_typed(name))
			free(value);
		return true;
	}
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
	enum options_outcome outcome;
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
	outcome = config ? read_file(options, config) : OPTIONS_RUN;
	if (!options->worker_socket)
		options->worker_socket = MEET_PATH;
	return outcome;
}
