// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * init: process 1 of the guest. Mounts what programs expect, runs the command of each line of /commands, one after the
 * other, and ends the machine: QEMU's isa-debug-exit makes 2 * status + 1 of what is written to its port.
 *
 * What the commands print goes to the second serial line, between "=== begin COMMAND" and "=== end STATUS"; the first
 * one is the kernel's. A line that begins with "module " loads a module.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define EXIT_PORT 0xf4

static void end(int status)
{
	sync();
	if (ioperm(EXIT_PORT, 1, 1) == 0)
		outb(status, EXIT_PORT);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void fail(const char *what)
{
	printf("init: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	tcdrain(1);
	end(2);
}

static const struct {
	const char *what, *where, *type;
} mounts[] = {
	{ "proc", "/proc", "proc" },
	{ "sysfs", "/sys", "sysfs" },
	{ "devtmpfs", "/dev", "devtmpfs" },
	{ "tmpfs", "/tmp", "tmpfs" },
	{ "tmpfs", "/run", "tmpfs" },
};

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].what, mounts[i].where, mounts[i].type, 0, NULL) < 0)
			fail(mounts[i].where);
	}
}

/* Bytes as they are: no newline becomes two characters. */
static void open_line(void)
{
	struct termios raw;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &raw) < 0)
		fail("/dev/ttyS1");
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	tcsetattr(fd, TCSANOW, &raw);
	dup2(fd, 1);
	dup2(fd, 2);
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long r = fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", 0);

	if (r < 0)
		printf("init: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r < 0;
}

static int run(char *command)
{
	char *words[32];
	int count = 0, status;
	pid_t pid;

	for (char *word = strtok(command, " "); word && count < 31; word = strtok(NULL, " "))
		words[count++] = word;
	words[count] = NULL;
	if (count == 2 && strcmp(words[0], "module") == 0)
		return load(words[1]);
	pid = fork();
	if (pid == 0) {
		execv(words[0], words);
		printf("init: %s: %s\n", words[0], strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	/* What it leaves behind has this process for a parent. */
	while (waitpid(-1, &status, 0) != pid)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	static char line[512];
	int failed = 0;
	FILE *commands;

	mount_all();
	open_line();
	setlinebuf(stdout);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	commands = fopen("/commands", "re");
	if (!commands)
		fail("/commands");
	while (fgets(line, sizeof(line), commands)) {
		int status;

		line[strcspn(line, "\n")] = '\0';
		printf("=== begin %s\n", line);
		status = run(line);
		printf("=== end %d\n", status);
		failed |= status != 0;
	}
	printf("=== done\n");
	fflush(stdout);
	tcdrain(1);
	end(failed);
}
