/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmad: options, listeners, readiness, signals; the only place that exits.
 *
 * As root it is several processes (family.h). As an ordinary user it is one, and so it is where it reads a captured
 * tree; if root does, the threads that talk to clients run as another user all the same. Linux keeps identities per
 * thread; glibc's wrappers would change all of them, so the system calls are made directly.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "config.h"
#include "daemon.h"
#include "endpoint/endpoint.h"
#include "family.h"
#include "http/tls.h"
#include "opener/opener.h"
#include "opener/token.h"
#include "reload.h"
#include "role.h"
#include "source/self.h"
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

void daemon_forget_tls(struct daemon *daemon)
{
	tls_free(daemon->tls);
	daemon->tls = NULL;
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
	r = tls_read(options->tls_cert, options->tls_key, &daemon->tls, &path, &what);
	if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", path, what);
	return r == 0;
}

/* For the calling thread, and for those that it will make: libmicrohttpd's. */
static int drop_identity(const struct daemon *daemon)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, daemon->worker_gid, daemon->worker_gid, daemon->worker_gid) < 0 ||
	    syscall(SYS_setresuid, daemon->worker_uid, daemon->worker_uid, daemon->worker_uid) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* --- vmad in one process: an ordinary user's, or one that reads a captured tree --- */

struct alone {
	struct daemon *daemon;
	struct opener *opener;
	struct worker *worker;
};

static void *start_worker(void *arg)
{
	struct alone *alone = arg;
	int r = alone->daemon->drops ? drop_identity(alone->daemon) : 0;

	if (r < 0) {
		fprintf(stderr, "vmad: cannot serve: %s\n", strerror(-r));
		opener_free(alone->opener);
	} else {
		alone->worker = worker_start(alone->daemon, alone->opener);
	}
	return NULL;
}

/* The opener's threads keep what privileges there are. */
static bool start_alone(struct alone *alone)
{
	struct daemon *daemon = alone->daemon;
	pthread_t thread;
	int r = opener_new(daemon->procfs, &alone->opener, NULL);

	if (r < 0) {
		fprintf(stderr, "vmad: %s: %s\n", daemon->procfs, strerror(-r));
		return false;
	}
	opener_use_tokens(alone->opener, daemon->tokens);
	daemon->tokens = NULL;
	r = pthread_create(&thread, NULL, start_worker, alone);
	if (r) {
		fprintf(stderr, "vmad: cannot serve: %s\n", strerror(r));
		opener_free(alone->opener);
		return false;
	}
	pthread_join(thread, NULL);
	return alone->worker != NULL;
}

static void reload(struct alone *alone)
{
	struct tokens *tokens = NULL;

	reload_tls(&alone->daemon->options);
	if (!alone->daemon->options.token_file || !daemon_read_tokens(&alone->daemon->options, &tokens))
		return;
	opener_use_tokens(alone->opener, tokens);
	fprintf(stderr, "vmad: the tokens are read again\n");
}

/* Until SIGTERM or SIGINT; tells systemd's watchdog meanwhile that we are alive. */
static void wait_for_end(struct alone *alone)
{
	const sigset_t *signals = &alone->daemon->signals;
	uint64_t half_us = alone->daemon->watchdog_us / 2;
	struct timespec half = { .tv_sec = (time_t)(half_us / 1000000), .tv_nsec = (long)(half_us % 1000000) * 1000 };

	for (;;) {
		int signal_number = half_us ? sigtimedwait(signals, NULL, &half) : sigwaitinfo(signals, NULL);

		if (signal_number == SIGTERM || signal_number == SIGINT)
			return;
		if (signal_number == SIGHUP)
			reload(alone);
		if (half_us && worker_gets_on(alone->worker))
			sd_notify(0, "WATCHDOG=1");
	}
}

static int drop_for_sampler(void *daemon)
{
	return drop_identity(daemon);
}

/* Before there are threads: it is forked. */
static bool start_sampler(const struct daemon *daemon, struct sampler *sampler)
{
	struct sampler_config config = daemon->sampler;
	int r;

	if (!daemon->board)
		return true;
	config.control_fd = -1;
	config.drop = daemon->drops ? drop_for_sampler : NULL;
	config.drop_arg = (void *)daemon;
	r = sampler_start(&config, daemon->board, sampler);
	if (r < 0)
		fprintf(stderr, "vmad: the sampler cannot start: %s\n", strerror(-r));
	else
		board_protect(daemon->board);
	return r == 0;
}

static int run_alone(struct daemon *daemon)
{
	struct alone alone = { .daemon = daemon };
	struct sampler sampler = { 0 };
	bool ended;

	self_open();
	if (!start_sampler(daemon, &sampler) || !start_alone(&alone)) {
		sampler_stop(&sampler);
		return 1;
	}
	fprintf(stderr, "vmad: ready\n");
	sd_notifyf(0, "READY=1\nSTATUS=Answering on %zu sockets", daemon->sockets.count);
	wait_for_end(&alone);
	sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	ended = worker_stop(alone.worker);
	sampler_stop(&sampler);
	if (!ended)
		_exit(0);	/* what the kernel holds ends with the process, and not before */
	return 0;
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
	daemon_forget_tls(daemon);
	tls_forget();
}

static int run_worker_alone(struct daemon *daemon)
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
		return run_worker_alone(daemon);
	case ROLE_ALL:
		break;
	}
	return opener_can_be_apart(daemon->procfs) ? family_run(daemon) : run_alone(daemon);
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
	sd_watchdog_enabled(0, &daemon.watchdog_us);
	if (prepare(&daemon))
		status = run(&daemon);
	release(&daemon);
	return status;
}
