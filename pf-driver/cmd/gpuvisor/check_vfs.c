/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sriov_numvfs refuses without a reason, and what VFs must be before they are given away. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

#define FIRST_IOV 7 /* rows of "resource": six BARs, the ROM, then six BARs of all VFs */
#define LAST_IOV  12

static int read_of(const struct check *c, const char *bdf, const char *file, char *text,
                   size_t room)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "bus/pci/devices/%s/%s", bdf, file);
	return check_read_all(c->sysfs, path, text, room);
}

/* ---- addresses: bridges must have room for the BARs of every VF ---------- */

/* VF BARs that the PF has and that got no address; bytes that all of them take. */
static unsigned without_address(const char *resource, uint64_t *bytes)
{
	uint64_t start, end, flags;
	unsigned missing = 0;

	*bytes = 0;
	for (unsigned row = 0; row <= LAST_IOV && resource; row++) {
		if (sscanf(resource, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) != 3)
			break;
		resource = strchr(resource, '\n');
		resource = resource ? resource + 1 : NULL;
		if (row < FIRST_IOV || !flags || end <= start)
			continue;
		missing += start == 0;
		*bytes += end - start + 1;
	}
	return missing;
}

static void check_window(struct check *c)
{
	char text[2048];
	uint64_t bytes;
	unsigned missing;

	if (read_of(c, c->pf_name, "resource", text, sizeof(text)))
		return;
	missing = without_address(text, &bytes);
	if (missing)
		check_add(c, "mmio-window", CHECK_FAIL, "vf-bar-unassigned",
		          "switch \"Above 4G decoding\" and SR-IOV on in the firmware; else boot "
		          "with pci=realloc",
		          "%u VF BARs of %s have no address: VFs cannot be enabled (ENOMEM)",
		          missing, c->pf_name);
	else if (bytes)
		check_add(c, "mmio-window", CHECK_OK, "", "", "%" PRIu64 " MiB for the BARs of VFs",
		          (uint64_t)(bytes / GV_MIB));
}

/* Functions 8 and up need ARI, or bus numbers that the bridge must have been given. */
static void check_ari(struct check *c)
{
	char flag[8];

	if (c->pf.total_vfs + c->pf.bdf.function < 8 ||
	    read_of(c, c->pf_name, "ari_enabled", flag, sizeof(flag)))
		return;
	if (flag[0] == '1')
		check_add(c, "ari", CHECK_OK, "", "", "on");
	else
		check_add(c, "ari", CHECK_WARN, "ari-off",
		          "ARI of the slot in the firmware, or boot with pci=assign-busses",
		          "off: the last of %u VFs may get no bus number (ERANGE)",
		          c->pf.total_vfs);
}

/* ---- the VFs themselves -------------------------------------------------- */

static bool can_flr(const struct check *c, const char *bdf)
{
	char methods[64];

	/* kernels before 5.15 do not tell */
	return read_of(c, bdf, "reset_method", methods, sizeof(methods)) || strstr(methods, "flr");
}

static void check_each(struct check *c)
{
	unsigned foreign = 0, stuck = 0;
	char bdf[GV_GLUE_BDF_TEXT];
	struct gv_glue_fn vf, first;

	for (unsigned i = 0; i < c->pf.num_vfs; i++) {
		if (gv_glue_vf_read(c->sysfs, &c->pf.bdf, i, &vf, NULL))
			continue;
		if (vf.driver[0] && strcmp(vf.driver, "vfio-pci") != 0 && !foreign++)
			first = vf;
		stuck += !can_flr(c, gv_glue_bdf_format(&vf.bdf, bdf));
	}
	if (foreign && c->ours)
		check_add(c, "vf-driver", CHECK_WARN, "vf-driver-wrong",
		          "gpuvisor bind BDF; sriov_drivers_autoprobe=0 keeps drivers of the host "
		          "away",
		          "%u VFs have a driver of the host, %s has %s", foreign,
		          gv_glue_bdf_format(&first.bdf, bdf), first.driver);
	if (stuck)
		check_add(c, "vf-reset", CHECK_FAIL, "vf-no-flr",
		          "look at reset_method of the VF, and at quirks of the kernel",
		          "%u VFs have no FLR: what one guest left reaches the next", stuck);
}

void check_vfs(struct check *c)
{
	check_window(c);
	check_ari(c);
	check_each(c);
}
