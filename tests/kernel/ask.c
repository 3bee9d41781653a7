// SPDX-License-Identifier: GPL-2.0-or-later
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest.h"

int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(VMADK_DEVICE, O_RDWR | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

struct vmadk_array array_of(void *at, uint32_t room, uint32_t width)
{
	return (struct vmadk_array){ .at = (uintptr_t)at, .room = room, .width = width };
}

static struct answer answer;	/* what is beyond its counts is of an earlier one */

int ask_rmap(struct vmadk_rmap request, struct answer **ret_answer)
{
	*ret_answer = &answer;
	answer.mapping_count = answer.pid_count = 0;
	request.size = sizeof(request);
	request.mappings = array_of(answer.mappings, ASK_ROOM, VMADK_MAPPING_WIDTH);
	request.pids = array_of(answer.pids, ASK_ROOM, VMADK_PID_WIDTH);
	request.strings = array_of(answer.strings, COUNT(answer.strings), VMADK_STRING_WIDTH);
	answer.rmap = request;
	if (ioctl(device(), VMADK_IOC_RMAP, &answer.rmap))
		return errno;
	answer.mapping_count = answer.rmap.mappings.count;
	answer.pid_count = answer.rmap.pids.count;
	return 0;
}

/* Busy locks are no finding: they are asked for again. */
static int ask_patiently(struct vmadk_rmap request, struct answer **ret_answer)
{
	int r;

	for (int i = 0; i < 100; i++) {
		r = ask_rmap(request, ret_answer);
		if (r != EAGAIN && (r || !((*ret_answer)->rmap.result & (VMADK_CONTENDED | VMADK_CHANGED))))
			break;
	}
	return r;
}

int ask_address(pid_t pid, const void *address, struct answer **ret_answer)
{
	return ask_patiently((struct vmadk_rmap){ .pid = pid, .address = (uintptr_t)address }, ret_answer);
}

int ask_pfn(uint64_t pfn, struct answer **ret_answer)
{
	return ask_patiently((struct vmadk_rmap){ .flags = VMADK_RMAP_PFN, .pfn = pfn }, ret_answer);
}

int ask_filemap(int fd, uint64_t first, uint64_t last, struct answer **ret_answer)
{
	*ret_answer = &answer;
	answer.mapping_count = answer.pid_count = 0;
	answer.filemap = (struct vmadk_filemap){
		.size = sizeof(answer.filemap),
		.fd = fd,
		.first = first,
		.last = last,
		.mappings = array_of(answer.mappings, ASK_ROOM, VMADK_MAPPING_WIDTH),
		.pids = array_of(answer.pids, ASK_ROOM, VMADK_PID_WIDTH),
		.strings = array_of(answer.strings, COUNT(answer.strings), VMADK_STRING_WIDTH),
	};
	if (ioctl(device(), VMADK_IOC_FILEMAP, &answer.filemap))
		return errno;
	answer.mapping_count = answer.filemap.mappings.count;
	answer.pid_count = answer.filemap.pids.count;
	return 0;
}

bool is_of(const struct answer *of, uint32_t mm, pid_t pid)
{
	for (uint32_t i = 0; i < of->pid_count; i++) {
		if (of->pids[i].mm == mm && of->pids[i].pid == pid)
			return true;
	}
	return false;
}

int count_mappings(const struct answer *of, pid_t pid, const void *address, uint32_t state)
{
	int count = 0;

	for (uint32_t i = 0; i < of->mapping_count; i++) {
		const struct vmadk_mapping *mapping = &of->mappings[i];

		count += mapping->state == state && (!address || mapping->address == (uintptr_t)address) &&
			 is_of(of, mapping->mm, pid);
	}
	return count;
}

const char *name_of(const struct vmadk_string *strings, uint32_t reference)
{
	return !reference ? "NULL" : reference == VMADK_UNRESOLVED ? "?" : strings[reference - 1].text;
}
