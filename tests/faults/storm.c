/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm COUNT SLOTS NAME: so many processes one after the other, that many of them at a time, each pid taken again as soon as it is
 * free. What is told of a process number k can be held together: it is of uid UID_FIRST + k % UIDS, has one page mapped at
 * MARKS + k * 64 KiB, and then calls itself "NAME-<k in hex>". One in four runs this program anew and is then number k once more.
 *
 * It says "ready" before the first and ends after the last.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS_MAX 256
#define UID_FIRST 50000
#define UIDS 1000
#define MARKS 0x200000000000
#define APART 0x10000
#define LIFE_US 2000

/* As <linux/sched.h> has it; that header and <sched.h> do not go together. */
struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void be(long k, const char *called)
{
	uid_t uid = (uid_t)(UID_FIRST + k % UIDS);
	char name[16];

	if (mmap((void *)(MARKS + (uintptr_t)k * APART), 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED ||
	    setresuid(uid, uid, uid) < 0)
		_exit(1);
	snprintf(name, sizeof(name), "%s-%lx", called, (unsigned long)k);
	prctl(PR_SET_NAME, name);
}

static _Noreturn void live(long k, const char *called, bool again)
{
	char number[24];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be(k, called);
	usleep((useconds_t)(k * 7919) % LIFE_US);
	if (again) {
		snprintf(number, sizeof(number), "%ld", k);
		execl("/proc/self/exe", "storm", "again", number, called, NULL);
	}
	_exit(0);
}

/* With that pid where it is free and may be chosen, else with any. */
static pid_t begin(long k, const char *called, pid_t pid)
{
	struct clone_arguments arguments = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };
	long made = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (made < 0)
		made = fork();
	if (made < 0)
		die("fork");
	if (made == 0)
		live(k, called, k % 4 == 3);
	return (pid_t)made;
}

static pid_t pid_max(void)
{
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	int found = 32768;

	if (file && fscanf(file, "%d", &found) != 1)
		found = 32768;
	if (file)
		fclose(file);
	return found;
}

int main(int argc, char **argv)
{
	static pid_t running[SLOTS_MAX];
	long count, slots;
	pid_t first = pid_max() - SLOTS_MAX - 1;

	if (argc == 4 && !strcmp(argv[1], "again"))
		live(atol(argv[2]), argv[3], false);
	if (argc != 4 || (count = atol(argv[1])) < 1 || (slots = atol(argv[2])) < 1 || slots > SLOTS_MAX) {
		fprintf(stderr, "usage: storm COUNT SLOTS NAME\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (long k = 0; k < count; k++) {
		pid_t *slot = &running[k % slots];

		if (*slot && waitpid(*slot, NULL, 0) != *slot)
			die("waitpid");
		*slot = begin(k, argv[3], first + (pid_t)(k % slots));
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
