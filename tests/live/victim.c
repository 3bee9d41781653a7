/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * victim DIRECTORY: a process with a known address space: every kind of VMA that vmad knows, and every trap of maps.
 *
 * It prints what it made, one line each, with tabs between the words, then "ready":
 *   area NAME KIND START END PERMS DELETED HEX    HEX: the path or name in maps, before " (deleted)"; - for none
 *   within NAME KIND ADDRESS                      the kernel made it; ADDRESS lies in it
 *   gap NAME START END                            nothing is mapped there
 *   absent NAME REASON                            cannot be made on this host
 * Then it obeys stdin and answers "done" each time: "unmap NAME", "touch NAME", "comm HEX", "fork" (a child that waits;
 * "done PID"), "leader" (the leader exits and a thread lives on). End of file ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/memfd.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define HUGE_BYTES (2 * 1024 * 1024)
#define SLOT_BYTES (8 * 1024 * 1024)	/* one area each, with a gap behind it */
#define PAGES(n) ((n) * page_bytes)
#define LONG_PART 200
#define PATH_BYTES 16384

struct area;
typedef const char *make_fn(struct area *area);	/* NULL, or why it cannot be made here */

struct area {
	const char *name, *kind;
	make_fn *make;
	const char *file;	/* what it is made of: a file's name, or an area's */
	unsigned pages;
	int prot, flags;
	bool unlinked;
	char *start;
	size_t bytes;
	char shown[PATH_BYTES];	/* what maps should show; "" for nothing */
};

static size_t page_bytes;
static char *next_slot;

static const char *errno_text(const char *what)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	return text;
}

/* All areas lie in one reserved range, in the table's order, so that the gaps between them are known. */
static char *take_slot(void)
{
	char *slot = next_slot;

	next_slot += SLOT_BYTES;
	return slot;
}

static const char *map_at_slot(struct area *area, int fd, off_t offset)
{
	area->bytes = PAGES(area->pages);
	area->start = mmap(take_slot(), area->bytes, area->prot, area->flags | MAP_FIXED_NOREPLACE, fd, offset);
	return area->start == MAP_FAILED ? errno_text("mmap") : NULL;
}

/* For what the kernel places as it likes. */
static const char *map_anywhere(struct area *area, int fd, size_t bytes)
{
	area->bytes = bytes;
	area->start = mmap(NULL, bytes, area->prot, area->flags, fd, 0);
	return area->start == MAP_FAILED ? errno_text("mmap") : NULL;
}

static const char *make_anon(struct area *area)
{
	return map_at_slot(area, -1, 0);
}

static const char *make_shared_anon(struct area *area)
{
	strcpy(area->shown, "/dev/zero");
	return map_at_slot(area, -1, 0);
}

static const char *make_named(struct area *area)
{
	const char *problem = map_at_slot(area, -1, 0);

	if (!problem && prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area->start, area->bytes, area->file))
		problem = errno_text("PR_SET_VMA_ANON_NAME");
	sprintf(area->shown, area->flags & MAP_SHARED ? "[anon_shmem:%s]" : "[anon:%s]", area->file);
	return problem;
}

static const char *map_descriptor(struct area *area, int fd)
{
	if (fd < 0)
		return errno_text("open");
	const char *problem = ftruncate(fd, (off_t)PAGES(64)) ? errno_text("ftruncate") : map_at_slot(area, fd, (off_t)PAGES(1));
	close(fd);
	return problem;
}

static const char *make_file(struct area *area)
{
	const char *slash = area->file[0] == '/' ? "" : "/";
	char directory[PATH_BYTES / 2] = "";

	if (*slash && !getcwd(directory, sizeof(directory)))
		return errno_text("getcwd");
	sprintf(area->shown, "%s%s%s", directory, slash, area->file);
	const char *problem = map_descriptor(area, open(area->shown, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (area->unlinked || area->file[0] == '/')
		unlink(area->shown);
	return problem;
}

/* Deeper than PATH_MAX, so that its line in maps is longer than a page: made step by step. */
static const char *make_deep_file(struct area *area)
{
	char part[LONG_PART + 1];
	int back = open(".", O_DIRECTORY | O_CLOEXEC), depth = atoi(area->file);
	const char *problem = NULL;

	memset(part, 'd', LONG_PART);
	part[LONG_PART] = '\0';
	if (!getcwd(area->shown, PATH_BYTES / 2))
		return errno_text("getcwd");
	for (int i = 0; i < depth && !problem; i++) {
		sprintf(area->shown + strlen(area->shown), "/%s", part);
		if ((mkdir(part, 0700) && errno != EEXIST) || chdir(part))
			problem = errno_text("mkdir");
	}
	strcat(area->shown, "/deep");
	if (!problem)
		problem = map_descriptor(area, open("deep", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	if (fchdir(back))
		problem = errno_text("fchdir");
	close(back);
	return problem;
}

static const char *make_memfd(struct area *area)
{
	sprintf(area->shown, "/memfd:%s", area->file);
	return map_descriptor(area, memfd_create(area->file, MFD_CLOEXEC));
}

static const char *make_sysv(struct area *area)
{
	int id = shmget(IPC_PRIVATE, PAGES(area->pages), IPC_CREAT | 0600);

	if (id < 0)
		return errno_text("shmget");
	area->bytes = PAGES(area->pages);
	area->start = shmat(id, take_slot(), 0);
	shmctl(id, IPC_RMID, NULL);
	strcpy(area->shown, "/SYSV00000000");
	return area->start == (char *)-1 ? errno_text("shmat") : NULL;
}

static const char *make_huge(struct area *area)
{
	strcpy(area->shown, "/anon_hugepage");
	return map_anywhere(area, -1, HUGE_BYTES);
}

static const char *make_device(struct area *area)
{
	int fd = open(area->file, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno_text(area->file);
	strcpy(area->shown, area->file);
	const char *problem = map_at_slot(area, fd, 0);
	close(fd);
	return problem;
}

/* The context is the ring's own address. Its size is the kernel's affair: a page or more. */
static const char *make_aio(struct area *area)
{
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context))
		return errno_text("io_setup");
	area->start = (char *)context;
	strcpy(area->shown, "/[aio]");
	return NULL;
}

static const char *make_io_uring(struct area *area)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0)
		return errno_text("io_uring_setup");
	strcpy(area->shown, "anon_inode:[io_uring]");
	return map_anywhere(area, fd, PAGES(1));
}

static const char *make_perf(struct area *area)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY };
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return errno_text("perf_event_open");
	strcpy(area->shown, "anon_inode:[perf_event]");
	return map_anywhere(area, fd, PAGES(2));
}

static const char *make_heap(struct area *area)
{
	area->start = sbrk((intptr_t)PAGES(4));
	return area->start == (char *)-1 ? errno_text("sbrk") : NULL;
}

static const char *make_stack(struct area *area)
{
	area->start = (char *)__builtin_frame_address(0);
	return NULL;
}

static const char *make_vdso(struct area *area)
{
	area->start = (char *)getauxval(AT_SYSINFO_EHDR);
	return area->start ? NULL : "no vdso";
}

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED_ANON (MAP_SHARED | MAP_ANONYMOUS)

static struct area areas[] = {
	{ "anon", "private-anon", make_anon, NULL, 16, RW, ANON },
	{ "anon-executable", "private-anon", make_anon, NULL, 1, RW | PROT_EXEC, ANON },
	{ "guard", "private-anon", make_anon, NULL, 256, PROT_NONE, ANON },
	{ "named", "private-anon", make_named, "a name, with blanks", 2, RW, ANON },
	{ "named-shared", "shared-anon", make_named, "shared name", 2, RW, SHARED_ANON },
	{ "shared-anon", "shared-anon", make_shared_anon, NULL, 4, RW, SHARED_ANON, true },
	{ "private-file", "private-file", make_file, "private", 3, PROT_READ, MAP_PRIVATE },
	{ "executable-file", "private-file", make_file, "code", 1, PROT_READ | PROT_EXEC, MAP_PRIVATE },
	{ "shared-file", "shared-file", make_file, "shared", 5, RW, MAP_SHARED },
	{ "blanks", "shared-file", make_file, " two  blanks and a \\ ", 1, RW, MAP_SHARED },
	{ "newline", "private-file", make_file, "a\nnewline", 1, PROT_READ, MAP_PRIVATE },
	{ "not-utf8", "private-file", make_file, "caf\xe9\xff\\", 1, PROT_READ, MAP_PRIVATE },
	{ "utf8", "private-file", make_file, "caf\xc3\xa9 \xe2\x82\xac \"quoted\" \x1b[31m", 1, PROT_READ, MAP_PRIVATE },
	{ "deleted", "private-file", make_file, "gone", 2, PROT_READ, MAP_PRIVATE, true },
	{ "deleted-twice", "shared-file", make_file, "x (deleted)", 2, RW, MAP_SHARED, true },
	{ "long-path", "private-file", make_deep_file, "10", 1, PROT_READ, MAP_PRIVATE },
	{ "longer-than-a-page", "private-file", make_deep_file, "30", 1, PROT_READ, MAP_PRIVATE },
	{ "tmpfs", "shared-file", make_file, "/dev/shm/vmad-victim", 1, RW, MAP_SHARED, true },
	{ "memfd", "memfd", make_memfd, "victim", 4, RW, MAP_SHARED, true },
	{ "memfd-private", "memfd", make_memfd, "private victim", 1, RW, MAP_PRIVATE, true },
	{ "memfd-newline", "memfd", make_memfd, "new\nline (deleted)", 1, RW, MAP_SHARED, true },
	{ "sysv", "sysv", make_sysv, NULL, 3, RW, MAP_SHARED, true },
	{ "device", "device", make_device, "/dev/zero", 1, RW, MAP_PRIVATE },
	{ "hugetlb", "hugetlb", make_huge, NULL, 0, RW, ANON | MAP_HUGETLB, true },
	{ "io_uring", "special", make_io_uring, NULL, 0, RW, MAP_SHARED },
	{ "perf", "special", make_perf, NULL, 0, RW, MAP_SHARED },
	{ "aio", "special", make_aio },
	{ "heap", "heap", make_heap },
	{ "stack", "stack", make_stack },
	{ "vdso", "vdso", make_vdso },
};

#define AREAS (sizeof(areas) / sizeof(*areas))

static void print_hex(const char *text)
{
	if (!*text)
		putchar('-');
	for (; *text; text++)
		printf("%02x", (unsigned char)*text);
}

static void print_area(const struct area *area)
{
	if (!area->bytes) {
		printf("within\t%s\t%s\t%p\n", area->name, area->kind, (void *)area->start);
		return;
	}
	printf("area\t%s\t%s\t%p\t%p\t%c%c%c%c\t%d\t", area->name, area->kind, (void *)area->start,
	       (void *)(area->start + area->bytes), area->prot & PROT_READ ? 'r' : '-', area->prot & PROT_WRITE ? 'w' : '-', area->prot & PROT_EXEC ? 'x' : '-',
	       area->flags & MAP_SHARED ? 's' : 'p', area->unlinked);
	print_hex(area->shown);
	putchar('\n');
}

/* An area in a slot leaves the rest of its slot free. */
static void make_area(struct area *area)
{
	char *slot = next_slot;
	const char *problem = area->make(area);

	if (problem) {
		printf("absent\t%s\t%s\n", area->name, problem);
		return;
	}
	print_area(area);
	if (area->start == slot)
		printf("gap\tafter %s\t%p\t%p\n", area->name, (void *)(slot + area->bytes), (void *)next_slot);
}

/* The range stays free for the areas: nothing else is mapped without a fixed address that low. */
static char *find_room(void)
{
	char *room = mmap((void *)0x200000000000, AREAS * SLOT_BYTES, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED || munmap(room, AREAS * SLOT_BYTES)) {
		perror("victim: room");
		exit(1);
	}
	return room;
}

static struct area *area_find(const char *name)
{
	for (size_t i = 0; i < AREAS; i++)
		if (!strcmp(areas[i].name, name))
			return &areas[i];
	fprintf(stderr, "victim: no such area: %s\n", name);
	exit(2);
}

static void say_done(void)
{
	puts("done");
}

static void do_unmap(const char *name)
{
	struct area *area = area_find(name);

	munmap(area->start, area->bytes);
	say_done();
}

static void do_touch(const char *name)
{
	struct area *area = area_find(name);
	volatile char *at = area->start;

	for (size_t i = 0; i < area->bytes; i += page_bytes) {
		if (area->prot & PROT_WRITE)
			at[i] = 1;
		else
			(void)at[i];
	}
	say_done();
}

static void do_comm(const char *hex)
{
	char comm[16] = "";
	unsigned byte;

	for (size_t i = 0; i < sizeof(comm) - 1 && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		comm[i] = (char)byte;
	prctl(PR_SET_NAME, comm);
	say_done();
}

static void do_fork(const char *unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	printf("done %d\n", pid);
}

static void obey(void);

static void *obey_as_thread(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	say_done();
	fflush(stdout);
	obey();
	exit(0);
}

static void do_leader(const char *unused)
{
	static pthread_t leader;
	pthread_t heir;

	(void)unused;
	leader = pthread_self();
	if (pthread_create(&heir, NULL, obey_as_thread, &leader))
		exit(1);
	pthread_exit(NULL);
}

static const struct command {
	const char *name;
	void (*run)(const char *argument);
} commands[] = {
	{ "unmap", do_unmap },
	{ "touch", do_touch },
	{ "comm", do_comm },
	{ "fork", do_fork },
	{ "leader", do_leader },
};

static void obey_line(char *line)
{
	char *argument = line + strcspn(line, " \n");

	line[strcspn(line, "\n")] = '\0';
	if (*argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(line, commands[i].name))
			commands[i].run(argument);
	fflush(stdout);
}

static void obey(void)
{
	static char line[1024];

	while (fgets(line, sizeof(line), stdin))
		obey_line(line);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: victim DIRECTORY\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* end of file does not end it while it is stopped */
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	next_slot = find_room();
	for (size_t i = 0; i < AREAS; i++)
		make_area(&areas[i]);
	puts("ready");
	fflush(stdout);
	obey();
	return 0;
}
