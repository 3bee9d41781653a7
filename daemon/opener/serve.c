/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "opener/session.h"
#include "opener/threads.h"

#define CONTROLS_MAX 4

/* A control socket and the channels that came from it. */
struct control {
	struct sessions *sessions;
	enum serve_role role;
	int fd;				/* -1: the other end is gone */
	atomic_uint threads;
};

/* The threads outlive serve(), so all that they use does too. */
struct serving {
	struct sessions sessions;
	struct control controls[CONTROLS_MAX];
	size_t count;
};

struct start {
	struct control *control;
	struct session *session;
};

static void *answer_all(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
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

static int answer_control(struct control *control)
{
	struct wire_payload payload = { 0 };
	struct wire_fds fds, made = { 0 };
	struct wire_reply reply = { 0 };
	struct wire_request request;
	int r = wire_receive(control->fd, &request, sizeof(request), 0, &payload, &fds);

	if (r == 0) {
		wire_close(&fds);
		r = request.operation == WIRE_CHANNEL ? 0 : -EPROTO;
	}
	if (r == 0) {
		reply.result = make_channel(control, &made.fd[0]);
		made.count = reply.result == 0;
		r = wire_send(control->fd, &reply, sizeof(reply), NULL, &made);
	}
	wire_close(&made);
	wire_free(&payload);
	return r;
}

static void take_addresses(struct sessions *sessions, const struct serve_config *config)
{
	for (size_t i = 0; i < config->listener_count && sessions->address_count < SESSION_ADDRESSES; i++) {
		struct address *address = &sessions->addresses[sessions->address_count];

		address->len = sizeof(address->name);
		if (getsockname(config->listeners[i], (struct sockaddr *)&address->name, &address->len) == 0 &&
		    address->name.sun_family == AF_UNIX)
			sessions->address_count++;
	}
	for (size_t i = 0; config->forget_listeners && i < config->listener_count; i++)
		close(config->listeners[i]);
}

static struct serving *serving_new(struct opener *opener, const struct serve_config *config)
{
	struct serving *serving = calloc(1, sizeof(*serving));

	if (!serving)
		return NULL;
	serving->sessions.opener = opener;
	serving->sessions.handles = handles_new();
	if (!serving->sessions.handles) {
		free(serving);
		return NULL;
	}
	take_addresses(&serving->sessions, config);
	for (size_t i = 0; i < config->control_count && i < CONTROLS_MAX; i++) {
		struct control *control = &serving->controls[serving->count++];

		control->sessions = &serving->sessions;
		control->role = config->controls[i].role;
		control->fd = config->controls[i].fd;
	}
	return serving;
}

/* False: the worker is gone, or broke the rules. */
static bool serve_controls(struct serving *serving, const struct pollfd *polled)
{
	for (size_t i = 0; i < serving->count; i++) {
		struct control *control = &serving->controls[i];

		if (!polled[i].revents || answer_control(control) == 0)
			continue;
		if (control->role == SERVE_WORKER)
			return false;
		close(control->fd);
		control->fd = -1;
	}
	return true;
}

static int step(struct serving *serving, const struct serve_config *config)
{
	struct pollfd polled[CONTROLS_MAX + 1];
	int n;

	for (size_t i = 0; i < serving->count; i++)
		polled[i] = (struct pollfd){ .fd = serving->controls[i].fd, .events = POLLIN };
	polled[serving->count] = (struct pollfd){ .fd = config->reload_fd, .events = POLLIN };
	n = poll(polled, serving->count + 1, HANDLES_SWEEP_MS);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (polled[serving->count].revents)
		config->reload(config->arg);
	handles_sweep(serving->sessions.handles);
	return serve_controls(serving, polled) ? 0 : -ENOTCONN;
}

int serve(struct opener *opener, const struct serve_config *config)
{
	struct serving *serving = serving_new(opener, config);
	int r = serving ? 0 : -ENOMEM;

	while (r == 0)
		r = step(serving, config);
	return r == -ENOTCONN ? 0 : r;
}
