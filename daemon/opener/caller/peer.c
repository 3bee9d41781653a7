/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_identify(): who is at the other end of a Unix socket. See SO_PEERCRED in unix(7). */
#include "opener/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/caller/caller.h"
#include "opener/caller/identity.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77		/* Linux 6.5 */
#endif

struct identify_request {
	struct request base;
	int socket_fd;
	struct vmad_caller *peer;
};

static int ascending(const void *a, const void *b)
{
	const gid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t sort_groups(gid_t *groups, size_t count)
{
	size_t kept = 0;

	qsort(groups, count, sizeof(*groups), ascending);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || groups[kept - 1] != groups[i])
			groups[kept++] = groups[i];
	return kept;
}

/* A caller with the peer's groups, and nothing else yet. */
static int peer_with_groups(int socket_fd, struct vmad_caller **ret_peer)
{
	struct vmad_caller *peer = caller_new(VMAD_CALLER_GROUPS_MAX);
	socklen_t len = VMAD_CALLER_GROUPS_MAX * sizeof(peer->groups[0]);

	if (!peer)
		return -ENOMEM;
	if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &len) < 0) {
		free(peer);
		return errno == ERANGE ? -E2BIG : -errno;
	}
	peer->group_count = sort_groups(peer->groups, len / sizeof(peer->groups[0]));
	*ret_peer = peer;
	return 0;
}

/* A descriptor of the peer's process, or, on kernels that cannot tell, of the process that has its pid now. */
static int open_pidfd(int socket_fd, pid_t pid)
{
	int pidfd;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	if (errno != ENOPROTOOPT)
		return -errno;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pidfd < 0 ? -errno : pidfd;
}

/* It has not ended, so that its pid still is its own: else there would be something to read of pidfd. Whoever holds one may ask. */
static bool process_exists(int pidfd)
{
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };

	return poll(&polled, 1, 0) == 0;
}

static bool same_ns(const struct procfs *procfs, pid_t pid, const char *name, const struct stat *own)
{
	struct stat ns;

	return procfs_stat_ns(procfs, pid, name, &ns) == 0 && ns.st_dev == own->st_dev && ns.st_ino == own->st_ino;
}

/*
 * In a foreign user namespace uid 0 is not root; in a foreign pid namespace pids mean other processes. The pid is
 * looked up by number, so only what pidfd says after that makes it the peer's.
 */
static bool in_our_namespaces(const struct procfs *procfs, int socket_fd, pid_t pid)
{
	int pidfd = pid > 0 ? open_pidfd(socket_fd, pid) : -ESRCH;
	bool ours;

	if (pidfd < 0)
		return false;
	ours = same_ns(procfs, pid, "user", &procfs->own_user_ns) && same_ns(procfs, pid, "pid", &procfs->own_pid_ns) &&
	       process_exists(pidfd);
	close(pidfd);
	return ours;
}

static int peer_credentials(int socket_fd, struct ucred *ret_cred)
{
	socklen_t len = sizeof(*ret_cred);

	return getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, ret_cred, &len) < 0 ? -errno : 0;
}

static int identify_work(struct request *base, const struct procfs *procfs)
{
	struct identify_request *request = (struct identify_request *)base;
	struct ucred cred;
	int r = peer_credentials(request->socket_fd, &cred);

	if (r < 0)
		return r;
	if (!in_our_namespaces(procfs, request->socket_fd, cred.pid))
		return -EXDEV;
	r = peer_with_groups(request->socket_fd, &request->peer);
	if (r < 0)
		return r;
	request->peer->uid = cred.uid;
	request->peer->gid = cred.gid;
	request->peer->class = cred.uid == 0 ? VMAD_CALLER_ROOT : VMAD_CALLER_USER;
	return 0;
}

static void identify_drop(struct request *base)
{
	struct identify_request *request = (struct identify_request *)base;

	close(request->socket_fd);
	request_destroy(base);
	free(request->peer);
	free(request);
}

/* With a descriptor of its own, because who asks may be gone, and have closed his, before the opener looks. */
static int identify_new(int socket_fd, struct identify_request **ret_request)
{
	struct identify_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	request->base.work = identify_work;
	request->base.drop = identify_drop;
	request->socket_fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, 0);
	r = request->socket_fd < 0 ? -errno : request_init(&request->base, identity_own());
	if (r < 0) {
		if (request->socket_fd >= 0)
			close(request->socket_fd);
		free(request);
		return r;
	}
	*ret_request = request;
	return 0;
}

/*
 * An ordinary user's vmad acts for that user only. It asks first, since it could not look at another user's namespaces.
 */
static int refuse_others(const struct opener *opener, int socket_fd)
{
	struct ucred cred;
	int r = opener->can_change ? 0 : peer_credentials(socket_fd, &cred);

	return r < 0 || opener->can_change || cred.uid == opener->uid ? r : -EPERM;
}

int opener_identify(struct opener *opener, int socket_fd, struct vmad_caller **ret_caller, struct vmad_error *err)
{
	struct identify_request *request = NULL;
	int r = refuse_others(opener, socket_fd);

	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_identify(opener->channels, socket_fd, NULL, ret_caller), 0, NULL,
				    "identify");
	if (r == 0)
		r = identify_new(socket_fd, &request);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "identify");
	r = opener_run(opener, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "identify");
	r = request->base.result;
	if (r == 0) {
		*ret_caller = request->peer;
		request->peer = NULL;
	}
	identify_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "identify") : 0;
}
