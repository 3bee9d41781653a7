// SPDX-License-Identifier: GPL-2.0-or-later
/* ioctls: who may ask, and everything that is asked wrongly. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

static int ask(unsigned long number, void *request)
{
	return ioctl(device(), number, request) ? errno : 0;
}

static struct vmadk_info info_request(void)
{
	return (struct vmadk_info){ .size = sizeof(struct vmadk_info),
				    .reasons = { .width = VMADK_REASON_WIDTH } };
}

static struct vmadk_vmas vmas_request(void)
{
	static struct vmadk_vma vmas[64];
	static struct vmadk_string strings[256];

	return (struct vmadk_vmas){ .size = sizeof(struct vmadk_vmas), .pid = getpid(), .end = UINT64_MAX,
				    .vmas = array_of(vmas, COUNT(vmas), VMADK_VMA_WIDTH),
				    .tables = array_of(NULL, 0, VMADK_TABLE_WIDTH),
				    .members = array_of(NULL, 0, VMADK_MEMBER_WIDTH),
				    .strings = array_of(strings, COUNT(strings), VMADK_STRING_WIDTH) };
}

static struct vmadk_rmap rmap_request(void)
{
	static char page[PAGE];

	page[0]++;
	return (struct vmadk_rmap){ .size = sizeof(struct vmadk_rmap), .pid = getpid(), .address = (uintptr_t)page,
				    .mappings = { .width = VMADK_MAPPING_WIDTH },
				    .pids = { .width = VMADK_PID_WIDTH },
				    .strings = { .width = VMADK_STRING_WIDTH } };
}

static struct vmadk_filemap filemap_request(void)
{
	return (struct vmadk_filemap){ .size = sizeof(struct vmadk_filemap), .last = UINT64_MAX,
				       .mappings = { .width = VMADK_MAPPING_WIDTH },
				       .pids = { .width = VMADK_PID_WIDTH },
				       .strings = { .width = VMADK_STRING_WIDTH } };
}

static void the_node(void)
{
	struct stat st;

	must(stat(VMADK_DEVICE, &st) == 0);
	must(S_ISCHR(st.st_mode));
	must_equal(st.st_mode & 07777, 0600);
	must_equal(st.st_uid, 0);
}

static void info(void)
{
	struct vmadk_info reply = info_request();
	struct utsname host;

	uname(&host);
	must_equal(ask(VMADK_IOC_INFO, &reply), 0);
	must_equal(reply.size, sizeof(reply));
	must_equal(reply.abi, VMADK_ABI);
	must_equal(1 << reply.page_shift, getpagesize());
	must(strcmp(reply.kernel, host.release) == 0);
	must(strlen(reply.module) > 0);
	must_equal(reply.capabilities, VMADK_CAN_VMAS | VMADK_CAN_MEMBERS | VMADK_CAN_RMAP_FILE | VMADK_CAN_RMAP_ANON |
					       VMADK_CAN_RMAP_HUGETLB | VMADK_CAN_RMAP_SCAN | VMADK_CAN_FILEMAP);
	must_equal(reply.reasons.count, 0);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	must(syscall(SYS_capset, &header, none) == 0);
}

static void no_capability(void)
{
	struct vmadk_info request = info_request();

	drop_capabilities();
	must(open(VMADK_DEVICE, O_RDWR) < 0);
	must_equal(errno, EPERM);
	(void)request;
}

static void handed_down(void)
{
	struct vmadk_info request = info_request();
	struct vmadk_rmap rmap = rmap_request();

	device();
	drop_capabilities();
	must_equal(ask(VMADK_IOC_INFO, &request), 0);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), 0);
}

static void another_user(void)
{
	must(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	must(open(VMADK_DEVICE, O_RDONLY) < 0);
	must_equal(errno, EACCES);
}

static void unknown_commands(void)
{
	struct vmadk_info request = info_request();

	for (unsigned int i = 4; i < 256; i++)
		must_equal(ask(_IO(VMADK_TYPE, i), &request), ENOTTY);
	must_equal(ask(_IO(0xbe, 0), &request), ENOTTY);
	must_equal(ask(_IOR(VMADK_TYPE, 0, struct vmadk_info), &request), ENOTTY);
	must(read(device(), &request, 1) < 0);
	must(write(device(), &request, 1) < 0);
	must(lseek(device(), 1, SEEK_SET) < 0);
	must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device(), 0) == MAP_FAILED);
}

/* Each request, wrong in its size: the kernel's rules for structs that may grow. */
static void sizes(unsigned long number, const void *request, size_t size)
{
	char *page = map_anon(2 * PAGE);
	uint32_t *word = (uint32_t *)page;

	for (uint32_t wrong = 0; wrong < size; wrong++) {
		memcpy(page, request, size);
		*word = wrong;
		must_equal(ask(number, page), EINVAL);
	}
	memset(page, 0, 2 * PAGE);
	memcpy(page, request, size);
	*word = (uint32_t)size + 8;
	must_equal(ask(number, page), 0);
	must_equal(*word, size + 8);
	memcpy(page, request, size);
	*word = PAGE;
	must_equal(ask(number, page), 0);
	memcpy(page, request, size);
	page[PAGE - 1] = 1;
	*word = PAGE;
	must_equal(ask(number, page), E2BIG);
	page[PAGE - 1] = 0;
	*word = PAGE + 1;
	must_equal(ask(number, page), E2BIG);
	*word = UINT32_MAX;
	must_equal(ask(number, page), E2BIG);
	munmap(page, 2 * PAGE);
}

static void wrong_sizes(void)
{
	struct vmadk_info an_info = info_request();
	struct vmadk_vmas vmas = vmas_request();
	struct vmadk_rmap rmap = rmap_request();
	struct vmadk_filemap filemap = filemap_request();

	filemap.fd = open("/proc/self/exe", O_RDONLY);
	sizes(VMADK_IOC_INFO, &an_info, sizeof(an_info));
	sizes(VMADK_IOC_VMAS, &vmas, sizeof(vmas));
	sizes(VMADK_IOC_RMAP, &rmap, sizeof(rmap));
	sizes(VMADK_IOC_FILEMAP, &filemap, sizeof(filemap));
}

static void unmapped_requests(void)
{
	char *pages = map_anon(2 * PAGE);
	struct vmadk_info request = info_request();

	munmap(pages + PAGE, PAGE);
	for (unsigned int i = 0; i < 4; i++) {
		must_equal(ask(_IO(VMADK_TYPE, i), NULL), EFAULT);
		must_equal(ask(_IO(VMADK_TYPE, i), (void *)8), EFAULT);
		must_equal(ask(_IO(VMADK_TYPE, i), (void *)0xffff800000000000), EFAULT);
		must_equal(ask(_IO(VMADK_TYPE, i), (void *)UINTPTR_MAX), EFAULT);
	}
	memcpy(pages + PAGE - 16, &request, 16);
	must_equal(ask(VMADK_IOC_INFO, pages + PAGE - 16), EFAULT);
	memcpy(pages, &request, sizeof(request));
	mprotect(pages, PAGE, PROT_READ);
	must_equal(ask(VMADK_IOC_INFO, pages), EFAULT);
}

/* Room where nothing is mapped: told, and nothing breaks. */
static void unmapped_arrays(void)
{
	char *nothing = map_anon(PAGE);
	struct vmadk_vmas vmas = vmas_request();
	struct vmadk_rmap rmap = rmap_request();

	munmap(nothing, PAGE);
	vmas.vmas.at = (uintptr_t)nothing;
	must_equal(ask(VMADK_IOC_VMAS, &vmas), EFAULT);
	vmas = vmas_request();
	vmas.strings.at = 0xffff888000000000;
	must_equal(ask(VMADK_IOC_VMAS, &vmas), EFAULT);
	rmap.mappings = array_of(nothing, 8, VMADK_MAPPING_WIDTH);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), EFAULT);
	rmap = rmap_request();
	rmap.mappings = array_of(&(struct vmadk_mapping){ 0 }, 1, VMADK_MAPPING_WIDTH);
	rmap.pids = array_of(nothing, 8, VMADK_PID_WIDTH);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), EFAULT);
	rmap = rmap_request();
	rmap.mappings.at = UINT64_MAX;		/* room 0: any address */
	must_equal(ask(VMADK_IOC_RMAP, &rmap), 0);
	must_equal(rmap.mappings.count, 1);
	must_equal(rmap.mapped, 1);
}

static void wrong_array(unsigned long number, void *request, struct vmadk_array *array)
{
	struct vmadk_array good = *array;

	array->width++;
	must_equal(ask(number, request), EINVAL);
	array->width = 0;
	must_equal(ask(number, request), EINVAL);
	*array = good;
	array->pad = 1;
	must_equal(ask(number, request), EINVAL);
	*array = good;
	array->room = VMADK_ROOM_MAX + 1;
	array->at = 0;
	must_equal(ask(number, request), E2BIG);
	array->room = UINT32_MAX;
	must_equal(ask(number, request), E2BIG);
	array->room = 1;
	array->at = 4;
	must_equal(ask(number, request), EINVAL);
	*array = good;
}

static void wrong_arrays(void)
{
	struct vmadk_info an_info = info_request();
	struct vmadk_vmas vmas = vmas_request();
	struct vmadk_rmap rmap = rmap_request();
	struct vmadk_filemap filemap = filemap_request();

	wrong_array(VMADK_IOC_INFO, &an_info, &an_info.reasons);
	wrong_array(VMADK_IOC_VMAS, &vmas, &vmas.vmas);
	wrong_array(VMADK_IOC_VMAS, &vmas, &vmas.tables);
	wrong_array(VMADK_IOC_VMAS, &vmas, &vmas.members);
	wrong_array(VMADK_IOC_VMAS, &vmas, &vmas.strings);
	wrong_array(VMADK_IOC_RMAP, &rmap, &rmap.mappings);
	wrong_array(VMADK_IOC_RMAP, &rmap, &rmap.pids);
	wrong_array(VMADK_IOC_RMAP, &rmap, &rmap.strings);
	wrong_array(VMADK_IOC_FILEMAP, &filemap, &filemap.mappings);
	wrong_array(VMADK_IOC_FILEMAP, &filemap, &filemap.pids);
	wrong_array(VMADK_IOC_FILEMAP, &filemap, &filemap.strings);
}

static void unknown_flags(void)
{
	struct vmadk_info an_info = info_request();
	struct vmadk_vmas vmas = vmas_request();
	struct vmadk_rmap rmap = rmap_request();
	struct vmadk_filemap filemap = filemap_request();

	for (int bit = 0; bit < 32; bit++) {
		an_info.flags = 1u << bit;
		must_equal(ask(VMADK_IOC_INFO, &an_info), EINVAL);
		filemap.flags = 1u << bit;
		must_equal(ask(VMADK_IOC_FILEMAP, &filemap), EINVAL);
		vmas.flags = 1u << bit;
		must_equal(ask(VMADK_IOC_VMAS, &vmas), bit == 0 ? 0 : EINVAL);
		vmas = vmas_request();
		rmap.flags = 1u << bit;
		/* PFN beside a pid is a contradiction. */
		must_equal(ask(VMADK_IOC_RMAP, &rmap), bit == 1 ? 0 : EINVAL);
		rmap = rmap_request();
	}
}

static void no_such_process(void)
{
	static const int32_t pids[] = { 0, -1, INT32_MIN, INT32_MAX, 4000000 };
	struct child child = child_new(NULL, NULL);
	struct vmadk_vmas vmas = vmas_request();
	struct vmadk_rmap rmap = rmap_request();

	for (size_t i = 0; i < COUNT(pids); i++) {
		vmas.pid = pids[i];
		must_equal(ask(VMADK_IOC_VMAS, &vmas), ESRCH);
		rmap.pid = pids[i];
		must_equal(ask(VMADK_IOC_RMAP, &rmap), ESRCH);
	}
	vmas.pid = child.pid;
	must_equal(ask(VMADK_IOC_VMAS, &vmas), 0);
	child_end(&child);
	vmas.pid = child.pid;
	must_equal(ask(VMADK_IOC_VMAS, &vmas), ESRCH);
	vmas.pid = rmap.pid = 2;		/* kthreadd */
	must_equal(ask(VMADK_IOC_VMAS, &vmas), ENXIO);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), ENXIO);
}

static bool is_zombie(void *arg)
{
	struct vmadk_vmas vmas = vmas_request();

	vmas.pid = *(pid_t *)arg;
	return ask(VMADK_IOC_VMAS, &vmas) == ENXIO;
}

static void a_zombie(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	must(eventually(is_zombie, &pid));
}

static void addresses(void)
{
	static const uint64_t wrong[] = { 0, 4095, 0x7ffffffff000, 0x800000000000, 0xffff800000000000,
					  0xffffffffff600000, UINT64_MAX };
	struct vmadk_rmap rmap;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		rmap = rmap_request();
		rmap.address = wrong[i];
		must_equal(ask(VMADK_IOC_RMAP, &rmap), ENOENT);
	}
	rmap = rmap_request();
	rmap.address = (uintptr_t)map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), ENOENT);		/* not touched yet */
	rmap = rmap_request();
	rmap.address += 1234;					/* anywhere in the page */
	must_equal(ask(VMADK_IOC_RMAP, &rmap), 0);
}

/* The first frame of memory, those of device memory below 1 MiB and of QEMU's hole below 4 GiB, and beyond all. */
static void frames(void)
{
	static const uint64_t any[] = { 0, 1, 0xa0, 0xc0, 0xff, 0x100, 0xfee00, 0xfffff, 0x100000, 0x3ffff, 0x40000,
					UINT64_C(1) << 34, UINT64_C(1) << 40, (UINT64_C(1) << 52) - 1, UINT64_C(1) << 52,
					INT64_MAX, UINT64_MAX - 1, UINT64_MAX };
	struct vmadk_rmap rmap = rmap_request();
	struct answer *answer;

	for (size_t i = 0; i < COUNT(any); i++) {
		int r = ask_pfn(any[i], &answer);

		must(r == 0 || r == ENODEV || r == EAGAIN);
		must(r || answer->rmap.pfn == any[i]);
	}
	must_equal(ask_pfn(0xfee00, &answer), ENODEV);
	must_equal(ask_pfn(UINT64_MAX, &answer), ENODEV);
	rmap.pfn = 1;
	must_equal(ask(VMADK_IOC_RMAP, &rmap), EINVAL);		/* a pid and a frame */
	rmap.flags = VMADK_RMAP_PFN;
	must_equal(ask(VMADK_IOC_RMAP, &rmap), EINVAL);
}

static double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Whatever a frame is used for, it is told or refused. Where that takes long (KASAN), not each of the later ones. */
static void all_frames(void)
{
	uint64_t frames = (uint64_t)sysconf(_SC_PHYS_PAGES) + 0x400, answered = 0, found = 0;
	double began = now_s();
	struct answer *answer;
	uint64_t asked = 0;

	for (uint64_t pfn = 0; pfn < frames; pfn += now_s() - began < 20 ? 1 : 97, asked++) {
		struct vmadk_rmap rmap = { .size = sizeof(rmap), .flags = VMADK_RMAP_PFN | VMADK_RMAP_NO_SCAN, .pfn = pfn,
					   .mappings = { .width = VMADK_MAPPING_WIDTH },
					   .pids = { .width = VMADK_PID_WIDTH },
					   .strings = { .width = VMADK_STRING_WIDTH } };
		int r = ask(VMADK_IOC_RMAP, &rmap);

		must(r == 0 || r == ENODEV || r == EAGAIN);
		answered += r == 0;
		found += r == 0 && rmap.mapped;
	}
	printf("# %ju frames, %ju of them mapped\n", (uintmax_t)answered, (uintmax_t)found);
	must(answered > asked / 2);
	must(found > 10);
	must_equal(ask_address(getpid(), &frames, &answer), 0);
}

static void files_that_are_none(void)
{
	struct vmadk_filemap filemap = filemap_request();
	int ends[2];

	filemap.fd = -1;
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), EBADF);
	filemap.fd = 1000;
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), EBADF);
	filemap.fd = open("/proc/self/exe", O_RDONLY);
	filemap.first = 1;
	filemap.last = 0;
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), EINVAL);
	filemap = filemap_request();
	must(pipe(ends) == 0);
	filemap.fd = ends[0];
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), 0);
	must_equal(filemap.mappings.count, 0);
	filemap.fd = device();
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), 0);
	filemap.fd = open("/proc", O_RDONLY);
	must_equal(ask(VMADK_IOC_FILEMAP, &filemap), 0);
	must_equal(filemap.mappings.count, 0);
}

static void one_room(void)
{
	struct vmadk_mapping two[2];
	struct vmadk_rmap rmap;
	char *shared = map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child = child_new(NULL, NULL);

	shared[0] = 1;
	rmap = rmap_request();
	rmap.address = (uintptr_t)shared;
	memset(two, 0x5a, sizeof(two));
	rmap.mappings = array_of(two, 1, VMADK_MAPPING_WIDTH);
	must_equal(ask(VMADK_IOC_RMAP, &rmap), 0);
	must(rmap.result & VMADK_TRUNCATED);
	must_equal(rmap.mappings.count, 2);
	must_equal(two[1].mm, 0x5a5a5a5a);
	child_end(&child);
}

int test_ioctls(void)
{
	static const struct guest_case cases[] = {
		{ "the device is root's alone", the_node },
		{ "INFO: version, kernel, all capabilities", info },
		{ "nobody opens it without CAP_SYS_ADMIN", no_capability },
		{ "nor as another user", another_user },
		{ "whoever was handed the descriptor may ask, without any capability", handed_down },
		{ "what is no ioctl of it", unknown_commands },
		{ "requests that are too short, longer, and too long", wrong_sizes },
		{ "requests where nothing is mapped, or nothing can be written", unmapped_requests },
		{ "arrays where nothing is mapped", unmapped_arrays },
		{ "arrays of a wrong width, with padding, unaligned, and too large", wrong_arrays },
		{ "each unknown bit of flags", unknown_flags },
		{ "processes that are not there, and the kernel's threads", no_such_process },
		{ "a process that has ended and is not yet waited for", a_zombie },
		{ "addresses where nothing is mapped or present", addresses },
		{ "frames in holes and beyond all memory", frames },
		{ "every frame of the machine", all_frames },
		{ "descriptors without pages, and ranges that are none", files_that_are_none },
		{ "an array that is too small is told, and not overrun", one_room },
	};

	return run_cases(cases, COUNT(cases));
}
