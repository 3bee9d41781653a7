/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper, helper_vmas, helper_mappings: what the module answers, and what it must not answer, by a stand-in for it. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/standin.h"
#include "source/helper_mappings.h"
#include "source/helper_vmas.h"

#define ALL "info 1 0x7f\n"

static struct helper_info info;

static int no_fd(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	return ends[0];
}

static struct helper *open_with(const char *text, helper_ioctl_fn *ask)
{
	struct helper *helper;

	standin_text(text);
	assert_int_equal(helper_new_with(no_fd(), ask, &info, &helper, NULL), 0);
	return helper;
}

static int refusal(const char *text)
{
	size_t open_before = count_entries("/proc/self/fd");
	struct helper *helper = NULL;
	int r;

	standin_text(text);
	r = helper_new_with(no_fd(), standin_ioctl, &info, &helper, NULL);
	assert_int_equal(count_entries("/proc/self/fd"), open_before);
	return r;
}

static void what_it_is(void **state)
{
	struct helper *helper = open_with("info 1 0x77\nreason 0x8 7.3 keys its tree \033[31m otherwise\n", standin_ioctl);

	(void)state;
	assert_string_equal(info.kernel, "6.12.0-standin");
	assert_string_equal(info.module, "0.1");
	assert_int_equal(info.reason_count, 1);
	assert_int_equal(info.reasons[0].capability, VMADK_CAN_RMAP_ANON);
	assert_string_equal(info.reasons[0].text, "7.3 keys its tree ?[31m otherwise");
	assert_true(helper_can(helper, VMADK_CAN_VMAS | VMADK_CAN_MEMBERS));
	assert_false(helper_can(helper, VMADK_CAN_VMAS | VMADK_CAN_RMAP_ANON));
	helper_free(helper);
}

/* A real descriptor, of something that knows no ioctl of ours. */
static void helper_is_no_file(void)
{
	struct helper *helper;

	assert_int_equal(helper_new(file_of("x", 1), &info, &helper, NULL), -ENOTTY);
}

static void another_device(void **state)
{
	(void)state;
	assert_int_equal(refusal("no info at all\n"), -ENOTTY);
	assert_int_equal(refusal("info 2 0x7f\n"), -EPROTONOSUPPORT);
	assert_int_equal(info.abi, 2);
	assert_int_equal(info.capabilities, 0);
	assert_int_equal(refusal("generation 9\nfail INFO 1 1\n" ALL), -EPERM);
	helper_is_no_file();
}

#define FILE_TABLE \
	"table ext4_file_vm_ops ext4 open=- fault=filemap_fault map_pages=filemap_map_pages page_mkwrite=ext4_page_mkwrite access=?\n"

static const char some_vmas[] = ALL FILE_TABLE
	"vma 7 0x1000 0x3000 0x75 0 ext4_file_vm_ops ext4_file_operations ext4_da_aops 1\n"
	"vma 7 0x3000 0x4000 0x100073 0x3 - - - 2\n"
	"vma 8 0x1000 0x2000 0x75 0 - - - 0\n"
	"vma 7 0x9000 0xa000 0x75 0x7 ? - - 4\n";

static struct helper_vmas *vmas_of(struct helper *helper, pid_t pid, uint64_t start, uint64_t end)
{
	struct helper_vmas *vmas;

	assert_int_equal(helper_vmas_new(helper, pid, start, end, true, &vmas, NULL), 0);
	return vmas;
}

static void vmas_with_members(void **state)
{
	struct helper *helper = open_with(some_vmas, standin_ioctl);
	struct helper_vmas *vmas = vmas_of(helper, 7, 0, UINT64_MAX);
	struct helper_vma vma;

	(void)state;
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(vma.start, 0x1000);
	assert_int_equal(vma.flags, 0x75);
	assert_int_equal(vma.has, VMADK_VMA_FILE);
	assert_string_equal(vma.vm_ops.name, "ext4_file_vm_ops");
	assert_string_equal(vma.vm_ops.module, "ext4");
	assert_string_equal(vma.f_op.name, "ext4_file_operations");
	assert_string_equal(vma.a_ops.name, "ext4_da_aops");
	assert_int_equal(vma.member_count, 5);
	assert_string_equal(helper_vmas_member(vmas, &vma, 0).name, "open");
	assert_int_equal(helper_vmas_member(vmas, &vma, 0).symbol.state, HELPER_NULL);
	assert_string_equal(helper_vmas_member(vmas, &vma, 1).symbol.name, "filemap_fault");
	assert_int_equal(helper_vmas_member(vmas, &vma, 4).symbol.state, HELPER_UNRESOLVED);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(vma.vm_ops.state, HELPER_NULL);
	assert_int_equal(vma.pgoff_pages, 3);
	assert_int_equal(vma.member_count, 0);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(vma.vm_ops.state, HELPER_UNRESOLVED);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 0);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 0);
	helper_vmas_free(vmas);
	helper_free(helper);
}

static void part_of_vmas(void **state)
{
	struct helper *helper = open_with(some_vmas, standin_ioctl);
	struct helper_vmas *vmas = vmas_of(helper, 7, 0x2000, 0x3000);
	struct helper_vma vma;

	(void)state;
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(vma.start, 0x1000);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 0);
	helper_vmas_free(vmas);
	vmas = vmas_of(helper, 9, 0, UINT64_MAX);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), -ESRCH);
	helper_vmas_free(vmas);
	helper_free(helper);
}

/* 1000 VMAs go on by cursor; one table with 100 members needs more room than there is to begin with. */
static void many_of_everything(void **state)
{
	static char many[1 << 20];
	size_t len = (size_t)sprintf(many, ALL "table big -");
	struct helper_vma vma;
	struct helper_vmas *vmas;
	struct helper *helper;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 36; i++)
		len += (size_t)sprintf(many + len, " member_%d=symbol_%d", i, i);
	len += (size_t)sprintf(many + len, "\n");
	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)sprintf(many + len, "vma 7 %#x %#x 0 0 %s - - 0\n", 0x1000 + i * 0x1000, 0x2000 + i * 0x1000,
				       i % 3 ? "-" : "big");
	helper = open_with(many, standin_ioctl);
	vmas = vmas_of(helper, 7, 0, UINT64_MAX);
	while (helper_vmas_next(vmas, &vma, NULL) > 0) {
		assert_int_equal(vma.start, 0x1000 + count * 0x1000);
		assert_int_equal(vma.member_count, count % 3 ? 0 : 36);
		count++;
	}
	assert_int_equal(count, 1000);
	helper_vmas_free(vmas);
	helper_free(helper);
}

static const char some_page[] = ALL FILE_TABLE
	"page 7 0x5000 0x1a2b 2 2 ext4_da_aops\n"
	"mapping 0x1a2b 0x5000 0x4000 0x6000 0x75 0 0 1 ext4_file_vm_ops\n"
	"mapping 0x1a2b 0x8000 0x8000 0x9000 0x75 0 1 1 ext4_file_vm_ops\n"
	"mapping 0x1a2b 0xc000 0xc000 0xd000 0x75 0 2 3 ?\n"
	"pid 0 7\npid 0 8\npid 1 9\npid 2 10\n";

static void a_page(void **state)
{
	struct helper *helper = open_with(some_page, standin_ioctl);
	struct helper_page_query query = { .pid = 7, .address = 0x5123, .scan = true };
	struct helper_mappings found;

	(void)state;
	assert_int_equal(helper_find_page(helper, &query, &found, NULL), 0);
	assert_int_equal(found.result, 0);
	assert_int_equal(found.page.pfn, 0x1a2b);
	assert_int_equal(found.page.mapcount, 2);
	assert_int_equal(found.page.mapped, 2);
	assert_string_equal(found.page.a_ops.name, "ext4_da_aops");
	assert_int_equal(found.count, 3);
	assert_int_equal(found.pid_count, 4);
	assert_int_equal(found.mappings[2].state, VMADK_STATE_NONE);
	assert_string_equal(helper_mappings_vm_ops(&found, 0).name, "ext4_file_vm_ops");
	assert_int_equal(helper_mappings_vm_ops(&found, 2).state, HELPER_UNRESOLVED);
	helper_mappings_free(&found);
	query = (struct helper_page_query){ .pfn = 0x1a2b };
	assert_int_equal(helper_find_page(helper, &query, &found, NULL), 0);
	assert_int_equal(found.count, 3);
	helper_mappings_free(&found);
	query.pfn = 1;
	assert_int_equal(helper_find_page(helper, &query, &found, NULL), -ENODEV);
	query = (struct helper_page_query){ .pid = 7, .address = 0x9000 };
	assert_int_equal(helper_find_page(helper, &query, &found, NULL), -ENOENT);
	helper_free(helper);
}

static int find(const char *text, struct helper_mappings *found)
{
	struct helper_page_query query = { .pid = 7, .address = 0x5000, .scan = true };
	struct helper *helper = open_with(text, standin_ioctl);
	int r = helper_find_page(helper, &query, found, NULL);

	helper_free(helper);
	return r;
}

static void busy(void **state)
{
	static char orders[4096];
	struct helper_mappings found;

	(void)state;
	snprintf(orders, sizeof(orders), "generation 1\nset RMAP 2 2\n%s", some_page);
	assert_int_equal(find(orders, &found), 0);
	assert_int_equal(found.result, 0);
	helper_mappings_free(&found);
	snprintf(orders, sizeof(orders), "generation 2\nset RMAP 2 1000\n%s", some_page);
	assert_int_equal(find(orders, &found), 0);
	assert_int_equal(found.result, VMADK_CONTENDED);
	helper_mappings_free(&found);
	snprintf(orders, sizeof(orders), "generation 3\nfail RMAP %d 2\n%s", EAGAIN, some_page);
	assert_int_equal(find(orders, &found), 0);
	helper_mappings_free(&found);
	snprintf(orders, sizeof(orders), "generation 4\nfail RMAP %d 1000\n%s", EAGAIN, some_page);
	assert_int_equal(find(orders, &found), -EAGAIN);
}

static void many_mappings(void **state)
{
	static char many[1 << 20];
	struct helper_mappings found;
	size_t len = (size_t)sprintf(many, ALL "page 7 0x5000 0x1a2b 1 500 -\n");

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		len += (size_t)sprintf(many + len, "mapping 0x1a2b 0x5000 0x5000 0x6000 0 5 %u 1 -\n", i % 60);
	for (unsigned i = 0; i < 300; i++)
		len += (size_t)sprintf(many + len, "pid %u %u\n", i % 60, 100 + i);
	assert_int_equal(find(many, &found), 0);
	assert_int_equal(found.result, 0);
	assert_int_equal(found.count, 500);
	assert_int_equal(found.pid_count, 300);
	helper_mappings_free(&found);
}

/* 200 different tables: the names need more room than there is to begin with. */
static void many_names(void **state)
{
	static char many[1 << 20];
	struct helper_mappings found;
	size_t len = (size_t)sprintf(many, ALL "page 7 0x5000 0x1a2b 2 200 -\n");

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		len += (size_t)sprintf(many + len, "mapping 0x1a2b 0x5000 0x5000 0x6000 0 5 0 1 table_%u\n", i);
	assert_int_equal(find(many, &found), 0);
	assert_int_equal(found.result, 0);
	assert_string_equal(helper_mappings_vm_ops(&found, 199).name, "table_199");
	helper_mappings_free(&found);
}

static void a_file(void **state)
{
	struct helper_mappings found;
	static char orders[4096];
	int fd = file_of("x", 1);
	struct helper *helper;

	(void)state;
	snprintf(orders, sizeof(orders), ALL "filemapping %llu 0x7000 0x9000 0x75 2 0 -\npid 0 7\n",
		 (unsigned long long)({ struct stat st; fstat(fd, &st); st.st_ino; }));
	helper = open_with(orders, standin_ioctl);
	assert_int_equal(helper_find_file(helper, fd, 0, 10, &found, NULL), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.mappings[0].address, 0x7000);
	helper_mappings_free(&found);
	assert_int_equal(helper_find_file(helper, fd, 3, 10, &found, NULL), 0);
	assert_int_equal(found.mappings[0].address, 0x8000);
	helper_mappings_free(&found);
	assert_int_equal(helper_find_file(helper, fd, 0, 1, &found, NULL), 0);
	assert_int_equal(found.count, 0);
	helper_mappings_free(&found);
	assert_int_equal(helper_find_file(helper, -1, 0, 1, &found, NULL), -EBADF);
	helper_free(helper);
	close(fd);
}

/* What a reply must not hold: each case spoils one thing of a reply that is right. */
static void (*spoil)(void *reply);

static int spoiled_ioctl(int fd, unsigned long request, void *arg)
{
	int r = standin_ioctl(fd, request, arg);

	if (r == 0 && request != VMADK_IOC_INFO)
		spoil(arg);
	return r;
}

#define VMA0 ((struct vmadk_vma *)(uintptr_t)vmas->vmas.at)
#define SPOIL_VMAS(name, what) \
	static void name(void *reply) \
	{ \
		struct vmadk_vmas *vmas = reply; \
		what; \
	}
SPOIL_VMAS(vmas_beyond_room, vmas->vmas.count = vmas->vmas.room + 1)
SPOIL_VMAS(strings_beyond_room, vmas->strings.count = ~0u)
SPOIL_VMAS(cursor_behind, vmas->cursor = 0x1000)
SPOIL_VMAS(nothing_and_more, vmas->vmas.count = 0; vmas->result = VMADK_TRUNCATED)
SPOIL_VMAS(unknown_result, vmas->result = 0x80)
SPOIL_VMAS(no_length, VMA0[0].end = VMA0[0].start)
SPOIL_VMAS(descending, VMA0[1].start = 0x2000; VMA0[1].end = 0x3000)
SPOIL_VMAS(below_what_was_asked, VMA0[0].start = 0; VMA0[0].end = 0)
SPOIL_VMAS(table_beyond, VMA0[0].vm_ops = vmas->tables.count + 1)
SPOIL_VMAS(f_op_beyond, VMA0[0].f_op = vmas->strings.count + 1)
SPOIL_VMAS(a_ops_beyond, VMA0[0].a_ops = 0xfffffffe)
SPOIL_VMAS(members_beyond, ((struct vmadk_table *)(uintptr_t)vmas->tables.at)->members = 100)
SPOIL_VMAS(members_wrap, ((struct vmadk_table *)(uintptr_t)vmas->tables.at)->first = 0xfffffff0)
SPOIL_VMAS(table_without_symbol, ((struct vmadk_table *)(uintptr_t)vmas->tables.at)->symbol = 0)
SPOIL_VMAS(member_without_name, ((struct vmadk_member *)(uintptr_t)vmas->members.at)->name = 0)
SPOIL_VMAS(member_symbol_beyond, ((struct vmadk_member *)(uintptr_t)vmas->members.at)->symbol = 1000)
SPOIL_VMAS(string_without_end, memset((void *)(uintptr_t)vmas->strings.at, 'x', 128))
SPOIL_VMAS(string_unprintable, ((char *)(uintptr_t)vmas->strings.at)[2] = 27)
SPOIL_VMAS(string_quotes, ((char *)(uintptr_t)vmas->strings.at)[2] = '"')
SPOIL_VMAS(string_empty, ((char *)(uintptr_t)vmas->strings.at)[0] = 0)
SPOIL_VMAS(module_without_end, memset((char *)(uintptr_t)vmas->strings.at + 128, 'x', 64))

/* VMAs that merged between two locks: the second one tells of the whole. */
SPOIL_VMAS(merged, VMA0[1].start = 0x1000)

static void merged_vmas(void **state)
{
	struct helper *helper = open_with(some_vmas, spoiled_ioctl);
	struct helper_vmas *vmas = vmas_of(helper, 7, 0, UINT64_MAX);
	struct helper_vma vma;

	(void)state;
	spoil = merged;
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(helper_vmas_next(vmas, &vma, NULL), 1);
	assert_int_equal(vma.start, 0x1000);
	assert_int_equal(vma.end, 0x4000);
	helper_vmas_free(vmas);
	helper_free(helper);
}

static void spoiled_vmas(void **state)
{
	static void (*const ways[])(void *) = {
		vmas_beyond_room, strings_beyond_room, cursor_behind, nothing_and_more, unknown_result, no_length, descending,
		below_what_was_asked, table_beyond, f_op_beyond, a_ops_beyond, members_beyond, members_wrap,
		table_without_symbol, member_without_name, member_symbol_beyond, string_without_end, string_unprintable,
		string_quotes, string_empty, module_without_end,
	};
	struct helper *helper = open_with(some_vmas, spoiled_ioctl);
	struct helper_vma vma;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct helper_vmas *vmas = vmas_of(helper, 7, 0, UINT64_MAX);

		spoil = ways[i];
		if (helper_vmas_next(vmas, &vma, NULL) != -EPROTO)
			fail_msg("way %zu was not found out", i);
		helper_vmas_free(vmas);
	}
	helper_free(helper);
}

#define MAPPING0 ((struct vmadk_mapping *)(uintptr_t)rmap->mappings.at)
#define SPOIL_RMAP(name, what) \
	static void name(void *reply) \
	{ \
		struct vmadk_rmap *rmap = reply; \
		what; \
	}
SPOIL_RMAP(more_without_a_word, rmap->mappings.count = 1000)
SPOIL_RMAP(pids_without_a_word, rmap->pids.count = ~0u)
SPOIL_RMAP(rmap_unknown_result, rmap->result = 0x20)
SPOIL_RMAP(outside, MAPPING0[1].address = 0x9000)
SPOIL_RMAP(mm_beyond, MAPPING0[0].mm = 3)
SPOIL_RMAP(state_beyond, MAPPING0[0].state = 6)
SPOIL_RMAP(unknown_flags, MAPPING0[0].flags = 4)
SPOIL_RMAP(ops_beyond, MAPPING0[0].vm_ops = 77)
SPOIL_RMAP(wrong_sum, rmap->mapped = 3)
SPOIL_RMAP(negative_mapcount, rmap->mapcount = -2)
SPOIL_RMAP(unknown_kind, rmap->kind = 7)
SPOIL_RMAP(rmap_a_ops_beyond, rmap->a_ops = 50)
SPOIL_RMAP(pid_zero, ((struct vmadk_pid *)(uintptr_t)rmap->pids.at)->pid = 0)
SPOIL_RMAP(pid_of_nobody, ((struct vmadk_pid *)(uintptr_t)rmap->pids.at)->mm = 3)

static void spoiled_mappings(void **state)
{
	static void (*const ways[])(void *) = {
		more_without_a_word, pids_without_a_word, rmap_unknown_result, outside, mm_beyond, state_beyond, unknown_flags,
		ops_beyond, wrong_sum, negative_mapcount, unknown_kind, rmap_a_ops_beyond, pid_zero, pid_of_nobody,
	};
	struct helper_page_query query = { .pid = 7, .address = 0x5000 };
	struct helper *helper = open_with(some_page, spoiled_ioctl);
	struct helper_mappings found;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		spoil = ways[i];
		if (helper_find_page(helper, &query, &found, NULL) != -EPROTO)
			fail_msg("way %zu was not found out", i);
	}
	helper_free(helper);
}

/* Truncated for ever: it ends, with what is there. */
SPOIL_RMAP(always_more, rmap->result |= VMADK_TRUNCATED; rmap->mappings.count = rmap->mappings.room + 1; rmap->mapped = ~0u)

static void never_enough_room(void **state)
{
	struct helper_page_query query = { .pid = 7, .address = 0x5000 };
	struct helper *helper = open_with(some_page, spoiled_ioctl);
	struct helper_mappings found = { 0 };
	int r;

	(void)state;
	spoil = always_more;
	r = helper_find_page(helper, &query, &found, NULL);
	/* What lies behind the real ones is zero, and so no mapping. */
	assert_int_equal(r, -EPROTO);
	helper_free(helper);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what the module is and can do", what_it_is),
		CASE("what is no such module, or another version", another_device),
		CASE("VMAs with the members of their operations", vmas_with_members),
		CASE("a part of the VMAs, and a process that is not there", part_of_vmas),
		CASE("lists go on by cursor, and names get room", many_of_everything),
		CASE("who maps a page", a_page),
		CASE("busy locks are tried again, for a bounded time", busy),
		CASE("more mappings than room", many_mappings),
		CASE("more names than room", many_names),
		CASE("who maps a file", a_file),
		CASE("VMAs that merged while they were told", merged_vmas),
		CASE("VMAs that do not hold", spoiled_vmas),
		CASE("mappings that do not hold", spoiled_mappings),
		CASE("a list that never ends", never_enough_room),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
