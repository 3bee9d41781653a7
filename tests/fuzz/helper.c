/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper: replies of the module that are any bytes. Each ioctl takes the next bytes of the input: what they say of the
 * struct's members and of the elements of its arrays, over the question that was asked.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/helper_mappings.h"
#include "source/helper_vmas.h"

static const uint8_t *input;
static size_t left;

static void take(void *to, size_t size)
{
	size_t n = size < left ? size : left;

	if (n)
		memcpy(to, input, n);
	input += n;
	left -= n;
}

/* Bytes into the elements, as many as the input has, and a count; the rest of the array is the caller's. */
static void fill_array(struct vmadk_array *array)
{
	uint8_t elements = 0;

	take(&array->count, sizeof(array->count));
	take(&elements, sizeof(elements));
	for (uint32_t i = 0; i < elements && i < array->room; i++)
		take((char *)(uintptr_t)array->at + (size_t)i * array->width, array->width);
}

static int any_bytes(int fd, unsigned long request, void *arg)
{
	uint8_t code = 0;

	(void)fd;
	if (!left)
		return -ESRCH;
	take(&code, sizeof(code));
	if (code >= 0xf0)
		return code & 1 ? -ENOSPC : -EIO;
	if (request == VMADK_IOC_INFO) {
		struct vmadk_info *info = arg;

		fill_array(&info->reasons);
		take(info->kernel, sizeof(info->kernel) + sizeof(info->module));
		info->abi = VMADK_ABI;
		info->page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
		take(&info->capabilities, sizeof(info->capabilities));
	} else if (request == VMADK_IOC_VMAS) {
		struct vmadk_vmas *vmas = arg;

		take(&vmas->result, sizeof(vmas->result));
		take(&vmas->cursor, sizeof(vmas->cursor));
		fill_array(&vmas->vmas);
		fill_array(&vmas->tables);
		fill_array(&vmas->members);
		fill_array(&vmas->strings);
	} else if (request == VMADK_IOC_RMAP) {
		struct vmadk_rmap *rmap = arg;

		take(&rmap->result, sizeof(rmap->result));
		take(&rmap->pfn, offsetof(struct vmadk_rmap, mappings) - offsetof(struct vmadk_rmap, pfn));
		fill_array(&rmap->mappings);
		fill_array(&rmap->pids);
		fill_array(&rmap->strings);
	} else {
		struct vmadk_filemap *filemap = arg;

		take(&filemap->result, sizeof(filemap->result));
		take(&filemap->inode, sizeof(filemap->inode));
		fill_array(&filemap->mappings);
		fill_array(&filemap->pids);
		fill_array(&filemap->strings);
	}
	return 0;
}

static void check_symbol(struct helper_symbol symbol)
{
	MUST(symbol.state != HELPER_NAMED || (strlen(symbol.name) > 0 && strlen(symbol.name) < 128 && strlen(symbol.module) < 64));
}

static void list_vmas(struct helper *helper)
{
	struct helper_vmas *vmas;
	struct helper_vma vma;
	uint64_t after = 0;

	if (helper_vmas_new(helper, 7, 0, UINT64_MAX, true, &vmas, NULL) < 0)
		return;
	while (helper_vmas_next(vmas, &vma, NULL) > 0) {
		MUST(vma.end > after && vma.end > vma.start);
		after = vma.end;
		check_symbol(vma.vm_ops);
		check_symbol(vma.f_op);
		for (size_t i = 0; i < vma.member_count; i++) {
			MUST(helper_vmas_member(vmas, &vma, i).name);
			check_symbol(helper_vmas_member(vmas, &vma, i).symbol);
		}
	}
	helper_vmas_free(vmas);
}

static void check_mappings(struct helper_mappings *found)
{
	for (size_t i = 0; i < found->count; i++) {
		MUST(found->mappings[i].address < found->mappings[i].vma_end);
		check_symbol(helper_mappings_vm_ops(found, i));
	}
	for (size_t i = 0; i < found->pid_count; i++)
		MUST(found->pids[i].pid > 0);
	helper_mappings_free(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct helper_page_query query = { .pid = 7, .address = 0x1000 };
	struct helper_mappings found;
	struct helper_info info;
	struct helper *helper;
	uint8_t what = 0;

	input = data;
	left = size;
	take(&what, sizeof(what));
	if (helper_new_with(dup(0), any_bytes, &info, &helper, NULL) < 0)
		return 0;
	MUST(info.reason_count <= HELPER_REASONS_MAX && strlen(info.kernel) < sizeof(info.kernel));
	if (what % 3 == 0)
		list_vmas(helper);
	else if (what % 3 == 1 && helper_find_page(helper, &query, &found, NULL) == 0)
		check_mappings(&found);
	else if (what % 3 == 2 && helper_find_file(helper, 0, 0, 1, &found, NULL) == 0)
		check_mappings(&found);
	helper_free(helper);
	return 0;
}
