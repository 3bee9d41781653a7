/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int meet_check(int fd)
{
	int listens = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	return listens && type == SOCK_SEQPACKET ? 0 : -ENOTSOCK;
}

/* Who has connected; or who has called listen(2): systemd. */
static int check_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	return cred.uid == 0 ? 0 : -EPERM;
}

static int checked(int fd, int r)
{
	if (r == 0)
		r = check_root(fd);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int meet_worker(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* It does not block, so that a queue that is full is an error like any other; what comes then may. */
	return checked(fd, connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
				   fcntl(fd, F_SETFL, 0) < 0 ? -errno : 0);
}

int meet_opener(int listening_fd)
{
	int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : checked(fd, 0);
}
