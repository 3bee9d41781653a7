/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/kind.h"
#include "sampler/state.h"

#define PUBLISH_US 1000000	/* the rotations' numbers are handed over at most so often */
#define NICE 5
#define BEGIN_US 500000		/* after the start: who started vmad for one question gets the answer first */
#define END_NAPS 200		/* so many it has to end by itself */
#define END_NAP_NS 10000000

/* In the sampler's process; it has no other but standard error. */
enum { END_FD = 3, CONTROL_FD = 4 };

static const struct vmad_caller root_caller = { .class = VMAD_CALLER_ROOT };

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits until then. False: it is to end, or has no opener any more: that it gets another, who started it sees to. */
static bool wait_until(const struct sampler_config *config, uint64_t until_us)
{
	uint64_t now = clock_us(), us = until_us > now ? until_us - now : 0;
	struct timespec timeout = clock_timespec(us);
	struct pollfd ends[] = { { .fd = END_FD, .events = POLLIN }, { .fd = config->control_fd < 0 ? -1 : CONTROL_FD } };

	return ppoll(ends, sizeof(ends) / sizeof(ends[0]), &timeout, NULL) <= 0;
}

/* The dearer tiers wait for the first reading of the cheap one. */
static void run(struct state *state, struct board *board)
{
	struct rotation rotations[2] = { { .kind = &rotation_maps }, { .kind = &rotation_usage } };
	size_t rotation_count = state->config->usage_max_bytes ? 2 : 1;
	uint64_t begin = clock_us() + BEGIN_US, status_due = begin, publish_due = UINT64_MAX;
	uint64_t interval_us = state->config->interval_seconds * UINT64_C(1000000);

	for (uint64_t due = begin; wait_until(state->config, due); ) {
		uint64_t now = clock_us();

		if (now >= status_due) {
			status_due = now + interval_us;
			status_tier_run(state);
			publish_due = clock_us();
		}
		due = status_due;
		for (size_t i = 0; i < rotation_count; i++) {
			if (now >= rotations[i].due_us) {
				rotation_step(&rotations[i], state);
				publish_due = earliest(publish_due, clock_us() + PUBLISH_US);
			}
			due = earliest(due, rotations[i].due_us);
		}
		if (clock_us() >= publish_due) {
			state_publish(state, board);
			publish_due = UINT64_MAX;
		}
		due = earliest(due, publish_due);
	}
}

static struct vmad_caller *own_caller(void)
{
	static struct vmad_caller own = { .class = VMAD_CALLER_USER };

	own.uid = geteuid();
	own.gid = getegid();
	return &own;
}

/* Every privilege but the opener's goes before the first byte of a process is read. */
static int prepare(const struct sampler_config *config, struct state *state)
{
	struct vmad_error err;
	int r;

	state->config = config;
	state->all_users = geteuid() == 0;
	state->caller = state->all_users ? &root_caller : own_caller();
	r = config->control_fd < 0 ? opener_new(config->procfs, &state->opener, &err) :
				     opener_new_remote(1, &state->opener, &err);
	if (r == 0 && config->control_fd >= 0)
		r = opener_connect(state->opener, CONTROL_FD);
	if (r < 0)
		return r;
	state->all_users |= opener_is_captured(state->opener);
	state->vma_limit_fd = opener_open_host(state->opener, OPENER_HOST_VMA_LIMIT);
	state->groups = groups_new(config->groups ? config->groups
						  : config->usage_max_bytes ? GROUPS_MAX_USAGE : GROUPS_MAX);
	if (!state->groups)
		return -ENOMEM;
	kind_learn_devices();
	return config->drop ? config->drop(config->drop_arg) : 0;
}

/* Neither may be where the other is to go. */
static bool take_fds(const struct sampler_config *config, int end_fd)
{
	int end = fcntl(end_fd, F_DUPFD, CONTROL_FD + 1);
	int control = config->control_fd < 0 ? -1 : fcntl(config->control_fd, F_DUPFD, CONTROL_FD + 1);

	if (end < 0 || dup2(end, END_FD) < 0)
		return false;
	if (config->control_fd >= 0 && (control < 0 || dup2(control, CONTROL_FD) < 0))
		return false;
	close_range(config->control_fd < 0 ? CONTROL_FD : CONTROL_FD + 1, ~0u, 0);
	return true;
}

/*
 * In the sampler's process. Sockets that systemd handed over, and whatever else there was, are not its business. It ends
 * when its parent does, which closes the other end of END_FD; signals that are for all of vmad are left to that.
 */
static int live(const struct sampler_config *config, struct board *board, int end_fd)
{
	static struct state state = { .vma_limit_fd = -1 };
	int r;

	if (!take_fds(config, end_fd))
		return -errno;
	prctl(PR_SET_NAME, "vmad-sampler", 0, 0, 0);
	setpriority(PRIO_PROCESS, 0, NICE);
	r = prepare(config, &state);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0)
		run(&state, board);
	else
		fprintf(stderr, "vmad: the sampler cannot start: %s\n", strerror(-r));
	return r;
}

int sampler_start(const struct sampler_config *config, struct board *board, struct sampler *sampler)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	sampler->pid = fork();
	if (sampler->pid == 0) {
		close(ends[1]);
		_exit(live(config, board, ends[0]) < 0);
	}
	close(ends[0]);
	if (sampler->pid < 0) {
		int r = -errno;

		close(ends[1]);
		sampler->pid = 0;
		return r;
	}
	sampler->end_fd = ends[1];
	return 0;
}

void sampler_stop(struct sampler *sampler)
{
	if (!sampler->pid)
		return;
	close(sampler->end_fd);
	for (int naps = 0; waitpid(sampler->pid, NULL, WNOHANG) == 0; naps++) {
		/* The kernel may hold it on a process; a signal that ends it is heard even there. */
		if (naps == END_NAPS)
			kill(sampler->pid, SIGKILL);
		nanosleep(&(struct timespec){ .tv_nsec = END_NAP_NS }, NULL);
	}
	sampler->pid = 0;
}
