/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "members.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock/clock.h"
#include "confine.h"
#include "role.h"

#define END_MS 1000	/* for an opener whose worker has ended */

/* What the members start with. */
struct ends {
	int opener, worker;		/* of the worker's control socket; -1: the worker is another unit's */
	int opener_sampler;		/* the opener's of the sampler's */
	int beat;
	int files;
};

static int complain(const char *what, int r)
{
	if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", what, strerror(-r));
	return r;
}

bool members_have_worker(const struct members *members)
{
	return members->daemon->options.role == ROLE_ALL;
}

const char *member_name(enum member member)
{
	static const char *const names[MEMBERS] = { [OPENER] = "opener", [WORKER] = "worker", [SAMPLER] = "sampler" };

	return names[member];
}

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

static void close_own(const struct members *members)
{
	close_fd(members->sampler_fd);
	close_fd(members->beat_fd);
	close_fd(members->files_fd);
}

static void live_as_opener(const struct members *members, const struct ends *ends)
{
	const struct opener_role role = {
		.worker = ends->opener,
		.sampler = ends->opener_sampler,
		.beat = members_have_worker(members) ? -1 : ends->beat,
		.parent = members->keeper,
	};

	close_fd(ends->worker);
	close_fd(ends->files);
	if (members_have_worker(members))
		close_fd(ends->beat);
	close_own(members);
	tls_files_close(&members->daemon->tls_files);
	daemon_raise_limits();
	end_member(role_opener(members->daemon, &role));
}

/* The sampler's end could ask for more than a worker may. */
static void live_as_worker(const struct members *members, const struct ends *ends)
{
	const struct worker_role role = {
		.opener = ends->worker,
		.files = ends->files,
		.beat = ends->beat,
		.parent = members->keeper,
		.failures = members->failures,
	};

	close_fd(ends->opener);
	close_fd(ends->opener_sampler);
	close_own(members);
	daemon_raise_limits();
	daemon_forget_tokens(members->daemon);
	if (!tls_files_read(&members->daemon->options, &members->daemon->tls_files, &members->daemon->tls))
		end_member(-EINVAL);
	end_member(role_worker(members->daemon, &role));
}

static bool fork_member(struct members *members, enum member member, const struct ends *ends,
			void (*live)(const struct members *members, const struct ends *ends))
{
	members->pid[member] = fork();
	if (members->pid[member] == 0)
		live(members, ends);
	if (members->pid[member] > 0)
		return true;
	complain("fork", -errno);
	members->pid[member] = 0;
	return false;
}

static bool start_members(struct members *members, const struct ends *ends)
{
	return fork_member(members, OPENER, ends, live_as_opener) &&
	       (!members_have_worker(members) || fork_member(members, WORKER, ends, live_as_worker));
}

static int drop_sampler(void *arg)
{
	const struct members *members = arg;

	daemon_forget_tokens(members->daemon);
	return confine_sampler(members->daemon->worker_uid, members->daemon->worker_gid);
}

bool members_start_sampler(struct members *members)
{
	struct sampler_config config = members->daemon->sampler;
	int r;

	if (!members->daemon->board)
		return true;
	config.control_fd = members->sampler_fd;
	config.drop = drop_sampler;
	config.drop_arg = members;
	r = sampler_start(&config, members->daemon->board, &members->sampler);
	members->pid[SAMPLER] = members->sampler.pid;
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
static bool make_beat(struct members *members, struct ends *ends)
{
	int beat[2];

	if (pipe2(beat, O_CLOEXEC) < 0)
		return false;
	members->beat_fd = beat[0];
	ends->beat = beat[1];
	return fcntl(ends->beat, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_ends(struct members *members, struct ends *ends)
{
	*ends = (struct ends){ -1, -1, -1, -1, -1 };
	return make_pair(SOCK_NONBLOCK, &ends->opener_sampler, &members->sampler_fd) && make_beat(members, ends) &&
	       (!members_have_worker(members) || (make_pair(SOCK_NONBLOCK, &ends->opener, &ends->worker) &&
						  make_pair(SOCK_NONBLOCK, &ends->files, &members->files_fd)));
}

bool members_start(struct members *members)
{
	bool started = false;
	struct ends ends;
	char byte;

	if (make_ends(members, &ends))
		started = start_members(members, &ends);
	else
		complain("socketpair", -errno);
	close_ends(&ends);
	return started && members_start_sampler(members) && read(members->beat_fd, &byte, 1) == 1 &&
	       fcntl(members->beat_fd, F_SETFL, O_NONBLOCK) == 0;
}

bool members_are_well(const struct members *members)
{
	char beats[64];
	bool well = false;

	while (read(members->beat_fd, beats, sizeof(beats)) > 0)
		well = true;
	return well;
}

enum member members_reap(struct members *members, int *ret_status)
{
	pid_t pid = waitpid(-1, ret_status, WNOHANG);

	for (int i = 0; i < MEMBERS; i++) {
		if (pid > 0 && members->pid[i] == pid) {
			members->pid[i] = 0;
			return i;
		}
	}
	return MEMBERS;
}

/* As the one whom it runs as: signals to others would take CAP_KILL. */
void members_signal(const struct members *members, enum member member, int signal_number)
{
	uid_t uid = member == OPENER ? 0 : members->daemon->worker_uid;

	if (seteuid(uid) == 0)
		kill(members->pid[member], signal_number);
	if (seteuid(0) < 0)
		abort();
}

/* Waits for it, and kills it when the time is over. */
static void await(struct members *members, enum member member, unsigned ms)
{
	uint64_t until = clock_us() / 1000 + ms;
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (members->pid[member]) {
		uint64_t now = clock_us() / 1000;
		uint64_t left = until > now ? until - now : 0;

		if (members_reap(members, &status) != MEMBERS)
			continue;
		if (left == 0)
			members_signal(members, member, SIGKILL);
		sigtimedwait(&child, NULL,
			     &(struct timespec){ .tv_sec = (time_t)(left / 1000),
						 .tv_nsec = left ? (long)(left % 1000) * 1000000 : 10000000 });
	}
}

/* The sampler sees its end when nobody holds the other end of its pipe any more: so the last. */
void members_stop(struct members *members, unsigned worker_ms)
{
	if (members->pid[WORKER])
		members_signal(members, WORKER, SIGTERM);
	await(members, WORKER, worker_ms);
	/* by itself the opener goes on for another worker */
	await(members, OPENER, members_have_worker(members) ? END_MS : 0);
	if (members->sampler.pid)
		close(members->sampler.end_fd);
	await(members, SAMPLER, END_MS);
	members->sampler.pid = 0;
	close_own(members);
	members->sampler_fd = members->beat_fd = members->files_fd = -1;
}
