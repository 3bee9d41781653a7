/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A problem: what vmad answers instead of an answer (RFC 9457, problems.def), made into words and an exit code. */
#ifndef CLIENT_PROBLEM_H
#define CLIENT_PROBLEM_H

#include <stddef.h>

#include "trouble.h"

/* subject: what was asked about, or NULL. body need not be a problem document: then the status decides. Returns the code. */
int problem_read(long status, const char *body, size_t len, const char *subject, struct trouble *trouble);

#endif
