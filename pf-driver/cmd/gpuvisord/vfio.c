/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to the PF. On Linux VFIO: before VFs exist, with a VF token of this start. */
#include <string.h>
#include <sys/prctl.h>

#include <gv/vfio.h>

#include "gpuvisord.h"

static const char kernel[] = "vfio:";

const char *pf_address(const struct daemon *d)
{
	return strncmp(d->gpu_uri, kernel, strlen(kernel)) ? NULL : d->gpu_uri + strlen(kernel);
}

/* From here on nobody opens a VF without it. It is in no log and no command line of ours; and in no
 * core dump, though replies and definitions of domains carry copies of it. */
static int set_token(struct daemon *d, struct gv_err *err)
{
	int rc = gv_pf_token_new(&d->token, err);

	if (rc)
		return rc;
	(void)prctl(PR_SET_DUMPABLE, 0);
	rc = gv_vfio_set_vf_token(d->bus, gv_pf_token_bytes(d->token));
	if (rc)
		return gv_fail(err, rc,
		               "%s: its VF token cannot be set (%s): an SR-IOV PF on vfio-pci and "
		               "Linux 5.7 or newer are needed",
		               d->gpu_uri, strerror(-rc));
	gv_logf(&d->log, GV_LOG_INFO, "%s: a fresh VF token is set", d->gpu_uri);
	return 0;
}

static int allow_sriov(struct daemon *d, struct gv_err *err)
{
	bool changed = false;
	int rc = gv_pf_allow_sriov(d->opt.sysfs, &changed, err);

	if (!rc && changed)
		gv_logf(&d->log, GV_LOG_INFO,
		        "vfio-pci did not allow SR-IOV: enable_sriov was N, now it is Y");
	return rc;
}

/* The kernel has the token that comes with the descriptors: VFs are open with it. */
static int open_kept(struct daemon *d, const struct gv_vfio_fds *fds, struct gv_err *err)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	gv_logf(&d->log, GV_LOG_INFO, "%s: taking over its descriptors, which were kept",
	        d->gpu_uri);
	return gv_vfio_open_fds(pf_address(d), fds, &d->log, &d->bus, err);
}

int bus_open(struct daemon *d, struct gv_err *err)
{
	struct gv_vfio_fds fds;
	int rc;

	if (pf_address(d) && store_take(d, &fds, err))
		return open_kept(d, &fds, err);
	rc = gv_bus_open(d->gpu_uri, NULL, &d->log, &d->bus, err);
	if (rc || !pf_address(d))
		return rc;
	rc = set_token(d, err);
	if (!rc)
		rc = allow_sriov(d, err);
	if (!rc)
		store_put(d);
	return rc;
}

int pf_hand_over(struct daemon *d, struct gv_err *err)
{
	int rc = allow_sriov(d, err);

	return rc ? rc
	          : gv_pf_hand_over(d->opt.sysfs, "/dev", pf_address(d), d->opt.allow_gid[0], err);
}

void bus_close(struct daemon *d)
{
	d->bus = d->bus ? gv_bus_close(d->bus) : NULL;
	d->token = gv_pf_token_free(d->token);
}
