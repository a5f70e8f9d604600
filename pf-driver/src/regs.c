/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Register writes that are read back and can be undone; checked register access. */
#include "pf.h"

static int remember(struct gv_pf *pf, uint32_t byte, uint32_t was, bool config, struct gv_err *err)
{
	if (pf->num_saved == PF_MAX_SAVED)
		return gv_fail(err, -ENOMEM, "more than %u registers to put back", PF_MAX_SAVED);
	pf->saved[pf->num_saved++] = (struct pf_saved){byte, was, config};
	return 0;
}

static int mismatch(struct gv_pf *pf, uint32_t byte, uint32_t mask, uint32_t want, uint32_t got,
                    struct gv_err *err)
{
	char line[256];
	int rc = gv_bus_status(pf->bus);

	gv_reg_format(line, sizeof(line), byte, got);
	return gv_fail(err, rc ? rc : -EIO, "read %s, bits 0x%08x must be 0x%08x", line, mask,
	               want & mask);
}

int pf_expect(struct gv_pf *pf, uint32_t byte, uint32_t mask, uint32_t want, struct gv_err *err)
{
	uint32_t got = gv_rd32(pf->bus, byte);

	return (got & mask) == (want & mask) ? 0 : mismatch(pf, byte, mask, want, got, err);
}

static void trace(struct gv_pf *pf, uint32_t byte, uint32_t val)
{
	char line[256];

	if (!pf->cfg.trace_registers)
		return;
	gv_reg_format(line, sizeof(line), byte, val);
	PF_LOG(pf, GV_LOG_DEBUG, "write %s", line);
}

int pf_set(struct gv_pf *pf, uint32_t byte, uint32_t val, uint32_t mask, struct gv_err *err)
{
	int rc = remember(pf, byte, gv_rd32(pf->bus, byte), false, err);

	if (rc)
		return rc;
	trace(pf, byte, val);
	gv_wr32(pf->bus, byte, val);
	return mask ? pf_expect(pf, byte, mask, val, err) : 0;
}

int pf_set_cfg(struct gv_pf *pf, uint16_t off, uint32_t val, uint32_t mask, struct gv_err *err)
{
	uint32_t got;
	int rc = remember(pf, off, gv_cfg_rd32(pf->bus, off), true, err);

	if (rc)
		return rc;
	gv_cfg_wr32(pf->bus, off, val);
	got = gv_cfg_rd32(pf->bus, off);
	if ((got & mask) == (val & mask))
		return 0;
	rc = gv_bus_status(pf->bus);
	return gv_fail(err, rc ? rc : -EIO,
	               "configuration space at 0x%03x reads 0x%08x, 0x%08x was written", off, got,
	               val);
}

void pf_restore(struct gv_pf *pf, unsigned down_to)
{
	while (pf->num_saved > down_to) {
		const struct pf_saved *s = &pf->saved[--pf->num_saved];

		if (s->config)
			gv_cfg_wr32(pf->bus, (uint16_t)s->byte, s->was);
		else
			gv_wr32(pf->bus, s->byte, s->was);
	}
}

static int check_access(uint32_t byte, bool write)
{
	int reg = byte % 4 ? -ENOENT : gv_reg_at(byte, NULL);
	enum gv_access pf;

	if (reg < 0)
		return -ENOENT;
	pf = gv_reg_info((enum gv_reg)reg)->pf;
	return pf == GV_RW || (pf == GV_RO && !write) ? 0 : -EACCES;
}

int gv_pf_reg_read(struct gv_pf *pf, uint32_t byte, uint32_t *val)
{
	int rc = check_access(byte, false);
	uint32_t got;

	if (rc)
		return rc;
	got = gv_rd32(pf->bus, byte);
	rc = gv_bus_status(pf->bus);
	if (!rc)
		*val = got;
	return rc;
}

int gv_pf_reg_write(struct gv_pf *pf, uint32_t byte, uint32_t val)
{
	int rc = check_access(byte, true);

	if (rc)
		return rc;
	gv_wr32(pf->bus, byte, val);
	return gv_bus_status(pf->bus);
}
