/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The admin's JSON profile, checked and turned into a plain struct, and back.
 * json-c is used nowhere else. docs/profiles.md explains every key;
 * configs/schema/profile.schema.json says the same to editors.
 *
 * Checked here: everything that can be said without a GPU. Whether it fits a
 * given GPU (sum of the shares, how many VFs) is the PF driver's plan.
 */
#ifndef GV_CONFIGS_H
#define GV_CONFIGS_H

#include <gv/base.h>
#include <gv/cfg_guard.h>

#define GV_CFG_MAX_VFS 31 /* five bits of MAILBOX_INDEX, less the PF */

/* What a value may be. 0 in a struct gv_cfg_vf always means "not said: automatic". */
#define GV_CFG_FB_MIB_UNIT    16u
#define GV_CFG_FB_MIB_MIN     64u
#define GV_CFG_FB_MIB_MAX     (1u << 20)
#define GV_CFG_DOORBELLS_MAX  (1u << 20)
#define GV_CFG_QUANTUM_MS_MAX 1000u
#define GV_CFG_QUANTUM_MS     6u /* default */
#define GV_CFG_WEIGHT_MAX     100u
#define GV_CFG_WEIGHT         1u /* default */
#define GV_CFG_PRIORITY_MAX   15u
#define GV_CFG_PREEMPT_MS_MAX 10000u
#define GV_CFG_PREEMPT_MS     500u /* default of the scheduler */

#define GV_CFG_MAX_FILE_BYTES (1u << 20)
#define GV_CFG_MAX_DEPTH      8u /* a profile needs 3 */

/* How VFs share the engines. */
enum gv_cfg_sched {
	GV_CFG_SCHED_NONE,        /* side by side: an ability of the emulated GPU */
	GV_CFG_SCHED_FAIR,        /* best-effort, and whoever took too long pays it back */
	GV_CFG_SCHED_FIXED,       /* everybody keeps its slices, busy or not */
	GV_CFG_SCHED_BEST_EFFORT, /* a VF without work gives its slice up */
	GV_CFG_SCHEDS,
};
#define GV_CFG_SCHED GV_CFG_SCHED_NONE /* of a profile that does not say */
/** "none", "fair", "fixed", "best-effort"; NULL for no policy. */
const char *gv_cfg_sched_name(enum gv_cfg_sched policy);

struct gv_cfg_vf {
	uint32_t fb_mib;     /* 0: an equal share of what the others leave */
	uint32_t doorbells;  /* 64-bit doorbells, rounded up to pages; 0: all that a VF can have */
	uint32_t quantum_ms; /* time slice; never 0 */
	uint32_t weight;     /* slices per round; never 0 */
	uint32_t priority;   /* higher ones run first in a round; 0: the lowest */
	uint32_t preempt_timeout_ms; /* 0: that of the scheduler */
	char label[64];              /* "" none; letters, digits, . _ -; no two VFs have the same */
};

struct gv_cfg {
	char name[64]; /* "" none; same letters as a label */
	char gpu[256]; /* "vfio-user:/path/of/socket", "vfio:0000:03:00.0", "" = say it elsewhere */
	enum gv_cfg_sched policy;    /* "scheduler": {"policy": ...} */
	uint32_t preempt_timeout_ms; /* a VF that lets go of the engines later hangs; 0: 500 */
	struct gv_cfg_guard guard[GV_CFG_GUARDS]; /* by kind; zero: as gv_cfg_guard_default() */
	uint32_t num_vfs;                         /* 1..GV_CFG_MAX_VFS */
	struct gv_cfg_vf vfs[GV_CFG_MAX_VFS];     /* the first num_vfs count; the rest are zero */
};

/**
 * Check and convert @bytes of JSON text (need not end in NUL).
 *
 * Strict: one object, UTF-8, no unknown or repeated key, whole numbers where numbers are asked,
 * nothing behind the closing brace. -EINVAL: not a profile; -ERANGE: a number outside its range;
 * -E2BIG: larger than GV_CFG_MAX_FILE_BYTES; -ENOMEM. The text names the place ("vfs[1].fb_mib"),
 * what was asked and what is possible. @cfg is written only on success.
 */
int gv_cfg_parse(const char *text, size_t bytes, struct gv_cfg *cfg, struct gv_err *err);

/** The same from a regular file (anything else is -EINVAL). Does not block on a FIFO. Adds the
 *  path to the text. Errors of open and read as they are. */
int gv_cfg_load_file(const char *path, struct gv_cfg *cfg, struct gv_err *err);

/** Check a struct that did not come from gv_cfg_parse(). Errors as there. */
int gv_cfg_check(const struct gv_cfg *cfg, struct gv_err *err);

/** Write @cfg as JSON; parsing it gives @cfg back. *@json: caller frees. -ENOMEM. */
int gv_cfg_to_json(const struct gv_cfg *cfg, char **json);

/** Is @uri one that gv_bus_open() can be given? -EINVAL else, and why. */
int gv_cfg_check_uri(const char *uri, struct gv_err *err);

#endif
