/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener: a socket that vmad listens on, and what it may serve there. */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

enum listener_kind {
	LISTENER_UNIX,		/* callers are who the kernel says they are */
	LISTENER_UNIX_ROOT,	/* the same, for root alone, with a quota of its own */
	LISTENER_TCP,		/* callers are who their token says they are */
};

struct listener {
	enum listener_kind kind;
	int fd;
	char name[160];		/* "unix:/run/vmad/vmad.sock", "tcp:127.0.0.1:8623", "tcp:[::1]:8623" */
	bool tls;		/* what is said there is not ours to write in the clear */
	char *unlink_path;	/* the Unix socket that is ours to remove, or NULL */
};

const char *listener_kind_name(enum listener_kind kind);

/*
 * Opens "unix:PATH" or "tcp:HOST:PORT" (HOST an address, IPv6 in brackets; port 0: any that is free). A Unix socket
 * that nobody answers on is replaced. mode and gid are for the Unix socket; gid -1: as it is. any_address: TCP need not be on a loopback
 * address. 0; -EINVAL: *ret_what says what is wrong with the text; -EADDRINUSE; -EPERM: not a loopback address; other
 * negative errno.
 */
int listener_open(const char *spec, enum listener_kind unix_kind, mode_t mode, gid_t gid, bool any_address,
		  struct listener *ret_listener, const char **ret_what);

/*
 * A socket that was handed over by systemd, told apart by its address family and name ("vmad-root" is root's own).
 * Takes fd over.
 */
int listener_adopt(int fd, const char *name, bool any_address, struct listener *ret_listener, const char **ret_what);

void listener_close(struct listener *listener);

#endif
