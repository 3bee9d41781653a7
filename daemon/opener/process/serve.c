/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/process/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock/clock.h"
#include "opener/file/workdir.h"
#include "opener/process/session.h"
#include "opener/thread/threads.h"

#define CONTROLS_MAX 4
/*
 * A worker that has left was asked to; so will this process be, in moments. To come to its socket meanwhile would have
 * systemd start it again.
 */
#define LEFT_US UINT64_C(3000000)
#define FIND_MS 100	/* a worker is not looked for more often */

/* A control socket and the channels that came from it. */
struct control {
	struct sessions *sessions;
	enum serve_role role;
	int fd;				/* -1: the other end is gone */
	uint64_t until_us;		/* and no other is looked for until then */
	atomic_uint threads;
};

/* The threads outlive serve(), so all that they use does too. */
struct serving {
	struct sessions sessions;
	struct control controls[CONTROLS_MAX];
	size_t count;
	int board_fd;
};

struct start {
	struct control *control;
	struct session *session;
};

static void *answer_all(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	workdir_make_own();
	while (session_step(start.session) == 0)
		;
	session_free(start.session);
	threads_forget_identity();
	atomic_fetch_sub(&start.control->threads, 1);
	return NULL;
}

/* Takes fd over. The keeper of an opener without a process of its own has the same bound. */
static int start_session(struct control *control, int fd)
{
	struct start *start = malloc(sizeof(*start));
	pthread_t thread;
	int r;

	if (!start) {
		close(fd);
		return -ENOMEM;
	}
	*start = (struct start){ control, session_new(control->sessions, control->role, fd) };
	atomic_fetch_add(&control->threads, 1);
	r = start->session ? thread_start(&thread, PTHREAD_CREATE_DETACHED, answer_all, start) : -ENOMEM;
	if (r < 0) {
		atomic_fetch_sub(&control->threads, 1);
		session_free(start->session);
		free(start);
	}
	return r;
}

/* Neither end waits for ever: not for a reply, nor for one who does not take it. */
static void set_timeouts(const int ends[static 2])
{
	const struct timeval timeout = { .tv_sec = OPENER_TIMEOUT_MS / 1000,
					 .tv_usec = OPENER_TIMEOUT_MS % 1000 * 1000 };

	setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

static int make_channel(struct control *control, int *ret_fd)
{
	int ends[2], r;

	if (atomic_load(&control->threads) >= OPENER_THREADS_MAX)
		return -EAGAIN;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	set_timeouts(ends);
	r = start_session(control, ends[0]);
	if (r < 0) {
		close(ends[1]);
		return r;
	}
	*ret_fd = ends[1];
	return 0;
}

static int copy_board(const struct serving *serving, const struct control *control, int *ret_fd)
{
	if (serving->board_fd < 0 || control->role != SERVE_WORKER)
		return -ENOENT;
	*ret_fd = fcntl(serving->board_fd, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? -errno : 0;
}

/* What a control socket may be asked. -EPROTO: nothing else; -ENOTCONN: it is over. */
static int do_control(const struct serving *serving, struct control *control, uint32_t operation, struct wire_fds *made)
{
	int r;

	switch (operation) {
	case WIRE_PING:
		return 0;
	case WIRE_CHANNEL:
		r = make_channel(control, &made->fd[0]);
		break;
	case WIRE_BOARD:
		r = copy_board(serving, control, &made->fd[0]);
		break;
	case WIRE_LEAVE:
		if (control->role != SERVE_WORKER)
			return -EPROTO;
		control->until_us = clock_us() + LEFT_US;
		return -ENOTCONN;
	default:
		return -EPROTO;
	}
	made->count = r == 0;
	return r;
}

static int answer_control(const struct serving *serving, struct control *control)
{
	struct wire_payload payload = { 0 };
	struct wire_fds fds, made = { 0 };
	struct wire_reply reply = { 0 };
	struct wire_request request;
	int r = wire_receive(control->fd, &request, sizeof(request), 0, &payload, &fds);

	if (r == 0) {
		wire_close(&fds);
		reply.result = do_control(serving, control, request.operation, &made);
		r = reply.result == -EPROTO || reply.result == -ENOTCONN ? reply.result :
			wire_send(control->fd, &reply, sizeof(reply), NULL, &made);
	} else if (r != -ENOTCONN) {
		reply.result = r;	/* who asked does not wait in vain */
		wire_send(control->fd, &reply, sizeof(reply), NULL, NULL);
	}
	wire_close(&made);
	wire_free(&payload);
	return r;
}

static struct serving *serving_new(struct opener *opener, const struct serve_config *config)
{
	struct serving *serving = calloc(1, sizeof(*serving));
	uint64_t first;

	if (!serving || getrandom(&first, sizeof(first), 0) != sizeof(first)) {
		free(serving);
		return NULL;
	}
	serving->sessions.opener = opener;
	serving->board_fd = config->board_fd;
	serving->sessions.handles = handles_new(first);
	if (!serving->sessions.handles) {
		free(serving);
		return NULL;
	}
	serving->sessions.address_count = config->address_count;
	memcpy(serving->sessions.addresses, config->addresses, sizeof(config->addresses));
	for (size_t i = 0; i < config->control_count && i < CONTROLS_MAX; i++) {
		struct control *control = &serving->controls[serving->count++];

		control->sessions = &serving->sessions;
		control->role = config->controls[i].role;
		control->fd = config->controls[i].fd;
	}
	return serving;
}

/* The other end is gone, or a worker broke the rules. What a worker had to answer it answers no more. */
static void lose(struct serving *serving, struct control *control)
{
	close(control->fd);
	control->fd = -1;
	if (control->role == SERVE_WORKER)
		handles_end_all(serving->sessions.handles);
}

/*
 * The sampler's socket is for each sampler that comes after one that broke the rules, too. A request to a control is one
 * packet: what is wrong with it is not in the way of the next.
 */
static bool is_over(const struct control *control, int r)
{
	return r < 0 && (control->role == SERVE_WORKER || r == -ENOTCONN);
}

static void serve_controls(struct serving *serving, const struct pollfd *polled)
{
	for (size_t i = 0; i < serving->count; i++) {
		struct control *control = &serving->controls[i];

		if (polled[i].revents && is_over(control, answer_control(serving, control)))
			lose(serving, control);
	}
}

/* False: there is no worker, and none is looked for. */
static bool has_worker(struct serving *serving, const struct serve_config *config)
{
	for (size_t i = 0; i < serving->count; i++) {
		struct control *control = &serving->controls[i];

		if (control->role != SERVE_WORKER || control->fd >= 0)
			continue;
		if (!config->find_worker)
			return false;
		if (clock_us() < control->until_us)
			continue;
		control->until_us = clock_us() + FIND_MS * UINT64_C(1000);
		control->fd = config->find_worker(config->arg);
	}
	return true;
}

static int patience_ms(const struct serving *serving)
{
	for (size_t i = 0; i < serving->count; i++) {
		if (serving->controls[i].role == SERVE_WORKER && serving->controls[i].fd < 0)
			return FIND_MS;
	}
	return HANDLES_SWEEP_MS;
}

static int step(struct serving *serving, const struct serve_config *config)
{
	struct pollfd polled[CONTROLS_MAX + 1];
	int n;

	if (!has_worker(serving, config))
		return -ENOTCONN;
	if (config->beat)
		config->beat(config->arg);
	for (size_t i = 0; i < serving->count; i++)
		polled[i] = (struct pollfd){ .fd = serving->controls[i].fd, .events = POLLIN };
	polled[serving->count] = (struct pollfd){ .fd = config->reload_fd, .events = POLLIN };
	n = poll(polled, serving->count + 1, patience_ms(serving));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (polled[serving->count].revents)
		config->reload(config->arg);
	handles_sweep(serving->sessions.handles);
	serve_controls(serving, polled);
	return 0;
}

int serve(struct opener *opener, const struct serve_config *config)
{
	struct serving *serving = serving_new(opener, config);
	int r = serving ? 0 : -ENOMEM;

	while (r == 0)
		r = step(serving, config);
	return r == -ENOTCONN ? 0 : r;
}
