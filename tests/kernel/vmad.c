// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmad: the daemon and vmactl with the real module under them. What vmad tells by the module, what it finds by itself once the module is
 * unloaded, and what the pagemaps of all processes say from end to end must be the same places.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "family.h"
#include "guest.h"
#include "places.h"

#define VMACTL "/usr/bin/vmactl"
#define PLACES_MAX 4096

static char *body;	/* of the last answer */
static pid_t vmad_pid = INT32_MAX;	/* its own processes have this one or one of the next */

static void unload(void)
{
	must(syscall(SYS_delete_module, "vmad", O_NONBLOCK) == 0);
}

static void load(void)
{
	int fd = open("/modules/vmad.ko", O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0);
	close(fd);
}

/* A case that failed may have left the module unloaded. */
static void start_vmad(void)
{
	if (access("/dev/vmad", F_OK) < 0)
		load();
	vmad_pid = daemon_start();
}

static int get(const char *path)
{
	return daemon_get(path, &body);
}

static int getf(const char *format, pid_t pid, uint64_t address)
{
	char path[256];

	snprintf(path, sizeof(path), format, (int)pid, (unsigned long)address);
	return get(path);
}

static bool says(const char *words)
{
	return strstr(body, words);
}

#define must_say(words) \
	do { \
		if (!says(words)) \
			fail_at(__FILE__, __LINE__, "no %s in: %.3000s", words, body); \
	} while (0)

static void vmas_with_the_kernels_facts(void)
{
	char *shared = map(8 * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *private = map_anon(8 * PAGE);
	struct child child = child_new(NULL, NULL);
	char words[128];

	start_vmad();
	must_equal(getf("/v1/processes/%d/vmas?detail=kernel", child.pid, 0), 200);
	must_say("\"source\":\"maps+helper\"");
	must_say("\"complete\":true");
	must(count_of(body, "\"perms\":") > 8);
	/* The vsyscall page is no VMA of the process. */
	must_equal(count_of(body, "\"vm_flags\":"), count_of(body, "\"perms\":") - says("[vsyscall]"));
	must_equal(getf("/v1/processes/%d/vmas?detail=kernel&start=%#lx&limit=1", child.pid, (uintptr_t)shared), 200);
	must_say("\"vm_ops\":\"shmem_");	/* shmem_anon_vm_ops since 6.2 */
	must_equal(getf("/v1/processes/%d/vmas?detail=kernel&start=%#lx&limit=1", child.pid, (uintptr_t)private), 200);
	must_say("\"has_vm_ops\":false");
	must_say("\"has_anon_vma\":true");
	must_equal(getf("/v1/processes/%d/vmas/%#lx/ops", child.pid, (uintptr_t)shared + PAGE), 200);
	must_say("\"source\":\"helper\"");
	must_say("\"vm_ops\":\"shmem_");
	must_say("\"member\":\"fault\",\"null\":false,\"symbol\":\"shmem_fault\"");
	must_say("\"member\":\"mremap\",\"null\":true");
	must_say("\"complete\":true");
	snprintf(words, sizeof(words), "\"start\":\"%#lx\"", (unsigned long)(uintptr_t)shared);
	must_say(words);
	must_equal(getf("/v1/processes/%d/vmas/%#lx/ops", child.pid, (uintptr_t)private), 200);
	must_say("\"note\":\"vm_ops is NULL");
	must_equal(getf("/v1/processes/%d/vmas/%#lx/ops", child.pid, 0x1000), 404);
	must_equal(get("/v1/capabilities"), 200);
	must_say("\"name\":\"helper\",\"available\":true");
	must_say("\"name\":\"helper-rmap\",\"available\":true");
}

/* The places of an answer, ours and vmad's own left out: that was not there when all pagemaps were read. */
static size_t told(uint64_t pfn, struct place *ret_places)
{
	const char *at = strstr(body, "\"mappings\":[");
	size_t count = 0;

	must(at);
	while ((at = strstr(at, "{\"pids\":["))) {
		const char *address = strstr(at, "\"address\":\"");
		char *end = (char *)at + strlen("{\"pids\":[") - 1;

		must(address);
		while (*end != ']') {
			pid_t pid = (pid_t)strtol(end + 1, &end, 10);

			if (pid != getpid() && pid < vmad_pid)
				ret_places[count++] = (struct place){ pfn, strtoul(address + strlen("\"address\":\""), NULL, 16), pid,
								      false };
			must(count < PLACES_MAX);
		}
		at = end;
	}
	qsort(ret_places, count, sizeof(*ret_places), places_by_pfn);
	return count;
}

static void compare(const struct place *group, size_t count, const char *who)
{
	static struct place found[PLACES_MAX];
	size_t n = told(group->pfn, found);

	if (n != count)
		fail_at(__FILE__, __LINE__, "%s: frame %#jx of pid %d at %#jx: told %zu times, found %zu times: %.2000s", who,
			(uintmax_t)group->pfn, (int)group->pid, (uintmax_t)group->address, n, count, body);
	for (size_t i = 0; i < n; i++)
		must(found[i].pid == group[i].pid && found[i].address == group[i].address);
}

/* Which frames are looked at: number counts them. */
typedef bool wanted_fn(const struct place *group, size_t count, size_t number);

/* Half of those that several map, and some of the others. */
static bool is_in_sample(const struct place *group, size_t count, size_t number)
{
	(void)group;
	return number % (count > 1 ? 2 : 8) == 0;
}

#define KPF_HUGE (UINT64_C(1) << 17)
#define KPF_THP (UINT64_C(1) << 22)

static uint64_t merged_pfn;

/* What KSM has merged, and some pages of each huge one. 6.12 says KPF_KSM of every anonymous page. */
static bool is_rare(const struct place *group, size_t count, size_t number)
{
	(void)count;
	return group->pfn == merged_pfn || (number % 97 == 0 && kpageflags(group->pfn) & (KPF_HUGE | KPF_THP));
}

/* What nobody counts is left out. */
static size_t agree_on_all(const char *method, wanted_fn *is_wanted, size_t *ret_shared)
{
	char words[64];
	size_t asked = 0, number = 0;

	snprintf(words, sizeof(words), "\"method\":\"%s\"", method ? method : "helper");
	*ret_shared = 0;
	for (size_t i = 0, next; i < place_count; i = next, number++) {
		for (next = i + 1; next < place_count && places[next].pfn == places[i].pfn; next++)
			continue;
		if (places[i].uncounted || !is_wanted(&places[i], next - i, number) || !kpagecount(places[i].pfn))
			continue;
		must_equal(getf("/v1/processes/%d/pages/%#lx/mappings?deadline_ms=20000", places[i].pid, places[i].address), 200);
		must_say("\"complete\":true");
		if (says(words) != (method != NULL))
			fail_at(__FILE__, __LINE__, "%s %s in: %.2000s", method ? "no" : "there is", words, body);
		compare(&places[i], next - i, method ? "by the module" : "by vmad alone");
		asked++;
		*ret_shared += next - i > 1;
	}
	return asked;
}

/* vmad starts last: what it maps changes while it is asked, and is no part of this. */
static size_t three_ways(wanted_fn *is_wanted, size_t *ret_shared)
{
	time_t began, halfway;
	size_t asked, alone;

	places_scan();
	start_vmad();
	began = time(NULL);
	asked = agree_on_all("helper", is_wanted, ret_shared);
	unload();
	halfway = time(NULL);
	alone = agree_on_all(NULL, is_wanted, ret_shared);
	load();
	printf("# %zu frames, %zu of them at several places, three times the same; %ld s by the module, %ld s without\n", asked,
	       *ret_shared, (long)(halfway - began), (long)(time(NULL) - halfway));
	must_equal(alone, asked);
	return asked;
}

static void of_families(void)
{
	struct child children[FAMILY_CHILDREN];
	size_t shared;

	family_new(children);
	must(three_ways(is_in_sample, &shared) > shared && shared > 50);
}

static bool is_merged(void *pages)
{
	for (size_t i = 1; i < 8; i++) {
		if (pfn_of(getpid(), (char *)pages + i * PAGE) != pfn_of(getpid(), pages))
			return false;
	}
	return true;
}

static void merge(void)
{
	char *pages = map(8 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(pages, 0x6b, 8 * PAGE);
	madvise(pages, 8 * PAGE, MADV_MERGEABLE);
	must(write_word("/sys/kernel/mm/ksm/sleep_millisecs", "5") && write_word("/sys/kernel/mm/ksm/run", "1"));
	must(eventually(is_merged, pages));
	must(write_word("/sys/kernel/mm/ksm/run", "0"));
	merged_pfn = pfn_of(getpid(), pages);
}

/* Whole pages of 2 MiB, of which a child copies some. */
struct huge {
	char *transparent, *shared, *private;
};

static void copy_some(void *arg)
{
	struct huge *huge = arg;

	huge->transparent[HUGE + 7 * PAGE] = 2;
	huge->shared[0] = 2;
	huge->private[HUGE] = 2;
}

static void of_rare_pages(void)
{
	struct huge huge = {
		.transparent = map_aligned(2 * HUGE),
		.shared = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0),
		.private = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0),
	};
	size_t shared;

	if (huge.shared == MAP_FAILED || huge.private == MAP_FAILED)
		skip_because("no huge pages (vm.nr_hugepages)");
	madvise(huge.transparent, 2 * HUGE, MADV_HUGEPAGE);
	memset(huge.transparent, 1, 2 * HUGE);
	memset(huge.shared, 1, HUGE);
	memset(huge.private, 1, 2 * HUGE);
	merge();
	child_new(NULL, NULL);
	child_new(copy_some, &huge);
	must(three_ways(is_rare, &shared) > 10);
	must(shared > 5);
}

static void a_file_by_the_module(void)
{
	static char by_module[BODY_MAX];
	const char *list = "\"mappings\":[";
	struct child child = child_new(NULL, NULL);

	start_vmad();
	must_equal(get("/v1/files/mappings?path=/bin/guest&offset=0&length=4096"), 200);
	must_say("\"source\":\"helper+maps\"");
	must_say("\"exact\":true");
	must_say("\"complete\":true");
	must(count_of(body, "\"file_offset_bytes\"") >= 3);	/* who reports, this one, and the child */
	snprintf(by_module, sizeof(by_module), "%.*s", (int)(strstr(body, "],\"") - strstr(body, list)), strstr(body, list));
	unload();
	must_equal(get("/v1/files/mappings?path=/bin/guest&offset=0&length=4096"), 200);
	load();
	must_say("\"source\":\"maps\"");
	must_say(by_module);
	child_end(&child);
}

static void ask_as_nobody(void *arg)
{
	(void)arg;
	must(syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, 65534, 65534, 65534) == 0 &&
	     syscall(SYS_setresuid, 65534, 65534, 65534) == 0);
	must_equal(getf("/v1/processes/%d/vmas?detail=kernel", getpid(), 0), 403);
	must_equal(getf("/v1/processes/%d/vmas/%#lx/ops", getpid(), 0x1000), 403);
	must_equal(getf("/v1/processes/%d/pages/%#lx/mappings", getpid(), (uintptr_t)&body), 403);
	must_equal(get("/v1/files/mappings?path=/bin/guest"), 200);
	must_say("\"source\":\"maps\"");
}

static void root_only(void)
{
	struct child child;

	start_vmad();
	must(chmod(DAEMON_SOCKET, 0666) == 0);
	child = child_new(ask_as_nobody, NULL);
	child_end(&child);
}

/* Runs vmactl; what it prints is the body, its exit status comes back. */
static int vmactl(const char *verb, const char *option, pid_t pid, const void *address)
{
	static char text[BODY_MAX];
	char pid_word[16], address_word[32];
	const char *argv[10] = { VMACTL, "--socket", DAEMON_SOCKET, verb };
	size_t words = 4, len = 0;
	int out[2], status;
	ssize_t n;
	pid_t child;

	snprintf(pid_word, sizeof(pid_word), "%d", (int)pid);
	snprintf(address_word, sizeof(address_word), "%lx", (unsigned long)(uintptr_t)address);
	if (option)
		argv[words++] = option;
	if (pid)
		argv[words++] = pid_word;
	if (address)
		argv[words++] = address_word;
	must(pipe(out) == 0);
	child = fork();
	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(VMACTL, (char **)argv);
		_exit(127);
	}
	close(out[1]);
	while ((n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(out[0]);
	text[len] = '\0';
	body = text;
	must(waitpid(child, &status, 0) == child);
	return WEXITSTATUS(status);
}

static void vmactl_shows_it(void)
{
	char *shared = map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child;

	shared[0] = 1;
	child = child_new(NULL, NULL);
	start_vmad();
	must_equal(vmactl("doctor", NULL, 0, NULL), 0);
	must_say("the helper module: what the kernel's own structures say");
	must_equal(vmactl("maps", "--kernel", child.pid, NULL), 0);
	must_say(" shmem_");
	must_equal(vmactl("ops", NULL, child.pid, NULL), 0);
	must_say("shmem_file_operations");
	must_equal(vmactl("ops", NULL, child.pid, shared), 0);
	must_say("a_ops shmem_aops   f_op shmem_file_operations: complete (helper)");
	must_say("shmem_fault");
	must_equal(vmactl("show", NULL, child.pid, shared), 0);
	must_say("\nops      shmem_");
	must_equal(vmactl("rmap", NULL, getpid(), shared), 0);
	must_say("complete (helper)");
	/* The child has not touched it: its VMA is in the tree all the same. */
	must_say("mapped 1 time, found 1 in 1 process (and 1 candidate)");
	must_equal(vmactl("rmap", "--candidates", getpid(), shared), 0);
	must_say("no-page");
	unload();
	must_equal(vmactl("ops", NULL, child.pid, shared), 1);
	must_say("/dev/vmad is missing");
	must_equal(vmactl("rmap", NULL, getpid(), shared), 0);
	must_say("complete (same-address)");
	load();
	must_equal(vmactl("rmap", NULL, getpid(), shared), 0);
	must_say("complete (helper)");
	child_end(&child);
}

int test_vmad(void)
{
	static const struct guest_case cases[] = {
		{ "vmad tells of each VMA what the kernel's own structs say, and its operations by symbol", vmas_with_the_kernels_facts },
		{ "the module, vmad alone and every pagemap agree on who maps a page", of_families },
		{ "the same of huge pages, transparent and of hugetlb, and of what KSM has merged", of_rare_pages },
		{ "who maps a file, by the module and by the maps of all", a_file_by_the_module },
		{ "nobody but root learns anything by the module", root_only },
		{ "vmactl shows it, with the module, without, and with it again", vmactl_shows_it },
	};

	return run_cases(cases, COUNT(cases));
}
