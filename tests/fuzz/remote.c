/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer of the opener's process, as who asked takes it apart: the first byte says what was asked, the second with how many descriptors it
 * comes, the third and fourth which files are wanted; the rest is the answer. What is taken of it is of its shape, and no descriptor stays behind.
 */
#include "fuzz.h"
#include "packet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/time.h>

#include "opener/remote/channels.h"
#include "opener/remote/remote.h"

#define TARGETS 2
#define PIDS 5

static const struct vmad_caller caller = { .handle = 7, .class = VMAD_CALLER_USER };

static void check_fd(int fd)
{
	MUST(fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
}

static int ask_identity(struct channels *channels, const char *token)
{
	struct vmad_caller *found = NULL;
	int r = remote_identify(channels, STDERR_FILENO, token, &found);

	MUST((r == 0) == (found != NULL));
	MUST(!found || (found->class <= VMAD_CALLER_ROOT && found->life == channels_life(channels)));
	free(found);
	return r;
}

static int ask_list(struct channels *channels)
{
	struct channel *channel;
	pid_t *pids = NULL;
	size_t count = 0;
	int r = remote_list_begin(channels, &caller, true, &channel);

	if (r == 0)
		r = remote_list_end(channels, channel, &pids, &count);
	MUST((r == 0) == (pids != NULL));
	free(pids);
	return r;
}

static int ask_open(struct channels *channels, unsigned first, unsigned second)
{
	struct opener_target targets[TARGETS] = {
		{ .pid = 1, .want = first % (1u << OPENER_FILES) }, { .pid = 2, .want = second % (1u << OPENER_FILES) }
	};
	int r = remote_open(channels, &caller, targets, TARGETS);

	for (size_t i = 0; r == 0 && i < TARGETS; i++)
		for (int file = 0; file < OPENER_FILES; file++) {
			if (targets[i].fd[file] >= 0)
				check_fd(targets[i].fd[file]);
			else
				MUST(targets[i].want & OPENER_WANT(file) || targets[i].fd[file] == -EBADF);
		}
	return r;
}

static int ask_same_mm(struct channels *channels)
{
	const pid_t pids[PIDS] = { 1, 2, 3, 4, 5 };
	size_t groups[PIDS];
	int r = remote_same_mm(channels, &caller, pids, PIDS, groups);

	for (size_t i = 0; r == 0 && i < PIDS; i++)
		MUST(groups[i] < PIDS || groups[i] == OPENER_NO_MM);
	return r;
}

static int ask_path(struct channels *channels)
{
	struct opener_path path;
	int r = remote_open_path(channels, &caller, "/etc/passwd", &path);

	if (r == 0) {
		check_fd(path.fd);
		MUST(strnlen(path.line, sizeof(path.line)) < sizeof(path.line));
	}
	return r;
}

static int ask_grant(struct channels *channels)
{
	struct opener_grant grant;
	int r = remote_grant(channels, &caller, &grant);

	MUST(r < 0 || strnlen(grant.token, sizeof(grant.token)) < sizeof(grant.token));
	return r;
}

static int ask_host(struct channels *channels)
{
	int fd = remote_open_host(channels, NULL, OPENER_HOST_MOUNTINFO);

	if (fd < 0)
		return fd;
	check_fd(fd);
	return 0;
}

static int ask(struct channels *channels, const uint8_t *how)
{
	struct opener_cache cache;
	struct opener_mapped mapped;

	switch (how[0] % 9) {
	case 0:
		return ask_identity(channels, NULL);
	case 1:
		return ask_identity(channels, "token");
	case 2:
		return ask_list(channels);
	case 3:
		return ask_open(channels, how[2], how[3]);
	case 4:
		return ask_same_mm(channels);
	case 5:
		return ask_path(channels);
	case 6:
		return ask_grant(channels);
	case 7:
		return ask_host(channels);
	default:
		return remote_cache(channels, &caller, STDERR_FILENO, OPENER_MINCORE, 0, 0, &cache) |
		       remote_mapped_file(channels, &caller, 1, 0, 4096, &mapped);
	}
}

static void make_pair(int ends[2])
{
	const struct timeval soon = { .tv_usec = 1000 };

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) == 0);
}

/* A channel whose answer is there before it is asked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_reply made = { .result = 0 };
	static struct channels *channels;
	int control[2], channel[2], before, r;

	if (size < 5 || size > WIRE_PACKET)
		return 0;
	if (!channels)
		channels = channels_new(1);
	MUST(channels);
	before = lowest_free();
	make_pair(control);
	make_pair(channel);
	send_message(control[1], &made, sizeof(made), channel[0], 1);
	close(channel[0]);
	send_message(channel[1], data + 4, size - 4, STDERR_FILENO, data[1] & 3);
	MUST(shutdown(channel[1], SHUT_WR) == 0 && shutdown(control[1], SHUT_WR) == 0);
	MUST(channels_connect(channels, control[0]) == 0);
	r = ask(channels, data);
	MUST(r <= 0);
	channels_disconnect(channels);
	close(channel[1]);
	close(control[1]);
	MUST(lowest_free() == before);
	return 0;
}
