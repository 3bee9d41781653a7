/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: what vmad was told, on its command line and in its configuration file. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "http/log.h"
#include "http/server.h"

struct options {
	const char *listen[SERVER_LISTENERS_MAX];	/* none: the defaults */
	size_t listen_count;
	const char *allow_host[SERVER_HOSTS_MAX];	/* NULL ends */
	size_t allow_host_count;
	const char *log;				/* NULL: not said; else one that log_level_parse() took */
	const char *token_file, *procfs, *user, *tls_cert, *tls_key;	/* NULL: not said */
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
