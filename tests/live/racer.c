/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * racer VERB [NUMBER]: a process that does not hold still while it is read.
 *
 *   exec FLAVOUR   fills one of two ranges and execs itself with the other flavour, for ever
 *   unmap          every other area comes and goes, for ever; those between stay
 *   fork           has children that end at once, for ever
 *   exit           fills a range and waits
 *   pid PID        has a child with that very pid (clone3 with set_tid), which waits
 *
 * It says "ready" when it has begun; end of file on stdin ends those that wait, a signal the others.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AREAS 3000
#define RANGE(flavour) ((char *)(0x200000000000 + (uintptr_t)(flavour) * 0x100000000000))
#define FORKS_AT_ONCE 4

static size_t page_bytes;

/* As <linux/sched.h> has it; that header and <sched.h> do not go together. */
struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "racer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Even areas are read-only and odd ones writable, so that neighbours do not merge. */
static void map_area(char *range, size_t i)
{
	int prot = i % 2 ? PROT_READ | PROT_WRITE : PROT_READ;

	if (mmap(range + i * page_bytes, page_bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
}

static void fill(char *range)
{
	for (size_t i = 0; i < AREAS; i++)
		map_area(range, i);
}

static void wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void race_exec(long flavour)
{
	const char *other = flavour ? "0" : "1";

	fill(RANGE(flavour));
	if (flavour)
		ready();	/* both images have been there once */
	usleep((useconds_t)(getpid() + clock()) % 3000);
	execl("/proc/self/exe", "racer", "exec", other, NULL);
	die("exec");
}

static void race_unmap(long unused)
{
	(void)unused;
	fill(RANGE(0));
	ready();
	for (size_t i = 1;; i = (i + 2) % AREAS) {
		munmap(RANGE(0) + i * page_bytes, page_bytes);
		map_area(RANGE(0), (i + AREAS / 2 + 1) % AREAS | 1);
	}
}

static void race_fork(long unused)
{
	(void)unused;
	ready();
	for (unsigned running = 0;;) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid < 0)
			die("fork");
		if (++running == FORKS_AT_ONCE)
			while (running && wait(NULL) > 0)
				running--;
	}
}

static void race_exit(long unused)
{
	(void)unused;
	fill(RANGE(0));
	ready();
	wait_for_end();
}

static void race_pid(long wanted)
{
	pid_t tid = (pid_t)wanted;
	struct clone_arguments arguments = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0)
		die("clone3");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	ready();
	wait_for_end();
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
}

static const struct race {
	const char *name;
	void (*run)(long number);
} races[] = {
	{ "exec", race_exec },
	{ "unmap", race_unmap },
	{ "fork", race_fork },
	{ "exit", race_exit },
	{ "pid", race_pid },
};

int main(int argc, char **argv)
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; argc > 1 && i < sizeof(races) / sizeof(*races); i++) {
		if (strcmp(argv[1], races[i].name))
			continue;
		races[i].run(argc > 2 ? atol(argv[2]) : 0);
		return 0;
	}
	fprintf(stderr, "usage: racer exec FLAVOUR | unmap | fork | exit | pid PID\n");
	return 2;
}
