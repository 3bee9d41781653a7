/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TRIES 5			/* 0.2 + 0.4 + 0.8 + 1.6 ms between them */
#define FIRST_PAUSE_NS 200000L

_Static_assert(sizeof(struct vmadk_info) == VMADK_INFO_SIZE, "the ABI of INFO");
_Static_assert(sizeof(struct vmadk_reason) == VMADK_REASON_WIDTH, "the ABI of INFO");
_Static_assert(sizeof(struct vmadk_string) == VMADK_STRING_WIDTH, "the ABI of strings");

struct helper {
	int fd;
	helper_ioctl_fn *ask;
	uint64_t capabilities;
};

static int ask_kernel(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

bool helper_pause(unsigned try)
{
	if (try >= TRIES)
		return false;
	nanosleep(&(struct timespec){ .tv_nsec = FIRST_PAUSE_NS << (try - 1) }, NULL);
	return true;
}

int helper_ask(struct helper *helper, unsigned long request, void *arg)
{
	unsigned try = 0;
	int r;

	do
		r = helper->ask(helper->fd, request, arg);
	while (r == -EAGAIN && helper_pause(++try));
	return r;
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* A name goes into JSON and onto terminals as it is. */
static bool is_name(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++) {
		if (!is_printable(text[i]) || text[i] == '"' || text[i] == '\\')
			return false;
	}
	return len < size;
}

bool helper_strings_hold(const struct vmadk_string *strings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strings[i].text[0] || !is_name(strings[i].text, sizeof(strings[i].text)) ||
		    !is_name(strings[i].module, sizeof(strings[i].module)))
			return false;
	}
	return true;
}

bool helper_ref_holds(uint32_t ref, size_t count)
{
	return ref == VMADK_UNRESOLVED || ref <= count;
}

struct helper_symbol helper_symbol_of(const struct vmadk_string *strings, uint32_t ref)
{
	if (!ref)
		return (struct helper_symbol){ .state = HELPER_NULL };
	if (ref == VMADK_UNRESOLVED)
		return (struct helper_symbol){ .state = HELPER_UNRESOLVED };
	return (struct helper_symbol){ HELPER_NAMED, strings[ref - 1].text, strings[ref - 1].module };
}

struct vmadk_array helper_array(const void *elements, size_t room, uint32_t width)
{
	return (struct vmadk_array){ .at = (uintptr_t)elements, .room = (uint32_t)room, .width = width };
}

/* Words for people: kept as far as they can be shown. */
static void copy_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	for (size_t i = 0; i < len; i++)
		to[i] = is_printable(from[i]) ? from[i] : '?';
	to[len] = '\0';
}

static int decode_info(const struct vmadk_info *reply, const struct vmadk_reason *reasons, struct helper_info *info)
{
	info->abi = reply->abi;
	if (reply->abi != VMADK_ABI)
		return -EPROTONOSUPPORT;
	if (1L << (reply->page_shift & 31) != sysconf(_SC_PAGESIZE))
		return -EPROTO;
	info->capabilities = reply->capabilities;
	copy_text(info->kernel, reply->kernel, sizeof(info->kernel));
	copy_text(info->module, reply->module, sizeof(info->module));
	info->reason_count = reply->reasons.count < HELPER_REASONS_MAX ? reply->reasons.count : HELPER_REASONS_MAX;
	for (size_t i = 0; i < info->reason_count; i++) {
		info->reasons[i].capability = reasons[i].capability;
		copy_text(info->reasons[i].text, reasons[i].text, sizeof(info->reasons[i].text));
	}
	return 0;
}

static int ask_info(struct helper *helper, struct helper_info *ret_info)
{
	struct vmadk_reason reasons[HELPER_REASONS_MAX] = { 0 };
	struct vmadk_info reply = { .size = sizeof(reply),
				    .reasons = helper_array(reasons, HELPER_REASONS_MAX, VMADK_REASON_WIDTH) };
	int r = helper_ask(helper, VMADK_IOC_INFO, &reply);

	*ret_info = (struct helper_info){ 0 };
	return r < 0 ? r : decode_info(&reply, reasons, ret_info);
}

int helper_new_with(int fd, helper_ioctl_fn *ask, struct helper_info *ret_info, struct helper **ret_helper,
		    struct vmad_error *err)
{
	struct helper *helper = malloc(sizeof(*helper));
	int r;

	if (!helper) {
		close(fd);
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	}
	*helper = (struct helper){ .fd = fd, .ask = ask };
	r = ask_info(helper, ret_info);
	if (r < 0) {
		helper_free(helper);
		return vmad_fail(err, -r, 0, VMADK_DEVICE, "ask");
	}
	helper->capabilities = ret_info->capabilities;
	*ret_helper = helper;
	return 0;
}

int helper_new(int fd, struct helper_info *ret_info, struct helper **ret_helper, struct vmad_error *err)
{
	return helper_new_with(fd, ask_kernel, ret_info, ret_helper, err);
}

void helper_free(struct helper *helper)
{
	if (!helper)
		return;
	close(helper->fd);
	free(helper);
}

bool helper_can(const struct helper *helper, uint64_t capabilities)
{
	return (helper->capabilities & capabilities) == capabilities;
}
