/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authority: whom a request is meant for, by Host ("name" or "name:port", RFC 9110 7.2), and which site a browser sends it for, by
 * Origin ("scheme://name:port" or "null", RFC 6454 7.1). Names are compared without regard to case.
 */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include <stdbool.h>

/* Is it this host, at whatever port? An address of IPv6 stands in brackets. */
bool authority_names(const char *host, const char *name);

/* Does the Origin name that very Host, port and all? */
bool authority_is_origin(const char *host, const char *origin);

#endif
