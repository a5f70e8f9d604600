/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <gv/pf_host.h>

/* ---- enable_sriov --------------------------------------------------------------- */

static int read_flag(const char *path, char *flag)
{
	gv_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return read(fd, flag, 1) == 1 ? 0 : -EIO;
}

static int write_flag(const char *path)
{
	gv_auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, "Y", 1) == 1 ? 0 : -errno;
}

int gv_pf_allow_sriov(const char *root, bool *changed, struct gv_err *err)
{
	char path[512], flag = 0;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/module/vfio_pci/parameters/enable_sriov", root);
	rc = read_flag(path, &flag);
	if (rc)
		return gv_fail(err, rc,
		               "%s: %s: modprobe vfio-pci; the kernel needs CONFIG_PCI_IOV", path,
		               strerror(-rc));
	if (changed)
		*changed = flag != 'Y';
	if (flag == 'Y')
		return 0;
	rc = write_flag(path);
	if (!rc && (read_flag(path, &flag) || flag != 'Y'))
		rc = -EIO;
	if (rc)
		return gv_fail(err, rc,
		               "vfio-pci does not allow SR-IOV (enable_sriov is N) and that cannot "
		               "be changed here (%s): as root: echo Y > %s",
		               strerror(-rc), path);
	return 0;
}

/* ---- token ------------------------------------------------------------------------ */

struct gv_pf_token {
	uint8_t byte[16];
};
#define PAGE_BYTES 4096u

static int fill(uint8_t *byte, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = getrandom(byte + have, n - have, 0);

		if (got < 0 && errno != EINTR)
			return -EIO;
		have += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

/* Neither in core dumps nor in forks; and not on a swap device, if we may ask for that. */
static struct gv_pf_token *token_page(struct gv_err *err)
{
	struct gv_pf_token *t =
	        mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED) {
		(void)gv_fail(err, -ENOMEM, "no memory for a VF token");
		return NULL;
	}
	(void)madvise(t, PAGE_BYTES, MADV_DONTDUMP);
	(void)madvise(t, PAGE_BYTES, MADV_WIPEONFORK);
	(void)mlock(t, PAGE_BYTES);
	return t;
}

int gv_pf_token_new(struct gv_pf_token **out, struct gv_err *err)
{
	struct gv_pf_token *t = token_page(err);

	if (!t)
		return -ENOMEM;
	if (fill(t->byte, sizeof(t->byte))) {
		(void)gv_pf_token_free(t);
		return gv_fail(err, -EIO, "no random numbers for a VF token");
	}
	t->byte[6] = (uint8_t)((t->byte[6] & 0x0f) | 0x40); /* RFC 4122: version 4, */
	t->byte[8] = (uint8_t)((t->byte[8] & 0x3f) | 0x80); /* variant 1 */
	*out = t;
	return 0;
}

int gv_pf_token_of(const uint8_t byte[16], struct gv_pf_token **out, struct gv_err *err)
{
	struct gv_pf_token *t = token_page(err);

	if (!t)
		return -ENOMEM;
	memcpy(t->byte, byte, sizeof(t->byte));
	*out = t;
	return 0;
}

struct gv_pf_token *gv_pf_token_free(struct gv_pf_token *t)
{
	if (!t)
		return NULL;
	explicit_bzero(t, sizeof(*t));
	(void)munmap(t, PAGE_BYTES);
	return NULL;
}

const uint8_t *gv_pf_token_bytes(const struct gv_pf_token *t)
{
	return t->byte;
}

void gv_pf_token_text(const struct gv_pf_token *t, char text[GV_PF_TOKEN_TEXT])
{
	static const char digit[] = "0123456789abcdef";
	char *p = text;

	for (unsigned i = 0; i < sizeof(t->byte); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digit[t->byte[i] >> 4];
		*p++ = digit[t->byte[i] & 15];
	}
	*p = '\0';
}
