/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PF manager's state as Prometheus text (exposition format 0.0.4). Pure: the caller takes the
 * snapshot and serves the text; gpuvisord does so with --metrics. docs/metrics.md lists every name.
 */
#ifndef GV_PF_METRICS_H
#define GV_PF_METRICS_H

#include <gv/pf_driver.h>
#include <gv/pf_pool.h>

/* What the owner of the PF manager knows of a VF beside its status. */
struct gv_pf_owned_vf {
	const char *bdf; /* NULL: the VF has no PCI address */
	enum gv_pool_state pool;
	const char *domain, *uuid; /* of the domain that runs with it, "": none that is known */
};

/**
 * All metrics of one GPU. @owned: one entry for each of status->num_vfs VFs. Texts of others
 * (labels, names of domains) are escaped.
 *
 * Return: 0 and *@text (NUL behind *@bytes, the caller frees it), or -ENOMEM.
 */
int gv_pf_metrics_text(const struct gv_pf_status *status, const struct gv_pf_owned_vf *owned,
                       char **text, size_t *bytes);

#endif
