/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alone.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "opener/opener.h"
#include "opener/caller/token.h"
#include "reload.h"
#include "source/self.h"
#include "worker.h"

/*
 * For the calling thread, and for those that it will make: libmicrohttpd's. Linux keeps identities per thread; glibc's
 * wrappers would change all of them, so the system calls are made directly.
 */
static int drop_identity(const struct daemon *daemon)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, daemon->worker_gid, daemon->worker_gid, daemon->worker_gid) < 0 ||
	    syscall(SYS_setresuid, daemon->worker_uid, daemon->worker_uid, daemon->worker_uid) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

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

int alone_run(struct daemon *daemon)
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
