/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_identify(): who connected, from where. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/opener.h"

static struct opener *opener;
static int listener = -1;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int set_up(void **state)
{
	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/unit-peer-%d", (int)getpid());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(address.sun_path, 0666) < 0 ||
	    listen(listener, 8) < 0)
		return -1;
	return opener_new("/proc", &opener, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	close(listener);
	unlink(address.sun_path);
	return 0;
}

static int connect_to_us(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* Children that connect, after they changed something about themselves. */

static int connect_as(void *caller)
{
	return people_become(caller) < 0 ? -1 : connect_to_us();
}

static int connect_with_groups(void *arg)
{
	const gid_t groups[] = { 30, 4, 30, 4, 7 };

	(void)arg;
	return setgroups(5, groups) < 0 || setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0 ? -1 : connect_to_us();
}

static int connect_with_too_many_groups(void *arg)
{
	static gid_t groups[VMAD_CALLER_GROUPS_MAX + 1];

	for (size_t i = 0; i < VMAD_CALLER_GROUPS_MAX + 1; i++)
		groups[i] = (gid_t)(100 + i);
	return setgroups((size_t)VMAD_CALLER_GROUPS_MAX + (arg != NULL), groups) < 0 ? -1 : connect_to_us();
}

static int connect_from_user_ns(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) < 0 ? -1 : connect_to_us();
}

static int connect_and_wait(void *arg)
{
	int *ready = arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (connect_to_us() == 0 && write(*ready, "r", 1) == 1)
		pause();
	return 1;
}

/* A new pid namespace is for children, so it is a child that connects. */
static int connect_from_pid_ns(void *arg)
{
	int ready[2];
	char byte;
	pid_t child;

	(void)arg;
	if (pipe(ready) < 0 || unshare(CLONE_NEWPID) < 0)
		return -1;
	child = fork();
	if (child == 0)
		_exit(connect_and_wait(&ready[1]));
	close(ready[1]);
	return read(ready[0], &byte, 1) == 1 ? 0 : -1;
}

/* The result of asking who this is; *ret_caller where it is 0. */
static int identify_child(int (*prepare)(void *arg), const void *arg, struct vmad_caller **ret_caller)
{
	struct vmad_error err = { 0 };
	pid_t child = people_start(prepare, (void *)arg);
	int fd = accept(listener, NULL, NULL), r;

	assert_true(fd >= 0);
	r = opener_identify(opener, fd, ret_caller, &err);
	assert_int_equal(err.code, -r);
	close(fd);
	people_end(child);
	return r;
}

#define NEED_ROOT() \
	do { \
		if (geteuid() != 0) \
			skip_because("needs root, to be somebody else"); \
	} while (0)

#define NEED_USER_NAMESPACES() \
	do { \
		if (!people_may_have_user_namespaces()) \
			skip_because("no user namespaces here"); \
	} while (0)

static void ourselves(void **state)
{
	struct vmad_caller *caller;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(opener_identify(opener, ends[0], &caller, NULL), 0);
	assert_int_equal(caller->uid, geteuid());
	assert_int_equal(caller->gid, getegid());
	assert_int_equal(caller->class, geteuid() == 0 ? VMAD_CALLER_ROOT : VMAD_CALLER_USER);
	assert_int_equal(opener_uid(opener), geteuid());
	free(caller);
	close(ends[0]);
	close(ends[1]);
}

static void others(void **state)
{
	struct vmad_caller *caller;

	(void)state;
	NEED_ROOT();
	assert_int_equal(identify_child(connect_as, people_nobody(), &caller), 0);
	assert_true(vmad_caller_equal(caller, people_nobody()));
	free(caller);
	assert_int_equal(identify_child(connect_as, people_user(), &caller), 0);
	assert_true(vmad_caller_equal(caller, people_user()));
	free(caller);
	assert_int_equal(identify_child(connect_as, people_root(), &caller), 0);
	assert_int_equal(caller->class, VMAD_CALLER_ROOT);
	free(caller);
}

static void repeated_groups(void **state)
{
	struct vmad_caller *caller;

	(void)state;
	NEED_ROOT();
	assert_int_equal(identify_child(connect_with_groups, NULL, &caller), 0);
	assert_int_equal(caller->class, VMAD_CALLER_USER);
	assert_int_equal(caller->group_count, 3);
	assert_int_equal(caller->groups[0], 4);
	assert_int_equal(caller->groups[1], 7);
	assert_int_equal(caller->groups[2], 30);
	free(caller);
}

static void many_groups(void **state)
{
	struct vmad_caller *caller;

	(void)state;
	NEED_ROOT();
	assert_int_equal(identify_child(connect_with_too_many_groups, NULL, &caller), 0);
	assert_int_equal(caller->group_count, VMAD_CALLER_GROUPS_MAX);
	free(caller);
	assert_int_equal(identify_child(connect_with_too_many_groups, "one more", &caller), -E2BIG);
}

static void foreign_user_ns(void **state)
{
	struct vmad_caller *caller;

	(void)state;
	NEED_ROOT();
	NEED_USER_NAMESPACES();
	assert_int_equal(identify_child(connect_from_user_ns, NULL, &caller), -EXDEV);
}

static void foreign_pid_ns(void **state)
{
	struct vmad_caller *caller;

	(void)state;
	NEED_ROOT();
	assert_int_equal(identify_child(connect_from_pid_ns, NULL, &caller), -EXDEV);
}

static int just_connect(void *arg)
{
	(void)arg;
	return connect_to_us();
}

static void peer_is_gone(void **state)
{
	struct vmad_caller *caller;
	int fd;

	(void)state;
	assert_int_equal(people_run(NULL, just_connect, NULL), 0);
	fd = accept(listener, NULL, NULL);
	assert_int_equal(opener_identify(opener, fd, &caller, NULL), -EXDEV);
	close(fd);
}

static void not_a_unix_socket(void **state)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(loopback);
	struct vmad_caller *caller;
	int listening = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server, null = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(bind(listening, (struct sockaddr *)&loopback, sizeof(loopback)), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&loopback, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&loopback, sizeof(loopback)), 0);
	server = accept(listening, NULL, NULL);
	assert_true(opener_identify(opener, server, &caller, NULL) < 0);
	assert_int_equal(opener_identify(opener, null, &caller, NULL), -ENOTSOCK);
	assert_int_equal(opener_identify(opener, -1, &caller, NULL), -EBADF);
	close(null);
	close(server);
	close(client);
	close(listening);
}

/* vmad as an ordinary user: `peer` connected to it. */
struct ordinary {
	int peer;
	pid_t of_nobody, of_root;
};

static int be_ordinary(void *arg)
{
	const unsigned files = OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_MAPS);
	const struct ordinary *ordinary = arg;
	struct opener_target targets[] = {
		{ .pid = ordinary->of_nobody, .want = files }, { .pid = ordinary->of_root, .want = files }, { .pid = getpid(), .want = files },
	};
	struct vmad_caller *caller;
	struct opener *own;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(opener_new("/proc", &own, NULL) == 0);
	CHECK(opener_uid(own) == NOBODY);
	CHECK(opener_identify(own, ordinary->peer, &caller, NULL) == -EPERM);
	prctl(PR_SET_DUMPABLE, 1);	/* so that its own namespaces can be asked for */
	CHECK(opener_identify(own, ends[0], &caller, NULL) == 0);
	CHECK(caller->class == VMAD_CALLER_USER && caller->uid == NOBODY);
	CHECK(opener_open(own, caller, targets, 3, NULL) == 0);
	CHECK(targets[0].fd[OPENER_MAPS] >= 0);
	CHECK(targets[1].fd[OPENER_STAT] >= 0 && targets[1].fd[OPENER_MAPS] == -EACCES);
	CHECK(targets[2].fd[OPENER_STAT] >= 0 && targets[2].fd[OPENER_MAPS] == -EACCES);
	CHECK(opener_open(own, people_user(), targets, 1, NULL) == -EPERM);
	CHECK(opener_open(own, people_root(), targets, 1, NULL) == -EPERM);
	free(caller);
	opener_free(own);
	return 0;
}

static int be_nobody(void *arg)
{
	(void)arg;
	return people_become(people_nobody()) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

static void an_ordinary_vmad(void **state)
{
	struct ordinary ordinary;
	pid_t peer;

	(void)state;
	NEED_ROOT();
	NEED_USER_NAMESPACES();
	peer = people_start(just_connect, NULL);
	ordinary.peer = accept(listener, NULL, NULL);
	ordinary.of_root = people_start(connect_from_user_ns, NULL);
	close(accept(listener, NULL, NULL));
	ordinary.of_nobody = people_start(be_nobody, NULL);
	assert_int_equal(people_run(people_nobody(), be_ordinary, &ordinary), 0);
	people_end(ordinary.of_nobody);
	people_end(ordinary.of_root);
	people_end(peer);
	close(ordinary.peer);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("ourselves", ourselves),
		CASE("other users, with their groups", others),
		CASE("groups come sorted, and each once", repeated_groups),
		CASE("too many groups are refused, not cut short", many_groups),
		CASE("a peer in another user namespace is refused", foreign_user_ns),
		CASE("a peer in another pid namespace is refused", foreign_pid_ns),
		CASE("a peer that is gone cannot be asked", peer_is_gone),
		CASE("what has no peer credentials", not_a_unix_socket),
		CASE("an ordinary user's vmad acts for that user only", an_ordinary_vmad),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
