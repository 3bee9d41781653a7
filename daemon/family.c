/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "family.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "confine.h"
#include "meter/meter.h"
#include "opener/opener.h"
#include "opener/serve.h"
#include "opener/token.h"
#include "http/tls.h"
#include "source/self.h"
#include "worker.h"

#define DRAIN_MS (SERVER_DRAIN_MS + 1000)	/* for a worker that is asked to end */
#define CUT_MS 500				/* the same, where there is no opener for it any more */
#define END_MS 1000				/* for an opener whose worker has ended */
#define FAILURES_MAX 10				/* so many within FAILURES_MS are too many */
#define FAILURES_MS 30000

/* One end of each is the opener's. Another process with a role of its own (serve.h) is one more row. */
enum member { OPENER, WORKER, SAMPLER, MEMBERS };

static const char *const member_names[MEMBERS] = { [OPENER] = "opener", [WORKER] = "worker",
						   [SAMPLER] = "sampler" };

struct family {
	struct daemon *daemon;
	pid_t pid[MEMBERS];		/* 0: not there */
	pid_t keeper;
	/* The sampler's end of its control socket stays here, for one that takes the place of another. */
	int sampler_fd;
	struct sampler sampler;
	uint64_t failed_ms[FAILURES_MAX];
	unsigned failures;
};

/* What the members start with. */
struct ends {
	int opener, worker;		/* of the worker's control socket */
	int opener_sampler;		/* the opener's of the sampler's */
	int ready;			/* the worker writes a byte to it once it serves */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int complain(const char *what, int r)
{
	if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", what, strerror(-r));
	return r;
}

static int open_signal(int signal_number)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, signal_number);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- the opener --- */

struct reload {
	const struct daemon *daemon;
	struct opener *opener;
	int fd;
};

static void reload_tokens(void *arg)
{
	struct signalfd_siginfo signal_info;
	struct reload *reload = arg;
	struct tokens *tokens = NULL;

	if (read(reload->fd, &signal_info, sizeof(signal_info)) != sizeof(signal_info) ||
	    !reload->daemon->options.token_file || !daemon_read_tokens(&reload->daemon->options, &tokens))
		return;
	opener_use_tokens(reload->opener, tokens);
	fprintf(stderr, "vmad: the tokens are read again\n");
}


/* Sockets for clients are none of its business, but for their addresses; nor is the key of TLS. */
static int run_opener(struct daemon *daemon, const struct ends *ends, pid_t parent)
{
	const struct serve_control controls[] = { { SERVE_WORKER, ends->opener },
						  { SERVE_SAMPLER, ends->opener_sampler } };
	int listeners[SERVER_LISTENERS_MAX];
	struct reload reload = { .daemon = daemon };
	struct serve_config config = {
		.controls = controls,
		.control_count = sizeof(controls) / sizeof(controls[0]),
		.listeners = listeners,
		.listener_count = daemon->sockets.count,
		.reload = reload_tokens,
		.arg = &reload,
	};
	int r = opener_new_here(daemon->procfs, &reload.opener, NULL);

	if (r < 0)
		return complain(daemon->procfs, r);
	opener_use_tokens(reload.opener, daemon->tokens);
	tls_free(daemon->tls);
	for (size_t i = 0; i < daemon->sockets.count; i++)
		listeners[i] = daemon->sockets.list[i].fd;
	reload.fd = config.reload_fd = open_signal(SIGHUP);
	config.forget_listeners = true;
	r = confine_opener(parent);
	return r < 0 ? complain("the opener", r) : serve(reload.opener, &config);
}

/* --- the worker --- */

/* Until SIGTERM (true), or until the opener is gone: which it is, too, when the one who keeps them is killed. */
static bool wait_for_end(int end_fd, int control_fd)
{
	struct pollfd polled[] = { { .fd = end_fd, .events = POLLIN }, { .fd = control_fd } };

	while (poll(polled, 2, -1) < 0 && errno == EINTR)
		;
	return polled[0].revents;
}

static int run_worker(struct daemon *daemon, const struct ends *ends, pid_t parent, unsigned failures)
{
	struct opener *opener;
	struct worker *worker;
	int end_fd = open_signal(SIGTERM), r;

	self_open();
	if (daemon->board)
		board_protect(daemon->board);
	for (size_t i = 0; i < daemon->sockets.count; i++) {
		free(daemon->sockets.list[i].unlink_path);
		daemon->sockets.list[i].unlink_path = NULL;	/* the sockets outlive it */
	}
	if (failures)
		meter_add(METER_OPENER_RESTARTS, NULL, NULL, failures);
	r = confine_worker(daemon->worker_uid, daemon->worker_gid);
	if (r == 0)
		r = opener_new_remote(ends->worker, OPENER_REMOTE_THREADS, &opener, NULL);
	if (r < 0)
		return complain("the worker", r);
	worker = worker_start(daemon, opener);
	if (!worker || write(ends->ready, "", 1) != 1)
		return -EIO;
	close(ends->ready);
	if (!wait_for_end(end_fd, ends->worker) && getppid() != parent)
		return -ESRCH;
	if (!worker_stop(worker))
		_exit(0);	/* what the kernel holds ends with the process, and not before */
	return 0;
}

/* --- the one who keeps them --- */

static void end_member(int r)
{
	fflush(NULL);
	_exit(r < 0 ? 1 : 0);
}

static bool start_members(struct family *family, const struct ends *ends)
{
	family->pid[OPENER] = fork();
	if (family->pid[OPENER] == 0) {
		close(ends->worker);
		close(ends->ready);
		close(family->sampler_fd);
		prctl(PR_SET_NAME, "vmad-opener");
		daemon_raise_limits();
		end_member(run_opener(family->daemon, ends, family->keeper));
	}
	family->pid[WORKER] = family->pid[OPENER] < 0 ? -1 : fork();
	if (family->pid[WORKER] == 0) {
		close(ends->opener);
		close(ends->opener_sampler);
		close(family->sampler_fd);	/* it could ask for more than a worker may */
		prctl(PR_SET_NAME, "vmad-worker");
		daemon_raise_limits();
		end_member(run_worker(family->daemon, ends, family->keeper, family->failures));
	}
	for (int i = OPENER; i <= WORKER; i++) {
		if (family->pid[i] < 0) {
			complain("fork", -errno);
			family->pid[i] = 0;
		}
	}
	return family->pid[OPENER] && family->pid[WORKER];
}

static int confine_sampler(void *arg)
{
	const struct family *family = arg;

	return confine_worker(family->daemon->worker_uid, family->daemon->worker_gid);
}

static bool start_sampler(struct family *family)
{
	struct sampler_config config = family->daemon->sampler;
	int r;

	if (!family->daemon->board)
		return true;
	config.control_fd = family->sampler_fd;
	config.drop = confine_sampler;
	config.drop_arg = family;
	r = sampler_start(&config, family->daemon->board, &family->sampler);
	family->pid[SAMPLER] = family->sampler.pid;
	return complain("the sampler", r) == 0;
}

static void close_ends(const struct ends *ends)
{
	const int fds[] = { ends->opener, ends->worker, ends->opener_sampler, ends->ready };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static bool make_ends(struct family *family, struct ends *ends, int *ret_ready)
{
	int control[2], sampler[2], ready[2];

	*ends = (struct ends){ -1, -1, -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return false;
	ends->opener = control[0];
	ends->worker = control[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sampler) < 0)
		return false;
	ends->opener_sampler = sampler[0];
	family->sampler_fd = sampler[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return false;
	*ret_ready = ready[0];
	ends->ready = ready[1];
	return true;
}

/* True: the worker serves. */
static bool start(struct family *family)
{
	bool started = false;
	struct ends ends;
	int ready = -1;
	char byte;

	if (make_ends(family, &ends, &ready))
		started = start_members(family, &ends);
	else
		complain("socketpair", -errno);
	close_ends(&ends);
	started = started && start_sampler(family) && read(ready, &byte, 1) == 1;
	if (ready >= 0)
		close(ready);
	return started;
}

/* One that has ended: its number, or MEMBERS where none has. */
static enum member reap(struct family *family, int *ret_status)
{
	pid_t pid = waitpid(-1, ret_status, WNOHANG);

	for (int i = 0; i < MEMBERS; i++) {
		if (pid > 0 && family->pid[i] == pid) {
			family->pid[i] = 0;
			return i;
		}
	}
	return MEMBERS;
}

/* As the one whom it runs as: signals to others would take CAP_KILL. */
static void signal_member(const struct family *family, enum member member, int signal_number)
{
	uid_t uid = member == OPENER ? 0 : family->daemon->worker_uid;

	if (seteuid(uid) == 0)
		kill(family->pid[member], signal_number);
	if (seteuid(0) < 0)
		abort();
}

/* Waits for it, and kills it when the time is over. */
static void await(struct family *family, enum member member, unsigned ms)
{
	uint64_t until = now_ms() + ms;
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (family->pid[member]) {
		uint64_t now = now_ms();
		uint64_t left = until > now ? until - now : 0;

		if (reap(family, &status) != MEMBERS)
			continue;
		if (left == 0)
			signal_member(family, member, SIGKILL);
		sigtimedwait(&child, NULL,
			     &(struct timespec){ .tv_sec = (time_t)(left / 1000),
						 .tv_nsec = left ? (long)(left % 1000) * 1000000 : 10000000 });
	}
}

/* The sampler sees its end when nobody holds the other end of its pipe any more: so the last. */
static void stop(struct family *family, unsigned worker_ms)
{
	if (family->pid[WORKER])
		signal_member(family, WORKER, SIGTERM);
	await(family, WORKER, worker_ms);
	await(family, OPENER, END_MS);
	if (family->sampler.pid)
		close(family->sampler.end_fd);
	await(family, SAMPLER, END_MS);
	family->sampler.pid = 0;
	if (family->sampler_fd >= 0)
		close(family->sampler_fd);
	family->sampler_fd = -1;
}

/* Does it happen too often? */
static bool is_hopeless(struct family *family)
{
	uint64_t *oldest = &family->failed_ms[family->failures++ % FAILURES_MAX];
	uint64_t now = now_ms(), before = *oldest;

	*oldest = now;
	return before && now - before < FAILURES_MS;
}

static void tell_end(enum member member, int status)
{
	if (member == OPENER && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fprintf(stderr, "vmad: the opener saw the worker end: starting again\n");
	else if (WIFSIGNALED(status))
		fprintf(stderr, "vmad: the %s was ended by signal %d: starting again\n", member_names[member],
			WTERMSIG(status));
	else
		fprintf(stderr, "vmad: the %s ended with status %d: starting again\n", member_names[member],
			WEXITSTATUS(status));
}

/* False: there is no use in starting it again. */
static bool has_hope(struct family *family)
{
	if (!is_hopeless(family))
		return true;
	fprintf(stderr, "vmad: it ends again and again: giving up\n");
	return false;
}

/* Starts anew, once what is left has ended; one that ends while it starts has ended once more. */
static bool start_again(struct family *family)
{
	do {
		stop(family, CUT_MS);
		if (!has_hope(family))
			return false;
	} while (!start(family));
	return true;
}

/* One has ended by itself. False: it is given up. */
static bool mend(struct family *family, enum member member, int status)
{
	tell_end(member, status);
	if (member == SAMPLER) {
		close(family->sampler.end_fd);
		return has_hope(family) && start_sampler(family);
	}
	sd_notify(0, "STATUS=Starting again");
	if (!start_again(family))
		return false;
	sd_notifyf(0, "STATUS=Answering on %zu sockets", family->daemon->sockets.count);
	return true;
}

/* Several may have ended at once, with one signal for all. */
static bool mend_all(struct family *family)
{
	enum member member;
	bool mended = true;
	int status;

	while (mended && (member = reap(family, &status)) != MEMBERS)
		mended = mend(family, member, status);
	return mended;
}

/* Until SIGTERM or SIGINT; tells systemd's watchdog meanwhile that we are alive. */
static int keep(struct family *family)
{
	const sigset_t *signals = &family->daemon->signals;
	uint64_t watchdog_us = 0;

	sd_watchdog_enabled(0, &watchdog_us);
	for (;;) {
		struct timespec half = { .tv_sec = (time_t)(watchdog_us / 2000000),
					 .tv_nsec = (long)(watchdog_us / 2 % 1000000) * 1000 };
		int signal_number = watchdog_us ? sigtimedwait(signals, NULL, &half) : sigwaitinfo(signals, NULL);

		if (signal_number == SIGTERM || signal_number == SIGINT)
			return 0;
		if (signal_number == SIGHUP)
			signal_member(family, OPENER, SIGHUP);
		if (signal_number == SIGCHLD && !mend_all(family))
			return 1;
		if (watchdog_us)
			sd_notify(0, "WATCHDOG=1");
	}
}

int family_run(struct daemon *daemon)
{
	struct family family = { .daemon = daemon, .keeper = getpid(), .sampler_fd = -1 };
	int r = confine_keeper(), status = 1;

	if (r < 0) {
		complain("privileges", r);
		return 1;
	}
	if (start(&family)) {
		fprintf(stderr, "vmad: ready\n");
		sd_notifyf(0, "READY=1\nSTATUS=Answering on %zu sockets", daemon->sockets.count);
		status = keep(&family);
		sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	}
	sockets_close(&daemon->sockets);	/* clients are turned away from now on, and not left waiting */
	stop(&family, DRAIN_MS);
	return status;
}
