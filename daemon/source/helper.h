/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper: the answers of the helper module (contrib/kmod, protocol in vmad/uapi.h) as structs.
 *
 * The module is another program, of another release perhaps: what it answers is taken as a parser takes its input. Sizes,
 * counts and references are checked before they are used, names must be printable ASCII, and what does not hold is
 * -EPROTO.
 *
 * A helper is one open device; it is for one thread.
 */
#ifndef SOURCE_HELPER_H
#define SOURCE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmad/error.h"
#include "vmad/uapi.h"

#define HELPER_REASONS_MAX 16

/* What it is and what it can do here. Texts end with NUL; what a terminal should not see has become '?'. */
struct helper_info {
	uint32_t abi;
	uint64_t capabilities;		/* VMADK_CAN_* */
	char kernel[72], module[32];
	struct {
		uint64_t capability;
		char text[120];
	} reasons[HELPER_REASONS_MAX];	/* why a capability is missing */
	size_t reason_count;
};

struct helper;

/* As ioctl(2), but 0 or negative errno. */
typedef int helper_ioctl_fn(int fd, unsigned long request, void *arg);

/*
 * Takes the descriptor over, also on failure, and asks INFO. -ENOTTY: it is no device of this module; -EPROTONOSUPPORT:
 * the module speaks another version (ret_info->abi tells which; the rest of it is not known); -EPROTO.
 */
int helper_new(int fd, struct helper_info *ret_info, struct helper **ret_helper, struct vmad_error *err);
void helper_free(struct helper *helper);

/* The same with another ioctl: tests have no module. */
int helper_new_with(int fd, helper_ioctl_fn *ask, struct helper_info *ret_info, struct helper **ret_helper,
		    struct vmad_error *err);

bool helper_can(const struct helper *helper, uint64_t capabilities);

/* One ioctl; EAGAIN is tried again for some milliseconds. */
int helper_ask(struct helper *helper, unsigned long request, void *arg);

/* Pauses longer with each try, from 1; false: there were enough of them. */
bool helper_pause(unsigned try);

/* A name out of a reply. */
struct helper_symbol {
	enum { HELPER_NULL, HELPER_UNRESOLVED, HELPER_NAMED } state;
	const char *name;		/* NAMED: not empty */
	const char *module;		/* NAMED: that it is in; "": the kernel itself */
};

/* Are the first `count` strings fit to be used? */
bool helper_strings_hold(const struct vmadk_string *strings, size_t count);

/* Does a reference stay within `count` elements, or say that there is nothing? */
bool helper_ref_holds(uint32_t ref, size_t count);

/* What a reference that holds refers to. */
struct helper_symbol helper_symbol_of(const struct vmadk_string *strings, uint32_t ref);

/* An array of a request: `room` elements of that width. */
struct vmadk_array helper_array(const void *elements, size_t room, uint32_t width);

#endif
