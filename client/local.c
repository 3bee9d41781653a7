/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signals.h"

enum {
	READY_MS = 20000,	/* some milliseconds in truth; sanitizers and a loaded machine take longer */
	DRAIN_MS = 8000,	/* vmad gives its connections 5 s */
};

struct local {
	char directory[64];
	struct sockaddr_un socket, notify;
	char log[sizeof(((struct sockaddr_un *)NULL)->sun_path)];	/* what it says on stderr */
	pid_t pid;
	int pidfd;
	int notify_fd;	/* systemd's way of saying "ready": a datagram (sd_notify(3)) */
};

const char *local_socket(const struct local *l)
{
	return l->socket.sun_path;
}

static int make_directory(struct local *l)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime && *runtime == '/' && strlen(runtime) < sizeof(l->directory) - 20 && access(runtime, W_OK) == 0)
		snprintf(l->directory, sizeof(l->directory), "%s/vmactl-XXXXXX", runtime);
	else
		strcpy(l->directory, "/tmp/vmactl-XXXXXX");
	if (!mkdtemp(l->directory)) {	/* makes it 0700 */
		l->directory[0] = '\0';
		return -errno;
	}
	l->socket.sun_family = l->notify.sun_family = AF_UNIX;
	snprintf(l->socket.sun_path, sizeof(l->socket.sun_path), "%s/vmad.sock", l->directory);
	snprintf(l->notify.sun_path, sizeof(l->notify.sun_path), "%s/notify", l->directory);
	snprintf(l->log, sizeof(l->log), "%s/log", l->directory);
	return 0;
}

static int listen_for_ready(struct local *l)
{
	l->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->notify_fd < 0 || bind(l->notify_fd, (struct sockaddr *)&l->notify, sizeof(l->notify)) < 0)
		return -errno;
	return 0;
}

/* Where a vmad may be: in the build tree, beside an installed vmactl, where it was configured to go. NULL: in PATH. */
static const char *find_vmad(char path[PATH_MAX])
{
	static const char *const beside[] = { "../daemon/vmad", "../sbin/vmad", "vmad" };
	char self[PATH_MAX - 32];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		slash[1] = '\0';
		for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
			snprintf(path, PATH_MAX, "%s%s", self, beside[i]);
			if (access(path, X_OK) == 0)
				return path;
		}
	}
	strcpy(path, SBINDIR "/vmad");
	return access(path, X_OK) == 0 ? path : NULL;
}

/* In the child. Its own process group: a ^C on the terminal is for vmactl, which then ends it in good order. */
static void run_vmad(const struct local *l)
{
	char path[PATH_MAX], listen_on[sizeof(l->socket.sun_path) + 8];
	const char *vmad = find_vmad(path);
	int log = open(l->log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	signals_restore();
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	umask(077);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setenv("NOTIFY_SOCKET", l->notify.sun_path, 1);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("WATCHDOG_USEC");
	snprintf(listen_on, sizeof(listen_on), "unix:%s", l->socket.sun_path);
	execlp(vmad ? vmad : "vmad", "vmad", "--listen", listen_on, "--metrics", "off", (char *)NULL);
	fprintf(stderr, "cannot run vmad: %s\n", strerror(errno));
	_exit(127);
}

/* The last line that it said, without its own name in front. */
static void last_words(const struct local *l, char *line, size_t size)
{
	char buffer[512];
	FILE *log = fopen(l->log, "re");

	snprintf(line, size, "it says nothing");
	while (log && fgets(buffer, sizeof(buffer), log)) {
		buffer[strcspn(buffer, "\n")] = '\0';
		snprintf(line, size, "%s", strncmp(buffer, "vmad: ", 6) == 0 ? buffer + 6 : buffer);
	}
	if (log)
		fclose(log);
}

static bool says_ready(int fd)
{
	char message[4096];
	ssize_t len = recv(fd, message, sizeof(message) - 1, 0);

	if (len <= 0)
		return false;
	message[len] = '\0';
	return strncmp(message, "READY=1", 7) == 0 || strstr(message, "\nREADY=1") != NULL;
}

static int wait_until_ready(struct local *l, struct trouble *trouble)
{
	struct pollfd fds[] = {
		{ .fd = l->notify_fd, .events = POLLIN },
		{ .fd = l->pidfd, .events = POLLIN },
		{ .fd = signals_fd(), .events = POLLIN },
	};
	char words[512];
	int n;

	for (;;) {
		n = poll(fds, 3, READY_MS);
		if (signals_caught())
			return EXIT_INTERRUPTED;
		if (n > 0 && fds[0].revents && says_ready(l->notify_fd))
			return EXIT_DONE;
		if (n == 0 || (n > 0 && fds[1].revents))
			break;
	}
	last_words(l, words, sizeof(words));
	return trouble_set(trouble, EXIT_UNREACHABLE, n == 0 ? "the private vmad does not get ready: %s" :
								"the private vmad ended: %s", words);
}

static int launch(struct local *l, struct trouble *trouble)
{
	int r = make_directory(l);

	if (r == 0)
		r = listen_for_ready(l);
	if (r == 0) {
		l->pid = fork();
		if (l->pid == 0)
			run_vmad(l);
		r = l->pid < 0 ? -errno : 0;
	}
	if (r == 0) {
		l->pidfd = pidfd_open(l->pid, 0);
		r = l->pidfd < 0 ? -errno : 0;
	}
	if (r < 0)
		return trouble_set(trouble, EXIT_FAILED, "cannot start a private vmad: %s", strerror(-r));
	return wait_until_ready(l, trouble);
}

int local_start(struct local **ret, struct trouble *trouble)
{
	struct local *l = calloc(1, sizeof(*l));
	int code;

	if (!l)
		return trouble_oom(trouble);
	l->pidfd = l->notify_fd = -1;
	code = launch(l, trouble);
	if (code != EXIT_DONE) {
		local_stop(l);
		return code;
	}
	*ret = l;
	return EXIT_DONE;
}

/* Asks it to end, and does not wait for ever. */
static void end_vmad(struct local *l)
{
	struct pollfd fd = { .fd = l->pidfd, .events = POLLIN };
	int n;

	kill(l->pid, SIGTERM);
	do {
		n = l->pidfd < 0 ? 0 : poll(&fd, 1, DRAIN_MS);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		kill(l->pid, SIGKILL);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void local_stop(struct local *l)
{
	if (!l)
		return;
	if (l->pid > 0)
		end_vmad(l);
	if (l->pidfd >= 0)
		close(l->pidfd);
	if (l->notify_fd >= 0)
		close(l->notify_fd);
	if (l->directory[0]) {
		unlink(l->socket.sun_path);
		unlink(l->notify.sun_path);
		unlink(l->log);
		rmdir(l->directory);
	}
	free(l);
}
