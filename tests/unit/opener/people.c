/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "people.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const struct vmad_caller *people_root(void)
{
	static const struct vmad_caller root = { .class = VMAD_CALLER_ROOT };

	return &root;
}

const struct vmad_caller *people_bare_root(void)
{
	static const struct vmad_caller root = { .class = VMAD_CALLER_USER };

	return &root;
}

const struct vmad_caller *people_nobody(void)
{
	static const struct vmad_caller nobody = { .class = VMAD_CALLER_USER, .uid = NOBODY, .gid = NOBODY };

	return &nobody;
}

const struct vmad_caller *people_user(void)
{
	static const struct vmad_caller user = {
		.class = VMAD_CALLER_USER, .uid = 1000, .gid = 1000, .group_count = 2, .groups = { 4, 24 },
	};

	return &user;
}

int people_become(const struct vmad_caller *caller)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (setgroups(caller->group_count, caller->groups) < 0 || setresgid(caller->gid, caller->gid, caller->gid) < 0 ||
	    setresuid(caller->uid, caller->uid, caller->uid) < 0)
		return -1;
	return caller->class == VMAD_CALLER_ROOT ? 0 : (int)syscall(SYS_capset, &header, none);
}

/*
 * Changes of identity made it undumpable, here and in the process that it comes from; and they clear the wish to end
 * when the test does.
 */
static int prepare_and_wait(int (*prepare)(void *arg), void *arg, int ready_fd)
{
	begin_child();
	prctl(PR_SET_DUMPABLE, 1);
	if (prepare(arg) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || write(ready_fd, "r", 1) != 1)
		return 1;
	for (;;)
		pause();
}

pid_t people_start(int (*prepare)(void *arg), void *arg)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(prepare_and_wait(prepare, arg, ready[1]));
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("a process could not prepare itself");
	close(ready[0]);
	return child;
}

static int try_user_namespace(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) == 0;
}

bool people_may_have_user_namespaces(void)
{
	return people_run(NULL, try_user_namespace, NULL) == 1;
}

void people_end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static int run_as(const struct vmad_caller *caller, int (*run)(void *arg), void *arg)
{
	begin_child();
	CHECK(!caller || people_become(caller) == 0);
	return run(arg);
}

int people_run(const struct vmad_caller *caller, int (*run)(void *arg), void *arg)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(run_as(caller, run, arg));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void *people_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

int complain(int line, const char *condition)
{
	fprintf(stderr, "# line %d: %s: %s\n", line, condition, strerror(errno));
	return 1;
}
