/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sockets.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "meet.h"

#define RUN_DIRECTORY "/run/vmad"

/* Members of group vmad may ask root's vmad; without that group, root alone may. */
static gid_t socket_group(void)
{
	struct group *group = getgrnam("vmad");

	return group ? group->gr_gid : (gid_t)-1;
}

static void explain(const char *name, int r, const char *what)
{
	if (r == -EINVAL)
		fprintf(stderr, "vmad: %s: %s\n", name, what);
	else if (r == -EADDRINUSE)
		fprintf(stderr, "vmad: %s: another program listens there already\n", name);
	else if (r == -EPERM && !strncmp(name, "tcp:", 4))
		fprintf(stderr,
			"vmad: %s: not a loopback address: that needs --tls-cert, --tls-key and --token-file\n", name);
	else if (r == -EEXIST)
		fprintf(stderr, "vmad: %s: there is something that is not a socket\n", name);
	else
		fprintf(stderr, "vmad: %s: %s\n", name, strerror(-r));
}

static int open_one(struct sockets *sockets, const char *spec, enum listener_kind kind, mode_t mode, gid_t gid)
{
	const char *what;
	int r;

	if (sockets->count == SERVER_LISTENERS_MAX)
		return -E2BIG;
	r = listener_open(spec, kind, mode, gid, sockets->any_address, &sockets->list[sockets->count], &what);
	/* A host without IPv6 has no [::1]; the default listeners do without it. */
	if (r == 0)
		sockets->count++;
	else if (r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL)
		explain(spec, r, what);
	return r;
}

static bool adopt_meet(int fd, const char *name, int *ret_meet_fd)
{
	int r = meet_check(fd);

	if (r < 0)
		fprintf(stderr, "vmad: socket %s: not a listening ListenSequentialPacket= socket\n", name);
	else
		*ret_meet_fd = fd;
	return r == 0;
}

static bool adopt_listener(struct sockets *sockets, int fd, const char *name)
{
	const char *what = strerror(E2BIG);
	int r = sockets->count == SERVER_LISTENERS_MAX ? -E2BIG :
		listener_adopt(fd, name, sockets->any_address, &sockets->list[sockets->count], &what);

	if (r < 0)
		fprintf(stderr, "vmad: socket %s: %s\n", name, what);
	else
		sockets->count++;
	return r == 0;
}

static bool adopt(struct sockets *sockets, char **names, int count, int *ret_meet_fd)
{
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (strcmp(names[i], MEET_NAME) ? !adopt_listener(sockets, fd, names[i]) :
						  !adopt_meet(fd, names[i], ret_meet_fd))
			return false;
	}
	return true;
}

static bool open_listed(struct sockets *sockets, const struct options *options)
{
	for (size_t i = 0; i < options->listen_count; i++) {
		mode_t mode = geteuid() == 0 ? 0660 : 0600;
		int r = open_one(sockets, options->listen[i], LISTENER_UNIX, mode,
				 geteuid() == 0 ? socket_group() : (gid_t)-1);

		if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
			explain(options->listen[i], r, NULL);
		if (r < 0)
			return false;
	}
	return true;
}

static bool open_as_root(struct sockets *sockets)
{
	static const char *const tcp[] = { "tcp:127.0.0.1:8623", "tcp:[::1]:8623" };

	if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "vmad: " RUN_DIRECTORY ": %s\n", strerror(errno));
		return false;
	}
	if (open_one(sockets, "unix:" RUN_DIRECTORY "/vmad.sock", LISTENER_UNIX, 0660, socket_group()) < 0 ||
	    open_one(sockets, "unix:" RUN_DIRECTORY "/root.sock", LISTENER_UNIX_ROOT, 0600, (gid_t)-1) < 0)
		return false;
	for (size_t i = 0; i < sizeof(tcp) / sizeof(tcp[0]); i++) {
		int r = open_one(sockets, tcp[i], LISTENER_UNIX, 0, (gid_t)-1);

		if (r < 0 && r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL)
			return false;
	}
	return true;
}

/*
 * $XDG_RUNTIME_DIR is the user's alone; without it a directory of our own is made so, and one that is somebody else's
 * is refused.
 */
static bool open_as_user(struct sockets *sockets)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char directory[64], spec[160];
	struct stat st;

	if (run && *run) {
		if ((size_t)snprintf(spec, sizeof(spec), "unix:%s/vmad.sock", run) >= sizeof(spec)) {
			fprintf(stderr, "vmad: XDG_RUNTIME_DIR is too long for a socket\n");
			return false;
		}
		return open_one(sockets, spec, LISTENER_UNIX, 0600, (gid_t)-1) == 0;
	}
	snprintf(directory, sizeof(directory), "/tmp/vmad-%u", (unsigned)geteuid());
	if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
		fprintf(stderr, "vmad: %s: %s\n", directory, strerror(errno));
		return false;
	}
	if (lstat(directory, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077) {
		fprintf(stderr, "vmad: %s: not a directory of this user alone\n", directory);
		return false;
	}
	snprintf(spec, sizeof(spec), "unix:%s/vmad.sock", directory);
	return open_one(sockets, spec, LISTENER_UNIX, 0600, (gid_t)-1) == 0;
}

void sockets_name(const struct options *options, const char *paths[SERVER_LISTENERS_MAX], size_t *ret_count)
{
	static const char scheme[] = "unix:";

	for (size_t i = 0; i < options->listen_count; i++) {
		if (!strncmp(options->listen[i], scheme, sizeof(scheme) - 1))
			paths[(*ret_count)++] = options->listen[i] + sizeof(scheme) - 1;
	}
	if (options->listen_count)
		return;
	paths[(*ret_count)++] = RUN_DIRECTORY "/vmad.sock";
	paths[(*ret_count)++] = RUN_DIRECTORY "/root.sock";
}

/* Half a vmad has no defaults: what it would make is another unit's. */
static bool is_whole_half(const struct sockets *sockets, int meet_fd)
{
	if (sockets->count && meet_fd >= 0)
		return true;
	fprintf(stderr, "vmad: --role worker: systemd hands over no %s\n",
		sockets->count ? "socket named " MEET_NAME : "sockets for clients");
	return false;
}

bool sockets_open(const struct options *options, bool is_half, struct sockets *sockets, int *ret_meet_fd)
{
	char **names = NULL;
	int handed_over = sd_listen_fds_with_names(1, &names);
	bool opened;

	*sockets = (struct sockets){ .any_address = options->tls_cert && options->tls_key && options->token_file };
	if (handed_over < 0) {
		fprintf(stderr, "vmad: the sockets that systemd hands over: %s\n", strerror(-handed_over));
		return false;
	}
	if (handed_over > 0)
		opened = adopt(sockets, names, handed_over, ret_meet_fd);
	else if (is_half)
		opened = true;
	else if (options->listen_count)
		opened = open_listed(sockets, options);
	else
		opened = geteuid() == 0 ? open_as_root(sockets) : open_as_user(sockets);
	for (int i = 0; i < handed_over; i++)
		free(names[i]);
	free(names);
	opened = opened && (!is_half || is_whole_half(sockets, *ret_meet_fd));
	if (!opened)
		sockets_close(sockets);
	return opened;
}

void sockets_close(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		listener_close(&sockets->list[i]);
	sockets->count = 0;
}
