/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls: the certificate and the key with which TCP speaks TLS. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <microhttpd.h>

struct tls;

/*
 * Both files are PEM; the certificate's may hold those that signed it, too. That the key is the certificate's is proved
 * here, so that a client is not the first to notice. -EINVAL: *ret_path and *ret_what say
 * which file is wrong, and how.
 */
int tls_read(const char *cert_path, const char *key_path, struct tls **ret_tls, const char **ret_path,
	     const char **ret_what);
void tls_free(struct tls *tls);

#define TLS_OPTIONS 4

/* What libmicrohttpd is to know; the strings stay tls's. */
void tls_options(const struct tls *tls, struct MHD_OptionItem options[TLS_OPTIONS]);

#endif
