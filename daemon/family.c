/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "family.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "clock/clock.h"
#include "confine.h"
#include "failures.h"
#include "members.h"
#include "opener/caller/token.h"
#include "reload.h"

#define DRAIN_MS (SERVER_DRAIN_MS + 1000)	/* for a worker that is asked to end */
#define CUT_MS 500				/* the same, where there is no opener for it any more */
#define SAMPLER_REST_MS 30000			/* without a sampler, where its failures are too many */

struct family {
	struct daemon *daemon;
	struct members members;
	bool reloaded;			/* files are not those any more that were read at first */
	struct failures failures;	/* of opener and worker, which only serve together */
	struct failures sampler_failures;
	uint64_t sampler_due_ms;	/* when one is to be started; 0: there is one, or none is wanted */
};

static uint64_t now_ms(void)
{
	return clock_us() / 1000;
}

static bool has_worker(const struct family *family)
{
	return members_have_worker(&family->members);
}

static void tell_end(const struct family *family, enum member member, int status)
{
	if (member == OPENER && has_worker(family) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fprintf(stderr, "vmad: the opener saw the worker end: starting again\n");
	else if (member == SAMPLER && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fprintf(stderr, "vmad: the sampler lost the opener: starting again\n");
	else if (WIFSIGNALED(status))
		fprintf(stderr, "vmad: the %s was ended by signal %d: starting again\n", member_name(member),
			WTERMSIG(status));
	else
		fprintf(stderr, "vmad: the %s ended with status %d: starting again\n", member_name(member),
			WEXITSTATUS(status));
}

/* False: there is no use in starting it again. */
static bool has_hope(struct family *family)
{
	if (!failures_are_too_many(&family->failures, now_ms()))
		return true;
	fprintf(stderr, "vmad: it ends again and again: giving up\n");
	return false;
}

static bool start(struct family *family)
{
	family->members.failures = family->failures.count;
	family->sampler_due_ms = 0;
	return members_start(&family->members);
}

/* Starts anew, once what is left has ended; one that ends while it starts has ended once more. */
static bool start_again(struct family *family)
{
	do {
		members_stop(&family->members, CUT_MS);
		if (!has_hope(family))
			return false;
	} while (!start(family));
	if (family->reloaded && has_worker(family))
		reload_send(&family->daemon->options, family->members.files_fd);
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
	struct pollfd control = { .fd = family->members.sampler_fd };

	return poll(&control, 1, 0) == 0;
}

/* vmad answers without it, too: one that does not live is tried again now and then, for as long as vmad is there. */
static void mend_sampler(struct family *family)
{
	close(family->members.sampler.end_fd);
	family->members.sampler.pid = 0;
	if (!failures_are_too_many(&family->sampler_failures, now_ms()) && members_start_sampler(&family->members))
		return;
	fprintf(stderr, "vmad: the sampler does not live: the next one in %d s\n", SAMPLER_REST_MS / 1000);
	family->sampler_due_ms = now_ms() + SAMPLER_REST_MS;
}

static void start_due_sampler(struct family *family)
{
	if (!family->sampler_due_ms || now_ms() < family->sampler_due_ms)
		return;
	family->sampler_due_ms = members_start_sampler(&family->members) ? 0 : now_ms() + SAMPLER_REST_MS;
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

	while (mended && (member = members_reap(&family->members, &status)) != MEMBERS)
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
	members_signal(&family->members, OPENER, SIGHUP);
	read_tokens_again(family->daemon);
	family->reloaded = true;
	if (has_worker(family))
		reload_send(&family->daemon->options, family->members.files_fd);
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
		if (half_us && members_are_well(&family->members))
			sd_notify(0, "WATCHDOG=1");
	}
}

int family_run(struct daemon *daemon)
{
	struct family family = {
		.daemon = daemon,
		.members = { .daemon = daemon, .keeper = getpid(), .sampler_fd = -1, .beat_fd = -1, .files_fd = -1 },
	};
	int r = confine_keeper(), status = 1;

	if (r < 0) {
		fprintf(stderr, "vmad: privileges: %s\n", strerror(-r));
		return 1;
	}
	if (start(&family)) {
		fprintf(stderr, "vmad: ready\n");
		say_status(&family, "READY=1\n");
		status = keep(&family);
		sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	}
	sockets_close(&daemon->sockets);	/* clients are turned away from now on, and not left waiting */
	members_stop(&family.members, DRAIN_MS);
	return status;
}
