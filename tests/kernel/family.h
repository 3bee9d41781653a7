/* SPDX-License-Identifier: GPL-2.0-or-later */
/* family: processes that fork, share, copy, move, clone and end, and then stand still. */
#ifndef TESTS_KERNEL_FAMILY_H
#define TESTS_KERNEL_FAMILY_H

#include "guest.h"

#define FAMILY_CHILDREN 6	/* the first and the fifth have ended when it returns */

void family_new(struct child children[FAMILY_CHILDREN]);

#endif
