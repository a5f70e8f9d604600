/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host must grant a PF on Linux VFIO: VFs of a vfio-pci PF, the token
 * without which nobody opens them, and a group that needs no root for it.
 * See docs/gpuvisord.md.
 */
#ifndef GV_PF_HOST_H
#define GV_PF_HOST_H

#include <sys/types.h>

#include <gv/base.h>

/** Make vfio-pci allow SR-IOV: writes Y to its parameter enable_sriov when it is N. @root: "/sys".
 *  *@changed (may be NULL): it was N. -ENOENT: no module vfio_pci, or a kernel without SR-IOV;
 *  -EACCES, -EPERM: N, and we may not change it; -EIO: it stays N. The text says what to do. */
int gv_pf_allow_sriov(const char *root, bool *changed, struct gv_err *err);

/** As root: let @group use the PF at @bdf, which is on vfio-pci: its node in /dev/vfio and its
 *  sriov_numvfs get that group, readable and writable. @sys "/sys", @dev "/dev". Nothing else needs
 *  root. -ENODEV: no such node; -EPERM: not root; else as the kernel says. */
int gv_pf_hand_over(const char *sys, const char *dev, const char *bdf, gid_t group,
                    struct gv_err *err);

/* A fresh VF token, in memory of its own that is not in core dumps. */
struct gv_pf_token;
#define GV_PF_TOKEN_TEXT 37
/** A random (version 4) UUID. -ENOMEM; -EIO: no random numbers. */
int gv_pf_token_new(struct gv_pf_token **token, struct gv_err *err);
/** The one of these bytes, which somebody kept. -ENOMEM. */
int gv_pf_token_of(const uint8_t byte[16], struct gv_pf_token **out, struct gv_err *err);
/** Overwrites it first. Takes NULL, returns NULL. */
struct gv_pf_token *gv_pf_token_free(struct gv_pf_token *token);
/** 16 bytes, borrowed. */
const uint8_t *gv_pf_token_bytes(const struct gv_pf_token *token);
/** "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx" into @text: wipe it with explicit_bzero() after use. */
void gv_pf_token_text(const struct gv_pf_token *token, char text[GV_PF_TOKEN_TEXT]);

#endif
