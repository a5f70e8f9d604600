/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first byte chooses. 0..2: the rest is a page (pf2vf, vf2pf, VBIOS) from
 * the other side. Else: a script of events for the PF end of 4 VFs and for a
 * guest, 8 bytes each, whose promises must hold after every one.
 */
#include <stdlib.h>
#include <string.h>

#include <gv/mailbox.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VFS 4

static void pages(unsigned which, const uint8_t *data, size_t size)
{
	static uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_mbox_pf2vf_info pf2vf;
	struct gv_mbox_vf2pf_info vf2pf;
	struct gv_mbox_vbios vbios;
	struct gv_err err;
	uint64_t pfn[GV_MBOX_BAD_PAGES_MAX];
	unsigned count;
	uint32_t sum;

	if (which == 2) {
		(void)gv_mbox_vbios_check(data, size, &vbios, &err);
		return;
	}
	memset(page, 0, sizeof(page));
	memcpy(page, data, GV_MIN(size, sizeof(page)));
	if (size > sizeof(page)) { /* a fuzzer does not guess checksums: give it one */
		uint32_t bytes;

		memcpy(&bytes, page, sizeof(bytes));
		sum = gv_mbox_checksum(page, GV_MIN(bytes, GV_MBOX_PAGE_BYTES), 16, 0);
		memcpy(page + 16, &sum, sizeof(sum));
	}
	if (which == 0 && !gv_mbox_pf2vf_read(page, 0, &pf2vf, &err))
		(void)gv_mbox_bad_pages_read(page, pf2vf.bad_page_count * 8 % 1032, 1 << 20, pfn,
		                             &count, &err);
	if (which == 1 && !gv_mbox_vf2pf_read(page, &vf2pf, &err) &&
	    strnlen(vf2pf.driver_version, 65) > 64)
		abort();
}

static void check(const struct gv_mbox_pf *pf)
{
	unsigned exclusive = 0;

	for (unsigned i = 0; i < VFS; i++) {
		enum gv_mbox_state s = pf->vf[i].state;

		exclusive += s == GV_MBOX_EXCLUSIVE || s == GV_MBOX_ENTER || s == GV_MBOX_LEAVE;
		if (s == GV_MBOX_EXCLUSIVE && (pf->holder != (int)i || !pf->vf[i].deadline_ns))
			abort();
	}
	if (exclusive > 1 || pf->queued > VFS || (pf->holder < 0 && pf->queued))
		abort();
}

static void event(struct gv_mbox_pf *pf, struct gv_mbox_vf *guest, const uint8_t *e, uint64_t *now)
{
	struct gv_mbox_acts acts;
	struct gv_mbox_vf_out out;
	struct gv_mbox_msg msg = {{(uint32_t)(e[2] | e[3] << 8), e[4], e[5], e[6]}};
	struct gv_mbox_vf_in in = {*now, e[1] & 1, e[1] & 2, msg};
	unsigned vf = e[1] % VFS;

	*now += e[7] * 10 * GV_MS;
	switch (e[0] % 9) {
	case 0:
		(void)gv_mbox_pf_acked(pf, vf, *now, &acts);
		break;
	case 1:
	case 2:
		(void)gv_mbox_pf_done(pf, vf, pf->vf[vf].ticket, e[4] & 3 ? 0 : -EIO, *now, &acts);
		break;
	case 3:
		(void)gv_mbox_pf_reset(pf, vf, (enum gv_mbox_reason)(e[2] % GV_MBOX_REASONS), *now,
		                       &acts);
		break;
	case 4:
		(void)gv_mbox_pf_tick(pf, *now, &acts);
		break;
	case 5:
		if (e[2] & 1)
			(void)gv_mbox_pf_enable(pf, vf, *now, &acts);
		else
			(void)gv_mbox_pf_disable(pf, vf, *now, &acts);
		break;
	case 6:
		(void)gv_mbox_pf_tell(pf, vf, &msg, *now, &acts);
		break;
	case 7:
		(void)gv_mbox_vf_start(guest, &msg);
		gv_mbox_vf_step(guest, &in, &out);
		break;
	default:
		(void)gv_mbox_pf_message(pf, vf, &msg, *now, &acts);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gv_mbox_pf pf;
	struct gv_mbox_pf_cfg cfg = {.guard_off = size > 1 && data[0] & 1,
	                             .ras_telemetry = size > 1 && data[0] & 2};
	struct gv_mbox_acts acts;
	struct gv_mbox_vf guest;
	uint64_t now = GV_S;

	if (!size)
		return 0;
	if (data[0] < 3) {
		pages(data[0], data + 1, size - 1);
		return 0;
	}
	if (gv_mbox_pf_init(&pf, VFS, &cfg))
		abort();
	for (unsigned i = 0; i < VFS; i++)
		(void)gv_mbox_pf_enable(&pf, i, now, &acts);
	gv_mbox_vf_init(&guest, NULL);
	for (size_t at = 1; at + 8 <= size && at < 8 * 4096; at += 8) {
		event(&pf, &guest, data + at, &now);
		check(&pf);
	}
	return 0;
}
