/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accepted: what a client takes, by Accept (RFC 9110 12.5.1) or Accept-Encoding (12.5.3): names with commas between, each with parameters
 * behind semicolons, of which q is its weight (12.4.2).
 */
#ifndef HTTP_ACCEPTED_H
#define HTTP_ACCEPTED_H

#include <stdbool.h>

/* Is it named, with a weight that is not 0? Patterns ask for nothing by name. NULL for a field that is not there. */
bool accepted_names(const char *field, const char *name);

#endif
