/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root: what is answered to root alone, because it tells of frame numbers or of everybody. */
#ifndef ENDPOINT_ROOT_H
#define ENDPOINT_ROOT_H

#include "http/request.h"

/* Is the caller root? If not, the request is answered with 403; `why` says in words what is root's about it. */
bool root_only(struct request *request, const char *why);

/* Why no flags of frames are told to this caller, as words that follow "missing: ...: ". */
const char *why_no_frames(const struct request *request);

#endif
