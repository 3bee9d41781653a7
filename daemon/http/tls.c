/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define PEM_MAX (1 << 20)
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls {
	char *cert, *key;	/* PEM, NUL-terminated */
};

static const char *read_open_file(int fd, char **ret_text)
{
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_size == 0 || st.st_size > PEM_MAX)
		return "a PEM file has 1 byte to 1 MiB";
	*ret_text = calloc(1, (size_t)st.st_size + 1);
	if (!*ret_text)
		return strerror(ENOMEM);
	len = read(fd, *ret_text, (size_t)st.st_size);
	return len < 0 ? strerror(errno) : NULL;
}

/* NULL, or what is wrong. */
static const char *read_file(const char *path, char **ret_text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *what = fd < 0 ? strerror(errno) : read_open_file(fd, ret_text);

	if (fd >= 0)
		close(fd);
	return what;
}

static const char *check_pair(const struct tls *tls)
{
	gnutls_datum_t cert = { (unsigned char *)tls->cert, (unsigned)strlen(tls->cert) };
	gnutls_datum_t key = { (unsigned char *)tls->key, (unsigned)strlen(tls->key) };
	gnutls_certificate_credentials_t credentials;
	int r = gnutls_certificate_allocate_credentials(&credentials);

	if (r < 0)
		return gnutls_strerror(r);
	r = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return "not the key of that certificate";
	return r < 0 ? gnutls_strerror(r) : NULL;
}

int tls_read(const char *cert_path, const char *key_path, struct tls **ret_tls, const char **ret_path,
	     const char **ret_what)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	*ret_path = cert_path;
	*ret_what = tls ? read_file(cert_path, &tls->cert) : strerror(ENOMEM);
	if (!*ret_what) {
		*ret_path = key_path;
		*ret_what = read_file(key_path, &tls->key);
	}
	if (!*ret_what)
		*ret_what = check_pair(tls);
	if (*ret_what) {
		tls_free(tls);
		return -EINVAL;
	}
	*ret_tls = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->key)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->key);
	free(tls->cert);
	free(tls);
}

void tls_options(const struct tls *tls, struct MHD_OptionItem options[TLS_OPTIONS])
{
	options[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert };
	options[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key };
	options[2] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES };
	options[3] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}
