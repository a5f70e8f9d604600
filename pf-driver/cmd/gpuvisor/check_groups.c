/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What shares an IOMMU group goes to one VM together: bridges without ACS make it so. */
#include <gv/binding.h>

#include "check.h"

static const char remedy[] = "ACS of the bridge above in the firmware, or another slot";

/* VFs that are in the group of the PF or of a VF before them. */
static unsigned together(const struct check *c)
{
	int group[256];
	struct gv_glue_fn fn;
	unsigned n = 0, bad = 0;

	group[n++] = c->pf.iommu_group;
	for (unsigned i = 0; i < c->pf.num_vfs && n < GV_ARRAY_LEN(group); i++) {
		unsigned at = 0;

		if (gv_glue_vf_read(c->sysfs, &c->pf.bdf, i, &fn, NULL) || fn.iommu_group < 0)
			continue;
		while (at < n && group[at] != fn.iommu_group)
			at++;
		bad += at < n;
		group[n++] = fn.iommu_group;
	}
	return bad;
}

/* VFs in a group with something that the host uses; @err: about the first. */
static unsigned with_host(const struct check *c, unsigned *seen, struct gv_err *err)
{
	struct gv_glue_fn fn;
	unsigned bad = 0;

	for (unsigned i = 0; i < c->pf.num_vfs; i++) {
		if (gv_glue_vf_read(c->sysfs, &c->pf.bdf, i, &fn, NULL))
			continue;
		++*seen;
		bad += gv_glue_group_check(c->sysfs, &fn, bad ? NULL : err) != 0;
	}
	return bad;
}

void check_groups(struct check *c)
{
	struct gv_err err = {0};
	unsigned bad, seen = 0, shared;

	/* The host keeps a PF that is not ours: only its VFs leave. */
	if (c->ours && gv_glue_group_check(c->sysfs, &c->pf, &err)) {
		check_add(c, "iommu-group", CHECK_FAIL, "group-shared", remedy, "PF: %s", err.text);
		return;
	}
	bad = with_host(c, &seen, &err);
	shared = together(c);
	if (bad)
		check_add(c, "iommu-group", CHECK_FAIL, "group-shared", remedy, "%u of %u VFs: %s",
		          bad, seen, err.text);
	else if (shared)
		check_add(c, "iommu-group", CHECK_FAIL, "group-several-vfs", remedy,
		          "%u of %u VFs are in one group with the PF or another VF: two VMs cannot "
		          "have them",
		          shared, seen);
	else
		check_add(c, "iommu-group", CHECK_OK, "", "",
		          "those %sof %u VFs hold nothing that the host uses",
		          c->ours ? "of the PF and " : "", seen);
}
