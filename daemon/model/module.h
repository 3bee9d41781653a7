/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module: the helper module as a caller has it: open and able, or why not and what to do. It is looked for at each
 * question, so that it may come and go while vmad runs.
 */
#ifndef MODEL_MODULE_H
#define MODEL_MODULE_H

#include "opener/opener.h"
#include "source/helper.h"

struct module {
	struct helper *helper;		/* NULL: it cannot be had */
	struct helper_info info;
	/* Why it cannot be had, or cannot do what module_can() was asked last; and what would mend that, or NULL. */
	char why[224];
	const char *mend;
};

/* True: it is there, and speaks our version of the protocol. Close it in any case. */
bool module_open(struct opener *opener, const struct vmad_caller *caller, struct module *ret_module);
void module_close(struct module *module);

/* Is it there, and can it do all of these (VMADK_CAN_*) on this kernel? */
bool module_can(struct module *module, uint64_t capabilities);

#endif
