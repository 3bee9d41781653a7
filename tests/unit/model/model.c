/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char made[64];

const struct vmad_caller *me(void)
{
	static struct vmad_caller caller;

	caller = (struct vmad_caller){
		.class = geteuid() ? VMAD_CALLER_USER : VMAD_CALLER_ROOT,
		.uid = geteuid(),
		.gid = getegid(),
	};
	return &caller;
}

static struct opener *open_tree(const char *path)
{
	struct opener *opener = NULL;

	assert_int_equal(opener_new(path, &opener, NULL), 0);
	return opener;
}

struct opener *open_fixture(const char *tree)
{
	return open_tree(fixture_path(tree));
}

struct opener *open_proc(void)
{
	return open_tree("/proc");
}

static int take_away_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void take_away(void)
{
	nftw(made, take_away_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_tree(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(made, sizeof(made), "%.40s/vmad-unit-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(made));
	atexit(take_away);
}

struct opener *open_made(void)
{
	if (!*made)
		make_tree();
	return open_tree(made);
}

void made_put(const char *path, const char *text, size_t len)
{
	char full[256];
	FILE *file;

	if (!*made)
		make_tree();
	snprintf(full, sizeof(full), "%s/%s", made, path);
	for (char *slash = full + strlen(made) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0700);
	}
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void made_puts(const char *path, const char *text)
{
	made_put(path, text, strlen(text));
}

void made_process(int pid, const char *comm, char state, uint64_t start_time_ticks)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "%d/stat", pid);
	snprintf(text, sizeof(text), "%d (%s) %c 1 %d %d 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 %llu 8192000 500 0\n", pid, comm, state, pid,
		 pid, (unsigned long long)start_time_ticks);
	made_puts(path, text);
}

struct target opened(struct opener *opener, int pid, unsigned want)
{
	struct target target;

	assert_int_equal(target_open(opener, me(), pid, want, 0, &target, NULL), 0);
	return target;
}

pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	assert_true(pid >= 0);
	return pid;
}

void assert_bytes(struct vmad_str found, const char *expected)
{
	assert_int_equal(found.len, strlen(expected));
	assert_memory_equal(found.p, expected, found.len);
}
