/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of the PF: both hubs see all of VRAM from address 0 and keep their faults. */
#include "pf.h"

/* Fields have the same places in both hubs, so one value serves both. */
#define BOTH(name, value, mask)                                                                    \
	{                                                                                          \
		{name##__BYTE, MMHUB_##name##__BYTE}, value, mask                                  \
	}
#define F(name, field) gv_mask(name##__##field##__LO, name##__##field##__BITS)

#define FB_UNIT_SHIFT                  24 /* FB_LOCATION: 16 MiB */
#define APERTURE_SHIFT                 18 /* SYSTEM_APERTURE: 256 KiB */
#define ACCESS_MODE_IN_SYSTEM_APERTURE 3
#define MTYPE_UC                       3

struct row {
	uint32_t byte[2];
	uint32_t val, mask; /* mask 0: reads back something else */
};

static int set_rows(struct gv_pf *pf, const struct row *row, size_t count, struct gv_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		for (unsigned hub = 0; !rc && hub < 2; hub++)
			rc = pf_set(pf, row[i].byte[hub], row[i].val, row[i].mask, err);
	return rc;
}

static int set_location(struct gv_pf *pf, struct gv_err *err)
{
	uint64_t last = pf->vram_bytes - 1;
	const struct row rows[] = {
	        BOTH(MC_VM_FB_LOCATION_BASE, 0, UINT32_MAX),
	        BOTH(MC_VM_FB_LOCATION_TOP, (uint32_t)(last >> FB_UNIT_SHIFT), UINT32_MAX),
	        BOTH(MC_VM_FB_OFFSET, 0, UINT32_MAX),
	        BOTH(MC_VM_AGP_BASE, 0, UINT32_MAX),
	        BOTH(MC_VM_AGP_BOT, F(MC_VM_AGP_BOT, AGP_BOT), UINT32_MAX), /* above TOP: off */
	        BOTH(MC_VM_AGP_TOP, 0, UINT32_MAX),
	        BOTH(MC_VM_SYSTEM_APERTURE_LOW_ADDR, 0, UINT32_MAX),
	        BOTH(MC_VM_SYSTEM_APERTURE_HIGH_ADDR, (uint32_t)(last >> APERTURE_SHIFT),
	             UINT32_MAX),
	};

	return set_rows(pf, rows, GV_ARRAY_LEN(rows), err);
}

/* Faults are reported by interrupt and stay readable until they are cleared. */
static uint32_t fault_cntl(void)
{
	return gv_reg_info(GV_REG_VM_L2_PROTECTION_FAULT_CNTL)->reset;
}

static int set_caches(struct gv_pf *pf, struct gv_err *err)
{
	const struct row rows[] = {
	        BOTH(MC_VM_MX_L1_TLB_CNTL,
	             GV_PUT(MC_VM_MX_L1_TLB_CNTL, ENABLE_L1_TLB, 1) |
	                     GV_PUT(MC_VM_MX_L1_TLB_CNTL, SYSTEM_ACCESS_MODE,
	                            ACCESS_MODE_IN_SYSTEM_APERTURE) |
	                     GV_PUT(MC_VM_MX_L1_TLB_CNTL, ENABLE_ADVANCED_DRIVER_MODEL, 1) |
	                     GV_PUT(MC_VM_MX_L1_TLB_CNTL, MTYPE, MTYPE_UC) |
	                     GV_PUT(MC_VM_MX_L1_TLB_CNTL, ATC_EN, 1),
	             UINT32_MAX),
	        BOTH(VM_L2_CNTL,
	             gv_reg_info(GV_REG_VM_L2_CNTL)->reset |
	                     GV_PUT(VM_L2_CNTL, ENABLE_L2_CACHE, 1) |
	                     GV_PUT(VM_L2_CNTL, ENABLE_L2_FRAGMENT_PROCESSING, 1),
	             F(VM_L2_CNTL, ENABLE_L2_CACHE)),
	        BOTH(VM_L2_CNTL2,
	             GV_PUT(VM_L2_CNTL2, INVALIDATE_ALL_L1_TLBS, 1) |
	                     GV_PUT(VM_L2_CNTL2, INVALIDATE_L2_CACHE, 1),
	             0),
	        BOTH(VM_L2_PROTECTION_FAULT_CNTL,
	             fault_cntl() | GV_PUT(VM_L2_PROTECTION_FAULT_CNTL,
	                                   CLEAR_PROTECTION_FAULT_STATUS_ADDR, 1),
	             0),
	        BOTH(VM_L2_PROTECTION_FAULT_CNTL, fault_cntl(), UINT32_MAX),
	};

	return set_rows(pf, rows, GV_ARRAY_LEN(rows), err);
}

int pf_gmc_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = set_location(pf, err);

	return rc ? rc : set_caches(pf, err);
}
