/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors of a PF on Linux VFIO, kept by whoever starts us: systemd (FileDescriptorStoreMax=)
 * or gpuvisor-keeper. As long as somebody has them open, the PF is, and its VFs stay.
 *
 *   gpuvisor.device, .group, .container, .iommufd    those of struct gv_vfio_fds
 *   gpuvisor.pf    a sealed memory file: which PF, and its VF token
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>

#include <gv/vfio.h>

#include "gpuvisord.h"

#define ABOUT "gpuvisor.pf"

static const struct {
	const char *name;
	size_t at; /* in struct gv_vfio_fds */
} rows[] = {
        {"gpuvisor.device", offsetof(struct gv_vfio_fds, device)},
        {"gpuvisor.group", offsetof(struct gv_vfio_fds, group)},
        {"gpuvisor.container", offsetof(struct gv_vfio_fds, container)},
        {"gpuvisor.iommufd", offsetof(struct gv_vfio_fds, iommufd)},
};

/* In the memory file. A new version gets a new magic. */
struct about {
	char magic[8]; /* "GVKEEP1" */
	char uri[256];
	uint32_t ioas;
	uint8_t token[16];
};
static const char magic[8] = "GVKEEP1";

static int *fd_of(struct gv_vfio_fds *fds, size_t row)
{
	return (int *)((char *)fds + rows[row].at);
}

bool store_is_there(const struct daemon *d)
{
	const char *room = getenv("FDSTORE"); /* systemd 254, and gpuvisor-keeper */

	if (d->opt.on_stop)
		return !strcmp(d->opt.on_stop, "keep");
	return room && strtoul(room, NULL, 10) > 0;
}

/* ---- to the store ---------------------------------------------------------------------- */

static void keep(struct daemon *d, int fd, const char *name)
{
	char text[96];
	int rc;

	/* FDPOLL=0: that a descriptor of VFIO cannot be polled does not make it bad. */
	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	rc = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	if (rc < 0)
		gv_logf(&d->log, GV_LOG_WARN,
		        "%s is not kept: %s; continuing, but VFs do not outlive us", name,
		        strerror(-rc));
}

static int make_about(struct daemon *d, uint32_t ioas)
{
	struct about about = {.ioas = ioas};
	gv_auto_fd int fd = memfd_create(ABOUT, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool ok;

	memcpy(about.magic, magic, sizeof(magic));
	(void)snprintf(about.uri, sizeof(about.uri), "%s", d->gpu_uri);
	memcpy(about.token, gv_pf_token_bytes(d->token), sizeof(about.token));
	ok = fd >= 0 && write(fd, &about, sizeof(about)) == (ssize_t)sizeof(about) &&
	     !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	explicit_bzero(&about, sizeof(about));
	return ok ? gv_take_fd(&fd) : -1;
}

void store_put(struct daemon *d)
{
	struct gv_vfio_fds fds;
	gv_auto_fd int about = -1;

	if (!store_is_there(d) || gv_vfio_get_fds(d->bus, &fds))
		return;
	about = make_about(d, fds.ioas);
	if (about < 0) {
		gv_logf(&d->log, GV_LOG_WARN, "the PF's descriptors are not kept: %s; continuing",
		        strerror(errno));
		return;
	}
	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++)
		if (*fd_of(&fds, i) >= 0)
			keep(d, *fd_of(&fds, i), rows[i].name);
	keep(d, about, ABOUT);
}

void store_drop(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++)
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", rows[i].name);
	(void)sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" ABOUT);
}

/* ---- from the store --------------------------------------------------------------------- */

/* Written by the one before us, and sealed; all the same, it came from outside. */
static bool read_about(struct daemon *d, int fd, struct about *about)
{
	return pread(fd, about, sizeof(*about), 0) == (ssize_t)sizeof(*about) &&
	       !memcmp(about->magic, magic, sizeof(magic)) &&
	       !strncmp(about->uri, d->gpu_uri, sizeof(about->uri));
}

/* The last of each name; others are not ours to keep open. */
static void sort(int count, char **names, struct gv_vfio_fds *fds, int *about)
{
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i, *to = NULL;

		for (size_t k = 0; k < GV_ARRAY_LEN(rows); k++)
			if (!strcmp(names[i], rows[k].name))
				to = fd_of(fds, k);
		if (!strcmp(names[i], ABOUT))
			to = about;
		free(names[i]);
		if (to)
			gv_closep(to);
		if (to)
			*to = fd;
		else
			(void)close(fd);
	}
	free(names);
}

bool store_take(struct daemon *d, struct gv_vfio_fds *fds, struct gv_err *err)
{
	gv_auto_fd int fd = -1;
	struct about about;
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);

	*fds = (struct gv_vfio_fds){-1, -1, -1, -1, 0};
	if (count > 0)
		sort(count, names, fds, &fd);
	if (fds->device >= 0 && fd >= 0 && read_about(d, fd, &about) &&
	    !gv_pf_token_of(about.token, &d->token, err)) {
		explicit_bzero(about.token, sizeof(about.token));
		fds->ioas = about.ioas;
		return true;
	}
	if (fds->device >= 0)
		gv_logf(&d->log, GV_LOG_WARN,
		        "descriptors were kept, but not those of %s; continuing without",
		        d->gpu_uri);
	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++)
		gv_closep(fd_of(fds, i));
	return false;
}
