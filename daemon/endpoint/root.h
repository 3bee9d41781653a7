/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root: what is answered to root alone, because it tells of frame numbers, of everybody, or of the kernel's own
 * structures.
 */
#ifndef ENDPOINT_ROOT_H
#define ENDPOINT_ROOT_H

#include "http/request.h"
#include "model/module.h"

/* Is the caller root? If not, the request is answered with 403; `why` says in words what is root's about it. */
bool root_only(struct request *request, const char *why);

/* Why no flags of frames are told to this caller, as words that follow "missing: ...: ". */
const char *why_no_frames(const struct request *request);

/*
 * For root alone, and only where the helper module can do all of these (VMADK_CAN_*). False: the request is answered,
 * with 403 or with 501 and what to do. True: the module is the caller's to close.
 */
bool root_with_module(struct request *request, uint64_t capabilities, struct module *ret_module);

#endif
