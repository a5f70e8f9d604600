/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "check.h"

#define PREEMPT                                                                                    \
	{                                                                                          \
		"preempt_timeout_ms",                                                              \
		        "a whole number of milliseconds from 1 to 10000 is possible",              \
		        offsetof(struct gv_cfg_vf, preempt_timeout_ms), 1, 1,                      \
		        GV_CFG_PREEMPT_MS_MAX, 0                                                   \
	}

const struct gv_cfg_number gv_cfg_numbers[GV_CFG_NUMBERS] = {
        {"fb_mib",
         "a whole number of MiB, a multiple of 16 from 64 to 1048576, or \"rest\" is possible",
         offsetof(struct gv_cfg_vf, fb_mib), GV_CFG_FB_MIB_UNIT, GV_CFG_FB_MIB_MIN,
         GV_CFG_FB_MIB_MAX, 0},
        {"doorbells", "a whole number of 64-bit doorbells from 1 to 1048576 is possible",
         offsetof(struct gv_cfg_vf, doorbells), 1, 1, GV_CFG_DOORBELLS_MAX, 0},
        {"quantum_ms", "a whole number of milliseconds from 1 to 1000 is possible",
         offsetof(struct gv_cfg_vf, quantum_ms), 1, 1, GV_CFG_QUANTUM_MS_MAX, GV_CFG_QUANTUM_MS},
        {"weight", "a whole number from 1 to 100 is possible", offsetof(struct gv_cfg_vf, weight),
         1, 1, GV_CFG_WEIGHT_MAX, GV_CFG_WEIGHT},
        {"priority", "a whole number from 0 to 15 is possible",
         offsetof(struct gv_cfg_vf, priority), 1, 0, GV_CFG_PRIORITY_MAX, 0},
        PREEMPT,
};
const struct gv_cfg_number gv_cfg_preempt = PREEMPT;

static const char *const sched_names[GV_CFG_SCHEDS] = {
        [GV_CFG_SCHED_NONE] = "none",
        [GV_CFG_SCHED_FAIR] = "fair",
        [GV_CFG_SCHED_FIXED] = "fixed",
        [GV_CFG_SCHED_BEST_EFFORT] = "best-effort",
};

const char *gv_cfg_sched_name(enum gv_cfg_sched policy)
{
	return (unsigned)policy < GV_CFG_SCHEDS ? sched_names[policy] : NULL;
}

static int check_scheduler(const struct gv_cfg *cfg, struct gv_err *err)
{
	int rc = 0;

	if (!gv_cfg_sched_name(cfg->policy))
		return gv_fail(err, -EINVAL, "scheduler.policy: %u asked, " GV_CFG_SCHED_POSSIBLE,
		               (unsigned)cfg->policy);
	if (cfg->preempt_timeout_ms)
		rc = gv_cfg_check_number(&gv_cfg_preempt, cfg->preempt_timeout_ms, err);
	if (rc)
		gv_fail_prefix(err, "scheduler.%s", gv_cfg_preempt.key);
	return rc;
}

int gv_cfg_check_number(const struct gv_cfg_number *n, int64_t v, struct gv_err *err)
{
	if (v < n->min || v > n->max || v % n->unit)
		return gv_fail(err, -ERANGE, "%lld asked, %s", (long long)v, n->possible);
	return 0;
}

static bool name_letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '_' || c == '-';
}

/* These names go into XML, metrics and shell lines: nothing there may need quoting. */
int gv_cfg_check_name(const char *name, struct gv_err *err)
{
	size_t n = strnlen(name, sizeof(((struct gv_cfg_vf *)0)->label));

	if (!n || n == sizeof(((struct gv_cfg_vf *)0)->label))
		return gv_fail(err, -EINVAL, "%s asked, 1 to 63 letters are possible",
		               n ? "more than 63 letters" : "an empty name");
	for (size_t i = 0; i < n; i++)
		if (!name_letter(name[i]))
			return gv_fail(err, -EINVAL,
			               "a name with other letters asked, letters, digits, . _ - "
			               "are possible");
	return 0;
}

/* dddd:bb:dd.f */
static bool is_bdf(const char *p)
{
	static const char form[] = "hhhh:hh:hh.o";

	if (strlen(p) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		bool hex = strchr("0123456789abcdefABCDEF", p[i]) != NULL;

		if (form[i] == 'h'   ? !hex
		    : form[i] == 'o' ? p[i] < '0' || p[i] > '7'
		                     : p[i] != form[i])
			return false;
	}
	return strtoul(p + 8, NULL, 16) < 32; /* a bus has 32 slots */
}

int gv_cfg_check_uri(const char *uri, struct gv_err *err)
{
	static const char user[] = "vfio-user:", vfio[] = "vfio:";
	const char *path;

	/* first: the other messages repeat the text, and a message is one line */
	for (const char *p = uri; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return gv_fail(err, -EINVAL,
			               "a control character asked, plain text is possible");
	if (!strncmp(uri, vfio, sizeof(vfio) - 1)) {
		if (is_bdf(uri + sizeof(vfio) - 1))
			return 0;
		return gv_fail(err, -EINVAL,
		               "\"%.100s\" asked, vfio:DDDD:BB:SS.F is possible, as in "
		               "vfio:0000:03:00.0",
		               uri);
	}
	if (strncmp(uri, user, sizeof(user) - 1))
		return gv_fail(
		        err, -EINVAL,
		        "\"%.100s\" asked, vfio-user:/SOCKET or vfio:DDDD:BB:SS.F is possible",
		        uri);
	path = uri + sizeof(user) - 1;
	if (path[0] != '/')
		return gv_fail(
		        err, -EINVAL,
		        "\"%.100s\" asked, an absolute path is possible behind vfio-user:", uri);
	if (strlen(path) > 107)
		return gv_fail(err, -EINVAL, "a socket path of %zu bytes asked, 107 is possible",
		               strlen(path));
	return 0;
}

static int check_vf(const struct gv_cfg_vf *vf, unsigned at, struct gv_err *err)
{
	int rc;

	for (unsigned i = 0; i < GV_CFG_NUMBERS; i++) {
		const struct gv_cfg_number *n = &gv_cfg_numbers[i];
		uint32_t v;

		memcpy(&v, (const char *)vf + n->offset, sizeof(v));
		if (!v && !n->otherwise)
			continue; /* automatic */
		rc = gv_cfg_check_number(n, v, err);
		if (rc) {
			gv_fail_prefix(err, "vfs[%u].%s", at, n->key);
			return rc;
		}
	}
	if (!vf->label[0])
		return 0;
	rc = gv_cfg_check_name(vf->label, err);
	if (rc)
		gv_fail_prefix(err, "vfs[%u].label", at);
	return rc;
}

static int check_labels(const struct gv_cfg *cfg, struct gv_err *err)
{
	for (uint32_t i = 0; i < cfg->num_vfs; i++)
		for (uint32_t k = 0; k < i; k++)
			if (cfg->vfs[i].label[0] && !strcmp(cfg->vfs[i].label, cfg->vfs[k].label))
				return gv_fail(err, -EINVAL,
				               "vfs[%u].label: \"%s\" asked, vfs[%u] has it "
				               "already: a label of its own is possible",
				               i, cfg->vfs[i].label, k);
	return 0;
}

int gv_cfg_check(const struct gv_cfg *cfg, struct gv_err *err)
{
	int rc = 0;

	if (cfg->num_vfs < 1 || cfg->num_vfs > GV_CFG_MAX_VFS)
		return gv_fail(err, -ERANGE, "num_vfs: %u asked, 1 to %u is possible", cfg->num_vfs,
		               GV_CFG_MAX_VFS);
	if (strnlen(cfg->gpu, sizeof(cfg->gpu)) == sizeof(cfg->gpu))
		return gv_fail(err, -EINVAL, "gpu: text without an end");
	if (cfg->gpu[0])
		rc = gv_cfg_check_uri(cfg->gpu, err);
	if (rc) {
		gv_fail_prefix(err, "gpu");
		return rc;
	}
	if (cfg->name[0])
		rc = gv_cfg_check_name(cfg->name, err);
	if (rc) {
		gv_fail_prefix(err, "name");
		return rc;
	}
	rc = check_scheduler(cfg, err);
	if (!rc)
		rc = gv_cfg_check_guard(cfg, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < cfg->num_vfs; i++) {
		rc = check_vf(&cfg->vfs[i], i, err);
		if (rc)
			return rc;
	}
	return check_labels(cfg, err);
}
