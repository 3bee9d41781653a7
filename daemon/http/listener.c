/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/tcp_address.h"

#define BACKLOG 512

const char *listener_kind_name(enum listener_kind kind)
{
	static const char *const names[] = {
		[LISTENER_UNIX] = "unix", [LISTENER_UNIX_ROOT] = "unix-root", [LISTENER_TCP] = "tcp"
	};

	return names[kind];
}

/* Does anybody answer there? A socket file that was left by a vmad that was killed is nobody's. */
static bool is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answered =
		fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return answered;
}

static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_answered(address))
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* Binds under a strict umask: nobody can connect before mode and group are right. */
static int bind_unix(int fd, const struct sockaddr_un *address, mode_t mode, gid_t gid)
{
	mode_t old = umask(0777);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(old);
	if (r < 0)
		return r;
	if ((gid != (gid_t)-1 && chown(address->sun_path, (uid_t)-1, gid) < 0) || chmod(address->sun_path, mode) < 0 ||
	    listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0)
		unlink(address->sun_path);
	return r;
}

static int open_unix(const char *path, mode_t mode, gid_t gid, struct listener *listener, const char **ret_what)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		*ret_what = "the path of a Unix socket has 1 to 107 bytes";
		return -EINVAL;
	}
	strcpy(address.sun_path, path);
	r = remove_stale(&address);
	if (r < 0)
		return r;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	listener->unlink_path = strdup(path);
	r = listener->unlink_path ? bind_unix(listener->fd, &address, mode, gid) : -ENOMEM;
	if (r < 0) {
		free(listener->unlink_path);
		close(listener->fd);
		return r;
	}
	snprintf(listener->name, sizeof(listener->name), "unix:%s", path);
	return 0;
}

static void name_tcp(struct listener *listener)
{
	struct tcp_address address = { .len = sizeof(address.in6) };
	char text[TCP_ADDRESS_TEXT_MAX];

	getsockname(listener->fd, &address.any, &address.len);
	tcp_address_print(&address, text);
	snprintf(listener->name, sizeof(listener->name), "tcp:%s", text);
}

static int listen_tcp(int fd, const struct tcp_address *address)
{
	int yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	return bind(fd, &address->any, address->len) < 0 || listen(fd, BACKLOG) < 0 ? -errno : 0;
}

static int open_tcp(const char *text, bool any_address, struct listener *listener, const char **ret_what)
{
	struct tcp_address address;
	int r = tcp_address_parse(text, &address, ret_what);

	if (r < 0)
		return r;
	if (!any_address && !tcp_address_is_loopback(&address))
		return -EPERM;
	listener->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	r = listen_tcp(listener->fd, &address);
	if (r < 0) {
		close(listener->fd);
		return r;
	}
	name_tcp(listener);
	return 0;
}

int listener_open(const char *spec, enum listener_kind unix_kind, mode_t mode, gid_t gid, bool any_address,
		  struct listener *ret_listener, const char **ret_what)
{
	struct listener listener = { .fd = -1 };
	int r;

	*ret_what = "a listener is unix:PATH or tcp:ADDRESS:PORT";
	if (!strncmp(spec, "unix:", 5)) {
		listener.kind = unix_kind;
		r = open_unix(spec + 5, mode, gid, &listener, ret_what);
	} else if (!strncmp(spec, "tcp:", 4)) {
		listener.kind = LISTENER_TCP;
		r = open_tcp(spec + 4, any_address, &listener, ret_what);
	} else {
		return -EINVAL;
	}
	if (r == 0)
		*ret_listener = listener;
	return r;
}

static bool is_listening_stream(int fd)
{
	int listens = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

int listener_adopt(int fd, const char *name, bool any_address, struct listener *ret_listener, const char **ret_what)
{
	struct listener listener = { .fd = fd };
	struct sockaddr_un address = { 0 };
	struct tcp_address tcp = { 0 };
	socklen_t len = sizeof(address);

	*ret_what = "systemd handed over what is no listening socket";
	if (!is_listening_stream(fd))
		return -ENOTSOCK;
	/* Not blocking: a client may be gone again when it is accepted. */
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	if (address.sun_family == AF_UNIX) {
		listener.kind = strcmp(name, "vmad-root") ? LISTENER_UNIX : LISTENER_UNIX_ROOT;
		snprintf(listener.name, sizeof(listener.name), "unix:%s", address.sun_path);
	} else {
		tcp.len = sizeof(tcp.in6);
		getsockname(fd, &tcp.any, &tcp.len);
		listener.kind = LISTENER_TCP;
		name_tcp(&listener);
		*ret_what = "not on a loopback address: that needs --tls-cert, --tls-key and --token-file";
		if (!any_address && !tcp_address_is_loopback(&tcp))
			return -EPERM;
	}
	*ret_listener = listener;
	return 0;
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->unlink_path)
		unlink(listener->unlink_path);
	free(listener->unlink_path);
	listener->unlink_path = NULL;
}
