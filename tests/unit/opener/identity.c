/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity_take(): what /proc/thread-self/status says of the thread that did it, and of the others. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opener/caller/caller.h"
#include "opener/caller/identity.h"

#define NEED_CHANGE() \
	do { \
		if (!identity_can_change()) \
			skip_because("needs root with its capabilities"); \
	} while (0)

/* The value of a key in /proc/thread-self/status. */
static const char *status_of_thread(const char *key)
{
	static _Thread_local char line[256];
	FILE *file = fopen("/proc/thread-self/status", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) && (strncmp(line, key, strlen(key)) != 0 || line[strlen(key)] != ':'))
		;
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line + strlen(key) + 1 + strspn(line + strlen(key) + 1, "\t");
}

static void *in_thread(void *run)
{
	((void (*)(void))run)();
	return NULL;
}

/* In a thread, which ends with its identity. */
static void run_in_thread(void (*run)(void))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, in_thread, (void *)run), 0);
	pthread_join(thread, NULL);
}

static void take_all(void)
{
	struct identity identity = { NULL };
	char permitted[64];

	snprintf(permitted, sizeof(permitted), "%s", status_of_thread("CapPrm"));
	assert_int_equal(identity_take(&identity, people_user()), 0);
	assert_string_equal(status_of_thread("Uid"), "0\t1000\t0\t1000");
	assert_string_equal(status_of_thread("Gid"), "0\t1000\t0\t1000");
	assert_string_equal(status_of_thread("Groups"), "4 24 ");
	assert_string_equal(status_of_thread("CapEff"), "0000000000000000");
	assert_string_equal(status_of_thread("CapPrm"), permitted);

	assert_int_equal(identity_take(&identity, people_root()), 0);
	assert_string_equal(status_of_thread("Uid"), "0\t0\t0\t0");
	assert_string_equal(status_of_thread("Gid"), "0\t0\t0\t0");
	assert_string_equal(status_of_thread("Groups"), " ");
	assert_string_equal(status_of_thread("CapEff"), "0000000000280004");

	assert_int_equal(identity_take(&identity, people_bare_root()), 0);
	assert_string_equal(status_of_thread("Uid"), "0\t0\t0\t0");
	assert_string_equal(status_of_thread("CapEff"), "0000000000000000");

	assert_int_equal(identity_take(&identity, people_nobody()), 0);
	assert_int_equal(identity_take(&identity, people_nobody()), 0);
	assert_string_equal(status_of_thread("Uid"), "0\t65534\t0\t65534");
	assert_string_equal(status_of_thread("CapEff"), "0000000000000000");
	assert_string_equal(status_of_thread("CapPrm"), permitted);
	identity_clear(&identity);
}

static void one_after_the_other(void **state)
{
	(void)state;
	NEED_CHANGE();
	run_in_thread(take_all);
}

static void other_threads_keep_theirs(void **state)
{
	char uid[64], effective[64];

	(void)state;
	NEED_CHANGE();
	snprintf(uid, sizeof(uid), "%s", status_of_thread("Uid"));
	snprintf(effective, sizeof(effective), "%s", status_of_thread("CapEff"));
	run_in_thread(take_all);
	assert_string_equal(status_of_thread("Uid"), uid);
	assert_string_equal(status_of_thread("CapEff"), effective);
}

static void take_nonsense(void)
{
	const struct vmad_caller root_by_class = { .class = VMAD_CALLER_ROOT, .uid = 1000, .gid = 1000 };
	const struct vmad_caller no_uid = { .class = VMAD_CALLER_USER, .uid = (uid_t)-1, .gid = 1000 };
	const struct vmad_caller no_gid = { .class = VMAD_CALLER_USER, .uid = 1000, .gid = (gid_t)-1 };
	struct identity identity = { NULL };

	assert_int_equal(identity_take(&identity, &root_by_class), -EINVAL);
	assert_int_equal(identity_take(&identity, &no_uid), -EINVAL);
	assert_int_equal(identity_take(&identity, &no_gid), -EINVAL);
	assert_null(identity.now);
}

static void nonsense(void **state)
{
	(void)state;
	NEED_CHANGE();
	run_in_thread(take_nonsense);
}

static int cannot_change(void *arg)
{
	(void)arg;
	CHECK(!identity_can_change());
	return 0;
}

static void ordinary_users_cannot(void **state)
{
	(void)state;
	if (geteuid() != 0)
		assert_int_equal(cannot_change(NULL), 0);
	else
		assert_int_equal(people_run(people_nobody(), cannot_change, NULL), 0);
	if (geteuid() == 0)
		assert_int_equal(people_run(people_bare_root(), cannot_change, NULL), 0);
}

static void callers_compare(void **state)
{
	struct vmad_caller nobody = *people_nobody(), *other = caller_copy(people_user());

	(void)state;
	assert_true(vmad_caller_equal(people_user(), people_user()));
	assert_true(vmad_caller_equal(&nobody, people_nobody()));
	assert_false(vmad_caller_equal(people_root(), people_bare_root()));
	nobody.gid = 7;
	assert_false(vmad_caller_equal(&nobody, people_nobody()));
	nobody = *people_nobody();
	nobody.uid = 7;
	assert_false(vmad_caller_equal(&nobody, people_nobody()));
	assert_true(vmad_caller_equal(other, people_user()));
	other->groups[1] = 25;
	assert_false(vmad_caller_equal(other, people_user()));
	other->groups[1] = 24;
	other->group_count = 1;
	assert_false(vmad_caller_equal(other, people_user()));
	free(other);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("one identity after the other, verified from outside", one_after_the_other),
		CASE("other threads keep theirs", other_threads_keep_theirs),
		CASE("identities that are none", nonsense),
		CASE("an ordinary user, or root without capabilities, takes on none", ordinary_users_cannot),
		CASE("callers are equal in every part, or not", callers_compare),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
