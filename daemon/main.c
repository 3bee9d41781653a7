/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmad: options, listeners, readiness, signals; the only place that exits.
 *
 * As root, the threads that talk to clients and parse run as another user without any capability; only the opener's
 * threads, which do neither, and this one, which waits for signals, stay root. Linux keeps identities per thread;
 * glibc's wrappers would change all of them, so the system calls are made directly.
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
#include "endpoint/endpoint.h"
#include "model/kind.h"
#include "options.h"
#include "source/mmap_rules.h"
#include "sockets.h"
#include "source/pagemap_scan.h"
#include "source/self.h"
#include "web/web.h"

struct daemon {
	struct options options;
	struct opener *opener;
	struct tokens *tokens;
	struct tls *tls;
	struct sockets sockets;
	struct endpoint_context context;
	struct server *server;
	struct board *board;
	struct sampler sampler;
	uid_t worker_uid;
	gid_t worker_gid;
	bool drops;			/* worker threads take on another identity */
};

/*
 * Writing to a client that is gone is an error of write(), not an end of vmad. Signals are waited for, so every thread
 * blocks them.
 */
static sigset_t block_signals(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return signals;
}

#define DESCRIPTORS 4096

/*
 * As many descriptors as allowed: a connection and its target have some each, and who maps a page is asked with three
 * files of each mapper open. Room for many is made while there is one thread: later, the kernel waits for a grace period
 * of RCU, some 10 ms, each time that the table of descriptors grows.
 */
static void raise_limits(void)
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

static bool read_tokens(struct daemon *daemon)
{
	const char *path = daemon->options.token_file, *what;
	unsigned line;
	int r = path ? tokens_read(path, &daemon->tokens, &line, &what) : 0;

	if (r == -EINVAL)
		fprintf(stderr, "vmad: %s:%u: %s\n", path, line, what);
	else if (r == -EBADF)
		fprintf(stderr, "vmad: %s: not a regular file\n", path);
	else if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", path, strerror(-r));
	return r == 0;
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

static int drop_for_sampler(void *daemon)
{
	return drop_identity(daemon);
}

/* Before there are threads: it is forked. Without it vmad answers all the same, but for the metrics of groups. */
static bool start_sampler(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	const char *procfs = options->procfs ? options->procfs : "/proc";
	static struct sampler_config config;
	int r;

	/* Without a directory to read from nothing else starts either, and that is said where the opener does not. */
	if (options->metrics == METRICS_OFF || access(procfs, R_OK | X_OK) < 0)
		return true;
	config = (struct sampler_config){
		.procfs = procfs,
		.interval_seconds = options->sample_interval_seconds ? options->sample_interval_seconds
								       : SAMPLER_INTERVAL_SECONDS,
		.usage_max_bytes = options->sample_usage_bytes,
		.groups = options->sample_groups,
		.rule_count = options->group_count,
		.drop = daemon->drops ? drop_for_sampler : NULL,
		.drop_arg = daemon,
	};
	memcpy(config.rules, options->groups, sizeof(config.rules));
	r = board_new(&daemon->board);
	if (r == 0)
		r = sampler_start(&config, daemon->board, &daemon->sampler);
	if (r < 0)
		fprintf(stderr, "vmad: the sampler cannot start: %s\n", strerror(-r));
	return r == 0;
}

static bool open_opener(struct daemon *daemon)
{
	const char *procfs = daemon->options.procfs ? daemon->options.procfs : "/proc";
	struct vmad_error err;
	int r;

	/* before there are threads */
	self_open();
	mmap_rules_learn();
	r = opener_new(procfs, &daemon->opener, &err);
	if (r < 0) {
		fprintf(stderr, "vmad: %s: %s\n", procfs, strerror(-r));
		return false;
	}
	daemon->context = (struct endpoint_context){
		.opener = daemon->opener,
		.procfs = procfs,
		.vma_limit_fd = opener_open_host(daemon->opener, OPENER_HOST_VMA_LIMIT),
		.mountinfo_fd = opener_open_host(daemon->opener, OPENER_HOST_MOUNTINFO),
		.min_address_fd = opener_open_host(daemon->opener, OPENER_HOST_MMAP_MIN_ADDR),
		.overcommit_fd = opener_open_host(daemon->opener, OPENER_HOST_OVERCOMMIT),
		.board = daemon->board,
		.metrics = daemon->options.metrics,
	};
	/* Asked of our own files, which the worker may not open. */
	if (!opener_is_captured(daemon->opener))
		pagemap_scan_categories();
	kind_learn_devices();
	if (daemon->context.mountinfo_fd >= 0)
		kind_learn_mounts(daemon->context.mountinfo_fd);
	return true;
}

static void *start_worker(void *arg)
{
	struct daemon *daemon = arg;
	struct server_config config = {
		.opener = daemon->opener,
		.handlers = endpoint_handlers,
		.context = &daemon->context,
		.is_open = endpoint_is_open,
		.tokens = daemon->tokens,
		.site = web_files,
		.tls = daemon->tls,
	};
	int r = daemon->drops ? drop_identity(daemon) : 0;

	memcpy(config.hosts, daemon->options.allow_host, sizeof(config.hosts));
	if (r == 0)
		r = server_start(&config, daemon->sockets.list, daemon->sockets.count, &daemon->server);
	return (void *)(intptr_t)r;
}

static bool serve(struct daemon *daemon)
{
	pthread_t thread;
	void *outcome = NULL;
	int r = pthread_create(&thread, NULL, start_worker, daemon);

	if (r == 0) {
		pthread_join(thread, &outcome);
		r = -(int)(intptr_t)outcome;
	}
	if (r)
		fprintf(stderr, "vmad: cannot serve: %s\n", strerror(r));
	return r == 0;
}

static bool start(struct daemon *daemon)
{
	if (!choose_worker(daemon) || !read_tokens(daemon) || !read_tls(daemon) || !start_sampler(daemon) ||
	    !open_opener(daemon) || !sockets_open(&daemon->options, &daemon->sockets))
		return false;
	if (!openapi_prepare()) {
		fprintf(stderr, "vmad: %s\n", strerror(ENOMEM));
		return false;
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (size_t i = 0; i < daemon->sockets.count; i++)
		fprintf(stderr, "vmad: listening on %s\n", daemon->sockets.list[i].name);
	return serve(daemon);
}

/* Until SIGTERM or SIGINT; tells systemd's watchdog meanwhile that we are alive. */
static void wait_for_end(const sigset_t *signals)
{
	uint64_t watchdog_us = 0;

	sd_watchdog_enabled(0, &watchdog_us);
	for (;;) {
		struct timespec half = { .tv_sec = (time_t)(watchdog_us / 2000000),
					 .tv_nsec = (long)(watchdog_us / 2 % 1000000) * 1000 };
		int signal_number = watchdog_us ? sigtimedwait(signals, NULL, &half) : sigwaitinfo(signals, NULL);

		if (signal_number == SIGTERM || signal_number == SIGINT)
			return;
		if (watchdog_us)
			sd_notify(0, "WATCHDOG=1");
	}
}

static void stop(struct daemon *daemon)
{
	/* What the kernel holds ends with the process, and not before. */
	if (daemon->server && !server_stop(daemon->server))
		_exit(0);
	sockets_close(&daemon->sockets);
	openapi_forget();
	metrics_forget();
	if (daemon->context.opener) {
		if (daemon->context.vma_limit_fd >= 0)
			close(daemon->context.vma_limit_fd);
		if (daemon->context.mountinfo_fd >= 0)
			close(daemon->context.mountinfo_fd);
		if (daemon->context.min_address_fd >= 0)
			close(daemon->context.min_address_fd);
		if (daemon->context.overcommit_fd >= 0)
			close(daemon->context.overcommit_fd);
	}
	opener_free(daemon->opener);
	sampler_stop(&daemon->sampler);
	tokens_free(daemon->tokens);
	tls_free(daemon->tls);
}

int main(int argc, char *argv[])
{
	static struct daemon daemon;
	sigset_t signals;

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
	signals = block_signals();
	raise_limits();
	begin_log(&daemon.options);
	if (!start(&daemon)) {
		stop(&daemon);
		return 1;
	}
	fprintf(stderr, "vmad: ready\n");
	sd_notifyf(0, "READY=1\nSTATUS=Answering on %zu sockets", daemon.sockets.count);
	wait_for_end(&signals);
	sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	stop(&daemon);
	return 0;
}
