/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: what vmad was told, on its command line and in its configuration file. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "endpoint/endpoint.h"
#include "http/log.h"
#include "http/server.h"
#include "sampler/sampler.h"

/* What this process is to be: all of vmad, or one half where systemd starts both (role.h). */
enum role { ROLE_ALL, ROLE_OPENER, ROLE_WORKER };

struct options {
	enum role role;
	const char *worker_socket;			/* where an opener comes to its worker */
	const char *listen[SERVER_LISTENERS_MAX];	/* none: the defaults */
	size_t listen_count;
	const char *allow_host[SERVER_HOSTS_MAX];	/* NULL ends */
	size_t allow_host_count;
	const char *log;				/* NULL: not said; else one that log_level_parse() took */
	const char *token_file, *procfs, *user, *tls_cert, *tls_key;	/* NULL: not said */
	enum metrics_access metrics;
	unsigned sample_interval_seconds;
	uint64_t sample_usage_bytes;	/* 0: the usage tier is off */
	size_t sample_groups;		/* 0: as many as there is room for */
	struct group_rule groups[GROUP_RULES_MAX];
	size_t group_count;
	unsigned typed_given;		/* a bit for each option that is no text and was given */
};

/* What is to be done with them. */
enum options_outcome { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_USAGE, OPTIONS_FAILED };

/*
 * Reads argv and the file that --config names; what argv says comes first. Prints help and version (OPTIONS_DONE), or
 * one line about what is wrong (OPTIONS_USAGE: the command line; OPTIONS_FAILED: the file). Strings live as long as the
 * process.
 */
enum options_outcome options_read(int argc, char *argv[], struct options *options);

#endif
