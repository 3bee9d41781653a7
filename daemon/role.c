/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "role.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "confine.h"
#include "meet.h"
#include "meter/meter.h"
#include "opener/opener.h"
#include "opener/process/serve.h"
#include "opener/caller/token.h"
#include "reload.h"
#include "source/self.h"
#include "worker.h"

#define FIRST_OPENER_MS 1000	/* a worker waits so long for one before it tells clients that there is none */

static int complain(const char *what, int r)
{
	if (r < 0)
		fprintf(stderr, "vmad: %s: %s\n", what, strerror(-r));
	return r;
}

static int open_signals(int first, int second)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, first);
	if (second)
		sigaddset(&signals, second);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- the opener --- */

struct opener_process {
	const struct daemon *daemon;
	const struct opener_role *role;
	struct opener *opener;
	int reload_fd;
};

static void reload_tokens(void *arg)
{
	struct signalfd_siginfo signal_info;
	struct opener_process *process = arg;
	struct tokens *tokens = NULL;

	if (read(process->reload_fd, &signal_info, sizeof(signal_info)) != sizeof(signal_info) ||
	    !process->daemon->options.token_file || !daemon_read_tokens(&process->daemon->options, &tokens))
		return;
	opener_use_tokens(process->opener, tokens);
	fprintf(stderr, "vmad: the tokens are read again\n");
}

/* Where the pipe is full, there are beats enough in it. */
static void beat(void *arg)
{
	const struct opener_process *process = arg;

	if (process->role->beat >= 0 && write(process->role->beat, "", 1) < 0)
		return;
}

static int find_worker(void *arg)
{
	const struct opener_process *process = arg;

	return meet_worker(process->daemon->options.worker_socket);
}

/* Sockets for clients are none of its business, but for their addresses; nor is the key of TLS. */
static void take_addresses(struct daemon *daemon, struct serve_config *config)
{
	for (size_t i = 0; i < daemon->sockets.count && config->address_count < SERVE_ADDRESSES; i++) {
		struct serve_address *address = &config->addresses[config->address_count];

		address->len = sizeof(address->name);
		if (getsockname(daemon->sockets.list[i].fd, (struct sockaddr *)&address->name, &address->len) == 0 &&
		    address->name.sun_family == AF_UNIX)
			config->address_count++;
		close(daemon->sockets.list[i].fd);
	}
}

/* The same of sockets that are in another unit: as they are named to both. */
static void name_addresses(const struct daemon *daemon, struct serve_config *config)
{
	for (size_t i = 0; i < daemon->socket_path_count && config->address_count < SERVE_ADDRESSES; i++) {
		struct serve_address *address = &config->addresses[config->address_count++];
		size_t len = strnlen(daemon->socket_paths[i], sizeof(address->name.sun_path) - 1);

		address->name.sun_family = AF_UNIX;
		memcpy(address->name.sun_path, daemon->socket_paths[i], len);
		address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	}
}

int role_opener(struct daemon *daemon, const struct opener_role *role)
{
	const struct serve_control controls[] = { { SERVE_WORKER, role->worker }, { SERVE_SAMPLER, role->sampler } };
	struct opener_process process = { .daemon = daemon, .role = role };
	struct serve_config config = {
		.controls = controls,
		.control_count = sizeof(controls) / sizeof(controls[0]),
		.find_worker = role->worker < 0 ? find_worker : NULL,
		.board_fd = daemon->board ? daemon->board_fd : -1,
		.beat = beat,
		.reload = reload_tokens,
		.arg = &process,
	};
	int r = opener_new_here(daemon->procfs, &process.opener, NULL);

	prctl(PR_SET_NAME, "vmad-opener");
	if (r < 0)
		return complain(daemon->procfs, r);
	opener_use_tokens(process.opener, daemon->tokens);
	take_addresses(daemon, &config);
	name_addresses(daemon, &config);
	process.reload_fd = config.reload_fd = open_signals(SIGHUP, 0);
	r = confine_opener(role->parent, config.find_worker);
	return r < 0 ? complain("the opener", r) : complain("the opener", serve(process.opener, &config));
}

/* --- the worker --- */

struct worker_process {
	struct daemon *daemon;
	const struct worker_role *role;
	struct opener *opener;
	struct worker *worker;
	int control_fd;			/* of the opener that is there: opener's own; -1: there is none */
	int beat_ms;			/* -1: nobody wants to hear them */
};

static void tell_beat(const struct worker_process *process)
{
	if (process->role->beat >= 0 && write(process->role->beat, "", 1) < 0)
		return;
	if (process->role->beat < 0)
		sd_notify(0, "WATCHDOG=1");
}

/* Both are asked; neither is stuck because a process is that somebody asked about. */
static void beat_if_well(const struct worker_process *process)
{
	if (worker_gets_on(process->worker) && opener_ping(process->opener) == 0)
		tell_beat(process);
}

/* 0, and control_fd is that of an opener, or negative errno. */
static int connect_opener(struct worker_process *process, int control_fd)
{
	int r = control_fd < 0 ? control_fd : opener_connect(process->opener, control_fd);

	process->control_fd = r < 0 ? -1 : control_fd;
	return r;
}

/* One that has ended before it was its turn is none. */
static void meet_next(struct worker_process *process)
{
	int r = connect_opener(process, meet_opener(process->daemon->meet_fd));

	if (r < 0) {
		complain("an opener that has come", r == -ENOTCONN ? 0 : r);
		return;
	}
	worker_meets_opener(process->worker);
	meter_add(METER_OPENER_RESTARTS, NULL, NULL, 1);
	fprintf(stderr, "vmad: the opener is there again\n");
	sd_notifyf(0, "STATUS=Answering on %zu sockets", process->daemon->sockets.count);
}

static void lose_opener(struct worker_process *process)
{
	opener_disconnect(process->opener);
	process->control_fd = -1;
	fprintf(stderr, "vmad: the opener is gone: clients are told to come again\n");
	sd_notify(0, "STATUS=Waiting for the opener");
}

static void reload(const struct worker_process *process, int fd)
{
	struct signalfd_siginfo signal_info;

	if (process->role->files >= 0)
		reload_receive(&process->daemon->options, fd);
	else if (read(fd, &signal_info, sizeof(signal_info)) == sizeof(signal_info))
		reload_tls(&process->daemon->options);
}

enum { END, RELOAD, OPENER, POLLED };

/* Until it is to end: 0; -ENOTCONN: there is no opener any more, and no other will come. */
static int work(struct worker_process *process, int end_fd, int reload_fd)
{
	for (;;) {
		struct pollfd polled[POLLED] = {
			[END] = { .fd = end_fd, .events = POLLIN },
			[RELOAD] = { .fd = reload_fd, .events = POLLIN },
			[OPENER] = { .fd = process->control_fd },
		};
		int n;

		if (process->control_fd < 0)
			polled[OPENER] = (struct pollfd){ .fd = process->daemon->meet_fd, .events = POLLIN };
		n = poll(polled, POLLED, process->beat_ms);
		if (n == 0)
			beat_if_well(process);
		if (n <= 0)
			continue;
		if (polled[END].revents)
			return 0;
		if (polled[RELOAD].revents & POLLIN)
			reload(process, reload_fd);
		if (polled[OPENER].revents && process->control_fd < 0)
			meet_next(process);
		else if (polled[OPENER].revents && process->role->opener >= 0)
			return -ENOTCONN;
		else if (polled[OPENER].revents)
			lose_opener(process);
	}
}

/*
 * The opener of another unit was started before: it is there within moments, unless it is not well. In the queue one may
 * stand before it that came for another worker, and has ended since.
 */
static void meet_first(struct worker_process *process)
{
	struct pollfd polled = { .fd = process->daemon->meet_fd, .events = POLLIN };
	int r = -ENOTCONN;

	while (r < 0 && poll(&polled, 1, FIRST_OPENER_MS) > 0)
		r = connect_opener(process, meet_opener(polled.fd));
	if (r < 0)
		fprintf(stderr, "vmad: there is no opener: clients are told to come again\n");
}

static int start_worker(struct worker_process *process)
{
	int r = opener_new_remote(OPENER_REMOTE_THREADS, &process->opener, NULL);

	if (r == 0 && process->role->opener >= 0)
		r = connect_opener(process, process->role->opener);
	else if (r == 0)
		meet_first(process);
	if (r < 0)
		return complain("the worker", r);
	process->worker = worker_start(process->daemon, process->opener);
	return process->worker ? 0 : -EIO;
}

static void say_ready(const struct worker_process *process)
{
	if (process->role->beat >= 0) {
		tell_beat(process);
		return;
	}
	fprintf(stderr, "vmad: ready\n");
	sd_notifyf(0, "READY=1\nSTATUS=Answering on %zu sockets", process->daemon->sockets.count);
}

/* The keeper looks twice in that time, and wants to see a beat each time. */
static int beat_ms_of(const struct daemon *daemon)
{
	return daemon->watchdog_us ? (int)(daemon->watchdog_us / 4000) + 1 : -1;
}

int role_worker(struct daemon *daemon, const struct worker_role *role)
{
	struct worker_process process = {
		.daemon = daemon, .role = role, .control_fd = -1, .beat_ms = beat_ms_of(daemon)
	};
	int end_fd = open_signals(SIGTERM, role->parent ? 0 : SIGINT);
	int reload_fd = role->files >= 0 ? role->files : open_signals(SIGHUP, 0), r;

	prctl(PR_SET_NAME, "vmad-worker");
	self_open();
	for (size_t i = 0; i < daemon->sockets.count; i++) {
		free(daemon->sockets.list[i].unlink_path);
		daemon->sockets.list[i].unlink_path = NULL;	/* the sockets outlive it */
	}
	if (role->failures)
		meter_add(METER_OPENER_RESTARTS, NULL, NULL, role->failures);
	r = daemon_read_board(daemon);
	if (r == 0)
		r = confine_worker(daemon->worker_uid, daemon->worker_gid);
	if (r < 0)
		return complain("the worker", r);
	r = start_worker(&process);
	if (r < 0)
		return r;
	say_ready(&process);
	r = work(&process, end_fd, reload_fd);
	if (r < 0 && getppid() != role->parent)
		return -ESRCH;	/* who keeps them was killed */
	if (role->beat < 0)
		sd_notify(0, "STOPPING=1\nSTATUS=Letting replies finish");
	if (worker_stop(process.worker))
		return 0;
	opener_leave(process.opener);
	_exit(0);	/* what the kernel holds ends with the process, and not before */
}
