/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmad: options, and all that is made ready before anybody serves; the only place that exits. As root it is several
 * processes (family.h), as an ordinary user one (alone.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "alone.h"
#include "config.h"
#include "daemon.h"
#include "endpoint/endpoint.h"
#include "family.h"
#include "http/tls.h"
#include "opener/opener.h"
#include "opener/caller/token.h"
#include "role.h"
#include "worker.h"

/*
 * Writing to a client that is gone is an error of write(), not an end of vmad. Signals are waited for, so every thread
 * blocks them.
 */
static void block_signals(sigset_t *signals)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

#define DESCRIPTORS 4096

/*
 * As many descriptors as allowed: a connection and its target have some each, and who maps a page is asked with three
 * files of each mapper open. Room for many is made while there is one thread: later, the kernel waits for a grace period
 * of RCU, some 10 ms, each time that the table of descriptors grows.
 */
void daemon_raise_limits(void)
{
	struct rlimit limit;
	int fd;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, DESCRIPTORS - 1);
	if (fd >= 0)
		close(fd);
}

static void begin_log(const struct options *options)
{
	enum log_level level = LOG_LEVEL_ERRORS;

	if (options->log)
		log_level_parse(options->log, &level);
	log_begin(level);
}

static bool choose_worker(struct daemon *daemon)
{
	const char *name = daemon->options.user;
	struct passwd *user;

	daemon->worker_uid = geteuid();
	daemon->worker_gid = getegid();
	if (geteuid() != 0) {
		if (name)
			fprintf(stderr, "vmad: --user %s: only root's vmad can take on another user\n", name);
		return !name;
	}
	user = name ? getpwnam(name) : getpwnam("vmad");
	if (!user && !name)
		user = getpwnam("nobody");
	if (!user) {
		fprintf(stderr, "vmad: --user %s: there is no such user\n", name ? name : "nobody");
		return false;
	}
	daemon->worker_uid = user->pw_uid;
	daemon->worker_gid = user->pw_gid;
	daemon->drops = user->pw_uid != 0;
	return true;
}

bool daemon_read_tokens(const struct options *options, struct tokens **ret_tokens)
{
	const char *path = options->token_file, *what;
	unsigned line;
	int r = path ? tokens_read(path, ret_tokens, &line, &what) : 0;

	if (r == -EINVAL)
		fprintf(stderr, "vmad: %s:%u: %s\n", path, line, what);
	else if (r == -EBADF)
		fprintf(stderr, "vmad: %s: not a regular file\n", path);
	else if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", path, strerror(-r));
	return r == 0;
}

void daemon_forget_tokens(struct daemon *daemon)
{
	tokens_free(daemon->tokens);
	daemon->tokens = NULL;
}

int daemon_read_board(struct daemon *daemon)
{
	if (daemon->board) {
		board_free(daemon->board);
		close(daemon->board_fd);
	}
	daemon->board = NULL;
	return board_new_reader(&daemon->board);
}

static bool read_tls(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	const char *path, *what;
	int r;

	if (!options->tls_cert && !options->tls_key)
		return true;
	if (!options->tls_cert || !options->tls_key) {
		fprintf(stderr, "vmad: --tls-cert and --tls-key need each other\n");
		return false;
	}
	if (options->role == ROLE_ALL && opener_can_be_apart(daemon->procfs))
		return tls_files_take(options, &daemon->tls_files);
	r = tls_read(options->tls_cert, options->tls_key, &daemon->tls, &path, &what);
	if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", path, what);
	return r == 0;
}

/* Without it vmad answers all the same, but for the metrics of groups. */
static bool prepare_sampler(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	int r;

	/* Without a directory to read from nothing else starts either, and that is said where the opener does not. */
	if (options->metrics == METRICS_OFF || access(daemon->procfs, R_OK | X_OK) < 0)
		return true;
	daemon->sampler = (struct sampler_config){
		.procfs = daemon->procfs,
		.interval_seconds = options->sample_interval_seconds ? options->sample_interval_seconds
								       : SAMPLER_INTERVAL_SECONDS,
		.usage_max_bytes = options->sample_usage_bytes,
		.groups = options->sample_groups,
		.rule_count = options->group_count,
	};
	memcpy(daemon->sampler.rules, options->groups, sizeof(daemon->sampler.rules));
	r = board_new(&daemon->board, &daemon->board_fd);
	if (r < 0)
		fprintf(stderr, "vmad: the sampler cannot start: %s\n", strerror(-r));
	return r == 0;
}

/* Files of processes, tokens, and who writes the metrics' numbers. */
static bool prepare_opener(struct daemon *daemon)
{
	return daemon_read_tokens(&daemon->options, &daemon->tokens) && prepare_sampler(daemon);
}

/* Clients, and what they are told. */
static bool prepare_worker(struct daemon *daemon)
{
	if (!read_tls(daemon) || !sockets_open(&daemon->options, daemon->options.role == ROLE_WORKER, &daemon->sockets,
					       &daemon->meet_fd))
		return false;
	worker_learn();
	if (!openapi_prepare()) {
		fprintf(stderr, "vmad: %s\n", strerror(ENOMEM));
		return false;
	}
	for (size_t i = 0; i < daemon->sockets.count; i++)
		fprintf(stderr, "vmad: listening on %s\n", daemon->sockets.list[i].name);
	return true;
}

/* An opener by itself: it needs what root has, the running kernel, and to know where clients come to. */
static bool prepare_opener_alone(struct daemon *daemon)
{
	if (!opener_can_be_apart(daemon->procfs)) {
		fprintf(stderr, "vmad: --role opener: it needs root's capabilities, and the running kernel's /proc\n");
		return false;
	}
	sockets_name(&daemon->options, daemon->socket_paths, &daemon->socket_path_count);
	return prepare_opener(daemon);
}

static bool prepare(struct daemon *daemon)
{
	enum role role = daemon->options.role;
	bool prepared = choose_worker(daemon);

	daemon->procfs = daemon->options.procfs ? daemon->options.procfs : "/proc";
	if (prepared && role == ROLE_OPENER)
		prepared = prepare_opener_alone(daemon);
	else if (prepared)
		prepared = (role == ROLE_WORKER || prepare_opener(daemon)) && prepare_worker(daemon);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return prepared;
}

static void release(struct daemon *daemon)
{
	sockets_close(&daemon->sockets);
	openapi_forget();
	daemon_forget_tokens(daemon);
	tls_files_close(&daemon->tls_files);
	tls_free(daemon->tls);
	tls_forget();
}

static int run_worker(struct daemon *daemon)
{
	const struct worker_role role = { .opener = -1, .files = -1, .beat = -1 };

	return role_worker(daemon, &role) < 0 ? 1 : 0;
}

static int run(struct daemon *daemon)
{
	switch (daemon->options.role) {
	case ROLE_OPENER:
		return family_run(daemon);
	case ROLE_WORKER:
		return run_worker(daemon);
	case ROLE_ALL:
		break;
	}
	return opener_can_be_apart(daemon->procfs) ? family_run(daemon) : alone_run(daemon);
}

int main(int argc, char *argv[])
{
	static struct daemon daemon;
	int status = 1;

	switch (options_read(argc, argv, &daemon.options)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_USAGE:
		return 2;
	case OPTIONS_FAILED:
		return 1;
	}
	block_signals(&daemon.signals);
	daemon_raise_limits();
	begin_log(&daemon.options);
	daemon.meet_fd = -1;
	daemon.tls_files = (struct tls_files){ -1, -1 };
	sd_watchdog_enabled(0, &daemon.watchdog_us);
	if (prepare(&daemon))
		status = run(&daemon);
	release(&daemon);
	return status;
}
