/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which driver a VF has, and who may use it. The only calls of this part that
 * change the machine outside libvirt; none of them ever touches a PF.
 */
#ifndef GV_BINDING_H
#define GV_BINDING_H

#include <gv/hypervisor_glue.h>

/**
 * Bind a VF to @driver ("vfio-pci"): driver_override, unbind, probe, then read back that this and
 * no other driver has it. Nothing is done when it has it already.
 * @root: "/sys". -EINVAL: not a VF (a PF is refused by name), or no driver's name; -ENOENT: the
 * driver is not loaded; -EBUSY: the IOMMU group has a function on a host driver, or the VF would
 * not let go within 5 s; -EIO: read back something else. On failure the former driver is restored
 * as far as the kernel lets us; the text says so.
 */
int gv_glue_bind(const char *root, const struct gv_glue_bdf *vf, const char *driver,
                 struct gv_err *err);
/** Unbind from whatever driver and clear driver_override. Errors as above. */
int gv_glue_unbind(const char *root, const struct gv_glue_bdf *vf, struct gv_err *err);

/** Whether every function of the VF's IOMMU group may be given away together: -EBUSY names the one
 *  that may not (a host driver is bound), -ENOTSUP: no IOMMU. Bridges do not count. */
int gv_glue_group_check(const char *root, const struct gv_glue_fn *fn, struct gv_err *err);

/* ---- claims: one user per VF ----------------------------------------------
 * A claim is a small file DIR/ADDRESS that names the owner; it outlives the process that wrote it.
 * Changes happen under a lock of DIR, so two who ask at once get one answer each. A DIR that others
 * can write, or that is neither root's nor ours (for root, gpuvisord's user's is his own), is
 * refused by all three: -EPERM. */

#define GV_GLUE_CLAIM_DIR  "/run/gpuvisor/claims"
#define GV_GLUE_OWNER_TEXT 128

/** Claim for @owner (printable, < GV_GLUE_OWNER_TEXT bytes). Own claim again: 0. -EBUSY: somebody
 *  else's, the text names who. Makes @dir (0755) when missing. Waits at most 5 s for the lock. */
int gv_glue_claim_take(const char *dir, const struct gv_glue_bdf *vf, const char *owner,
                       struct gv_err *err);
/** Give up @owner's claim; NULL: whoever's. -ENOENT: there is none; -EPERM: somebody else's. */
int gv_glue_claim_drop(const char *dir, const struct gv_glue_bdf *vf, const char *owner,
                       struct gv_err *err);
/** Who has it: @owner has room for GV_GLUE_OWNER_TEXT bytes. -ENOENT: nobody. */
int gv_glue_claim_read(const char *dir, const struct gv_glue_bdf *vf, char *owner,
                       struct gv_err *err);

#endif
