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
#include "opener/caller/token.h"
#include "reload.h"
#include "role.h"

#define DRAIN_MS (SERVER_DRAIN_MS + 1000)	/* for a worker that is asked to end */
#define CUT_MS 500				/* the same, where there is no opener for it any more */
#define END_MS 1000				/* for an opener whose worker has ended */
#define FAILURES_MAX 10				/* so many within FAILURES_MS are too many */
#define FAILURES_MS 30000
#define SAMPLER_REST_MS 30000			/* without a sampler, where its failures are too many */

/* The worker may be another unit's (role.h). */
enum member { OPENER, WORKER, SAMPLER, MEMBERS };

static const char *const member_names[MEMBERS] = { [OPENER] = "opener", [WORKER] = "worker",
						   [SAMPLER] = "sampler" };

/* When the last ones ended by themselves. */
struct failures {
	uint64_t at_ms[FAILURES_MAX];
	unsigned count;
};

struct family {
	struct daemon *daemon;
	pid_t pid[MEMBERS];		/* 0: not there */
	pid_t keeper;
	/* The sampler's end of its control socket stays here, for one that takes the place of another. */
	int sampler_fd;
	int beat_fd;			/* the last member that was started writes to it: at first, and while it is well */
	int files_fd;			/* to the worker, for TLS's files */
	bool reloaded;			/* files are not those any more that were read at first */
	struct sampler sampler;
	struct failures failures;	/* of opener and worker, which only serve together */
	struct failures sampler_failures;
	uint64_t sampler_due_ms;	/* when one is to be started; 0: there is one, or none is wanted */
};

static bool has_worker(const struct family *family)
{
	return family->daemon->options.role == ROLE_ALL;
}

/* What the members start with. */
struct ends {
	int opener, worker;		/* of the worker's control socket; -1: the worker is another unit's */
	int opener_sampler;		/* the opener's of the sampler's */
	int beat;
	int files;
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

/* --- the one who keeps them --- */

static void end_member(int r)
{
	fflush(NULL);
	_exit(r < 0 ? 1 : 0);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_own(const struct family *family)
{
	close_fd(family->sampler_fd);
	close_fd(family->beat_fd);
	close_fd(family->files_fd);
}

static void live_as_opener(const struct family *family, const struct ends *ends)
{
	const struct opener_role role = {
		.worker = ends->opener,
		.sampler = ends->opener_sampler,
		.beat = has_worker(family) ? -1 : ends->beat,
		.parent = family->keeper,
	};

	close_fd(ends->worker);
	close_fd(ends->files);
	if (has_worker(family))
		close_fd(ends->beat);
	close_own(family);
	daemon_raise_limits();
	end_member(role_opener(family->daemon, &role));
}

/* The sampler's end could ask for more than a worker may. */
static void live_as_worker(const struct family *family, const struct ends *ends)
{
	const struct worker_role role = {
		.opener = ends->worker,
		.files = ends->files,
		.beat = ends->beat,
		.parent = family->keeper,
		.failures = family->failures.count,
	};

	close_fd(ends->opener);
	close_fd(ends->opener_sampler);
	close_own(family);
	daemon_raise_limits();
	daemon_forget_tokens(family->daemon);
	end_member(role_worker(family->daemon, &role));
}

static bool fork_member(struct family *family, enum member member, const struct ends *ends,
			void (*live)(const struct family *family, const struct ends *ends))
{
	family->pid[member] = fork();
	if (family->pid[member] == 0)
		live(family, ends);
	if (family->pid[member] > 0)
		return true;
	complain("fork", -errno);
	family->pid[member] = 0;
	return false;
}

static bool start_members(struct family *family, const struct ends *ends)
{
	return fork_member(family, OPENER, ends, live_as_opener) &&
	       (!has_worker(family) || fork_member(family, WORKER, ends, live_as_worker));
}

static int drop_sampler(void *arg)
{
	const struct family *family = arg;

	daemon_forget_tokens(family->daemon);
	daemon_forget_tls(family->daemon);
	return confine_sampler(family->daemon->worker_uid, family->daemon->worker_gid);
}

static bool start_sampler(struct family *family)
{
	struct sampler_config config = family->daemon->sampler;
	int r;

	if (!family->daemon->board)
		return true;
	config.control_fd = family->sampler_fd;
	config.drop = drop_sampler;
	config.drop_arg = family;
	family->sampler_due_ms = 0;
	r = sampler_start(&config, family->daemon->board, &family->sampler);
	family->pid[SAMPLER] = family->sampler.pid;
	return complain("the sampler", r) == 0;
}

static void close_ends(const struct ends *ends)
{
	const int fds[] = { ends->opener, ends->worker, ends->opener_sampler, ends->beat, ends->files };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close_fd(fds[i]);
}

static bool make_pair(int flags, int *ret_one, int *ret_other)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, pair) < 0)
		return false;
	*ret_one = pair[0];
	*ret_other = pair[1];
	return true;
}

/* What is read from here waits for the first beat; who writes does not wait. */
static bool make_beat(struct family *family, struct ends *ends)
{
	int beat[2];

	if (pipe2(beat, O_CLOEXEC) < 0)
		return false;
	family->beat_fd = beat[0];
	ends->beat = beat[1];
	return fcntl(ends->beat, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_ends(struct family *family, struct ends *ends)
{
	*ends = (struct ends){ -1, -1, -1, -1, -1 };
	return make_pair(SOCK_NONBLOCK, &ends->opener_sampler, &family->sampler_fd) && make_beat(family, ends) &&
	       (!has_worker(family) || (make_pair(SOCK_NONBLOCK, &ends->opener, &ends->worker) &&
					make_pair(SOCK_NONBLOCK, &ends->files, &family->files_fd)));
}

/* True: all serve. */
static bool start(struct family *family)
{
	bool started = false;
	struct ends ends;
	char byte;

	if (make_ends(family, &ends))
		started = start_members(family, &ends);
	else
		complain("socketpair", -errno);
	close_ends(&ends);
	return started && start_sampler(family) && read(family->beat_fd, &byte, 1) == 1 &&
	       fcntl(family->beat_fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Was there a beat since it was asked last? */
static bool is_well(const struct family *family)
{
	char beats[64];
	bool well = false;

	while (read(family->beat_fd, beats, sizeof(beats)) > 0)
		well = true;
	return well;
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
	await(family, OPENER, has_worker(family) ? END_MS : 0);	/* by itself it goes on for another worker */
	if (family->sampler.pid)
		close(family->sampler.end_fd);
	await(family, SAMPLER, END_MS);
	family->sampler.pid = 0;
	close_own(family);
	family->sampler_fd = family->beat_fd = family->files_fd = -1;
}

/* Does it happen too often? */
static bool is_too_often(struct failures *failures)
{
	uint64_t *oldest = &failures->at_ms[failures->count++ % FAILURES_MAX];
	uint64_t now = now_ms(), before = *oldest;

	*oldest = now;
	return before && now - before < FAILURES_MS;
}

static void tell_end(const struct family *family, enum member member, int status)
{
	if (member == OPENER && has_worker(family) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fprintf(stderr, "vmad: the opener saw the worker end: starting again\n");
	else if (member == SAMPLER && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fprintf(stderr, "vmad: the sampler lost the opener: starting again\n");
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
	if (!is_too_often(&family->failures))
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
	if (family->reloaded && has_worker(family))
		reload_send(&family->daemon->options, family->files_fd);
	return true;
}

static void say_status(const struct family *family, const char *more)
{
	if (has_worker(family))
		sd_notifyf(0, "%sSTATUS=Answering on %zu sockets", more, family->daemon->sockets.count);
	else
		sd_notifyf(0, "%sSTATUS=Opening files for the worker", more);
}

/* Is there an opener to hear it? That one ends may be seen here before its end is. */
static bool hears_sampler(const struct family *family)
{
	struct pollfd control = { .fd = family->sampler_fd };

	return poll(&control, 1, 0) == 0;
}

/* vmad answers without it, too: one that does not live is tried again now and then, for as long as vmad is there. */
static void mend_sampler(struct family *family)
{
	close(family->sampler.end_fd);
	family->sampler.pid = 0;
	if (!is_too_often(&family->sampler_failures) && start_sampler(family))
		return;
	fprintf(stderr, "vmad: the sampler does not live: the next one in %d s\n", SAMPLER_REST_MS / 1000);
	family->sampler_due_ms = now_ms() + SAMPLER_REST_MS;
}

static void start_due_sampler(struct family *family)
{
	if (family->sampler_due_ms && now_ms() >= family->sampler_due_ms && !start_sampler(family))
		family->sampler_due_ms = now_ms() + SAMPLER_REST_MS;
}

/* One has ended by itself. False: it is given up. */
static bool mend(struct family *family, enum member member, int status)
{
	tell_end(family, member, status);
	if (member == SAMPLER && hears_sampler(family)) {
		mend_sampler(family);
		return true;
	}
	sd_notify(0, "STATUS=Starting again");
	if (!start_again(family))
		return false;
	say_status(family, "");
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

/*
 * For the opener that may come in the place of this one, which has been told to read them itself, and says what is wrong
 * with them. It could not read them later: by then the file may be another one, or wrong, and what was taken out of it
 * would be known again.
 */
static void read_tokens_again(struct daemon *daemon)
{
	struct tokens *tokens;
	const char *what;
	unsigned line;

	if (!daemon->options.token_file || tokens_read(daemon->options.token_file, &tokens, &line, &what) < 0)
		return;
	daemon_forget_tokens(daemon);
	daemon->tokens = tokens;
}

static void reload(struct family *family)
{
	signal_member(family, OPENER, SIGHUP);
	read_tokens_again(family->daemon);
	family->reloaded = true;
	if (has_worker(family))
		reload_send(&family->daemon->options, family->files_fd);
}

/* The next signal, or -1 where there is something to do without one. */
static int await_signal(const struct family *family, uint64_t half_us)
{
	const sigset_t *signals = &family->daemon->signals;
	uint64_t us = half_us ? half_us : UINT64_MAX, now = now_ms();

	if (family->sampler_due_ms) {
		uint64_t left_us = family->sampler_due_ms > now ? (family->sampler_due_ms - now) * 1000 : 0;

		us = left_us < us ? left_us : us;
	}
	return us == UINT64_MAX ? sigwaitinfo(signals, NULL) :
				  sigtimedwait(signals, NULL, &(struct timespec){ .tv_sec = (time_t)(us / 1000000),
										  .tv_nsec = (long)(us % 1000000) * 1000 });
}

/* Until SIGTERM or SIGINT; tells systemd's watchdog meanwhile that all are well. */
static int keep(struct family *family)
{
	uint64_t half_us = family->daemon->watchdog_us / 2;

	for (;;) {
		int signal_number = await_signal(family, half_us);

		if (signal_number == SIGTERM || signal_number == SIGINT)
			return 0;
		if (signal_number == SIGHUP)
			reload(family);
		if (signal_number == SIGCHLD && !mend_all(family))
			return 1;
		start_due_sampler(family);
		if (half_us && is_well(family))
			sd_notify(0, "WATCHDOG=1");
	}
}

int family_run(struct daemon *daemon)
{
	struct family family = {
		.daemon = daemon, .keeper = getpid(), .sampler_fd = -1, .beat_fd = -1, .files_fd = -1
	};
	int r = confine_keeper(), status = 1;

	if (r < 0) {
		complain("privileges", r);
		return 1;
	}
	if (start(&family)) {
		fprintf(stderr, "vmad: ready\n");
		say_status(&family, "READY=1\n");
		status = keep(&family);
		sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	}
	sockets_close(&daemon->sockets);	/* clients are turned away from now on, and not left waiting */
	stop(&family, DRAIN_MS);
	return status;
}
