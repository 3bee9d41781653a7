/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapcounts: does kpagecount tell how often a page is mapped, or, for a page of a large folio, an average over the
 * folio (CONFIG_NO_PAGE_MAPCOUNT, Linux 6.15)? An average proves nothing.
 */
#ifndef MODEL_MAPCOUNTS_H
#define MODEL_MAPCOUNTS_H

#include <stdbool.h>

#include "opener/opener.h"

/*
 * Found out once, by unmapping half of a huge page of our own and looking at the count of a page in that half. Where no
 * huge page is to be had and the kernel is new enough to average, the answer is false. For root callers.
 */
bool mapcounts_are_exact(struct opener *opener, const struct vmad_caller *caller);

#endif
