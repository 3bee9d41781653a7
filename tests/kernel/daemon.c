// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VMAD "/usr/sbin/vmad"

pid_t daemon_start(void)
{
	char line[512];
	int lines[2];
	FILE *log;
	pid_t pid;

	must(pipe(lines) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(lines[1], STDERR_FILENO);
		execl(VMAD, VMAD, "--listen", "unix:" DAEMON_SOCKET, NULL);
		_exit(127);
	}
	close(lines[1]);
	log = fdopen(lines[0], "re");
	while (log && fgets(line, sizeof(line), log)) {
		if (!strcmp(line, "vmad: ready\n"))
			return pid;		/* the pipe stays open: vmad may have more to say */
		printf("# %s", line);
	}
	fail_at(__FILE__, __LINE__, "vmad did not get ready");
}

/* HTTP/1.0: the answer comes in one piece, and its end is the connection's. */
int daemon_get(const char *path, char **ret_body)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX, .sun_path = DAEMON_SOCKET };
	static char reply[BODY_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	size_t len = 0;
	ssize_t n;

	must(fd >= 0 && connect(fd, (struct sockaddr *)&where, sizeof(where)) == 0);
	must(dprintf(fd, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path) > 0);
	while ((n = read(fd, reply + len, sizeof(reply) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	reply[len] = '\0';
	must(sscanf(reply, "HTTP/1.%*d %d", &status) == 1);
	*ret_body = strstr(reply, "\r\n\r\n");
	must(*ret_body);
	*ret_body += 4;
	return status;
}

size_t count_of(const char *body, const char *words)
{
	size_t count = 0;

	for (const char *at = body; (at = strstr(at, words)); at++)
		count++;
	return count;
}
